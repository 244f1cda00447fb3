"""What each part of a page shows, prepared for the templates: they place it, and decide nothing."""

from dataclasses import dataclass

from transforms.report.carries import NARROW, WIDE, Picture, Texts, picture
from transforms.report.edition import Metric
from transforms.report.figures import Scale, carried, wilson
from transforms.report.sentences import difference_in_shares
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
    """One step in the table behind the picture."""

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
        range_ = _to_percent(words, metric.sharing_rate_low, metric.sharing_rate_high)
        rows.append(CarryRow(what, _counted(words, metric.told), words.percent(metric.sharing_rate, 1), range_))
    if metric.influence_rate is not None:
        what = words.say("Had effect, of those who told others and answered this")
        range_ = _to_percent(words, metric.influence_rate_low, metric.influence_rate_high)
        rows.append(CarryRow(what, "·", words.percent(metric.influence_rate, 1), range_))
    low_, high_ = metric.superpromoter_rate_low, metric.superpromoter_rate_high
    if metric.superpromoter_rate is not None and low_ is not None and high_ is not None:
        what = words.say("Superpromoters: the three multiplied")
        rate = words.percent(metric.superpromoter_rate, 1)
        rows.append(CarryRow(what, "·", rate, words.to_percent(low_, high_, 1)))
    return rows


def _counted(words: Words, number: int | None) -> str:
    return "·" if number is None else words.number(number)


def _to_percent(words: Words, low: float | None, high: float | None) -> str:
    return "·" if low is None or high is None else words.to_percent(low, high, 1)


def pictures(words: Words, metric: Metric) -> tuple[Picture, Picture]:
    """How far enthusiasm carries, wide and narrow."""
    found = carried(metric)
    kinds = (
        ("pro", words.count("%(number)s promoter", "%(number)s promoters", found.promoters)),
        ("pas", words.count("%(number)s passive", "%(number)s passives", found.passives)),
        ("det", words.count("%(number)s detractor", "%(number)s detractors", found.detractors)),
    )
    steps = [
        (words.number(100), words.say("respondents"), "", ""),
        (
            words.number(found.promoters),
            words.count("would gladly recommend us", "would gladly recommend us", found.promoters),
            words.say("promoters: they gave a 9 or a 10"),
            "",
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
        what = words.count("told others", "told others", found.told)
        steps.append(
            (words.number(found.told), what, told, _between(words, metric.sharing_rate_low, metric.sharing_rate_high))
        )
        range_ = _between(words, metric.influence_rate_low, metric.influence_rate_high) if effect else ""
        steps.append((words.number(found.had_effect), words.say("had effect"), effect, range_))
    texts = Texts(kinds, tuple(steps))
    return picture(found, texts, WIDE), picture(found, texts, NARROW)


def _between(words: Words, low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else words.between_percent(low, high)


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
