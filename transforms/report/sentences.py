"""The sentences that depend on figures: each finding in words, the same words for every department."""

import unicodedata

from transforms.report.edition import Metric
from transforms.report.figures import Carried, People, difference, whole
from transforms.report.words import Words


def wave_in_people(words: Words, people: People, *, respondents: str) -> str:
    """The sentence that tells the wave, in whole people."""
    first = _recommend(words, people, respondents)
    if people.superpromoters is None or people.promoters == 0:
        return f"{first}."
    return f"{first}; {_did(words, people.base, people.superpromoters)}."


def _recommend(words: Words, people: People, respondents: str) -> str:
    base = words.number(people.base)
    named = {"base": base, "respondents": respondents}
    if people.promoters == 0 and people.base == 100:
        return words.say("Of every %(base)s %(respondents)s hardly one would gladly recommend us", **named)
    if people.promoters == 0:
        return words.say("Of every %(base)s %(respondents)s not one would gladly recommend us", **named)
    return words.count(
        "Of every %(base)s %(respondents)s %(number)s would gladly recommend us",
        "Of every %(base)s %(respondents)s %(number)s would gladly recommend us",
        people.promoters,
        **named,
    )


def _did(words: Words, base: int, number: int) -> str:
    if number == 0 and base == 10:
        return words.say("not one of them did so with effect")
    if number == 0:
        return words.say("hardly one of them did so with effect")
    return words.count(
        "%(number)s of them did, and someone came along",
        "%(number)s of them did, and someone came along",
        number,
    )


def difference_in_shares(words: Words, metric: Metric) -> str:
    """48% promoters less 10% detractors, with the decimals that the printed NPS needs."""
    shares = difference(metric)
    return words.say(
        "%(promoters)s promoters less %(detractors)s detractors.",
        promoters=words.percent(shares.promoters, shares.digits),
        detractors=words.percent(shares.detractors, shares.digits),
    )


def answered(words: Words, number: int, *, respondents: str, department: str | None) -> str:
    """How many answered, about a department or at all."""
    if department is None:
        return words.count(
            "%(number)s answer with a score.",
            "%(number)s %(respondents)s gave a score.",
            number,
            respondents=respondents,
        )
    return words.count(
        "%(number)s answer with a score about %(department)s.",
        "%(number)s %(respondents)s gave a score about %(department)s.",
        number,
        respondents=respondents,
        department=department,
    )


def how_far(words: Words, carried: Carried, *, is_asked: bool) -> str:
    """Of 100 respondents so many promoters, so many told others, so many had effect."""
    recommend = words.count(
        "%(number)s would gladly recommend us", "%(number)s would gladly recommend us", carried.promoters
    )
    if carried.told is None or carried.had_effect is None:
        first = words.say("Of 100 respondents %(first)s.", first=recommend)
        second = (
            words.say("What came of it cannot be told: too few answered the questions about it.")
            if is_asked
            else words.say("Whether they did, and what came of it, was not asked.")
        )
        return f"{first} {second}"
    return words.say(
        "Of 100 respondents %(first)s, %(second)s, and %(third)s.",
        first=recommend,
        second=words.count("%(number)s told others", "%(number)s told others", carried.told),
        third=words.count("for %(number)s someone came along", "for %(number)s someone came along", carried.had_effect),
    )


def change(words: Words, metric: Metric) -> str | None:
    """What became of the NPS since the previous wave, and whether that is beyond chance."""
    if metric.nps_change is None or metric.previous_wave is None:
        return None
    assert metric.nps_change_low is not None and metric.nps_change_high is not None
    points, since = whole(metric.nps_change), words.wave_beside(metric.previous_wave, metric.wave)
    if points == 0:
        first = words.say("The NPS is about the same as in %(wave)s.", wave=since)
    elif points > 0:
        first = words.count(
            "The NPS is %(number)s point higher than in %(wave)s.",
            "The NPS is %(number)s points higher than in %(wave)s.",
            points,
            wave=since,
        )
    else:
        first = words.count(
            "The NPS is %(number)s point lower than in %(wave)s.",
            "The NPS is %(number)s points lower than in %(wave)s.",
            -points,
            wave=since,
        )
    return f"{first} {_chance(words, metric, points)}"


