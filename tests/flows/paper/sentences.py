"""The sentences of a page that tell a figure, made anew from the columns of the mart."""

from collections.abc import Iterator

from tests.flows.paper.compared import beside, changed, departments_apart, shown
from tests.flows.paper.mart import Row
from tests.flows.paper.place import ALL, Place
from tests.flows.paper.praised import how_far, moved, praised, told, would_help
from tests.flows.paper.shares import with_shares
from tests.flows.paper.sure import checks, count_here, sure
from tests.flows.paper.tables import hidden
from tests.flows.paper.write import Both, Writing, capital, rounded

Said = tuple[str, str]  # the part of the page, and what it says


def said(place: Place) -> Iterator[Said]:
    """Every sentence with a figure that a page must have, with the part of the page that it stands in."""
    yield from (("lead", one) for one in _lead(place))
    yield from (("revised", one) for one in _revised(place))
    if place.has_figures:
        yield from (("first", one) for one in figures(place, place.metric))
        yield from (("right", one) for one in (*moved(place, "rose"), *praised(place)))
        yield from (("fell", one) for one in moved(place, "fell"))
        yield from (("help", one) for one in would_help(place))
        yield from (("carries", one) for one in (how_far(place), *told(place)))
    if len(place.below) > 1 or place.is_whole:
        yield from (("departments", one) for one in (shown(place), *departments_apart(place)))
    if place.has_course:
        yield from (("time", one) for one in changed(place))
    if not place.is_whole:
        whole = place.released.metrics[ALL]
        yield from (("whole", one) for one in (headline(place, whole), *figures(place, whole), *beside(place)))
    yield from (("sure", one) for one in (*sure(place), checks(place)))


def respondents(place: Place) -> str:
    """What the survey calls those who answer."""
    called = place.released.settings.get("respondents") or {"en": "respondents", "nl": "respondenten"}
    return str(called[place.writing.language])


def headline(place: Place, row: Row) -> str:
    """A row of promoter_metrics in whole people, of every 10; of every 100 where 10 would be unfair to some."""
    w = place.writing
    rates = [rate for rate in (with_shares(row)["promoter_rate"], row["superpromoter_rate"]) if rate is not None]
    unfair = any((rounded(r * 10) == 0 and r > 0) or (rounded(r * 10) == 10 and r < 1) for r in rates)
    base = 100 if unfair else 10
    counts = [int(rounded(rate * base)) for rate in rates]
    few: Both = (
        ("not one would gladly recommend us", "beveelt niemand ons graag aan")
        if base == 10
        else ("hardly one would gladly recommend us", "beveelt nauwelijks iemand ons graag aan")
    )
    verb = "beveelt" if counts[0] == 1 else "bevelen"
    first = w.of((f"{counts[0]} would gladly recommend us", f"{verb} {counts[0]} ons graag aan") if counts[0] else few)
    every: Both = ("Of every {base} {who} {first}", "Van elke {base} {who} {first}")
    sentence = w.say(every, base=base, who=respondents(place), first=first)
    if len(counts) == 1 or counts[0] == 0:
        return f"{sentence}."
    none: Both = (
        ("not one of them did so with effect", "niemand van hen deed het met effect")
        if base == 10
        else ("hardly one of them did so with effect", "nauwelijks iemand van hen deed het met effect")
    )
    did = "deed" if counts[1] == 1 else "deden"
    some: Both = (
        f"{counts[1]} of them did, and someone came along",
        f"{counts[1]} van hen {did} het, en er kwam iemand mee",
    )
    return f"{sentence}; {w.of(some if counts[1] else none)}."


def _lead(place: Place) -> Iterator[str]:
    w, row = place.writing, place.metric
    if not place.has_figures:
        if row["status"] != "published":
            yield capital(f"{hidden(place)}.")
        elif row["responses"]:
            yield count_here(w, row["responses"])
        return
    yield headline(place, row)
    gave: Both = ("{n} {who} gave a score", "{n} {who} gaven een score")
    if row["responses"] == 1:
        gave = ("{n} answer with a score", "{n} antwoord met een score")
    about = "" if place.is_whole else w.say((" about {name}", " over {name}"), name=place.names[place.department_id])
    yield w.say(gave, n=w.number(row["responses"]), who=respondents(place)) + about + "."


def _revised(place: Place) -> Iterator[str]:
    revision, number, w = place.released.revision, len(place.revised), place.writing
    if revision == 1:
        return
    none: Both = (
        "This is revision {r}: no figure changed here.",
        "Dit is herziening {r}: hier is geen cijfer veranderd.",
    )
    units = ("department", "afdeling") if number == 1 else ("departments", "afdelingen")
    some: Both = (
        f"This is revision {{r}}: the figures of {{n}} {units[0]} changed.",
        f"Dit is herziening {{r}}: de cijfers van {{n}} {units[1]} zijn veranderd.",
    )
    yield w.say(some if number else none, r=revision, n=w.number(number))
    yield w.say(("The earlier page, revision {r}", "De eerdere pagina, herziening {r}"), r=revision - 1)
    if place.released.release["reason"]:
        yield f"{w.of(('The reason:', 'De reden:'))} {place.released.release['reason']}"


def figures(place: Place, row: Row) -> Iterator[str]:
    """The figures of the first part: nps, the shares, each with its interval, and what it means."""
    w, shares = place.writing, with_shares(row)
    nps = f"{w.number(row['nps'])} {w.between(w.number(row['nps_low']), w.number(row['nps_high']))}"
    less: Both = ("{p}% promoters less {d}% detractors.", "{p}% promotors min {d}% criticasters.")
    p, d = (100 * shares[f"{name}_rate"] for name in ("promoter", "detractor"))
    digits = next(n for n in range(5) if n == 4 or rounded(float(rounded(p, n) - rounded(d, n))) == rounded(row["nps"]))
    yield f"Net Promoter Score {nps} {w.say(less, p=w.number(p, digits), d=w.number(d, digits))}"
    gladly: Both = (
        "would gladly recommend us: they gave a 9 or a 10.",
        "bevelen ons graag aan: zij gaven een 9 of een 10.",
    )
    yield f"{w.of(('Promoters', 'Promotors'))} {_share(w, shares, 'promoter_rate')} {w.of(gladly)}"
    if not place.released.is_asked:
        few = w.of(("gave a 6 or less.", "gaven een 6 of minder."))
        yield f"{w.of(('Detractors', 'Criticasters'))} {_share(w, shares, 'detractor_rate')} {few}"
    elif row["superpromoter_rate"] is not None:
        came: Both = (
            "told others as well, and someone came along.",
            "vertelden het ook verder, en er kwam iemand mee.",
        )
        yield f"Superpromoters {_share(w, row, 'superpromoter_rate')} {w.of(came)}"


def _share(w: Writing, row: Row, name: str) -> str:
    low, high = (w.percent(row[f"{name}_{end}"]) for end in ("low", "high"))
    return f"{w.percent(row[name])} {w.between(low, high)}"
