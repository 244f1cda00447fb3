"""The sentences of how sure the figures are."""

import math
from collections.abc import Iterator

from tests.flows.paper.mart import Row
from tests.flows.paper.place import Place
from tests.flows.paper.shares import with_shares
from tests.flows.paper.write import Both, Writing, capital

NEEDED = 5  # points either way


def count_here(w: Writing, number: int) -> str:
    """How many answers count."""
    one: Both = ("{n} answer counts here.", "{n} antwoord telt hier mee.")
    more: Both = ("{n} answers count here.", "{n} antwoorden tellen hier mee.")
    return w.say(one if number == 1 else more, n=w.number(number))


def _invited(w: Writing, release: Row) -> str:
    """What part of those who were invited answered, of the whole survey."""
    if release["invited"] is None:
        unknown: Both = (
            "How many people were invited is not known, so neither is what share of them answered.",
            "Hoeveel mensen zijn uitgenodigd, is niet bekend, en dus ook niet welk deel van hen antwoordde.",
        )
        return w.of(unknown)
    if release["response_rate"] is None:
        fewer: Both = (
            "For the whole survey {n} people were invited, fewer than there are answers",
            "Voor het hele onderzoek zijn {n} mensen uitgenodigd, minder dan er antwoorden zijn",
        )
        return w.say(fewer, n=w.number(release["invited"]))
    share: Both = (
        "For the whole survey {n} people were invited; the answers of this wave, with a score or without, are {share} "
        "of that number.",
        "Voor het hele onderzoek zijn {n} mensen uitgenodigd; de antwoorden van deze meting, met of zonder score, zijn "
        "{share} van dat aantal.",
    )
    return w.say(share, n=w.number(release["invited"]), share=w.percent(release["response_rate"]))


def sure(place: Place) -> Iterator[str]:
    """How many answered and were invited, what the interval means, how many it would take, and the weights."""
    w, row = place.writing, place.metric
    yield _invited(w, place.released.release)
    if row["responses"] is None:
        return
    yield count_here(w, row["responses"])
    if row["missing_scores"]:
        one: Both = (
            "Another {n} came without a score; it is in no figure.",
            "Nog {n} kwam zonder score; dat zit in geen enkel cijfer.",
        )
        more: Both = (
            "Another {n} came without a score; they are in no figure.",
            "Nog {n} kwamen zonder score; die zitten in geen enkel cijfer.",
        )
        yield w.say(one if row["missing_scores"] == 1 else more, n=w.number(row["missing_scores"]))
    if row["nps"] is None:
        return
    means: Both = ("“Between {low} and {high}” means", "‘Tussen {low} en {high}’ betekent")
    yield w.say(means, low=w.number(row["nps_low"]), high=w.number(row["nps_high"]))
    if needed := _needed(row):
        within: Both = (
            "To know the NPS to within {m} points either way takes about {n} answers such as these.",
            "Om de NPS tot op {m} punten naar beide kanten te kennen, zijn ongeveer {n} antwoorden zoals deze nodig.",
        )
        yield w.say(within, m=NEEDED, n=w.number(needed))
    yield from _weights(w, row)


def _needed(row: Row) -> int:
    """V z² / m² − 3 answers, up to a ten."""
    shares = with_shares(row)
    p, d = shares["promoter_rate"], shares["detractor_rate"]
    answers: float = (p + d - (p - d) ** 2) * (1.959963984540054 / (NEEDED / 100)) ** 2 - 3
    return max(0, math.ceil(math.ceil(answers) / 10) * 10)


def _weights(w: Writing, row: Row) -> Iterator[str]:
    if row["nps_weighted"] is None:
        return
    weighted: Both = (
        "With the survey’s weights the NPS is {nps}, {range}.",
        "Met de gewichten van het onderzoek is de NPS {nps}, {range}.",
    )
    range_ = w.between(w.number(row["nps_weighted_low"]), w.number(row["nps_weighted_high"]))
    yield w.say(weighted, nps=w.number(row["nps_weighted"]), range=range_)
    if row["effective_responses"] is not None:
        cost: Both = (
            "the {n} answers tell as much as {effective} unweighted ones would.",
            "de {n} antwoorden zeggen zoveel als {effective} ongewogen antwoorden.",
        )
        if row["nps_weighted_se"] is not None:
            cost = (
                "the {n} answers tell as much as {effective} that are unweighted and drawn one by one would.",
                "de {n} antwoorden zeggen zoveel als {effective} die ongewogen en één voor één zijn getrokken.",
            )
        yield w.say(cost, n=w.number(row["responses"]), effective=w.number(row["effective_responses"]))


def checks(place: Place) -> str:
    """How many checks were made, and how many of them did not hold."""
    w, rows = place.writing, place.released.rows("quality")
    failed = sum(row["outcome"] != "passed" for row in rows)
    one: Both = ("{n} check was made.", "Er is {n} controle gedaan.")
    more: Both = ("{n} checks were made.", "Er zijn {n} controles gedaan.")
    made = capital(w.say(one if len(rows) == 1 else more, n=w.spelled(len(rows))))
    held: Both = ("All of them held.", "Alles was in orde.")
    if failed:
        verb = "was" if failed == 1 else "waren"
        held = ("{n} did not hold.", f"{{n}} {verb} niet in orde.")
    return f"{made} {capital(w.say(held, n=w.spelled(failed)))}"
