"""The register of a release beside mart.deliveries and mart.releases."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pandas as pd

from tests.flows.paper.mart import Released, Row
from tests.flows.paper.read import Element, table
from tests.flows.paper.write import GONE, Both, Writing

HEADINGS: tuple[Both, ...] = (("Recipient", "Ontvanger"), ("By", "Via"), ("At", "Om"), ("Outcome", "Uitkomst"))
CHANNELS: Mapping[str, Both] = {
    "published": ("the published pages and data", "de gepubliceerde pagina’s en gegevens"),
    "folder": ("a folder", "een map"),
    "webhook": ("a system (webhook)", "een systeem (webhook)"),
    "email": ("e-mail", "e-mail"),
}
STATUS: Mapping[str, Both] = {
    "delivered": ("received", "ontvangen"),
    "failed": ("not received", "niet ontvangen"),
    "unknown": ("sent, without an answer", "verstuurd, zonder antwoord"),
    "left_out": ("left out", "weggelaten"),
}
CAPTION: Both = ("Deliveries of this release", "Bezorgingen van deze publicatie")


def register(released: Released, writing: Writing, shown: Element) -> Iterator[str]:
    """What a register says otherwise than the mart."""
    main = shown.first("main")
    tables = [table(element) for element in main.all("table")]
    rows = released.rows("deliveries")
    if [one.caption for one in tables] != [writing.of(CAPTION)] or not rows:
        yield f"its tables are {[one.caption for one in tables]}"
        return
    if tables[0].headings != (headings := tuple(map(writing.of, HEADINGS))):
        yield f"its columns are {tables[0].headings}, and known are {headings}"
    cells, wanted = Counter(tables[0].cells("wide")), Counter(_row(released, writing, row) for row in rows)
    yield from (f"the mart has no {row}" for row in cells - wanted)
    yield from (f"it has no {row}" for row in wanted - cells)
    told = main.text(without=("svg", "table"))
    yield from (f"it does not say {text!r}" for text in _said(released, writing) if text not in told)


def _row(released: Released, writing: Writing, row: Row) -> tuple[str, ...]:
    at = row["opened_at"] or (row["answered_at"] if row["status"] == "delivered" else None)
    outcome = writing.of(STATUS[row["status"]])
    if row["attempts"] > 1:
        often: Both = ("sent {number} times", "{number} keer verstuurd")
        outcome += "; " + writing.say(often, number=writing.number(row["attempts"]))
    who = writing.of(("everyone", "iedereen")) if row["channel"] == "published" else row["recipient"]
    return who, writing.of(CHANNELS[row["channel"]]), GONE if at is None else _time(released, writing, at), outcome


def _time(released: Released, writing: Writing, at: pd.Timestamp) -> str:
    local = released.local(at)
    point = writing.of((".", ","))
    return f"{local:%H:%M:%S}{point}{local.microsecond // 1000:03d}"


def _said(released: Released, writing: Writing) -> Iterator[str]:
    """Its headline, its moments, and how many received it besides everyone who reads what is published."""
    release = released.release
    if not any(row["is_breach"] for row in released.rows("deliveries")) and release["skew_ms"] is not None:
        headline: Both = (
            "Received by everyone at the same moment: {time}, within {skew} ms.",
            "Door iedereen op hetzelfde moment ontvangen: {time}, binnen {skew} ms.",
        )
        skew = writing.number(release["skew_ms"], 0 if release["skew_ms"] >= 10 else 1)
        yield writing.say(headline, time=f"{released.local(release['released_at']):%H:%M:%S}", skew=skew)
    moments: tuple[tuple[Both, str], ...] = (
        (("Planned", "Gepland"), "planned_at"),
        (("Released", "Gepubliceerd"), "released_at"),
    )
    for name, column in moments:
        if (at := release[column]) is not None:
            yield f"{writing.of(name)}: {_day(released, writing, at)}, {_time(released, writing, at)}"
    number = int(release["recipients"])
    unit: Both = ("recipient", "ontvanger") if number == 1 else ("recipients", "ontvangers")
    nobody: Both = (
        "Everyone reads these pages in the same place; nothing was sent besides.",
        "Iedereen leest deze pagina’s op dezelfde plek; er is niets apart verstuurd.",
    )
    yield f"{writing.number(number)} {writing.of(unit)}." if number else writing.of(nobody)


def _day(released: Released, writing: Writing, at: pd.Timestamp) -> str:
    days: tuple[Both, ...] = (
        *(("Monday", "maandag"), ("Tuesday", "dinsdag"), ("Wednesday", "woensdag"), ("Thursday", "donderdag")),
        *(("Friday", "vrijdag"), ("Saturday", "zaterdag"), ("Sunday", "zondag")),
    )
    local = released.local(at)
    return f"{writing.of(days[local.weekday()])} {local.day} {writing.wave(f'{local:%Y-%m}')}"
