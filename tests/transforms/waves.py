"""A wave in a real DuckDB, from answers or straight from counts, for the tests of tallies, metrics and change."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from transforms.departments import SEPARATOR, departments
from transforms.few import guarded
from transforms.interval import Method, interval
from transforms.sql import text

SCHEMA = sorted(Path("warehouse/schema").glob("*.sql"))
Row = Mapping[str, Any]
Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names
SCORES = ("promoters", "passives", "detractors")
SPOKE = ("told_known", "told", "influence_known", "superpromoters")
WARNED = ("warned_known", "warned", "warned_influence_known", "antipromoters")
PEOPLE = (
    *("people_told", "people_told_squares", "paired", "paired_told", "paired_acted"),
    *("paired_told_squares", "paired_acted_squares", "paired_products", "tellers", "paired_with_effect"),
)
COUNTS = (*SCORES, *SPOKE, *WARNED, *PEOPLE, "missing_scores", "contradictory")
ANY_COUNTS = st.one_of(  # at least one answer, in any class
    *(st.fixed_dictionaries({name: st.integers(int(name == some), 400) for name in SCORES}) for some in SCORES)
)
WEIGHTS = ("weight_sum", "weight_square_sum", *(f"weighted_{name}" for name in SCORES))
ANSWER = (
    *("score", "weight", "respondent_key", "responded_at"),
    *("told_count", "told_count_most", "acted_count", "is_copied"),
    *("warned_count", "warned_count_most", "warned_acted_count"),
)


def key(*path: str) -> str:
    """A department's path as `department_key` holds it."""
    return SEPARATOR.join(path)


def layers(connection: duckdb.DuckDBPyConnection) -> None:
    """The layers of a warehouse, as the numbered migrations make them."""
    for migration in SCHEMA:
        connection.execute(migration.read_text(encoding="utf-8"))


@cache
def _layered() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    layers(connection)
    return connection


