"""Every change of a wave: against the previous one, and against the same wave a year before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from transforms.change import compared

COLUMNS = (
    *("department_id", "department", "basis", "compared_wave", "compared_release_id", "method"),
    *("nps_change", "nps_change_low", "nps_change_high", "p_value", "is_significant", "is_regrouped"),
)


Basis = Literal["previous", "year_before"]


@dataclass(frozen=True)
class Against:
    """An earlier wave as it was released, and the pairs of respondents that it has with this one."""

    basis: Basis
    release_id: str
    metrics: pd.DataFrame
    pairs: pd.DataFrame | None = None


def changes(metrics: pd.DataFrame, against: Sequence[Against], *, confidence: float = 0.95) -> pd.DataFrame:
    """One row per basis × department published in both waves, in tree order; each basis is a family of its own."""
    metrics = metrics.reset_index(drop=True)
    frames = [_rows(metrics, one, confidence=confidence) for one in against]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))


def _rows(metrics: pd.DataFrame, against: Against, *, confidence: float) -> pd.DataFrame:
    moved = compared(metrics, against.metrics, pairs=against.pairs, confidence=confidence)
    named = metrics[["department_id", "department"]].assign(basis=against.basis, compared_release_id=against.release_id)
    rows = pd.concat([named, moved], axis=1)
    return rows[rows["nps_change"].notna()].reset_index(drop=True)[list(COLUMNS)]
