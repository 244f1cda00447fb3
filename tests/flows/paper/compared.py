"""The sentences of departments beside each other, and of waves."""

from collections.abc import Iterator

from tests.flows.paper.apart import is_in_funnel
from tests.flows.paper.mart import Row
from tests.flows.paper.place import Place
from tests.flows.paper.write import Both, Writing, capital, rounded

NAMED = 8  # so many departments a sentence names


def shown(place: Place) -> str:
    """How many departments can be shown."""
    w, metrics = place.writing, place.released.metrics
    below = [metrics[key] for key in place.below[1:]]
    shown, total = sum(row["status"] == "published" for row in below), len(below)
    if total == 0:
        return w.of(
            (
                "The figures are of the whole: the answers name no departments.",
                "De cijfers gaan over het geheel: de antwoorden noemen geen afdelingen.",
            )
        )
    if shown == total == 2:
        return w.of(("Both departments can be shown.", "Beide afdelingen kunnen worden getoond."))
    if shown == total == 1:
        return w.of(("The only department can be shown.", "De enige afdeling kan worden getoond."))
    if shown == total:
        every: Both = ("All {n} departments can be shown.", "Alle {n} afdelingen kunnen worden getoond.")
        return w.say(every, n=w.spelled(total))
    if shown == 0:
        return w.of(("None of the departments can be shown.", "Geen van de afdelingen kan worden getoond."))
    verb = "kan" if shown == 1 else "kunnen"
    some: Both = (
        "{n} of the {total} departments can be shown.",
        "{n} van de {total} afdelingen {verb} worden getoond.",
    )
    return capital(w.say(some, n=w.spelled(shown), total=w.spelled(total), verb=verb))


def in_funnel(place: Place) -> list[Row]:
    """The rows of comparisons that the funnel shows, in the order of the tree as it is read."""
    return [row for row in compared(place) if is_in_funnel(row)]


def compared(place: Place) -> list[Row]:
    """The rows of comparisons, in the order of the table of all departments."""
    order = list(place.names)
    return sorted(place.released.rows("comparisons"), key=lambda row: order.index(row["department_id"]))


def funnel_finding(place: Place, rows: list[Row], *, isolated: bool = False) -> str:
    """Who lies outside the inner funnel."""
    w = place.writing
    names = [place.names[row["department_id"]] for row in rows if row["is_outside_95"]]
    names = [f"\u2068{name}\u2069" for name in names] if isolated else names
    total = w.spelled(len(rows))
    if not names:
        none: Both = (
            "All {total} departments at the lowest level lie within what chance and ordinary differences produce.",
            "Alle {total} afdelingen op het laagste niveau liggen binnen wat toeval en gewone verschillen geven.",
        )
        return w.say(none, total=total)
    lie = w.of(("lies", "ligt") if len(names) == 1 else ("lie", "liggen"))
    some: Both = (
        "{n} of the {total} departments at the lowest level {lie} outside what chance and ordinary differences produce",
        "{n} van de {total} afdelingen op het laagste niveau {lie} buiten wat toeval en gewone verschillen geven",
    )
    found = capital(w.say(some, n=w.spelled(len(names)), total=total, lie=lie))
    return found + (f": {w.listed(names)}." if len(names) <= NAMED else ".")


def departments_apart(place: Place) -> Iterator[str]:
    """Who lies outside the funnel, and who differs from everyone else."""
    if not place.is_whole or not (rows := compared(place)):
        return
    w, funnel = place.writing, in_funnel(place)
    if funnel:
        yield funnel_finding(place, funnel)
    names = [place.names[row["department_id"]] for row in rows if row["is_different_from_rest"]]
    if not names:
        none: Both = (
            "No department differs from everyone else beyond chance.",
            "Geen afdeling verschilt meer dan toeval van alle anderen.",
        )
        yield w.of(none)
        return
    one: Both = ("{n} department differs", "{n} afdeling verschilt")
    more: Both = ("{n} departments differ", "{n} afdelingen verschillen")
    rest: Both = (" from everyone else beyond chance", " meer dan toeval van alle anderen")
    found = capital(w.say(one if len(names) == 1 else more, n=w.spelled(len(names)))) + w.of(rest)
    yield found + (f": {w.listed(names)}." if len(names) <= NAMED else ".")


