"""Tables that overlap, looked at together: departments, segments and rolling windows, over the cells that they share.

A cell is who stands in the same rows of all of them: a wave, the releases of it that count them, the department that
they hang on, and what they said in each segment. Rows of least loss are hidden until no cell can be computed (`audit`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transforms import TransformError
from transforms.audit import exposed
from transforms.departments import SEPARATOR
from transforms.segments import CLASSES, COUNTS

MOST_CELLS = 100_000
NAMED = 20
PEOPLE = COUNTS[3:]

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """A published row: the department whose answers it adds up, of which waves, in which release, with which value."""

    department_key: str
    releases: Mapping[str, str]  # wave: the release that counts them
    segment: str | None = None  # the column of the cells
    value: str | None = None  # None: those who did not say
    weight: int | None = None  # what hiding it loses; None: it stays
    is_out: bool = False  # an earlier release shows it


@dataclass(frozen=True)
class Overlap:
    """Cells with people and without, and the rows that add them up; counts of answers, and of people once."""

    cells: pd.DataFrame
    rows: Sequence[Row]
    holds: Flags = field(repr=False)


def spread(cells: pd.DataFrame, segments: Sequence[str]) -> pd.DataFrame:
    """The cells of one wave with those in which nobody is, though somebody could be: all that was said, crossed.

    Where that is more than can be looked at, the cells with people alone: whoever knows which are empty learns more, so
    the audit is stricter then.
    """
    names = ["releases", "department_key", *segments]
    held = cells.astype(dict.fromkeys(names, object))
    held[names] = held[names].where(held[names].notna(), None)
    said = [sorted(set(held[name]), key=lambda one: (one is None, one)) for name in names]
    if np.prod([len(one) for one in said], dtype=float) > MOST_CELLS:
        return held
    everything = pd.DataFrame(list(product(*said)), columns=names, dtype=object)
    crossed = everything.merge(held, on=names, how="left", validate="one_to_one")
    return crossed.assign(**{name: crossed[name].fillna(0).astype(int) for name in COUNTS}, wave=cells["wave"].iloc[0])


def overlap(cells: pd.DataFrame, rows: Sequence[Row]) -> Overlap:
    """Which row holds which cell."""
    if len(cells) > MOST_CELLS:
        raise TransformError(
            f"segments cross in {len(cells)} ways, which is too fine to be looked at; merge their values by "
            "values = { … } of the role, or leave a segment out"
        )
    codes, keys = pd.factorize(cells["department_key"])
    below = _below(keys.tolist())
    counted = {one: _counted(cells, one) for one in {tuple(sorted(row.releases.items())) for row in rows}}
    holds = np.zeros((len(rows), len(cells)), dtype=np.bool_)
    for place, row in enumerate(rows):
        is_below = np.isin(codes, below.get(row.department_key, []))
        holds[place] = is_below & counted[tuple(sorted(row.releases.items()))]
        if row.segment is not None:
            said = cells[row.segment]
            holds[place] &= (said.isna() if row.value is None else said == row.value).to_numpy(dtype=bool)
    return Overlap(cells, rows, holds)


def hidden(tables: Overlap, *, min_respondents: int) -> tuple[list[bool], list[str]]:
    """Of each row whether it is to be hidden, the lightest first, until nothing can be computed; and which cells could.

    What earlier releases tell by themselves stays told. Raises TransformError, naming the cells, where hiding all that
    may be hidden is not enough.
    """
    may = np.array([row.weight is not None for row in tables.rows], dtype=np.bool_)
    loss = np.array([row.weight or 0 for row in tables.rows])
    shown, named = np.ones(len(may), dtype=np.bool_), list[str]()
    told: Flags | None = None
    while (found := _exposed(tables, shown, min_respondents)).any():
        if told is None:
            told = _exposed(tables, np.array([row.is_out for row in tables.rows], dtype=np.bool_), min_respondents)
        found &= ~told
        if not found.any():
            break
        named = named or _names(tables.cells[found])
        hiding = _lightest(tables.holds[:, found], shown & may, loss)
        if not hiding.any():
            raise TransformError(says(named))
        shown &= ~hiding
    return (~shown).tolist(), named


def says(cells: Sequence[str]) -> str:
    """Which cells could be computed, for the operator alone, and what to do."""
    more = ", …" if len(cells) > NAMED else ""
    return (
        f"{len(cells)} small groups could be computed from what the tables say together: "
        f"{'; '.join(cells[:NAMED])}{more}. Leave out a segment or a window, merge a segment's values, or bring in "
        "more answers"
    )


def _lightest(holds: Flags, may: Flags, loss: NDArray[Any]) -> Flags:
    """For each of these cells the lightest row that holds it, unless one that does is hidden already; else any."""
    hiding = np.zeros(len(may), dtype=np.bool_)
    for own in holds.T:
        choice = np.flatnonzero(own & may)
        if len(choice) and not hiding[own].any():
            hiding[choice[np.argmin(loss[choice])]] = True
    if not hiding.any() and may.any():
        choice = np.flatnonzero(may)
        hiding[choice[np.argmin(loss[choice])]] = True
    return hiding


def _below(keys: Sequence[str]) -> dict[str, list[int]]:
    """The places of the keys on or below each department."""
    below: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        path = key.split(SEPARATOR) if key else []
        for depth in range(len(path) + 1):
            below.setdefault(SEPARATOR.join(path[:depth]), []).append(place)
    return below


def _counted(cells: pd.DataFrame, releases: Iterable[tuple[str, str]]) -> Flags:
    """The cells that these releases count."""
    of = [
        (cells["wave"] == wave).to_numpy() & np.array([release in among for among in cells["releases"]], dtype=np.bool_)
        for wave, release in releases
    ]
    return reduce(np.logical_or, of, np.zeros(len(cells), dtype=np.bool_))


def _exposed(tables: Overlap, shown: Flags, min_respondents: int) -> Flags:
    """The cells that could be given away: as answers, which are shown, or as people, who are to be protected."""
    answers, people = (tables.cells[list(names)].to_numpy(dtype=np.float64) for names in (CLASSES, PEOPLE))
    found = exposed(tables.holds[shown], answers, min_respondents=min_respondents)
    if not np.array_equal(answers, people):
        found |= exposed(tables.holds[shown], people, min_respondents=min_respondents)
    return found


def _names(cells: pd.DataFrame) -> list[str]:
    return [_name(cell) for cell in cells.to_dict("records")]


def _name(cell: Mapping[Any, Any]) -> str:
    """A cell in words: wave, department, and what was said."""
    said = [cell[name] for name in sorted(cell) if str(name).startswith("segment_")]
    department = " / ".join(cell["department_key"].split(SEPARATOR)) or "(the whole)"
    return " × ".join(
        [cell["wave"], department, *("(not known)" if one is None or one != one else one for one in said)]
    )
