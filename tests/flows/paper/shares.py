"""Shares that the mart has as counts: of promoters and of detractors, with the interval after Wilson."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from scipy.stats import binomtest


@cache
def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a single rate."""
    found = binomtest(count, total).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def with_shares(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """A row of promoter_metrics that has scores, with promoter_rate and detractor_rate and the ends of each."""
    found = dict(row)
    for name in ("promoter", "detractor"):
        count, total = int(row[f"{name}s"]), int(row["responses"])
        low, high = wilson(count, total)
        found |= {f"{name}_rate": count / total, f"{name}_rate_low": low, f"{name}_rate_high": high}
    return found
