"""What a look at a wave's inputs found, against what was released of it."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from warehouse.records import Release

Verdict = Literal["new", "unchanged", "changed", "waiting"]


@dataclass(frozen=True)
class Examination:
    """What a wave's inputs say against what was released: the verdict, and what of it waits, for the operator."""

    survey: str
    wave: str
    verdict: Verdict
    released: Release | None  # the newest released revision
    first_release_id: str | None  # whose pattern is frozen
    inputs_hash: str
    rows: int  # responses that stand
    touched: pd.DataFrame | None = None  # per region: what enters and what waits
    is_computed_anew: bool = False  # figures are made in another way than those that were released
    is_material: bool = False  # all late answers are let in at once, also where they are few

    @property
    def reason(self) -> str | None:
        """Why a revision made now differs, where it is not for answers alone; printed where no other is given."""
        if not self.is_computed_anew:
            return None
        if self.entering():
            return "Answers came in, or changed, and the figures are computed in another way."
        return "The figures are computed in another way, of the same answers."

    @property
    def revision(self) -> int:
        """The number that a release made now would have."""
        return self.released.revision + 1 if self.released else 1

    def waiting(self) -> int:
        """How many touched answers wait, over all regions."""
        if self.touched is None or self.touched.empty:
            return 0
        return int(self.touched.filter(like="waiting_").to_numpy().sum())

    def entering(self) -> int:
        """How many touched answers enter, over all regions."""
        if self.touched is None or self.touched.empty:
            return 0
        return int(self.touched[["added", "removed", "edited"]].to_numpy().sum())
