"""How sure are we: who answered, what the interval means, weights, and what was checked."""

import math
from typing import Any

from transforms.report.checked import checked, summary
from transforms.report.edition import Edition, Metric
from transforms.report.words import Words
from transforms.sample_size import responses_needed

POINTS = 5  # either way: a margin that readers ask for


def sure(edition: Edition, words: Words, metric: Metric, respondents: str) -> dict[str, Any]:
    """The last part of a page; its checks are of the whole, because a department's could give a small group away."""
    checks = checked(edition, words)
    return {
        "paragraphs": [
            " ".join([*_answers(words, metric), _invited(edition, words)]),
            *_interval(words, metric, respondents),
            *_needed(words, metric),
            *_weights(edition, words, metric),
            *_comments(edition, words),
        ],
        "checks": checks,
        "notable": [check for check in checks if check.is_notable],
        "summary": summary(checks, words),
        "caption": words.say("What was checked, for the whole"),
        "notable_caption": words.say("What was set aside or did not hold, for the whole"),
    }


def _answers(words: Words, metric: Metric) -> list[str]:
    if not metric.is_published or metric.responses is None:
        return []
    first = words.count("%(number)s answer counts here.", "%(number)s answers count here.", metric.responses)
    if not metric.missing_scores:
        return [first]
    second = words.count(
        "Another %(number)s came without a score; it is in no figure.",
        "Another %(number)s came without a score; they are in no figure.",
        metric.missing_scores,
    )
    return [first, second]


def _invited(edition: Edition, words: Words) -> str:
    """What part of those who were invited answered, of the whole survey on every page: nobody counts them below."""
    if edition.invited is None:
        return words.say("How many people were invited is not known, so neither is what share of them answered.")
    invited = words.number(edition.invited)
    if edition.response_rate is None:
        return words.say(
            "For the whole survey %(invited)s people were invited, fewer than there are answers: what share of them "
            "answered is not known.",
            invited=invited,
        )
    return words.say(
        "For the whole survey %(invited)s people were invited; the answers of this wave, with a score or without, are "
        "%(share)s of that number.",
        invited=invited,
        share=words.percent(edition.response_rate),
    )


def _interval(words: Words, metric: Metric, respondents: str) -> list[str]:
    if metric.nps_low is None or metric.nps_high is None:
        return []
    return [
        words.say(
            "“Between %(low)s and %(high)s” means: with other %(respondents)s drawn in the same way, 95 of 100 such "
            "intervals would hold the true figure. It does not cover %(respondents)s who never answer.",
            low=words.points(metric.nps_low),
            high=words.points(metric.nps_high),
            respondents=respondents,
        )
    ]


def _needed(words: Words, metric: Metric) -> list[str]:
    """How many answers as different as these it would take, rounded up to tens."""
    if not metric.responses or metric.promoters is None or metric.passives is None or metric.detractors is None:
        return []
    needed = responses_needed(metric.promoters, metric.passives, metric.detractors, margin=POINTS)
    if not needed:
        return []
    return [
        words.say(
            "To know the NPS to within %(points)s points either way takes about %(needed)s answers such as these.",
            points=words.number(POINTS),
            needed=words.number(math.ceil(needed / 10) * 10),
        )
    ]


def _weights(edition: Edition, words: Words, metric: Metric) -> list[str]:
    if not edition.is_weighted:
        return [words.say("The answers are not weighted.")] if metric.is_published else []
    if metric.nps_weighted is None or metric.nps_weighted_low is None or metric.nps_weighted_high is None:
        return []
    said = words.say(
        "The figures above are not weighted. With the survey’s weights the NPS is %(nps)s, %(range)s.",
        nps=words.points(metric.nps_weighted),
        range=words.between(metric.nps_weighted_low, metric.nps_weighted_high),
    )
    if metric.effective_responses is None or metric.responses is None:
        return [said]
    return [f"{said} {_cost(words, metric, metric.responses, metric.effective_responses)}"]


def _cost(words: Words, metric: Metric, responses: int, effective: float) -> str:
    """What weights cost; where it is known how the sample was drawn, what that makes of it."""
    numbers = {"responses": words.number(responses), "effective": words.decimal(effective, 0)}
    if metric.nps_weighted_se is None:
        return words.say(
            "Weighting makes them less sure: the %(responses)s answers tell as much as %(effective)s unweighted ones "
            "would.",
            **numbers,
        )
    return words.say(
        "As the sample was drawn, the %(responses)s answers tell as much as %(effective)s that are unweighted and "
        "drawn one by one would.",
        **numbers,
    )


def _comments(edition: Edition, words: Words) -> list[str]:
    if not edition.comments_asked:
        return []
    return [
        words.say(
            "Personal data were removed from the comments before anything else read them, by rules that can miss some. "
            "A word is shown only when enough people used it."
        )
    ]
