"""Great Expectations on a DuckDB connection that is already open: a dialect for SQLAlchemy's registry that only reads.

Importing this takes seconds, so the room does it inside functions, when a check runs.
"""

import atexit
import logging
import os
import sys
import warnings
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb_engine
from sqlalchemy.dialects import registry
from sqlalchemy.pool import StaticPool

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at the import that follows
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "module 'sre_", DeprecationWarning)  # it still imports their old names
    import great_expectations
    import great_expectations.expectations
    from great_expectations.data_context.types import base

if TYPE_CHECKING:
    import duckdb

gx: Any = great_expectations  # Any: it does not export its names in a way that type checkers see
gxe: Any = great_expectations.expectations

# what it logs may quote rows; counts and errors reach the pipeline through the gate alone
logging.getLogger("great_expectations").addHandler(logging.NullHandler())
logging.getLogger("great_expectations").propagate = False

__all__ = [
    "URL",
    "ExpectNoRowToBreak",
    "ReadingDialect",
    "base",
    "engine_arguments",
    "gx",
    "gxe",
]

URL = "duckdb+checks:///"


class ReadingDialect(duckdb_engine.Dialect):
    """duckdb-engine's dialect without transactions: a rollback would empty results that are still to be read."""

    driver = "checks"
    supports_statement_cache = False

    def do_begin(self, connection: object) -> None:
        """Checks only read: there is nothing to begin."""

    def do_commit(self, connection: object) -> None:
        """Checks only read: there is nothing to commit."""

    def do_rollback(self, connection: object) -> None:
        """Checks only read: there is nothing to undo."""

    def do_close(self, connection: object) -> None:
        """The connection belongs to the pipeline, which goes on with it."""


class ExpectNoRowToBreak(gxe.UnexpectedRowsExpectation):  # type: ignore[misc]  # its base is of no known type
    """Of the rows that a query finds only the number: the rows themselves, a second query, are for nobody to see."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: dict[str, Any], **_: object) -> dict[str, object]:
        found = metrics["unexpected_rows_query.row_count"]
        return {"success": found == 0, "result": {"observed_value": found}}


def engine_arguments(connection: "duckdb.DuckDBPyConnection") -> dict[str, Any]:
    """Arguments with which SQLAlchemy uses this one connection, and neither opens nor resets nor closes it."""
    registry.register("duckdb.checks", __name__, ReadingDialect.__name__)
    return {
        "poolclass": StaticPool,
        "pool_reset_on_return": None,
        "creator": lambda: duckdb_engine.ConnectionWrapper(connection),
    }


def _let_go_of_duckdb() -> None:
    """Clear DuckDB's types out of duckdb-engine: something here outlives the interpreter, and they would with it.

    nanobind, which binds them, tells of every such type on stderr as the process ends.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == duckdb_engine.__name__]:
        module = sys.modules[name]
        for thing in _functions_and_classes(module):
            thing.__annotations__.clear()
        vars(module).pop("duckdb", None)


def _functions_and_classes(module: ModuleType) -> list[Any]:
    own = [v for v in vars(module).values() if getattr(v, "__module__", None) == module.__name__]
    classes = [v for v in own if isinstance(v, type)]
    methods = [v for c in classes for v in vars(c).values()]
    annotated = [c for c in classes if "__annotations__" in vars(c)]
    return annotated + [v for v in (*own, *methods) if isinstance(v, FunctionType)]


atexit.register(_let_go_of_duckdb)
