"""How each department moved since the previous wave, and whether that is beyond chance."""

import pandas as pd
from scipy.stats import false_discovery_control, norm

from transforms.departments import ROOT_ID

SIGNIFICANT = 0.05
DIGITS = 10  # of all stored figures: what lies beyond may differ between machines


def change(
    metrics: pd.DataFrame,
    previous_metrics: pd.DataFrame,
    *,
    previous_release_id: str | None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The metrics with, per department published in both waves: change in points, its interval, and its p.

    The waves count as independent groups; test and interval are of the adjusted-Wald scores (Rocks 2016). p is
    two-sided and adjusted over all such departments (Benjamini, Hochberg 1995); the organisation is outside that
    family and keeps its own. Without an earlier wave `previous_metrics` has no rows, and all of the change is NULL.
    """
    metrics = metrics.reset_index(drop=True)
    earlier = metrics[["department_id"]].merge(previous_metrics, on="department_id", how="left", validate="one_to_one")
    now, before = _scores(metrics), _scores(earlier)
    is_compared = now["nps"].notna() & before["nps"].notna()
    difference = (now["adjusted"] - before["adjusted"]).where(is_compared)
    error = (now["variance"] + before["variance"]) ** 0.5
    margin = norm.ppf((1 + confidence) / 2) * error
    p = benjamini_hochberg(
        pd.Series(2 * norm.sf((difference / error).abs())), is_family=metrics["department_id"] != ROOT_ID
    )
    return metrics.assign(
        previous_wave=earlier["wave"].where(is_compared).astype("string"),
        previous_release_id=pd.Series(previous_release_id, index=metrics.index, dtype="string").where(is_compared),
        nps_change=_figure((now["nps"] - before["nps"]).where(is_compared)),
        nps_change_low=_figure(100 * (difference - margin).clip(lower=-2)),
        nps_change_high=_figure(100 * (difference + margin).clip(upper=2)),
        change_p_value=_figure(p),
        is_change_significant=(p < SIGNIFICANT).astype("boolean").where(is_compared),
    )


def _scores(metrics: pd.DataFrame) -> pd.DataFrame:
    """NPS in points as published, and on −1…1 the adjusted score and its variance: ¾, 1½ and ¾ of an answer added."""
    promoters, passives, detractors = (
        metrics[column].astype("float64") for column in ("promoters", "passives", "detractors")
    )
    n = promoters + passives + detractors + 3
    p, d = (promoters + 0.75) / n, (detractors + 0.75) / n
    return pd.DataFrame(
        {"nps": metrics["nps"].astype("float64"), "adjusted": p - d, "variance": (p + d - (p - d) ** 2) / n}
    )


def benjamini_hochberg(p: pd.Series, *, is_family: pd.Series) -> pd.Series:
    """Benjamini–Hochberg over the family's p values that are there; the others stay as they are."""
    tested = is_family & p.notna()
    if tested.any():
        p = p.mask(tested, pd.Series(false_discovery_control(p[tested]), index=p.index[tested]))
    return p


def _figure(values: pd.Series) -> pd.Series:
    return values.round(DIGITS).astype("Float64")
