"""The numbers in the pictures of a page, and which column of the mart each is of."""

from collections.abc import Iterator, Mapping

from tests.flows.paper.compared import funnel_finding, in_funnel
from tests.flows.paper.place import Place
from tests.flows.paper.praised import carried, how_far, recommend
from tests.flows.paper.read import Element
from tests.flows.paper.write import Both, Writing

ISOLATES = "\u2068\u2069"
SMALL = {"glyph", "strip", "axis", "shape", "mark"}  # what has no number of its own, or is told with its table


def undrawn(place: Place, sections: Mapping[str, Element]) -> Iterator[str]:
    """Where a picture differs from what the mart has, or is one that nobody knows."""
    for name, section in sections.items():
        for picture in section.all("svg", outside=("svg",)):
            if SMALL.isdisjoint(picture.classes):
                kind = "trend" if "trend" in picture.classes else "funnel" if "funnel" in picture.classes else name
                yield from (f"{name}: {text}" for text in _differing(place, picture, kind))


def _differing(place: Place, picture: Element, kind: str) -> Iterator[str]:
    told = [text.text() for text in picture.all("text")]
    finding = picture.first("desc").text()
    if kind == "carries":
        yield from _beside([finding[: len(how_far(place))]], [how_far(place)])
        yield from _beside(told, list(_carries(place, is_wide="w" in picture.classes)))
        yield from _beside(_dots(picture), [f"{n} {x}" for n, x in _counts(place) if n])
    elif kind == "trend":
        yield from _trend(place, picture, finding)
    elif kind == "funnel":
        yield from _funnel(place, picture, finding)
    else:
        yield f"nobody knows a picture of class {picture.classes}"


def _funnel(place: Place, picture: Element, finding: str) -> Iterator[str]:
    """The NPS of all together, and the names of departments: strong where they lie outside."""
    rows = in_funnel(place)
    yield from _beside([finding], [funnel_finding(place, rows, isolated=True)])
    notes = [text.text() for text in picture.all("text") if "note" in text.classes]
    centre = f"{place.writing.of(('together', 'samen'))} {place.writing.number(rows[0]['funnel_centre'])}"
    if (centre not in notes) and "w" in picture.classes:  # a phone has no room for it where dots stand in the way
        yield f"a funnel does not say {centre!r}"
    for text in picture.all("text"):
        if "tag" in text.classes and "note" not in text.classes:
            told = text.text().strip(ISOLATES)
            outside = {place.names[row["department_id"]]: row["is_outside_95"] for row in rows}
            kinds = {bool(out) for name, out in outside.items() if _is_short_for(told, name)}
            if ("strong" in text.classes) not in kinds:
                yield f"a funnel names {told!r}, which is not there, or not so"


def _is_short_for(told: str, name: str) -> bool:
    return name.startswith(told[:-1]) if told.endswith("…") else told == name


def _beside(shown: list[str], wanted: list[str]) -> Iterator[str]:
    if shown != wanted:
        yield f"a picture tells {shown}, and the mart has {wanted}"


def _counts(place: Place) -> list[tuple[int, str]]:
    promoters, passives, detractors, told, effect = carried(place.metric)
    found = [(promoters, "pro"), (passives, "pas"), (detractors, "det"), (promoters, "pro")]
    return found if told is None or effect is None else [*found, (told, "told"), (effect, "effect")]


def _dots(picture: Element) -> list[str]:
    """How many dots of each kind are drawn."""
    return [
        f"{len(line.attributes['points'].split())} {line.attributes['marker-mid'].rstrip(')').rsplit('-', 1)[1]}"
        for line in picture.all("polyline")
    ]


def _carries(place: Place, *, is_wide: bool) -> Iterator[str]:
    """The numbers beside the dots, step by step."""
    w, row = place.writing, place.metric
    promoters, passives, detractors, told, effect = carried(row)
    kinds: tuple[tuple[int, Both, Both], ...] = (
        (promoters, ("promoter", "promotor"), ("promoters", "promotors")),
        (passives, ("passive", "passief tevredene"), ("passives", "passief tevredenen")),
        (detractors, ("detractor", "criticaster"), ("detractors", "criticasters")),
    )
    yield from (f"{number} {w.of(one if number == 1 else more)}" for number, one, more in kinds if number)
    yield f"100 {w.of(('respondents', 'respondenten'))}"
    glad = recommend(w, promoters).replace(f"{promoters} ", "")
    yield f"{promoters} {glad}"
    yield w.of(("promoters: they gave a 9 or a 10", "promotors: zij gaven een 9 of een 10"))
    if told is None or effect is None:
        return
    yield f"{told} {w.of(('told others', 'vertelde het verder' if told == 1 else 'vertelden het verder'))}"
    ends = [_ends(w, row[f"{name}_low"], row[f"{name}_high"]) for name in ("sharing_rate", "influence_rate")]
    share = w.say(("{share} of the promoters", "{share} van de promotors"), share=w.percent(row["sharing_rate"]))
    yield from _note(share, ends[0], is_wide=is_wide, is_third=True)
    yield f"{effect} {w.of(('had effect', 'hadden effect'))}"
    if row["influence_rate"] is not None:
        came: Both = ("for {share} of them someone came along", "bij {share} van hen kwam iemand mee")
        yield from _note(w.say(came, share=w.percent(row["influence_rate"])), ends[1], is_wide=is_wide, is_third=False)


def _note(text: str, ends: str, *, is_wide: bool, is_third: bool) -> Iterator[str]:
    yield f"{text}, {ends}" if ends and is_third and not is_wide else text
    if ends and is_wide:
        yield ends


def _ends(w: Writing, low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else w.between(w.percent(low), w.percent(high))


def _trend(place: Place, picture: Element, finding: str) -> Iterator[str]:
    """The first and the last value of a course, with the last interval."""
    w = place.writing
    is_nps = picture.attributes["aria-labelledby"].startswith("nps-")
    name = "nps" if is_nps else "superpromoter_rate"
    rows = [row for row in place.over_time if row[name] is not None]
    first, last = rows[0], rows[-1]
    write = w.number if is_nps else w.percent
    was, now = write(first[name]), write(last[name])
    to = w.to if is_nps else w.to_percent
    shown = {kind: [t.text() for t in picture.all("text") if kind in t.classes] for kind in ("val", "big", "note")}
    yield from _beside(shown["val"] + shown["big"], [was, now])
    if (range_ := to(last[f"{name}_low"], last[f"{name}_high"])) not in shown["note"]:
        yield f"a picture over time has no {range_}"
    told: Both = (
        ("The NPS was {was} in {first} and is {now} in {last}.", "De NPS was {was} in {first} en is {now} in {last}.")
        if is_nps
        else (
            "Of all respondents {was} were superpromoters in {first}, and {now} in {last}.",
            "Van alle respondenten was {was} superpromoter in {first}, en {now} in {last}.",
        )
    )
    said = w.say(told, was=was, now=now, first=w.wave(first["wave"]), last=w.wave(last["wave"]))
    if not finding.startswith(said):
        yield f"a picture says {finding!r}, and the mart has {said!r}"
