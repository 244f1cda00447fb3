"""Many organisations published at once, by the selects and functions that a release is made with.

Each wave of each organisation stands as a unit below one top that is never shown: one pass counts all of them, which
makes hundreds of organisations a matter of seconds. `Publisher` names the parts that a weakened variant replaces.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tests.attack.organisations import SCORES, Answer, Organisation
from transforms import TransformError
from transforms.departments import departments
from transforms.interval import interval
from transforms.protect import protect
from transforms.revisions import answers_touched_sql, entering, near
from transforms.sql import text

SCHEMA = sorted((Path(__file__).parents[2] / "warehouse" / "schema").glob("*.sql"))
SEPARATOR = chr(31)
SECRET = b"the home's secret"
Protect = Callable[..., pd.DataFrame]


@dataclass(frozen=True)
class Publisher:
    """How releases are made; each field is what an honest home does, and a weakened one does otherwise."""

    protect: Protect = protect
    noise: bytes = SECRET
    is_frozen: bool = True  # the pattern of a wave's first release is kept
    waits: bool = True  # late answers enter when they are enough
    looks_back: bool = True  # also against the revisions before the last


@dataclass(frozen=True)
class Released:
    """What everyone reads of one revision: the rows of mart.promoter_metrics, by path; and behind it, for the judge."""

    metrics: pd.DataFrame
    tallies: pd.DataFrame
    counted: Sequence[Answer]


@dataclass
class Unit:
    """One wave of one organisation, revision by revision."""

    organisation: int
    wave: int
    states: Sequence[Sequence[Answer]]
    paths: Sequence[str]
    name: str
    pattern: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: list[Sequence[Answer]] = field(default_factory=list)
    released: list[Released] = field(default_factory=list)


def published(
    organisations: Sequence[Organisation], *, k: int, publisher: Publisher | None = None
) -> dict[int, list[Unit]]:
    """Every wave that is released, by organisation; a wave that is held is none of them."""
    units = [
        Unit(number, wave, states, organisation.paths, f"o{number}w{wave}")
        for number, organisation in enumerate(organisations)
        for wave, states in enumerate(organisation.waves)
    ]
    with warehouse() as connection:
        _Country(connection, [*units, _beacon(k)], k=k, publisher=publisher or Publisher()).publish()
    found: dict[int, list[Unit]] = {}
    for unit in units:
        if unit.released:
            found.setdefault(unit.organisation, []).append(unit)
    return found


def _beacon(k: int) -> Unit:
    """Somebody who answers every question: whether one was asked is seen from all that is shown at once."""
    kinds = ("promoter", "passive", "detractor")
    answers = [Answer(f"beacon {place}", "", kinds[place % 3], -place, told=3, acted=1) for place in range(1, 3 * k)]
    return Unit(-1, 0, [answers], (), "beacon")


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """The layers of a warehouse in memory."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for migration in SCHEMA:
            connection.execute(migration.read_text(encoding="utf-8"))
        yield connection


