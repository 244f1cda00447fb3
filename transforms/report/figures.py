"""Figures as they are shown: rounded once, from unrounded values, and such that what is printed adds up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from transforms.report.edition import Metric

Z = 1.959963984540054  # 95 %


def rounded(value: float, digits: int) -> Decimal:
    """Halves away from zero, so that swapping promoters and detractors mirrors what is printed."""
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def whole(value: float) -> int:
    """The nearest whole number, halves away from zero."""
    return int(rounded(value, 0))


def wilson(count: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a single rate (Wilson 1927); `total` is above 0."""
    rate, share = count / total, Z * Z / total
    middle = (rate + share / 2) / (1 + share)
    half = Z / (1 + share) * math.sqrt(rate * (1 - rate) / total + share / total / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class People:
    """A wave in whole people: of every `base`, so many; None where it was not asked or cannot be told."""

    base: int
    promoters: int
    superpromoters: int | None


def people(metric: Metric) -> People:
    """Of every 10; of every 100 where 10 would turn a few into nobody, or nearly all into all."""
    assert metric.promoters is not None and metric.responses
    rates = [metric.promoters / metric.responses]
    if metric.superpromoter_rate is not None:
        rates.append(metric.superpromoter_rate)
    base = 10 if all(_is_fair(rate, 10) for rate in rates) else 100
    counts = [whole(rate * base) for rate in rates]
    return People(base, counts[0], counts[1] if len(counts) > 1 else None)


def _is_fair(rate: float, base: int) -> bool:
    count = whole(rate * base)
    return not (count == 0 and rate > 0) and not (count == base and rate < 1)


@dataclass(frozen=True)
class Difference:
    """Promoters less detractors in per cent, with just enough decimals to give the NPS that is printed."""

    promoters: float
    detractors: float
    digits: int


def difference(metric: Metric) -> Difference:
    """The two shares whose printed difference is the printed NPS, or rounds to it where a decimal is needed."""
    assert metric.promoters is not None and metric.detractors is not None and metric.responses
    assert metric.nps is not None
    promoters, detractors = metric.promoters / metric.responses, metric.detractors / metric.responses
    for digits in range(4):
        printed = rounded(promoters * 100, digits) - rounded(detractors * 100, digits)
        if whole(float(printed)) == whole(metric.nps):
            return Difference(promoters, detractors, digits)
    return Difference(promoters, detractors, 4)


@dataclass(frozen=True)
class Carried:
    """Of 100 respondents: who they are, and how far their enthusiasm carried; None where it cannot be told."""

    promoters: int
    passives: int
    detractors: int
    told: int | None
    had_effect: int | None


def carried(metric: Metric) -> Carried:
    """Whole people from unrounded rates; passives are the rest, so that there are 100."""
    assert metric.promoters is not None and metric.detractors is not None and metric.responses
    rate = metric.promoters / metric.responses
    promoters = whole(rate * 100)
    detractors = min(whole(metric.detractors / metric.responses * 100), 100 - promoters)
    told = None if metric.sharing_rate is None else whole(rate * metric.sharing_rate * 100)
    effect = None if metric.superpromoter_rate is None else whole(metric.superpromoter_rate * 100)
    return Carried(promoters, 100 - promoters - detractors, detractors, told, effect if told is not None else None)


@dataclass(frozen=True)
class Scale:
    """The one scale of NPS that every strip of an edition is drawn on, in points; always with 0 on it."""

    low: int
    high: int

    def at(self, value: float) -> str:
        """Where a value stands, in per cent of the width."""
        return f"{(value - self.low) / (self.high - self.low) * 100:.2f}%"

    @property
    def ticks(self) -> list[int]:
        """The few values that the axis names."""
        step = 20 if self.high - self.low <= 100 else 50
        first = math.ceil(self.low / step) * step
        return [tick for tick in range(first, self.high + 1, step) if self.low + 3 <= tick <= self.high - 3]


def scale(metrics: list[Metric]) -> Scale:
    """A scale that holds every interval that is shown, 0 included, rounded out to tens: the same on all pages."""
    lows = [metric.nps_low for metric in metrics if metric.nps_low is not None]
    highs = [metric.nps_high for metric in metrics if metric.nps_high is not None]
    low = min(-10, 10 * math.floor((min(lows, default=0) - 4) / 10))
    high = max(10, 10 * math.ceil((max(highs, default=0) + 4) / 10))
    return Scale(max(low, -100), min(high, 100))


def share_scale(shares: Sequence[float | None]) -> Scale:
    """A scale of per cents that holds every share that is shown; a little room before 0 keeps its label whole."""
    highest = max((share for share in shares if share is not None), default=0.0) * 100
    return Scale(-4, min(104, max(20, 10 * math.ceil(highest / 10)) + 4))