def changed(place: Place) -> Iterator[str]:
    """What became of the NPS since the wave before, and since a year before; and the breaks."""
    w, row, wave = place.writing, place.metric, place.released.wave
    if row["nps_change"] is not None:
        yield _change(w, {**row, "is_significant": row["is_change_significant"]}, row["previous_wave"], wave)
    rows = {one["basis"]: one for one in place.rows("changes")}
    year, previous = rows.get("year_before"), rows.get("previous")
    if year and (previous is None or previous["compared_wave"] != year["compared_wave"]):
        yield _change(w, year, year["compared_wave"], wave)
    shown = {one["wave"] for one in place.over_time}
    for one in place.rows("trends"):
        if one["is_break"] and one["trend_wave"] in shown:
            otherwise: Both = (
                "Since {wave} the survey measures otherwise: {reason}",
                "Sinds {wave} meet het onderzoek anders: {reason}",
            )
            reason = one[f"break_reason_{w.language}"]
            yield w.say(otherwise, wave=w.wave(one["trend_wave"]), reason=reason)


def _change(w: Writing, row: Row, before: str, wave: str) -> str:
    points, since = int(rounded(row["nps_change"])), w.wave(before, beside=wave)
    unit: Both = ("point", "punt") if abs(points) == 1 else ("points", "punten")
    same: Both = (f"The NPS is about the same as in {since}.", f"De NPS is ongeveer dezelfde als in {since}.")
    if points == 0:
        first = w.of(same)
    else:
        way = ("higher", "hoger") if points > 0 else ("lower", "lager")
        number = w.number(abs(points))
        first = w.of(
            (
                f"The NPS is {number} {unit[0]} {way[0]} than in {since}.",
                f"De NPS ligt {number} {unit[1]} {way[1]} dan in {since}.",
            )
        )
    low, high = row["nps_change_low"], row["nps_change_high"]
    if row["is_significant"] and points < 0:
        low, high = -high, -low
    range_ = w.between(w.number(low), w.number(high))
    could: Both = ("That could be chance: the difference lies", "Dat kan toeval zijn: het verschil ligt")
    if row["is_significant"]:
        could = (
            ("That is beyond chance: the rise lies", "Dat is meer dan toeval: de stijging ligt")
            if points > 0
            else ("That is beyond chance: the fall lies", "Dat is meer dan toeval: de daling ligt")
            if points < 0
            else ("The small difference is beyond chance: it lies", "Het kleine verschil is meer dan toeval: het ligt")
        )
    return f"{first} {w.of(could)} {range_}."


def beside(place: Place) -> Iterator[str]:
    """A department beside everyone else."""
    if not place.has_figures:
        return
    w = place.writing
    for row in place.rows("comparisons"):
        if row["nps_rest"] is None or row["rest_difference_low"] is None:
            return
        here: Both = (
            "The NPS here is {nps}, that of everyone else {rest}.",
            "De NPS is hier {nps}, die van alle anderen {rest}.",
        )
        outcome: Both = (
            ("That is beyond chance: the difference lies", "Dat is meer dan toeval: het verschil ligt")
            if row["is_different_from_rest"]
            else ("That could be chance: the difference lies", "Dat kan toeval zijn: het verschil ligt")
        )
        range_ = w.between(w.number(row["rest_difference_low"]), w.number(row["rest_difference_high"]))
        first = w.say(here, nps=w.number(row["nps"]), rest=w.number(row["nps_rest"]))
        yield f"{first} {w.of(outcome)} {range_}."
