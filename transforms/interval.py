"""The interval of the NPS: what is closed is in the select, and the score interval, which needs roots, here."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

Method = Literal["adjusted_wald", "score", "wald"]
Numbers = NDArray[np.float64]

HALVINGS = 60  # of an interval of at most 2: to the last bit
DIGITS = 10  # of all stored figures: what lies beyond may differ between machines


def interval(metrics: pd.DataFrame, *, method: Method) -> pd.DataFrame:
    """The metrics with the interval of the method: for `score` nps_low and nps_high are made anew, in points.

    The intervals of Wald and adjusted Wald (Rocks 2016) are the select's. The weighted score keeps its adjusted Wald.
    """
    if method != "score":
        return metrics
    low, high = score_interval(*(metrics[name].astype("float64") for name in ("detractors", "passives", "promoters")))
    is_shown = metrics["nps"].notna()
    bounds = {"nps_low": low, "nps_high": high}
    points = {name: pd.Series(100 * bound, index=metrics.index).round(DIGITS) for name, bound in bounds.items()}
    return metrics.assign(**{name: bound.where(is_shown) for name, bound in points.items()})


def scored(counts: pd.DataFrame, *, method: Method) -> pd.DataFrame:
    """The rows with NPS and its interval, in points, of promoters, passives and detractors; NULL where nobody is."""
    promoters, passives, detractors = (
        counts[name].astype("float64") for name in ("promoters", "passives", "detractors")
    )
    n = promoters + passives + detractors
    added = 0 if method == "wald" else 0.75
    p, d = ((one + added) / (n + 4 * added) for one in (promoters, detractors))
    margin = ndtri(0.975) * ((p + d - (p - d) ** 2).clip(lower=0) / (n + 4 * added)) ** 0.5
    points = {
        "nps": (promoters - detractors) / n,
        "nps_low": (p - d - margin).clip(lower=-1),
        "nps_high": (p - d + margin).clip(upper=1),
    }
    made = {name: (100 * one).round(DIGITS).where(n > 0).astype("Float64") for name, one in points.items()}
    return interval(counts.assign(**made), method=method)


def score_interval(
    detractors: Any, passives: Any, promoters: Any, *, confidence: float = 0.95
) -> tuple[Numbers, Numbers]:
    """Both ends of the iterative score interval (Tango 1998), −1 to 1, for arrays of counts; NaN without an answer.

    With b detractors and c promoters of n, and the trial difference t, the passives' share under t follows from
    A = 2n, B = −b − c + (2n − c + b)t, C = −bt(1 − t); the ends are where (c − b − nt)² is z² times its variance.
    """
    b, q, c = (np.asarray(counts, dtype=np.float64) for counts in (detractors, passives, promoters))
    n = b + q + c
    z = float(ndtri((1 + confidence) / 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = (c - b) / n
        low = _root(b, c, n, z=z, inside=estimate, outside=np.full_like(estimate, -1.0))
        high = _root(b, c, n, z=z, inside=estimate, outside=np.full_like(estimate, 1.0))
    return low, high


def _root(b: Numbers, c: Numbers, n: Numbers, *, z: float, inside: Numbers, outside: Numbers) -> Numbers:
    """By halving: `inside` stays one that the test does not reject, `outside` one that it does, or the end."""
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        rejected = _is_rejected(b, c, n, middle, z=z)
        inside, outside = np.where(rejected, inside, middle), np.where(rejected, middle, outside)
    return inside


def _is_rejected(b: Numbers, c: Numbers, n: Numbers, t: Numbers, *, z: float) -> Any:
    """Whether the score test at z rejects the difference t."""
    quadratic, linear, constant = 2 * n, -b - c + (2 * n - c + b) * t, -b * t * (1 - t)
    share = (np.sqrt(np.maximum(linear**2 - 4 * quadratic * constant, 0)) - linear) / (2 * quadratic)
    variance = n * (2 * share + t * (1 - t))
    return np.abs(c - b - n * t) > z * np.sqrt(np.maximum(variance, 0))
