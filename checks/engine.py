"""Great Expectations on a DuckDB connection that is already open: a dialect for SQLAlchemy's registry that only reads.

Importing this takes seconds, so the room does it inside functions, when a check runs.
"""

import logging
import os
import warnings
from typing import TYPE_CHECKING, Any

import duckdb_engine
import sqlalchemy
from sqlalchemy.dialects import registry
from sqlalchemy.pool import StaticPool

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at the import that follows
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "module 'sre_", DeprecationWarning)  # it still imports their old names
    import great_expectations
    import great_expectations.expectations
    from great_expectations.checkpoint.actions import UpdateDataDocsAction
    from great_expectations.data_context.types import base

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy.engine.interfaces import ReflectedColumn

gx: Any = great_expectations  # Any: it does not export its names in a way that type checkers see
gxe: Any = great_expectations.expectations

# what it logs may quote rows; counts and errors reach the pipeline through the gate alone
logging.getLogger("great_expectations").addHandler(logging.NullHandler())
logging.getLogger("great_expectations").propagate = False

__all__ = ["URL", "ReadingDialect", "UpdateDataDocsAction", "base", "engine_arguments", "gx", "gxe"]

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

    def get_columns(
        self, connection: Any, table_name: str, schema: str | None = None, **_: Any
    ) -> "list[ReflectedColumn]":
        """Name the columns of a table; the inherited query asks for catalogue tables that DuckDB does not have."""
        found = connection.execute(
            sqlalchemy.text(
                "select column_name, is_nullable from information_schema.columns"
                " where table_name = :name and table_schema = coalesce(:schema, table_schema) order by ordinal_position"
            ),
            {"name": table_name, "schema": schema},
        )
        return [
            {"name": name, "type": sqlalchemy.types.NullType(), "nullable": nullable == "YES", "default": None}
            for name, nullable in found
        ]


def engine_arguments(connection: "duckdb.DuckDBPyConnection") -> dict[str, Any]:
    """Arguments with which SQLAlchemy uses this one connection, and neither opens nor resets nor closes it."""
    registry.register("duckdb.checks", __name__, ReadingDialect.__name__)
    return {
        "poolclass": StaticPool,
        "pool_reset_on_return": None,
        "creator": lambda: duckdb_engine.ConnectionWrapper(connection),
    }