@contextmanager
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse: its layers are made once, and what is written to it is taken back."""
    with _layered().cursor() as connection:
        connection.begin()
        try:
            yield connection
        finally:
            connection.rollback()


def tallies(answers: Sequence[Row], **parameters: Any) -> Frame:
    """The tallies of these answers, by department key; of each answer only what is not the default is named."""
    with empty() as connection:
        rows = pa.Table.from_pylist([_response(number, answer) for number, answer in enumerate(answers, start=1)])
        connection.register("rows", rows)
        connection.execute("insert into core.responses by name from rows")
        connection.execute("create temp view counted as from core.responses")
        return tally(connection, **parameters)


def _response(record_number: int, answer: Row) -> Row:
    default = {"survey": "s", "batch": 1, "wave": "w", "department_key": "", "is_contradictory": False}
    numbers = {"record_number": record_number, "response_key": str(record_number)}
    return {**default, **dict.fromkeys(ANSWER), **numbers, **answer}


def tally(
    connection: duckdb.DuckDBPyConnection,
    *,
    told_min: int = 1,
    acted_is_asked: bool = True,
    copied_is_asked: bool = True,
) -> Frame:
    """`counted` to core.tallies, as a run does it; by department key, with the names of the tree beside."""
    asked = {"told_min": told_min, "acted_is_asked": acted_is_asked, "copied_is_asked": copied_is_asked}
    connection.execute("create temp table cells as " + text("cells"), asked)
    keys = [key for (key,) in connection.execute("select department_key from cells").fetchall()]
    tree = departments(keys, organisation="Organisation")
    connection.register("tree", tree[["department_id", "department_key", "parent_id", "level", "name", "position"]])
    connection.execute("create temp table department_nodes as select department_id, department_key from tree")
    connection.execute("insert into core.tallies " + text("tallies"), {"survey": "s", "wave": "w"})
    rows = connection.sql("from core.tallies join tree using (department_id) order by position").to_arrow_table()
    return rows.to_pandas().set_index("department_key", drop=False).astype({"parent_id": object})


def metrics(
    tallied: Frame,
    *,
    min_respondents: int = 1,
    suppressed: Iterable[str] = (),
    method: Method = "adjusted_wald",
    margin: float | None = None,
) -> Frame:
    """The metrics of tallies that `tallies` or `counts` made, by department id."""
    least = {"min_respondents": min_respondents}
    with _with_superpromoters(tallied, suppressed=set(suppressed), margin=margin, **least) as connection:
        rows = connection.sql(text("metrics"), params={**least, "interval": method}).to_arrow_table().to_pandas()
    shown = guarded(rows, tallied, tallied[["department_id", "parent_id"]], **least)
    return interval(shown, method=method).set_index("department_id", drop=False)


def unrounded(tallied: Frame, *, margin: float | None = None) -> Frame:
    """What the select of superpromoters says of them, before anything is rounded, by department id."""
    with _with_superpromoters(tallied, suppressed=set(), margin=margin, min_respondents=1) as connection:
        return connection.sql("from superpromoters").to_arrow_table().to_pandas().set_index("department_id")


@contextmanager
def _with_superpromoters(
    tallied: Frame, *, suppressed: Collection[str], margin: float | None, min_respondents: int
) -> Iterator[duckdb.DuckDBPyConnection]:
    pattern = tallied[["department_id"]].assign(
        status=["suppressed" if name in suppressed else "published" for name in tallied["department_id"]], region="all"
    )
    with empty() as connection:
        connection.register("tallied", tallied)
        connection.register("departments", tallied[["department_id", "parent_id", "level", "name", "position"]])
        connection.register("pattern", pattern)
        names = [name for (name,) in connection.execute("select column_name from (describe core.tallies)").fetchall()]
        connection.execute(f"insert into core.tallies select {', '.join(names)} from tallied")
        connection.execute("create temp view tallies as from core.tallies")
        parameters = {"min_respondents": min_respondents, "margin": margin, "currency": "EUR"}
        connection.execute(f"create temp table superpromoters as {text('superpromoters')}", parameters)
        yield connection


def counts(rows: Mapping[str, Row]) -> Frame:
    """Tallies by department id, of which only what is not 0 is named; `responses` is the sum of the three classes."""
    columns = {name: [row.get(name, 0) for row in rows.values()] for name in COUNTS}
    weights = {name: pd.Series([row.get(name) for row in rows.values()], dtype=object) for name in WEIGHTS}
    return many(columns, names=list(rows)).assign(**weights)


def many(columns: Mapping[str, Any], *, names: Sequence[str] = ()) -> Frame:
    """The same from one column of counts per name; the first department is the organisation."""
    frame = pd.DataFrame(columns).reindex(columns=list(COUNTS)).fillna(0).astype("int64")
    ids = list(names) or ["all", *map(str, range(1, len(frame)))]
    return frame.assign(
        survey="s",
        wave="w",
        department_id=ids,
        parent_id=pd.Series([None if name == "all" else "all" for name in ids], dtype=object),
        level=[0 if name == "all" else 1 for name in ids],
        name=ids,
        position=range(len(ids)),
        responses=frame["promoters"] + frame["passives"] + frame["detractors"],
        **{name: pd.Series([None] * len(ids), dtype=object) for name in WEIGHTS},
        **{f"respondent_{name}": frame[name] for name in SCORES},
    )


def dqp(detractors: int, passives: int, promoters: int) -> dict[str, int]:
    """Counts in the order of the textbooks."""
    return {"detractors": detractors, "passives": passives, "promoters": promoters}


def ladder(*super_counts: int, warned: tuple[int, ...] = (0, 0, 0, 0)) -> dict[str, int]:
    """Counts from the known to those with effect, of promoters and of detractors."""
    return dict(zip((*SPOKE, *WARNED), (*super_counts, *warned), strict=True))


def alone(row: Row, **options: Any) -> Frame:
    """The metrics of one department with these counts, the organisation being itself."""
    return metrics(counts({"all": row}), **options).loc["all"]


def mirrored(row: Mapping[str, int]) -> dict[str, int]:
    """Promoters and detractors, and what they did, in each other's place."""
    there = ("promoters", *SPOKE), ("detractors", *WARNED)
    swaps = {**dict(zip(*there, strict=True)), **dict(zip(*there[::-1], strict=True))}
    return {swaps.get(name, name): count for name, count in row.items()}
