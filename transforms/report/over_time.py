"""The pictures over time: one department's figures through the waves, with the smooth and what broke it, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transforms.report.beside import Trend
from transforms.report.edition import Metric
from transforms.report.periods import positions
from transforms.report.trend import Drawing, Point, drawn
from transforms.report.words import Words


@dataclass(frozen=True)
class TrendView:
    """One series over time with its words."""

    id: str
    title: str
    finding: str
    drawing: Drawing
    first: tuple[str, str, str, int]  # value, x, y, and how far from there: on the side away from zero
    last: tuple[str, str, str]  # value, interval, y
    zero: str
    marks: tuple[tuple[str, str, str], ...]  # label, x, class
    breaks: tuple[tuple[str, str, str], ...]  # label, x, and on which side of its line it stands


def series(metrics: Sequence[Metric], trends: Sequence[Trend], *, what: str) -> list[Point]:
    """The points of one department over the waves, in per cent points or points of NPS; the NPS with its smooth."""
    places = positions([metric.wave for metric in metrics])
    by_wave = {row.trend_wave: row for row in trends}
    found = []
    for metric, place in zip(metrics, places, strict=True):
        row = by_wave.get(metric.wave)
        is_break = bool(row and row.is_break)
        if what == "nps":
            figures = (metric.nps, metric.nps_low, metric.nps_high)
            found.append(Point(metric.wave, place, *figures, smooth=_smooth(row), is_break=is_break))
            continue
        rates = (metric.superpromoter_rate, metric.superpromoter_rate_low, metric.superpromoter_rate_high)
        value, low, high = (None if rate is None else rate * 100 for rate in rates)
        found.append(Point(metric.wave, place, value, low, high, is_break=is_break))
    return found


def _smooth(row: Trend | None) -> tuple[float, float, float] | None:
    if row is None or row.nps_smooth is None or row.nps_smooth_low is None or row.nps_smooth_high is None:
        return None
    return row.nps_smooth, row.nps_smooth_low, row.nps_smooth_high


def trend(words: Words, points: Sequence[Point], *, name: str, drawing: Drawing) -> TrendView | None:
    """A series in words, or None where fewer than two waves can be shown."""
    shown = [point for point in points if point.value is not None]
    if len(shown) < 2:
        return None
    unit = "" if name == "nps" else "%"
    title = words.by_period(
        words.say("NPS") if name == "nps" else words.say("Superpromoters"), [point.wave for point in points]
    )
    first, last = shown[0], shown[-1]
    assert first.value is not None and last.value is not None and last.low is not None and last.high is not None
    values = {dot[0]: dot for dot in drawing.dots}
    named = {"before": words.points(first.value) + unit, "first": words.wave(first.wave)}
    named |= {"now": words.points(last.value) + unit, "last": words.wave(last.wave)}
    finding = (
        words.say("The NPS was %(before)s in %(first)s and is %(now)s in %(last)s.", **named)
        if name == "nps"
        else words.say(
            "Of all respondents %(before)s were superpromoters in %(first)s, and %(now)s in %(last)s.", **named
        )
    )
    finding += _broken(words, drawing)
    range_ = words.to(last.low, last.high) if name == "nps" else words.to_percent(last.low / 100, last.high / 100)
    return TrendView(
        id=name,
        title=title,
        finding=finding,
        drawing=drawing,
        first=(words.points(first.value) + unit, values[first.wave][1], *_away(first.value, drawing)),
        last=(words.points(last.value) + unit, range_, values[last.wave][2]),
        zero="0" + unit,
        marks=_marks(words, points),
        breaks=_breaks(words, drawing),
    )


def _broken(words: Words, drawing: Drawing) -> str:
    if not drawing.breaks:
        return ""
    waves = words.listed([words.wave(wave) for wave, _ in drawing.breaks])
    return " " + words.say("It is measured otherwise since %(waves)s; what came before does not compare.", waves=waves)


def _away(value: float, drawing: Drawing) -> tuple[str, int]:
    return (drawing.first[0], -9) if value >= 0 else (drawing.first[1], 19)


def _marks(words: Words, points: Sequence[Point]) -> tuple[tuple[str, str, str], ...]:
    last = len(points) - 1
    every = -(-last // 6)  # at most five labels between the first and the last, none close to the first
    between = [index for index in range(1, last) if (last - index) % every == 0 and index >= every]
    width = max(1, points[-1].position)
    found = [(words.wave_short(points[0].wave), "0%", "start")]
    for index in between:
        label = words.wave_beside(points[index].wave, points[-1].wave, short=True)
        found.append((label, f"{points[index].position / width * 100:.2f}%", "mid"))
    return (*found, (words.wave_short(points[-1].wave), "100%", "end"))


def _breaks(words: Words, drawing: Drawing) -> tuple[tuple[str, str, str], ...]:
    """One label per break, on the side with more room; of several only the last has room for words."""
    last = len(drawing.breaks) - 1
    return tuple(
        (
            words.say("measured otherwise since %(wave)s", wave=words.wave_short(wave)) if number == last else "",
            f"{x}%",
            "end" if x > 50 else "start",
        )
        for number, (wave, x) in enumerate(drawing.breaks)
    )


def drawings(
    history: Mapping[str, Sequence[Metric]], trends: Mapping[str, Sequence[Trend]], *, is_asked: bool
) -> dict[tuple[str, str], Drawing]:
    """Every department's pictures over time, drawn once for all languages."""
    found = {}
    for department_id, metrics in history.items():
        for name, step in (("nps", 10.0), ("superpromoters", 5.0)) if is_asked else (("nps", 10.0),):
            points = series(metrics, trends.get(department_id, ()), what=name)
            if sum(point.value is not None for point in points) > 1:
                found[department_id, name] = drawn(points, step=step)
    return found
