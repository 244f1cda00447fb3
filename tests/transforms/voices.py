"""What respondents write, in a real DuckDB, through the selects of words, themes and quotes as a run makes them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import pyarrow as pa

from transforms.departments import departments
from transforms.quotes import CANDIDATES, quotes
from transforms.sql import text
from transforms.themes import LEAST, PRIOR, stop_words, themes

Frame = Any  # pd.DataFrame: its stubs do not follow .loc through rows and lists of names
COUNTED = {
    "batch": pa.int64(), "record_number": pa.int64(), "response_key": pa.string(), "respondent_key": pa.string(),
    "responded_at": pa.timestamp("us"), "department_key": pa.string(), "score": pa.int16(), "told_count": pa.int32(),
    "acted_count": pa.int32(), "is_copied": pa.bool_(), "language": pa.string(), "comment": pa.string(),
}  # fmt: skip
ASKED = {"told_is_asked": True, "acted_is_asked": True, "copied_is_asked": True}


LETTERS = "bcdfghjklmnpqrstvz"


class Voice(NamedTuple):
    """One response with a comment, its personal data removed; told and acted are the same number."""

    comment: str
    score: int | None = 9
    department: str = ""
    language: str = "en"
    told: int | None = 1
    respondent: str | None = None


# Five who wrote much that nobody else says: what is said of others is little of a whole, as in any survey.
FILLER = [
    Voice(" ".join(f"{first}a{second}u" for first in LETTERS for second in LETTERS), score=3, language=language)
    for language in ("en", "nl")
    for _ in range(5)
]


def voices(*groups: tuple[int, Voice]) -> list[Voice]:
    """So many of each voice."""
    return [voice for count, voice in groups for _ in range(count)]


@contextmanager
def opened(
    said: Iterable[Voice], *, hidden: Sequence[str] = (), names: Sequence[str] = (), threads: int = 2, **asked: bool
) -> Iterator[tuple[duckdb.DuckDBPyConnection, pd.DataFrame]]:
    """A connection with the tables `voices`, `words` and `terms` of what was said, and the tree of departments."""
    rows = [
        {
            **voice._asdict(),
            "batch": 1,
            "record_number": number,
            "response_key": str(number),
            "respondent_key": voice.respondent,
            "department_key": voice.department,
            "told_count": voice.told,
            "acted_count": voice.told,
        }
        for number, voice in enumerate(said, start=1)
    ]
    tree = departments({row["department_key"] for row in rows}, organisation="Organisation")
    status = ["suppressed" if path in hidden else "published" for path in tree["department_key"]]
    tables = {
        "responses": pa.Table.from_pylist(rows, schema=pa.schema(list(COUNTED.items()))),
        "nodes": pa.Table.from_pandas(tree[["department_id", "department_key", "position"]]),
        "shown": pa.Table.from_pandas(tree[["department_id"]].assign(status=status)),
        "stops": pa.Table.from_pandas(stop_words()),
        "named": pa.table({"word": pa.array(names, pa.string())}),
    }
    made = {"department_nodes": "nodes", "pattern": "shown", "stop_words": "stops", "given_names": "named"}
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute("set disabled_optimizers = 'in_clause,common_subexpressions'")
        for name, table in tables.items():
            connection.register(name, table)
        for name, source in made.items():
            connection.execute(f"create temp table {name} as from {source}")
        connection.execute("create schema core")
        connection.execute(
            "create table core.comments as select batch, record_number, language, comment from responses"
        )
        connection.execute("create temp table counted as select * replace ('raw' as comment) from responses")
        parameters = {"voices": {"told_min": 1, **ASKED, **asked}}
        for name in ("voices", "words", "terms"):
            connection.execute(f"create temp table {name} as {text(name)}", parameters.get(name))
        yield connection, tree


def scored(
    connection: duckdb.DuckDBPyConnection, *, least: float = LEAST, min_respondents: int = 10, prior: float = PRIOR
) -> Frame:
    """The rows of `themes.sql`."""
    parameters = {"min_respondents": min_respondents, "prior": prior, "least": least}
    return connection.sql(text("themes"), params=parameters).to_arrow_table().to_pandas()


def themed(said: Iterable[Voice], *, min_respondents: int = 10, **options: Any) -> Frame:
    """The themes that are shown, with the path of each department."""
    with opened(said, **options) as (connection, tree):
        made = themes(scored(connection, min_respondents=min_respondents), tree, min_respondents=min_respondents)
    return _with_path(made, tree)


def quoted(said: Iterable[Voice], *, min_respondents: int = 10, key: str = "secret", **options: Any) -> Frame:
    """The quotes that are shown, with the path of each department."""
    with opened(said, **options) as (connection, tree):
        shown = themes(scored(connection, min_respondents=min_respondents), tree, min_respondents=min_respondents)
        promoters = shown.loc[shown["kind"] == "promoters", ["department_id", "language", "theme"]].astype("string")
        connection.register("promoters", pa.Table.from_pandas(promoters, preserve_index=False))
        connection.execute("create temp table shown_themes as from promoters")
        parameters = {"min_respondents": min_respondents, "most": CANDIDATES, "key": key}
        made = quotes(connection.sql(text("quotes"), params=parameters).to_arrow_table().to_pandas())
    return _with_path(made, tree)


def _with_path(made: Frame, tree: pd.DataFrame) -> Frame:
    paths = dict(zip(tree["department_id"], tree["department_key"], strict=True))
    return made.assign(path=[paths[name] for name in made["department_id"]])
