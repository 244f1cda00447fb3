"""The metrics of a wave as a release holds them, straight from counts, for what is made of published rows alone."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

Counts = tuple[int, int, int]  # detractors, passives, promoters: in the order of the textbooks
Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names


def released(
    counts: Mapping[str, Counts],
    *,
    parents: Mapping[str, str] | None = None,
    suppressed: Iterable[str] = (),
    wave: str = "2026-10",
) -> Frame:
    """One row per department in the order given; who is in no `parents` hangs on the organisation, `all`."""
    hidden = set(suppressed)
    d, q, p = (np.array([row[place] for row in counts.values()], dtype="float64") for place in range(3))
    n = d + q + p
    nps = np.where(n > 0, 100 * (p - d) / np.maximum(n, 1), np.nan)
    is_shown = np.array([name not in hidden for name in counts])
    figures = {"responses": n, "promoters": p, "passives": q, "detractors": d}
    figures |= {"nps": nps, "nps_low": nps - 5, "nps_high": nps + 5}
    return pd.DataFrame(
        {
            "department_id": list(counts),
            "department": [name.title() for name in counts],
            "parent_id": pd.Series([_parent(name, parents or {}) for name in counts], dtype=object),
            "level": [0 if name == "all" else 1 for name in counts],
            "status": np.where(is_shown, "published", "suppressed"),
            "wave": wave,
            **{name: np.where(is_shown, values, np.nan) for name, values in figures.items()},
        }
    )


def _parent(name: str, parents: Mapping[str, str]) -> str | None:
    return None if name == "all" else parents.get(name, "all")
