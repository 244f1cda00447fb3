"""The ledger's tables, triggers and views: made once, given their chain where they are older, and compared."""

import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

VERSION = 2  # 1 had no chain


def create(connection: sqlite3.Connection) -> None:
    """Make what is missing; inside the caller's transaction."""
    there = set(_objects(connection))
    for statement in _statements((files("warehouse") / "ledger.sql").read_text(encoding="utf-8")):
        named = re.search(r"^create (table|index|trigger|view) (\w+)", statement, re.M)
        if named is None or named.groups() not in there:
            connection.execute(statement)
    connection.execute(f"pragma user_version = {VERSION}")


def version(connection: sqlite3.Connection) -> int:
    """Of which version the tables are; 0 where there are none yet."""
    return int(connection.execute("pragma user_version").fetchone()[0])


def has_chain(connection: sqlite3.Connection) -> bool:
    """Whether events carry hashes; what the version says can be set by anyone."""
    return any(row[1] == "hash" for row in connection.execute("pragma table_info(events)"))


def make_room(connection: sqlite3.Connection) -> bool:
    """Put the events of version 1 aside as `earlier`, for `create` to make anew; False where they have a chain."""
    if has_chain(connection):
        return False
    for kind, name in _objects(connection):
        if kind in ("view", "trigger") or name.startswith("events_"):
            connection.execute(f"drop {kind} {name}")
    connection.execute("alter table events rename to earlier")
    return True


def differences(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """What is missing, changed or added among tables, triggers, indexes and views: by its name, and which of these."""
    if version(connection) != VERSION:
        yield "version", f"it was set to {version(connection)} by hand; {VERSION} was written"
    meant, found = _meant(), _objects(connection)
    for kind, name in sorted({*meant, *found}):
        if (kind, name) not in found:
            yield f"{kind} {name}", "it is missing" + (": rows can be changed" if kind == "trigger" else "")
        elif (kind, name) not in meant:
            yield f"{kind} {name}", "it is not one of the ledger's own"
        elif _bare(meant[kind, name]) != _bare(found[kind, name]):
            yield f"{kind} {name}", "it was changed"


@cache
def _meant() -> dict[tuple[str, str], str]:
    """What `ledger.sql` makes, as SQLite writes it down."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    try:
        create(made)
        return _objects(made)
    finally:
        made.close()


def _objects(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute("select type, name, sql from sqlite_master where name not like 'sqlite!_%' escape '!'")
    return {(row[0], row[1]): row[2] for row in rows}


def _bare(sql: str) -> str:
    """A definition without its comments and line ends, which change nothing."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
