"""The picture over time: a band of intervals and a line, drawn by Altair without words, colours or ids of its own."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import altair as alt
import vl_convert

from transforms import TransformError

SIDE = 1000  # the drawing stretches to the page's width; the page adds words and points in per cent
_GROUP = re.compile(r'<g class="mark-(area|line)[^"]*"[^>]*>(.*?)</g>', re.DOTALL)
_SHAPE = re.compile(r'<path[^>]* d="([^"]+)"')


@dataclass(frozen=True)
class Point:
    """One wave's figure with its interval; a wave that cannot be shown has none, and cuts a line without a smooth."""

    wave: str
    position: int
    value: float | None
    low: float | None
    high: float | None
    smooth: tuple[float, float, float] | None = None  # the smooth through all waves, and its band
    is_break: bool = False  # what comes from here on is measured in another way, and never joined to what came before


@dataclass(frozen=True)
class Drawing:
    """Path data in a square of SIDE, and where things stand in per cent."""

    bands: tuple[str, ...]
    lines: tuple[str, ...]
    dots: tuple[tuple[str, str, str], ...]  # wave, x, y
    spans: tuple[tuple[str, str, str], ...]  # x, and the ends of a wave's interval: where the band is of a smooth
    breaks: tuple[tuple[str, float], ...]  # the wave with which the method changed, and where its line stands
    first: tuple[str, str]  # y of the first interval's upper and lower end
    zero: str
    is_zero_apart: bool  # whether the label of the zero line keeps clear of the last value


def drawn(points: Sequence[Point], *, step: float) -> Drawing:
    """The drawing of a series with a value at least; its domain holds 0 and every interval, rounded out to `step`.

    The band is of the smooth where there is one, and each wave has its interval; else it is of the waves' intervals.
    """
    shown = [point for point in points if point.value is not None]
    is_smooth = any(point.smooth is not None for point in points)
    low, high = _domain(points, step)
    last = max(1, max(point.position for point in points))

    def across(position: int) -> float:
        return position / last

    def up(value: float) -> float:
        return (value - low) / (high - low)

    bands, lines = _paths(
        {"x": across(at), "y": up(value), "low": up(below), "high": up(above), "part": part}
        for part, at, value, below, above in _parts(points, is_smooth=is_smooth)
    )
    newest, oldest = shown[-1].value, shown[0]
    return Drawing(
        bands=bands,
        lines=lines,
        dots=tuple(
            (p.wave, _per_cent(across(p.position)), _per_cent(1 - up(p.value))) for p in shown if p.value is not None
        ),
        spans=tuple(
            (_per_cent(across(p.position)), _per_cent(1 - up(p.low)), _per_cent(1 - up(p.high)))
            for p in shown
            if is_smooth and p.low is not None and p.high is not None
        ),
        breaks=_breaks(points, last),
        first=(_per_cent(1 - up(oldest.high or 0)), _per_cent(1 - up(oldest.low or 0))),
        zero=_per_cent(1 - up(0)),
        is_zero_apart=newest is None or abs(newest) / (high - low) > 0.22,
    )


def _domain(points: Sequence[Point], step: float) -> tuple[float, float]:
    ends: list[float] = [end for p in points for end in (p.low, p.high, *(p.smooth or ())) if end is not None]
    low = step * math.floor(min([0.0, *ends]) / step)
    return low, step * math.ceil(max([low + step, 0.0, *ends]) / step)


def _breaks(points: Sequence[Point], last: int) -> tuple[tuple[str, float], ...]:
    """Halfway between the last wave that was measured in the old way and the first in the new."""
    return tuple(
        (point.wave, round(50 * (before.position + point.position) / last, 2))
        for before, point in pairwise(points)
        if point.is_break
    )


def _per_cent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _parts(points: Sequence[Point], *, is_smooth: bool) -> Iterator[tuple[int, int, float, float, float]]:
    """What a line may join: part, position, value, and the ends of its interval."""
    part = 0
    for point in points:
        figure = point.smooth if is_smooth else (point.value, point.low, point.high)
        part += figure is None or None in figure or point.is_break
        if figure is not None:
            value, low, high = figure
            if value is not None and low is not None and high is not None:
                yield part, point.position, value, low, high


def _paths(rows: Iterable[dict[str, float]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chart = _chart()
    first, *others = chart["data"]
    picture = vl_convert.vega_to_svg({**chart, "data": [{**first, "values": list(rows)}, *others]})
    found: dict[str, list[str]] = {"area": [], "line": []}
    for kind, inside in _GROUP.findall(picture):
        found[kind] += _SHAPE.findall(inside)
    if not all(found.values()):
        raise TransformError("the chart library drew no band or no line; check the pin of vl-convert-python")
    return tuple(found["area"]), tuple(found["line"])


@cache
def _chart() -> dict[str, Any]:
    """The chart compiled once, on a square of 0 to 1, so that only its data differ from page to page."""
    unit = alt.Scale(domain=[0, 1], nice=False, zero=False)
    x = alt.X("x:Q", axis=None, scale=unit)
    base = alt.Chart(alt.InlineData(values=[])).encode(x=x, detail=alt.Detail("part:N"))  # waves that a line may join
    low, middle = (alt.Y(f"{name}:Q", axis=None, scale=unit) for name in ("low", "y"))
    chart = alt.layer(base.mark_area().encode(y=low, y2="high:Q"), base.mark_line().encode(y=middle))
    chart = chart.properties(width=SIDE, height=SIDE, padding=0).configure(aria=False).configure_view(stroke=None)
    compiled: dict[str, Any] = vl_convert.vegalite_to_vega(chart.to_dict())
    return compiled
