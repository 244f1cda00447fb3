"""The tables of what was checked, and what came of it."""

from collections.abc import Iterator

from tests.flows.paper.columns import OUTCOME, Column, Known
from tests.flows.paper.mart import Row
from tests.flows.paper.place import Place
from tests.flows.paper.write import Both, Writing


def checks(place: Place) -> Iterator[Known]:
    """What is notable, and everything."""
    rows = place.released.rows("quality")
    notable = [row for row in rows if row["outcome"] != "passed" or (_counts_answers(row) and row["failed_count"] != 0)]
    captions: tuple[tuple[Both, list[Row]], ...] = (
        (
            (
                "What was set aside or did not hold, for the whole",
                "Wat apart is gezet of niet in orde was, voor het geheel",
            ),
            notable,
        ),
        (("What was checked, for the whole", "Wat is gecontroleerd, voor het geheel"), rows),
    )
    for caption, told in captions:
        if told:
            shown = [(_rule(place, row), row) for row in told]
            columns = (Column(OUTCOME, _outcome),)
            yield Known("sure", place.writing.of(caption), ("Check", "Controle"), columns, shown)


def _rule(place: Place, row: Row) -> str | None:
    """What a rule says; the mart has it in English."""
    if place.writing.language != "en":
        return None
    return str(row["says"]).removesuffix(".").replace("'", "’").replace("`", "")


def _counts_answers(row: Row) -> bool:
    return bool(row["kind"] == "rows" or row["rule"] == "answers_agree")


def _outcome(writing: Writing, row: Row) -> str:
    """What came of a check: failed_count, of base_count where it was to hold for all."""
    count, base = row["failed_count"], row["base_count"]
    said: Both = ("did not hold", "niet in orde")
    if _counts_answers(row) and count != 0:
        number = writing.of(("a few", "enkele")) if count is None else writing.number(count)
        what: Both = ("answer", "antwoord") if count == 1 else ("answers", "antwoorden")
        used: Both = (
            ("to these questions not used", "op deze vragen niet gebruikt")
            if row["rule"] == "answers_agree"
            else ("set aside", "apart gezet")
        )
        return f"{number} {writing.of(what)} {writing.of(used)}"
    if row["outcome"] == "passed":
        said = ("held", "in orde")
    elif count and base is not None:
        number, total = writing.number(count), writing.number(base)
        said = (f"did not hold: {number} of {total}", f"niet in orde: {number} van {total}")
    return writing.of(said)
