"""What each part of a page shows, prepared for the templates: they place it, and decide nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transforms.report.carries import NARROW, WIDE, Picture, Texts, picture
from transforms.report.edition import Metric
from transforms.report.figures import Scale, carried, wilson
from transforms.report.periods import positions
from transforms.report.sentences import difference_in_shares
from transforms.report.trend import Drawing, Point, drawn
from transforms.report.words import Words


@dataclass(frozen=True)
class Figure:
    """One of the three figures: its value, its interval in words, and what it means."""

    label: str
    kind: str | None  # which mark stands beside the label
    value: str
    range: str
    means: str


def figures(words: Words, metric: Metric, *, is_asked: bool) -> list[Figure]:
    """NPS, promoters and superpromoters; detractors where superpromoters were not asked about."""
    assert metric.nps is not None and metric.nps_low is not None and metric.nps_high is not None
    nps = Figure(
        words.say("Net Promoter Score"),
        None,
        words.points(metric.nps),
        words.between(metric.nps_low, metric.nps_high),
        difference_in_shares(words, metric),
    )
    promoters = _share(
        words, metric.promoters, metric.responses, kind="pro", label=words.say("Promoters"),
        means=words.say("would gladly recommend us: they gave a 9 or a 10."),
    )  # fmt: skip
    if is_asked:
        return [nps, promoters, _superpromoters(words, metric)]
    detractors = _share(
        words, metric.detractors, metric.responses, kind="det", label=words.say("Detractors"),
        means=words.say("gave a 6 or less."),
    )  # fmt: skip
    return [nps, promoters, detractors]


def _share(words: Words, count: int | None, total: int | None, *, kind: str, label: str, means: str) -> Figure:
    assert count is not None and total
    return Figure(label, kind, words.percent(count / total), words.between_percent(*wilson(count, total)), means)


def _superpromoters(words: Words, metric: Metric) -> Figure:
    rate, low, high = metric.superpromoter_rate, metric.superpromoter_rate_low, metric.superpromoter_rate_high
    label = words.say("Superpromoters")
    if rate is None or low is None or high is None:
        return Figure(label, "effect", "–", words.say("cannot be told"), words.say("too few answered these questions."))
    means = words.say("told others as well, and someone came along.")
    return Figure(label, "effect", words.percent(rate), words.between_percent(low, high), means)


@dataclass(frozen=True)
class CarryRow:
    """One step in the table behind the picture; the two steps in between have no interval of their own."""

    what: str
    number: str
    share: str
    range: str


def carry_rows(words: Words, metric: Metric) -> list[CarryRow]:
    """From promoter to superpromoter in figures."""
    assert metric.promoters is not None and metric.responses
    low, high = wilson(metric.promoters, metric.responses)
    rows = [
        CarryRow(
            words.say("Promoters, of all respondents"),
            words.number(metric.promoters),
            words.percent(metric.promoters / metric.responses, 1),
            words.to_percent(low, high, 1),
        )
    ]
    if metric.sharing_rate is not None:
        what = words.say("Told others, of promoters who answered this")
        rows.append(CarryRow(what, "·", words.percent(metric.sharing_rate, 1), "·"))
    if metric.influence_rate is not None:
        what = words.say("Had effect, of those who told others and answered this")
        rows.append(CarryRow(what, "·", words.percent(metric.influence_rate, 1), "·"))
    low_, high_ = metric.superpromoter_rate_low, metric.superpromoter_rate_high
    if metric.superpromoter_rate is not None and low_ is not None and high_ is not None:
        what = words.say("Superpromoters: the three multiplied")
        rate = words.percent(metric.superpromoter_rate, 1)
        rows.append(CarryRow(what, "·", rate, words.to_percent(low_, high_, 1)))
    return rows


def pictures(words: Words, metric: Metric) -> tuple[Picture, Picture]:
    """How far enthusiasm carries, wide and narrow."""
    found = carried(metric)
    kinds = (
        ("pro", words.count("%(number)s promoter", "%(number)s promoters", found.promoters)),
        ("pas", words.count("%(number)s passive", "%(number)s passives", found.passives)),
        ("det", words.count("%(number)s detractor", "%(number)s detractors", found.detractors)),
    )
    steps = [
        (words.number(100), words.say("respondents"), ""),
        (
            words.number(found.promoters),
            words.count("would gladly recommend us", "would gladly recommend us", found.promoters),
            words.say("promoters: they gave a 9 or a 10"),
        ),
    ]
    if found.told is not None and found.had_effect is not None:
        assert metric.sharing_rate is not None
        told = words.say("%(share)s of the promoters", share=words.percent(metric.sharing_rate))
        effect = (
            ""
            if metric.influence_rate is None
            else words.say("for %(share)s of them someone came along", share=words.percent(metric.influence_rate))
        )
        steps.append((words.number(found.told), words.count("told others", "told others", found.told), told))
        steps.append((words.number(found.had_effect), words.say("had effect"), effect))
    texts = Texts(kinds, tuple(steps))
    return picture(found, texts, WIDE), picture(found, texts, NARROW)


@dataclass(frozen=True)
class Strip:
    """Where an interval and its point stand on the common scale, in per cent."""

    low: str
    high: str
    at: str


def strip(scale: Scale, value: float | None, low: float | None, high: float | None) -> Strip | None:
    """A strip on the edition's scale; None where there is no figure."""
    if value is None or low is None or high is None:
        return None
    return Strip(scale.at(low), scale.at(high), scale.at(value))


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


def series(metrics: Sequence[Metric], *, what: str) -> list[Point]:
    """The points of one department over the waves, in per cent points or points of NPS."""
    places = positions([metric.wave for metric in metrics])
    if what == "nps":
        return [Point(m.wave, x, m.nps, m.nps_low, m.nps_high) for m, x in zip(metrics, places, strict=True)]
    rates = ((m.superpromoter_rate, m.superpromoter_rate_low, m.superpromoter_rate_high) for m in metrics)
    return [
        Point(m.wave, x, *(None if rate is None else rate * 100 for rate in rate_))
        for m, x, rate_ in zip(metrics, places, rates, strict=True)
    ]


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
    )


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


def drawings(history: Mapping[str, Sequence[Metric]], *, is_asked: bool) -> dict[tuple[str, str], Drawing]:
    """Every department's pictures over time, drawn once for all languages."""
    found = {}
    for department_id, metrics in history.items():
        for name, step in (("nps", 10.0), ("superpromoters", 5.0)) if is_asked else (("nps", 10.0),):
            points = series(metrics, what=name)
            if sum(point.value is not None for point in points) > 1:
                found[department_id, name] = drawn(points, step=step)
    return found
