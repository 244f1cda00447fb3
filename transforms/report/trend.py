"""The picture over time: a band of intervals and a line, drawn by Altair without words, colours or ids of its own."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import vl_convert

from transforms import TransformError

SIDE = 1000  # the drawing stretches to the page's width; the page adds words and points in per cent
_GROUP = re.compile(r'<g class="mark-(area|line)[^"]*"[^>]*>(.*?)</g>', re.DOTALL)
_SHAPE = re.compile(r'<path[^>]* d="([^"]+)"')


@dataclass(frozen=True)
class Point:
    """One wave's figure with its interval; a wave that cannot be shown has none, and cuts the line."""

    wave: str
    position: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Drawing:
    """Path data in a square of SIDE, and where things stand in per cent."""

    bands: tuple[str, ...]
    lines: tuple[str, ...]
    dots: tuple[tuple[str, str, str], ...]  # wave, x, y
    first: tuple[str, str]  # y of the first interval's upper and lower end
    zero: str
    is_zero_apart: bool  # whether the label of the zero line keeps clear of the last value


def drawn(points: Sequence[Point], *, step: float) -> Drawing:
    """The drawing of a series with a value at least; its domain holds 0 and every interval, rounded out to `step`."""
    shown = [point for point in points if point.value is not None]
    low = step * math.floor(min([0.0, *(p.low for p in shown if p.low is not None)]) / step)
    high = step * math.ceil(max([low + step, 0.0, *(p.high for p in shown if p.high is not None)]) / step)
    last = max(1, max(point.position for point in points))

    def across(position: int) -> float:
        return position / last

    def up(value: float) -> float:
        return (value - low) / (high - low)

    bands, lines = _paths(
        {"x": across(p.position), "y": up(p.value), "low": up(p.low), "high": up(p.high), "part": part}
        for part, p in _parts(points)
        if p.value is not None and p.low is not None and p.high is not None
    )
    dots = tuple(
        (p.wave, _per_cent(across(p.position)), _per_cent(1 - up(p.value))) for p in shown if p.value is not None
    )
    newest, oldest = shown[-1].value, shown[0]
    return Drawing(
        bands=bands,
        lines=lines,
        dots=dots,
        first=(_per_cent(1 - up(oldest.high or 0)), _per_cent(1 - up(oldest.low or 0))),
        zero=_per_cent(1 - up(0)),
        is_zero_apart=newest is None or abs(newest) / (high - low) > 0.22,
    )


def _per_cent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _parts(points: Sequence[Point]) -> Iterator[tuple[int, Point]]:
    part = 0
    for point in points:
        part += point.value is None
        yield part, point


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
