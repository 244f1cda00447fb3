"""Which departments rose and which fell beyond chance: what the first parts of every page tell."""

import numpy as np
import pandas as pd

from transforms.departments import ROOT_ID

COLUMNS = (
    "kind",
    "department_id",
    "department",
    "nps",
    "nps_change",
    "nps_change_low",
    "nps_change_high",
    "change_p_value",
)


def highlights(metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per department whose change is significant, in tree order; the organisation itself is none of them."""
    is_significant = metrics["is_change_significant"].fillna(False).astype(bool)
    rows = metrics[is_significant & (metrics["department_id"] != ROOT_ID)].reset_index(drop=True)
    return rows.assign(kind=np.where(rows["nps_change"] > 0, "rose", "fell"))[list(COLUMNS)]