class _Country:
    """All units below one top, in one DuckDB."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, units: Sequence[Unit], *, k: int, publisher: Publisher
    ) -> None:
        self.connection, self.units, self.k, self.publisher = connection, list(units), k, publisher
        self.nodes = self._nodes()

    def publish(self) -> None:
        for unit in self.units:
            unit.history = [unit.states[0]]
        self._release(is_first=True)
        self.units = [unit for unit in self.units if unit.released]
        for step in range(1, max((len(unit.states) for unit in self.units), default=0)):
            self._revise([unit for unit in self.units if len(unit.states) > step], step)

    def _nodes(self) -> pd.DataFrame:
        keys = {unit.name for unit in self.units}
        for unit in self.units:
            keys |= {self._key(unit, answer.cell) for state in unit.states for answer in state}
            keys |= {self._key(unit, path) for path in unit.paths}
        tree = departments(keys, organisation="Country")
        tree["unit"] = [path[0] if path else "" for path in tree["path"]]
        tree["name"] = ["/".join(path[1:]) or "all" for path in tree["path"]]
        tree["parent"] = tree["parent_id"].where(tree["level"] > 1, None)
        nodes = tree[["department_id", "department_key", "parent_id", "level", "position", "name"]]
        for table in ("departments", "department_nodes"):
            self._put(table, nodes)
        return tree

    def _release(self, *, is_first: bool) -> None:
        """Count, protect and compute every unit's newest state."""
        self._answers("counted", [(unit, answer) for unit in self.units for answer in unit.history[-1]])
        asked = {"told_min": 1, "acted_is_asked": True, "copied_is_asked": False}
        self.connection.execute(f"create or replace temp table cells as {text('cells')}", asked)
        self.connection.execute(
            f"create or replace temp table tallies as {text('tallies')}", {"survey": "s", "wave": "w"}
        )
        tallies = self._frame("from tallies").merge(self.nodes[["department_id", "unit"]], on="department_id")
        if is_first or not self.publisher.is_frozen:
            of_unit, trees = _by_unit(tallies), _by_unit(self.nodes.assign(parent_id=self.nodes["parent"]))
            for unit in self.units:
                unit.pattern = self._pattern(unit, of_unit[unit.name], trees[unit.name])
        shown = [unit for unit in self.units if len(unit.pattern)]
        self._put("pattern", pd.concat([unit.pattern for unit in shown]))
        least = {"min_respondents": self.k}
        worth = {"margin": None, "currency": None}
        self.connection.execute(
            f"create or replace temp table superpromoters as {text('superpromoters')}", {**least, **worth}
        )
        rows = self._frame(text("metrics"), {**least, "interval": "adjusted_wald"})
        metrics = interval(rows, method="adjusted_wald")
        metrics = metrics.merge(self.nodes[["department_id", "unit"]], on="department_id")
        names = self.nodes[["department_id", "name", "position", "level"]].rename(columns={"name": "department"})
        counts_of = _by_path(tallies.merge(names, on="department_id").sort_values("position"))
        metrics_of = _by_path(metrics)
        for unit in shown:
            unit.released.append(Released(metrics_of[unit.name], counts_of[unit.name], unit.history[-1]))

    def _pattern(self, unit: Unit, tallies: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
        try:
            return self.publisher.protect(
                tallies, tree, min_respondents=self.k, noise=self.publisher.noise, wave=unit.name
            )
        except TransformError:
            return pd.DataFrame()

    def _revise(self, units: Sequence[Unit], step: int) -> None:
        """What the next revisions count: what may enter, and the rest as it was."""
        current = [(unit, answer) for unit in units for answer in unit.states[step]]
        counted = [(unit, answer) for unit in units for answer in unit.history[-1]]
        if self.publisher.waits:
            self._put("pattern", pd.concat([unit.pattern for unit in units]))
            counted = self._entered(units, counted, current)
        else:
            counted = current
        by_unit: dict[str, list[Answer]] = {unit.name: [] for unit in units}
        for unit, answer in counted:
            by_unit[unit.name].append(answer)
        for unit in units:
            unit.history.append(by_unit[unit.name])
        everyone, self.units = self.units, list(units)
        self._release(is_first=False)
        self.units = everyone

    def _entered(
        self,
        units: Sequence[Unit],
        released: Sequence[tuple[Unit, Answer]],
        current: Sequence[tuple[Unit, Answer]],
    ) -> list[tuple[Unit, Answer]]:
        touched, kept = self._touched(released, current)
        by_number = {answer.number: (unit, answer) for unit, answer in (*released, *current)}
        closed: set[str] = set()
        while True:
            self._touched(released, current)
            self._put("entering", entering(touched, kept, min_respondents=self.k, closed=closed))
            rows = self.connection.sql(text("counted")).fetchall()
            counted = [by_number[number] for _, number in sorted(rows)]
            found = set(closed)
            for back in range(2, 1 + max(len(unit.history) for unit in units)):
                if self.publisher.looks_back:
                    before = [(u, a) for u in units if len(u.history) >= back for a in u.history[-back]]
                    names = {u.name for u in units if len(u.history) >= back}
                    now = [(u, a) for u, a in counted if u.name in names]
                    found |= near(*self._touched(before, now), min_respondents=self.k)
            if found == closed:
                return counted
            closed = found

    def _touched(
        self, released: Sequence[tuple[Unit, Answer]], current: Sequence[tuple[Unit, Answer]]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        self._answers("released", released)
        self._answers("current", current)
        self.connection.execute(f"create or replace temp table answers_touched as {answers_touched_sql()}")
        return self._frame("from answers_touched"), self._frame(text("regions_kept"))

    def _answers(self, table: str, rows: Sequence[tuple[Unit, Answer]]) -> None:
        said = pd.DataFrame(
            {
                "survey": "s",
                "wave": "w",
                "batch": 1,
                "record_number": [answer.number for _, answer in rows],
                "response_key": [answer.key for _, answer in rows],
                "department_key": [self._key(unit, answer.cell) for unit, answer in rows],
                "score": pd.array([SCORES[answer.kind][-1] for _, answer in rows], dtype="Int64"),
                "weight": pd.array([answer.weight for _, answer in rows], dtype="Float64"),
                "told_count": pd.array([answer.told for _, answer in rows], dtype="Int64"),
                "acted_count": pd.array([answer.acted for _, answer in rows], dtype="Int64"),
                "is_contradictory": False,
            }
        )
        self.connection.register("handed_over", said)
        self.connection.execute(f"create or replace temp table {table} as from core.responses limit 0")
        self.connection.execute(f"insert into {table} by name from handed_over")

    def _put(self, table: str, frame: pd.DataFrame) -> None:
        self.connection.register("handed_over", frame)
        self.connection.execute(f"create or replace temp table {table} as from handed_over")

    def _frame(self, sql: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
        frame: pd.DataFrame = self.connection.sql(sql, params=parameters).to_arrow_table().to_pandas()
        return frame

    @staticmethod
    def _key(unit: Unit, cell: str) -> str:
        return SEPARATOR.join(filter(None, [unit.name, *cell.split("/")]))


def _by_unit(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(name): own for name, own in rows.groupby("unit")}


def _by_path(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each unit's rows with paths for ids, the organisation's own first: as if it stood alone."""
    paths = rows["department"].tolist()
    parents = [None if path == "all" else "/".join(path.split("/")[:-1]) or "all" for path in paths]
    known = {"department_id": paths, "department": paths, "parent_id": parents}
    named = rows.drop(columns="unit").assign(
        **{name: pd.Series(values, index=rows.index, dtype=object) for name, values in known.items()},
        level=rows["level"] - 1,
    )
    return {str(name): own.reset_index(drop=True) for name, own in named.groupby(rows["unit"].to_numpy())}
