"""Every table that a page may have: which column of the mart each of its columns shows, and of which rows.

A table or a column that does not stand here is not known: then the test says so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.flows.paper.apart import apart
from tests.flows.paper.checked import checks
from tests.flows.paper.columns import (
    ANSWERS,
    BEYOND,
    CHANGE,
    COULD_BE,
    INTERVAL,
    NAME,
    NPS,
    OUTCOME,
    Column,
    Drawn,
    Known,
    after,
    answers,
    between,
    interval,
    interval_percent,
    percent,
    points,
    signed,
    text,
    word,
)
from tests.flows.paper.groups import carries, praise
from tests.flows.paper.mart import Row
from tests.flows.paper.place import ALL, Place
from tests.flows.paper.write import Both

SHOWN = ("responses", "nps")  # of each department that a revision changed, before and now
MOST = 60  # so many rows a page repeats of a table; of more it tells those that differ
SINCE_EARLIER: Both = (
    "The change of the NPS since earlier waves",
    "De verandering van de NPS sinds eerdere metingen",
)
METHODS: Mapping[str, Both] = {
    "paired": ("the same people", "dezelfde mensen"),
    "overlapping": ("partly the same people", "deels dezelfde mensen"),
    "independent": ("different people", "verschillende mensen"),
}
CHANGES = (
    Column(CHANGE, signed("nps_change")),
    Column(INTERVAL, interval("nps_change_low", "nps_change_high")),
    Column(OUTCOME, word(lambda row: BEYOND if row["is_significant"] else COULD_BE)),
    Column(("Compared as", "Vergeleken als"), word(lambda row: METHODS[row["method"]])),
)


def known(place: Place) -> Iterator[Known]:
    """The tables of a release's or a department's page."""
    yield from _revised(place)
    if place.has_figures:
        for section, kind in (("right", "rose"), ("fell", "fell")):
            yield from _moved(place, section, kind)
        yield from praise(place)
        yield carries(place)
    yield from _departments(place)
    if place.is_whole:
        yield from apart(place)
    if place.has_course:
        yield from _course(place)
    yield from checks(place)


def named(place: Place, department_id: str) -> str:
    """A department in the first column of a table; its own page says that it is."""
    is_here = department_id == place.department_id and not place.is_whole
    return place.names[department_id] + (place.writing.of((" this page", " deze pagina")) if is_here else "")


def _revised(place: Place) -> Iterator[Known]:
    if not place.revised:
        return
    released = place.released
    rows = [
        (
            place.names[key],
            {**released.metrics[key], **_beside("before", released.before.get(key, dict.fromkeys(SHOWN)))},
        )
        for key in place.revised
    ]
    columns = (
        Column(("Answers, before", "Antwoorden, eerst"), points("before.responses")),
        Column(("Answers, now", "Antwoorden, nu"), points("responses")),
        Column(("NPS, before", "NPS, eerst"), points("before.nps")),
        Column(("NPS, now", "NPS, nu"), points("nps")),
    )
    caption = ("Answers and NPS before and after this revision", "Antwoorden en NPS voor en na deze herziening")
    yield Known("revised", place.writing.of(caption), NAME, columns, rows, is_fold=True)


def _moved(place: Place, section: str, kind: str) -> Iterator[Known]:
    moved, writing, wave = place.moved(kind), place.writing, place.released.wave
    if not moved:
        return
    before = place.previous_wave or ""
    was, now = writing.wave(before, beside=wave), writing.wave(wave, beside=before)
    caption = writing.say(
        ("NPS in {was} and {full}, with the interval of each", "NPS in {was} en {full}, met het interval van elk"),
        was=was,
        full=writing.wave(wave),
    )
    since = text((f"since {was},", f"sinds {was},"))
    columns: tuple[Column | Drawn, ...] = (
        Column(_short(place, before, wave), points("was.nps"), after(text(("was", "was")), points("was.nps"))),
        Column(_short(place, wave, before), points("nps")),
        Column(
            CHANGE,
            after(signed("nps_change"), interval("nps_change_low", "nps_change_high")),
            after(signed("nps_change"), since, between("nps_change_low", "nps_change_high")),
        ),
        Drawn(
            ("Drawn on the common scale", "Getekend op de gezamenlijke schaal"),
            (("was.nps_low", "was.nps_high", "was.nps"), ("nps_low", "nps_high", "nps")),
        ),
    )
    metrics = place.released.metrics
    rows = []
    for row in moved:
        key = row["department_id"]
        rows.append((named(place, key), {**metrics[key], **row, **_beside("was", place.released.previous(key))}))
    yield Known(section, f"{caption} {was} {now}", NAME, columns, rows)


def _beside(name: str, row: Row) -> Row:
    """What another row tells, to stand beside the row of a table."""
    return {f"{name}.{column}": value for column, value in row.items()}


def _short(place: Place, wave: str, beside: str) -> Both:
    short = place.writing.wave(wave, beside=beside, short=True)
    return short, short


def _departments(place: Place) -> Iterator[Known]:
    columns: tuple[Column | Drawn, ...] = (
        Column(ANSWERS, points("responses"), answers("responses")),
        Column(NPS, points("nps")),
        Column(INTERVAL, interval("nps_low", "nps_high"), between("nps_low", "nps_high")),
        Drawn(("Drawn on the common scale", "Getekend op de gezamenlijke schaal"), (("nps_low", "nps_high", "nps"),)),
    )
    caption = place.writing.of(
        (
            "NPS of every department with its 95% interval, alphabetical within each part",
            "NPS van elke afdeling met het 95%-interval, alfabetisch binnen elk onderdeel",
        )
    )
    metrics = place.released.metrics
    below, all_ = place.below, place.released.below(ALL)
    is_whole_told = not place.is_whole and metrics[ALL]["nps"] is not None and len(all_) <= MOST
    for section, ids in (("departments", below if len(below) > 1 else []), ("whole", all_ if is_whole_told else [])):
        if ids:
            rows = [(named(place, key), metrics[key] | _why(place, metrics[key])) for key in ids]
            yield Known(section, caption, NAME, columns, rows)


def _why(place: Place, row: Row) -> dict[Any, str]:
    """Why a department has no figures, in the place of them."""
    if row["nps"] is not None:
        return {}
    if row["status"] != "published":
        return {"why": hidden(place)}
    said: Both = ("no answers with a score", "geen antwoorden met een score")
    few: Both = ("too few answers with a score", "te weinig antwoorden met een score")
    return {"why": place.writing.of(few if row["responses"] else said)}


def hidden(place: Place) -> str:
    """The one reason for all that is hidden."""
    said: Both = (
        "fewer than {least} answers, or needed to protect those",
        "minder dan {least} antwoorden, of nodig om die te beschermen",
    )
    return place.writing.say(said, least=place.released.least)


def _course(place: Place) -> Iterator[Known]:
    writing, is_asked = place.writing, place.released.is_asked
    trends = {row["trend_wave"]: row for row in place.rows("trends")}
    rows = []
    for row in reversed(place.over_time):
        told = trends.get(row["wave"], row) if row["nps"] is not None else row
        shown = {**row, **_beside("trend", told), "responses": None if row["nps"] is None else row["responses"]}
        rows.append((writing.wave(row["wave"], short=True), shown))
    columns: tuple[Column, ...] = (
        Column(ANSWERS, points("responses")),
        Column(NPS, points("trend.nps")),
        Column(INTERVAL, interval("trend.nps_low", "trend.nps_high")),
    )
    caption: Both = ("NPS by month", "NPS per maand")
    if is_asked:
        low, high = "superpromoter_rate_low", "superpromoter_rate_high"
        columns += (
            Column(("Superpromoters", "Superpromoters"), percent("superpromoter_rate")),
            Column(INTERVAL, interval_percent(low, high)),
        )
        caption = ("NPS and superpromoters by month", "NPS en superpromoters per maand")
    yield Known("time", writing.of(caption), ("Wave", "Meting"), columns, rows, is_fold=True)
    changes = [(writing.wave(row["compared_wave"]), row) for row in place.rows("changes")]
    if changes:
        yield Known("time", writing.of(SINCE_EARLIER), ("Since", "Sinds"), CHANGES, changes, is_fold=True)
