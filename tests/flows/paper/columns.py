"""How a column of a table shows a column of the mart, or an interval of two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.flows.paper.write import GONE, Both, Writing

NAME: Both = ("Department", "Afdeling")
ANSWERS: Both = ("Answers", "Antwoorden")
NPS: Both = ("NPS", "NPS")
INTERVAL: Both = ("Interval", "Interval")
OUTCOME: Both = ("Outcome", "Uitkomst")
SHARE: Both = ("Share", "Aandeel")
CHANGE: Both = ("Change", "Verschil")
BEYOND: Both = ("beyond chance", "meer dan toeval")
COULD_BE: Both = ("could be chance", "kan toeval zijn")

Shown = dict[Any, Any]  # a row of the mart, and what of other rows stands beside it
Cell = Callable[[Writing, Shown], str]


@dataclass(frozen=True)
class Column:
    """A heading, and what its cells show: on a wide screen, and on a phone where that is another."""

    heading: Both
    wide: Cell
    phone: Cell | None = None


@dataclass(frozen=True)
class Drawn:
    """A heading, and the columns that its strips show: each its low end, its high end and its point."""

    heading: Both
    strips: tuple[tuple[str, str, str], ...]
    factor: float = 1.0


@dataclass(frozen=True)
class Known:
    """A table that a page must have: where, what it is called, its columns, and the rows of the mart behind it."""

    section: str
    caption: str
    first: Both
    columns: tuple[Column | Drawn, ...]
    rows: Sequence[tuple[str | None, Shown]]  # a name as readers see it (None: in another language), and its figures
    is_fold: bool = False  # on a phone each cell begins with its heading


def points(name: str, digits: int = 0) -> Cell:
    """An NPS, or another number, with so many decimals."""
    return lambda writing, row: writing.number(row[name], digits)


def signed(name: str) -> Cell:
    """A change with its sign."""
    return lambda writing, row: writing.signed(row[name])


def percent(name: str, digits: int = 0) -> Cell:
    """A fraction in per cent."""
    return lambda writing, row: writing.percent(row[name], digits)


def interval(low: str, high: str) -> Cell:
    """An interval of points in a column."""
    return lambda writing, row: writing.to(row[low], row[high])


def interval_percent(low: str, high: str, digits: int = 0) -> Cell:
    """An interval of fractions in a column."""
    return lambda writing, row: writing.to_percent(row[low], row[high], digits)


def between(low: str, high: str) -> Cell:
    """An interval of points in a sentence."""
    return lambda writing, row: writing.between(writing.number(row[low]), writing.number(row[high]))


def between_percent(low: str, high: str) -> Cell:
    """An interval of fractions in a sentence; nothing where there is none."""
    return lambda writing, row: (
        GONE if row[low] is None else writing.between(writing.percent(row[low]), writing.percent(row[high]))
    )


def word(choose: Callable[[Shown], Both]) -> Cell:
    """A word that depends on the row."""
    return lambda writing, row: writing.of(choose(row))


def text(both: Both) -> Cell:
    """A word that is always the same."""
    return lambda writing, row: writing.of(both)


def answers(name: str) -> Cell:
    """A number of answers, with what is counted."""

    def cell(writing: Writing, row: Shown) -> str:
        unit: Both = ("answer", "antwoord") if row[name] == 1 else ("answers", "antwoorden")
        return f"{writing.number(row[name])} {writing.of(unit)}"

    return cell


def after(first: Cell, *more: Cell) -> Cell:
    """Cells behind each other, as far as they have something."""
    return lambda writing, row: " ".join(
        text for text in (first(writing, row), *(cell(writing, row) for cell in more)) if text
    )
