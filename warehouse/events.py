"""How events and facts are written: each event linked to the one before it, each fact told by the event about it."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from warehouse import chain
from warehouse.records import as_text

INSERT = f"insert into events ({', '.join(chain.EVENT)}, hash) values (?, ?, ?, ?, ?, ?, ?, ?)"


def append(
    connection: sqlite3.Connection,
    kind: str,
    *,
    release_ids: Sequence[str] | None = None,
    moment_id: str | None = None,
    delivery_id: str | None = None,
    at: datetime | None = None,
    detail: Mapping[str, Any],
) -> None:
    """Write one event after the newest; inside the caller's transaction."""
    number, previous = chain.newest(connection)
    event = (
        number + 1,
        as_text(at or datetime.now(UTC)),
        kind,
        moment_id,
        delivery_id,
        json.dumps(release_ids) if release_ids is not None else None,
        json.dumps(detail, ensure_ascii=False, sort_keys=True),
    )
    follow(connection, previous, event)


def follow(connection: sqlite3.Connection, previous: str, event: Sequence[Any]) -> str:
    """Write an event (the columns of `EVENT`) after the one with the hash `previous`; its own hash is returned."""
    linked = chain.link(previous, event)
    connection.execute(INSERT, [*event, linked])
    return linked


def insert(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Write facts; what is returned goes into the event that introduces them, so that an edit is found."""
    columns = chain.FACTS[table]
    values = [tuple(row[name] for name in columns) for row in rows]
    places = ", ".join("?" * len(columns))
    connection.executemany(f"insert into {table} ({', '.join(columns)}) values ({places})", values)
    return {table: {row[0]: chain.digest(table, row) for row in values}}
