"""The tables of departments beside each other: in the funnel, and each beside everyone else."""

from collections.abc import Iterator
from typing import Any

from tests.flows.paper.columns import (
    ANSWERS,
    BEYOND,
    COULD_BE,
    INTERVAL,
    NAME,
    NPS,
    OUTCOME,
    Column,
    Known,
    interval,
    points,
    signed,
    word,
)
from tests.flows.paper.mart import Row
from tests.flows.paper.place import Place
from tests.flows.paper.write import GONE, Both

MOST = 60  # so many rows a page repeats of a table; of more it tells those that differ
CUT: Both = (
    ". Of many departments only those that differ stand here; the download has all.",
    ". Van vele afdelingen staan hier alleen die verschillen; de download heeft ze alle.",
)


def apart(place: Place) -> Iterator[Known]:
    """The two tables under the table of all departments."""
    released = place.released
    rows = [
        (place.names[row["department_id"]], {**row, "responses": released.metrics[row["department_id"]]["responses"]})
        for row in released.rows("comparisons")
    ]
    if not rows:
        return
    funnel = [row for row in rows if is_in_funnel(row[1])]
    if funnel:
        caption: Both = (
            "The departments at the lowest level in the funnel, alphabetical within each part",
            "De afdelingen op het laagste niveau in de trechter, alfabetisch binnen elk onderdeel",
        )
        columns = (
            Column(ANSWERS, points("responses")),
            Column(NPS, points("nps")),
            Column(("95 of 100 lie within", "95 van 100 liggen binnen"), interval("funnel_low_95", "funnel_high_95")),
            Column(OUTCOME, word(_outside)),
            Column(("Drawn to the mean", "Naar het gemiddelde toe"), points("nps_shrunken")),
        )
        yield _cut(place, caption, columns, funnel, "is_outside_95")
    caption = (
        "Each department beside everyone else, alphabetical within each part",
        "Elke afdeling naast alle anderen, alfabetisch binnen elk onderdeel",
    )
    columns = (
        Column(NPS, points("nps")),
        Column(("Everyone else", "Alle anderen"), points("nps_rest")),
        Column(("Difference", "Verschil"), signed("rest_difference")),
        Column(INTERVAL, interval("rest_difference_low", "rest_difference_high")),
        Column(OUTCOME, word(_rest)),
    )
    yield _cut(place, caption, columns, rows, "is_different_from_rest")


def is_in_funnel(row: Row) -> bool:
    """Whether a row of comparisons is of a department at the lowest level, which the funnel is made of."""
    return row["nps"] is not None and row["funnel_centre"] is not None


def _cut(
    place: Place, caption: Both, columns: tuple[Column, ...], rows: list[tuple[str, dict[Any, Any]]], differs: str
) -> Known:
    called, is_cut = place.writing.of(caption), len(rows) > MOST
    shown = [row for row in rows if row[1][differs]][:MOST] if is_cut else rows
    more = place.writing.of(CUT) if is_cut else ""
    return Known("departments", called + more, NAME, columns, shown, is_fold=True)


def _outside(row: Row) -> Both:
    if row["is_outside_998"]:
        return "outside both", "buiten beide"
    return ("outside", "erbuiten") if row["is_outside_95"] else ("within", "erbinnen")


def _rest(row: Row) -> Both:
    if row["nps_rest"] is None or row["rest_difference"] is None:
        return GONE, GONE
    return BEYOND if row["is_different_from_rest"] else COULD_BE
