"""Many first releases at once, by the selects and functions that a release is made with: for whoever replays them.

Each wave of each organisation stands as a unit below one top that is never shown: one pass counts all of them, which
makes hundreds of candidates a matter of seconds. What enters a revision, and what becomes public, is not told here:
`holding.py` has the pipeline itself do it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tests.attack.organisations import SCORES, Answer, Organisation
from tests.attack.units import Released, Unit
from transforms import TransformError
from transforms.departments import SEPARATOR, departments
from transforms.interval import interval
from transforms.protect import protect
from transforms.sql import text

SCHEMA = sorted((Path(__file__).parents[2] / "warehouse" / "schema").glob("*.sql"))
SECRET = b"the home's secret"
Protect = Callable[..., pd.DataFrame]


@dataclass
class Wave(Unit):
    """One wave of one organisation, and what of it is shown."""

    organisation: int = 0
    answers: Sequence[Answer] = ()
    paths: Sequence[str] = ()
    pattern: pd.DataFrame = field(default_factory=pd.DataFrame)


def published(
    organisations: Sequence[Organisation], *, k: int, protect: Protect = protect, noise: bytes = SECRET
) -> dict[int, list[Wave]]:
    """Every wave that is released, by organisation; a wave that is held is none of them."""
    units = [
        Wave(f"o{number}w{wave}", organisation=number, answers=states[0], paths=organisation.paths)
        for number, organisation in enumerate(organisations)
        for wave, states in enumerate(organisation.waves)
    ]
    with warehouse() as connection:
        _Country(connection, [*units, _beacon(k)], k=k).publish(protect, noise)
    found: dict[int, list[Wave]] = {}
    for unit in units:
        if unit.released:
            found.setdefault(unit.organisation, []).append(unit)
    return found


def _beacon(k: int) -> Wave:
    """Somebody who answers every question: whether one was asked is seen from all that is shown at once."""
    kinds = ("promoter", "passive", "detractor")
    answers = [Answer(f"beacon {place}", "", kinds[place % 3], -place, told=3, acted=1) for place in range(1, 3 * k)]
    return Wave("beacon", organisation=-1, answers=answers)


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """The layers of a warehouse in memory."""
    with duckdb.connect(config={"threads": 1}) as connection:
        for migration in SCHEMA:
            connection.execute(migration.read_text(encoding="utf-8"))
        yield connection


class _Country:
    """All units below one top, in one DuckDB."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, units: Sequence[Wave], *, k: int) -> None:
        self.connection, self.units, self.k = connection, list(units), k
        self.nodes = self._nodes()

    def publish(self, protect: Protect, noise: bytes) -> None:
        """Count, protect and compute every unit."""
        tallies = self._tallies()
        of_unit, trees = _by_unit(tallies), _by_unit(self.nodes.assign(parent_id=self.nodes["parent"]))
        for unit in self.units:
            settings: dict[str, Any] = {"min_respondents": self.k, "noise": noise, "wave": unit.name}
            try:
                unit.pattern = protect(of_unit[unit.name], trees[unit.name], **settings)
            except TransformError:  # held: it has no pattern
                continue
        shown = [unit for unit in self.units if len(unit.pattern)]
        self._put("pattern", pd.concat([unit.pattern for unit in shown]))
        metrics_of = _by_path(self._metrics())
        names = self.nodes[["department_id", "name", "position", "level"]].rename(columns={"name": "department"})
        counts_of = _by_path(tallies.merge(names, on="department_id").sort_values("position"))
        for unit in shown:
            unit.released.append(Released(metrics_of[unit.name], counts_of[unit.name], unit.answers))

    def _nodes(self) -> pd.DataFrame:
        keys = {unit.name for unit in self.units}
        for unit in self.units:
            keys |= {self._key(unit, path) for path in (*unit.paths, *(answer.cell for answer in unit.answers))}
        tree = departments(keys, organisation="Country")
        tree["unit"] = [path[0] if path else "" for path in tree["path"]]
        tree["name"] = ["/".join(path[1:]) or "all" for path in tree["path"]]
        tree["parent"] = tree["parent_id"].where(tree["level"] > 1, None)
        nodes = tree[["department_id", "department_key", "parent_id", "level", "position", "name"]]
        for table in ("departments", "department_nodes"):
            self._put(table, nodes)
        return tree

    def _tallies(self) -> pd.DataFrame:
        self._answers("counted", [(unit, answer) for unit in self.units for answer in unit.answers])
        asked = {"told_min": 1, "acted_is_asked": True, "copied_is_asked": False}
        self.connection.execute(f"create or replace temp table cells as {text('cells')}", asked)
        where = {"survey": "s", "wave": "w"}
        self.connection.execute(f"create or replace temp table tallies as {text('tallies')}", where)
        return self._frame("from tallies").merge(self.nodes[["department_id", "unit"]], on="department_id")

    def _metrics(self) -> pd.DataFrame:
        least = {"min_respondents": self.k}
        worth = {"margin": None, "currency": None}
        self.connection.execute(
            f"create or replace temp table superpromoters as {text('superpromoters')}", {**least, **worth}
        )
        rows = self._frame(text("metrics"), {**least, "interval": "adjusted_wald"})
        metrics = interval(rows, method="adjusted_wald")
        return metrics.merge(self.nodes[["department_id", "unit"]], on="department_id")

    def _answers(self, table: str, rows: Sequence[tuple[Wave, Answer]]) -> None:
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
    def _key(unit: Wave, cell: str) -> str:
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
