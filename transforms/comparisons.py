"""Departments compared fairly: each with everyone else, and in a funnel; from what is published, and nothing else."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from transforms.change import SIGNIFICANT, benjamini_hochberg, figure, scores
from transforms.departments import ROOT_ID

COUNTS = ("responses", "promoters", "passives", "detractors")
COLUMNS = (
    *("department_id", "department", "nps", "nps_rest"),
    *("rest_difference", "rest_difference_low", "rest_difference_high", "rest_p_value", "is_different_from_rest"),
    *("funnel_centre", "funnel_answer_sd", "funnel_between_sd"),
    *("funnel_low_95", "funnel_high_95", "funnel_low_998", "funnel_high_998", "is_outside_95", "is_outside_998"),
    "nps_shrunken",
)
LEAST = 3  # departments in a funnel: of fewer nobody can say how much departments differ
WINSORISED = 0.1  # of the squared z-scores' departments, at each end
INNER, OUTER = 0.95, 0.998

Numbers = NDArray[np.float64]


def comparisons(metrics: pd.DataFrame, *, min_respondents: int, confidence: float = INNER) -> pd.DataFrame:
    """One row per published department below the organisation, in tree order: against the rest, and in the funnel.

    The rest is the organisation less the department, both as published: never the total that contains it; NULL where
    it has under `min_respondents` answers. Departments of a tree contain each other and are not independent. So the
    funnel and the shrunken estimates are of the lowest published departments alone, which share no answer; for those
    above them they are NULL.
    """
    shown = metrics[(metrics["status"] == "published") & metrics["nps"].notna()].reset_index(drop=True)
    rows = shown[shown["department_id"] != ROOT_ID].reset_index(drop=True)
    rest = _against_rest(rows, shown, min_respondents=min_respondents, confidence=confidence)
    is_lowest = rows["department_id"].isin(lowest(metrics))
    return pd.concat([rows[["department_id", "department", "nps"]], rest, _funnel(rows, is_lowest)], axis=1)[
        list(COLUMNS)
    ]


def lowest(metrics: pd.DataFrame) -> list[str]:
    """The published departments with answers that have no such department below them: disjoint, in tree order."""
    is_shown = (metrics["status"] == "published") & metrics["nps"].notna()
    parents = dict(zip(metrics["department_id"], metrics["parent_id"], strict=True))
    shown = metrics.loc[is_shown & (metrics["department_id"] != ROOT_ID), "department_id"].tolist()
    above: set[str] = set()
    for name in shown:
        parent = parents[name]
        while parent in parents and parent not in above:
            above.add(parent)
            parent = parents[parent]
    return [name for name in shown if name not in above]


def _against_rest(rows: pd.DataFrame, shown: pd.DataFrame, *, min_respondents: int, confidence: float) -> pd.DataFrame:
    """The difference of two independent groups, adjusted Wald (Rocks 2016); p after Benjamini and Hochberg (1995)."""
    whole = shown.loc[shown["department_id"] == ROOT_ID, list(COUNTS)].astype("float64")
    totals = whole.iloc[0] if len(whole) else pd.Series(np.nan, index=list(COUNTS))
    rest = pd.DataFrame({name: totals[name] - rows[name].astype("float64") for name in COUNTS})
    is_large = (rest["responses"] >= min_respondents) & (rest["responses"] > 0)
    rest["nps"] = (100 * (rest["promoters"] - rest["detractors"]) / rest["responses"]).where(is_large)
    own, other = scores(rows), scores(rest)
    difference = (own["adjusted"] - other["adjusted"]).where(is_large)
    error = (own["variance"] + other["variance"]) ** 0.5
    margin = ndtri((1 + confidence) / 2) * error
    everyone = pd.Series(True, index=rows.index)
    p = benjamini_hochberg(2 * ndtr(-(difference / error).abs()), is_family=everyone)
    return pd.DataFrame(
        {
            "nps_rest": figure(rest["nps"]),
            "rest_difference": figure(own["nps"] - rest["nps"]),
            "rest_difference_low": figure(100 * (difference - margin).clip(lower=-2)),
            "rest_difference_high": figure(100 * (difference + margin).clip(upper=2)),
            "rest_p_value": figure(p),
            "is_different_from_rest": (p < SIGNIFICANT).astype("boolean").where(is_large),
        }
    )


def _funnel(rows: pd.DataFrame, is_lowest: pd.Series) -> pd.DataFrame:
    """The funnel of the lowest departments around their common score, and their scores drawn towards their mean."""
    counts = rows[is_lowest][list(COUNTS)].astype("float64")
    found: dict[str, Any] = {}
    if len(counts) >= LEAST:
        n, y = counts["responses"].to_numpy(), rows.loc[is_lowest, "nps"].to_numpy(dtype="float64") / 100
        p, d = counts["promoters"].sum() / n.sum(), counts["detractors"].sum() / n.sum()
        centre, answer = p - d, p + d - (p - d) ** 2
        s = np.sqrt(answer / n)
        between = overdispersion(y, s, centre=centre)
        found = {"funnel_centre": centre, "funnel_answer_sd": answer**0.5, "funnel_between_sd": between**0.5}
        for name, share in (("95", INNER), ("998", OUTER)):
            low, high = funnel_limits(n, centre=centre, answer=answer, between=between, share=share)
            found |= {f"funnel_low_{name}": low, f"funnel_high_{name}": high}
        found["nps_shrunken"] = shrunken(y, s)[0] if answer > 0 else y
    names = [name for name in COLUMNS if name.startswith("funnel_")] + ["nps_shrunken"]
    made = pd.DataFrame({name: found.get(name, np.nan) for name in names}, index=counts.index, dtype="float64")
    made = (100 * made).reindex(rows.index)
    nps = rows["nps"].astype("float64")
    for name in ("95", "998"):
        is_outside = (nps < made[f"funnel_low_{name}"] - 1e-9) | (nps > made[f"funnel_high_{name}"] + 1e-9)
        made[f"is_outside_{name}"] = is_outside.astype("boolean").where(made["funnel_centre"].notna())
    return made.assign(**{name: figure(made[name]) for name in names})


def funnel_limits(
    n: Any, *, centre: float, answer: float, between: float = 0.0, share: float = INNER
) -> tuple[Numbers, Numbers]:
    """Between which scores (−1…1) `share` of departments with n answers would lie: θ₀ ± z√(V₀/n + τ²), clipped.

    After Spiegelhalter (2005); `answer` is V₀, the variance of one answer, and `between` τ², that between departments.
    """
    margin = ndtri((1 + share) / 2) * np.sqrt(answer / np.asarray(n, dtype="float64") + between)
    return np.clip(centre - margin, -1, 1), np.clip(centre + margin, -1, 1)


def overdispersion(y: Numbers, s: Numbers, *, centre: float) -> float:
    """τ² of Spiegelhalter (2005): what departments differ beyond chance; the outermost tenths are drawn in first.

    φ is the mean of the squared z-scores after winsorising; τ² = max(0, (kφ − (k − 1))/(Σw − Σw²/Σw)), w = 1/s².
    """
    if not (s > 0).all():
        return 0.0
    z = (y - centre) / s
    low, high = np.quantile(z, [WINSORISED, 1 - WINSORISED])
    k, w = len(z), 1 / s**2
    phi = float(np.mean(np.clip(z, low, high) ** 2))
    return max(0.0, float((k * phi - (k - 1)) / (w.sum() - (w**2).sum() / w.sum())))


def shrunken(y: Numbers, s: Numbers) -> tuple[Numbers, float, float]:
    """Each estimate drawn towards the mean μ by B = s²/(s² + τ²), beside μ and τ² (DerSimonian, Laird 1986)."""
    w = 1 / s**2
    fixed = (w * y).sum() / w.sum()
    q = (w * (y - fixed) ** 2).sum()
    between = max(0.0, float((q - (len(y) - 1)) / (w.sum() - (w**2).sum() / w.sum())))
    w = 1 / (s**2 + between)
    mean = float((w * y).sum() / w.sum())
    b = s**2 / (s**2 + between)
    return b * mean + (1 - b) * y, mean, between
