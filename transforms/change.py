"""How each department moved since an earlier wave, and whether that is beyond chance."""

import pandas as pd
from scipy.special import ndtr, ndtri

from transforms.departments import ROOT_ID
from transforms.paired import nobody

SIGNIFICANT = 0.05
DIGITS = 10  # of all stored figures: what lies beyond may differ between machines


def change(
    metrics: pd.DataFrame,
    previous_metrics: pd.DataFrame,
    *,
    previous_release_id: str | None,
    pairs: pd.DataFrame | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The metrics with, per department published in both waves: change in points, its interval, and its p.

    Without an earlier wave `previous_metrics` has no rows, and all of the change is NULL.
    """
    metrics = metrics.reset_index(drop=True)
    moved = compared(metrics, previous_metrics, pairs=pairs, confidence=confidence)
    is_compared = moved["nps_change"].notna()
    return metrics.assign(
        previous_wave=moved["compared_wave"],
        previous_release_id=pd.Series(previous_release_id, index=metrics.index, dtype="string").where(is_compared),
        **{name: moved[name] for name in ("nps_change", "nps_change_low", "nps_change_high")},
        change_p_value=moved["p_value"],
        is_change_significant=moved["is_significant"],
    )


def compared(
    metrics: pd.DataFrame,
    earlier_metrics: pd.DataFrame,
    *,
    pairs: pd.DataFrame | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """One row per row of the metrics: method, change in points, interval and p; NULL unless both waves publish it.

    is_regrouped tells whether the earlier metrics say of the department that they were added up again for it.

    Test and interval are of the adjusted-Wald scores (Rocks 2016). Where the same respondents answered both waves
    (`pairs`, the rows of `paired`), the variance loses 2·cov·n₁₂/(n₁n₂), the n here those of the adjusted scores;
    where all of them did, in both, the waves are paired: the raw difference, with sd(s₂ − s₁)/√n. Pairs are those of
    the wave's first release: where a revision has other answers than they could be of, the waves are independent. p is
    two-sided and adjusted over all such departments (Benjamini, Hochberg 1995); the organisation is outside that
    family and keeps its own.
    """
    names = metrics[["department_id"]].reset_index(drop=True)
    earlier = names.merge(earlier_metrics, on="department_id", how="left", validate="one_to_one")
    both = names.merge(nobody() if pairs is None else pairs, on="department_id", how="left", validate="one_to_one")
    now, before = scores(metrics.reset_index(drop=True)), scores(earlier)
    is_compared = now["nps"].notna() & before["nps"].notna()
    moved = _moved(now, before, both).where(is_compared)
    difference, margin = moved["difference"], ndtri((1 + confidence) / 2) * moved["error"]
    p = benjamini_hochberg(2 * ndtr(-(difference / moved["error"]).abs()), is_family=names["department_id"] != ROOT_ID)
    return pd.DataFrame(
        {
            "compared_wave": earlier["wave"].where(is_compared).astype("string"),
            "method": moved["method"].astype("string"),
            "nps_change": figure(moved["raw"]),
            "nps_change_low": figure(100 * (difference - margin).clip(lower=-2)),
            "nps_change_high": figure(100 * (difference + margin).clip(upper=2)),
            "p_value": figure(p),
            "is_significant": (p < SIGNIFICANT).astype("boolean").where(is_compared),
            "is_regrouped": _regrouped(earlier).where(is_compared),
        }
    )


def _moved(now: pd.DataFrame, before: pd.DataFrame, both: pd.DataFrame) -> pd.DataFrame:
    """The change in points as published; on −2…2 the difference that is tested, and its error; and by which method."""
    raw = now["nps"] - before["nps"]
    is_paired = (both["pairs"] == now["n"] - 3) & (both["pairs"] == before["n"] - 3)
    shared = 2 * both["covariance"] * both["pairs"] / (now["n"] * before["n"])
    can_be = shared.abs() < 2 * (now["variance"] * before["variance"]) ** 0.5  # as Cauchy and Schwarz say
    variance = now["variance"] + before["variance"] - shared.where(can_be, 0)
    method = pd.Series("independent", index=now.index).mask(can_be, "overlapping")
    return pd.DataFrame(
        {
            "raw": raw,
            "difference": (now["adjusted"] - before["adjusted"]).mask(is_paired, raw / 100),
            "error": variance.mask(is_paired, both["difference_variance"] / both["pairs"]) ** 0.5,
            "method": method.mask(is_paired, "paired"),
        }
    )


def _regrouped(earlier: pd.DataFrame) -> pd.Series:
    if "is_regrouped" not in earlier.columns:
        return pd.Series(False, index=earlier.index, dtype="boolean")
    return earlier["is_regrouped"].astype("boolean").fillna(False)


def scores(metrics: pd.DataFrame) -> pd.DataFrame:
    """NPS in points as published; on −1…1 the adjusted score, its variance and its n: ¾, 1½ and ¾ answers added."""
    promoters, passives, detractors = (
        metrics[column].astype("float64") for column in ("promoters", "passives", "detractors")
    )
    n = promoters + passives + detractors + 3
    p, d = (promoters + 0.75) / n, (detractors + 0.75) / n
    return pd.DataFrame(
        {"nps": metrics["nps"].astype("float64"), "adjusted": p - d, "variance": (p + d - (p - d) ** 2) / n, "n": n}
    )


def benjamini_hochberg(p: pd.Series, *, is_family: pd.Series) -> pd.Series:
    """Benjamini–Hochberg over the family's p values that are there; the others stay as they are."""
    tested = is_family & p.notna()
    if tested.any():
        from scipy.stats import false_discovery_control  # it takes longer to import than all else here together

        p = p.mask(tested, pd.Series(false_discovery_control(p[tested]), index=p.index[tested]))
    return p


def figure(values: pd.Series) -> pd.Series:
    """A stored figure: rounded, and NULL where there is none."""
    return values.round(DIGITS).astype("Float64")