def _chance(words: Words, metric: Metric, points: int) -> str:
    assert metric.nps_change_low is not None and metric.nps_change_high is not None
    low, high = metric.nps_change_low, metric.nps_change_high
    if not metric.is_change_significant or points == 0:
        range_ = words.between(low, high)
        if metric.is_change_significant:
            return words.say("The small difference is beyond chance: it lies %(range)s.", range=range_)
        return words.say("That could be chance: the difference lies %(range)s.", range=range_)
    if points > 0:
        return words.say("That is beyond chance: the rise lies %(range)s.", range=words.between(low, high))
    return words.say("That is beyond chance: the fall lies %(range)s.", range=words.between(-high, -low))


def rose(words: Words, number: int, *, wave: str, is_whole: bool) -> str:
    """How many departments rose beyond chance, of the whole or of a department and its parts; none is said as well."""
    named = {"spelled": words.spelled(number), "wave": wave}
    if is_whole and number == 0:
        return words.say("No department rose beyond chance since %(wave)s.", **named)
    if number == 0:
        return words.say("Nothing rose beyond chance here since %(wave)s.", **named)
    if is_whole:
        sentence = words.count(
            "%(spelled)s department rose beyond chance since %(wave)s.",
            "%(spelled)s departments rose beyond chance since %(wave)s.",
            number,
            **named,
        )
        return first_upper(sentence)
    return words.count(
        "Here %(spelled)s department rose beyond chance since %(wave)s.",
        "Here %(spelled)s departments rose beyond chance since %(wave)s.",
        number,
        **named,
    )


def fell(words: Words, number: int, *, wave: str, is_whole: bool) -> str:
    """How many departments fell beyond chance, of the whole or of a department and its parts; none is said as well."""
    named = {"spelled": words.spelled(number), "wave": wave}
    if is_whole and number == 0:
        return words.say("No department fell beyond chance since %(wave)s.", **named)
    if number == 0:
        return words.say("Nothing fell beyond chance here since %(wave)s.", **named)
    if is_whole:
        sentence = words.count(
            "%(spelled)s department fell beyond chance since %(wave)s.",
            "%(spelled)s departments fell beyond chance since %(wave)s.",
            number,
            **named,
        )
        return first_upper(sentence)
    return words.count(
        "Here %(spelled)s department fell beyond chance since %(wave)s.",
        "Here %(spelled)s departments fell beyond chance since %(wave)s.",
        number,
        **named,
    )


def holds_for(words: Words, name: str | None, *, has_parts: bool) -> str:
    """Whom it concerns that nothing rose or fell beyond chance."""
    chance = words.say("Smaller differences could be chance.")
    if name is None:
        return chance
    if has_parts:
        first = words.say("That holds for %(name)s and for each of its parts that can be compared.", name=name)
    else:
        first = words.say("That holds for %(name)s.", name=name)
    return first + " " + chance


def can_be_shown(words: Words, shown: int, total: int) -> str:
    """How many departments can be shown; never how many have enough answers, which would tell why."""
    if total == 0:
        return words.say("The figures are of the whole: the answers name no departments.")
    if shown == total == 2:
        return words.say("Both departments can be shown.")
    if shown == total:
        every = words.spelled(total)
        return words.count(
            "The only department can be shown.", "All %(spelled)s departments can be shown.", total, spelled=every
        )
    if shown == 0:
        return words.say("None of the departments can be shown.")
    sentence = words.count(
        "%(spelled)s of the %(total)s departments can be shown.",
        "%(spelled)s of the %(total)s departments can be shown.",
        shown,
        spelled=words.spelled(shown),
        total=words.spelled(total),
    )
    return first_upper(sentence)


def suppressed(words: Words, min_respondents: int) -> str:
    """The one sentence for every suppressed department."""
    return words.say("fewer than %(number)s answers, or needed to protect those", number=words.number(min_respondents))


def first_upper(sentence: str) -> str:
    """A sentence that begins with what elsewhere stands in the middle; a capital carries no accent (één: Eén)."""
    return unicodedata.normalize("NFD", sentence[:1])[:1].upper() + sentence[1:]
