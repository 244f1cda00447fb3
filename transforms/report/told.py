"""How many people heard of it and acted, what that is worth, and of whom the shares are."""

from transforms.report.edition import Edition, Metric
from transforms.report.words import Words


def told(edition: Edition, words: Words, metric: Metric) -> list[str]:
    """The paragraphs under the steps; what was not asked or cannot be told has none."""
    heard = " ".join([*_reach(words, metric), *_conversion(words, metric)])
    made = _made(edition, words) if heard else []
    found = [heard, *_worth(edition, words, metric), *made, " ".join(_of_whom(words, metric))]
    return [paragraph for paragraph in found if paragraph]


def _reach(words: Words, metric: Metric) -> list[str]:
    if metric.reach is None:
        return []
    reach = words.decimal(metric.reach, 1)
    if metric.reach_low is None or metric.reach_high is None:
        return [words.say("On average a promoter told at least %(reach)s others.", reach=reach)]
    return [
        words.say(
            "On average a promoter told at least %(reach)s others (between %(low)s and %(high)s).",
            reach=reach,
            low=words.decimal(metric.reach_low, 1),
            high=words.decimal(metric.reach_high, 1),
        )
    ]


def _conversion(words: Words, metric: Metric) -> list[str]:
    if metric.conversion is None:
        return []
    if metric.conversion_low is None or metric.conversion_high is None:
        return [
            words.say("Of the people they told %(share)s acted on it.", share=words.percent(metric.conversion)),
        ]
    return [
        words.say(
            "Of the people they told %(share)s acted on it (%(range)s).",
            share=words.percent(metric.conversion),
            range=words.between_percent(metric.conversion_low, metric.conversion_high),
        )
    ]


def _worth(edition: Edition, words: Words, metric: Metric) -> list[str]:
    if metric.recommendation_value is None or metric.recommendation_currency is None or edition.margin is None:
        return []
    return [
        words.say(
            "The customers whom the promoters among these answers brought in are worth %(value)s, at a margin of "
            "%(margin)s each.",
            value=words.money(metric.recommendation_value, metric.recommendation_currency),
            margin=words.money(edition.margin, metric.recommendation_currency),
        )
    ]


def _made(edition: Edition, words: Words) -> list[str]:
    """Of a revision, that it carries these from the first release."""
    if edition.revision == 1:
        return []
    return [
        words.say(
            "How many people were told, and what came of it, is of the first release of this wave; later answers are "
            "not in it."
        )
    ]


def _of_whom(words: Words, metric: Metric) -> list[str]:
    """How many of those who could answer did: only where some did not."""
    found = []
    if metric.told_known is not None and metric.promoters and metric.told_known < metric.promoters:
        found.append(
            words.say(
                "Whether they told others, %(known)s of the %(total)s promoters answered.",
                known=words.number(metric.told_known),
                total=words.number(metric.promoters),
            )
        )
    if metric.influence_known is not None and metric.told and metric.influence_known < metric.told:
        found.append(
            words.say(
                "What came of it, %(known)s of the %(total)s who told others answered.",
                known=words.number(metric.influence_known),
                total=words.number(metric.told),
            )
        )
    if found:
        found.append(words.say("The shares are of those who answered."))
    return found
