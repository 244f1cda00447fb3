"""The ledger's chain: each event carries a hash over itself and all before it, and over the facts that it introduces.

Who changes, adds or removes a row breaks the chain. Who computes the whole chain anew after that changes every later
hash, and so contradicts each head (the newest hash at its time) that was printed in a release before: whoever kept one
can prove it. What nobody can tell is a row that was added at the end with a right hash, before its head was printed.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warehouse.layout import differences

GENESIS = "0" * 64  # what the first event follows
EVENT = ("event_id", "at", "kind", "moment_id", "delivery_id", "release_ids", "detail")
FACTS: Mapping[str, tuple[str, ...]] = {  # the key first
    "releases": (
        *("release_id", "survey", "wave", "revision", "reason", "previous_release_id", "departments"),
        *("content_sha256", "sealed_at"),
    ),
    "moments": ("moment_id", "planned_at", "created_at"),
    "deliveries": ("delivery_id", "release_id", "recipient", "channel", "language", "target", "created_at"),
}


@dataclass(frozen=True)
class Finding:
    """Something in the ledger that is not as it was written."""

    where: str  # the row, by table and key
    says: str


@dataclass(frozen=True)
class Verdict:
    """What became of a look through the whole ledger."""

    events: int
    head: str
    findings: tuple[Finding, ...]


def link(previous: str, event: Sequence[Any]) -> str:
    """The hash of an event (the columns of `EVENT`): SHA-256 over a JSON array of the hash before it and these."""
    return _sha256([previous, *event])


def digest(table: str, row: Sequence[Any]) -> str:
    """The SHA-256 of a fact (the columns of `FACTS`), which the event that introduces it carries."""
    return _sha256([table, *row])


def head(connection: sqlite3.Connection) -> str:
    """The newest hash: it stands for all that has happened so far."""
    return newest(connection)[1]


def newest(connection: sqlite3.Connection) -> tuple[int, str]:
    """Number and hash of the newest event."""
    row = connection.execute("select event_id, hash from events order by event_id desc limit 1").fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def facts(connection: sqlite3.Connection) -> Iterator[tuple[str, str, str]]:
    """Table, key and digest of every fact that stands in the ledger."""
    for table, columns in FACTS.items():
        for row in connection.execute(f"select {', '.join(columns)} from {table} order by rowid"):
            yield table, row[0], digest(table, tuple(row))


def verify(connection: sqlite3.Connection, *, heads: Mapping[str, str] | None = None) -> Verdict:
    """Look through everything, as it stands at one instant; `heads` say where each hash that was kept was printed.

    Other processes may write meanwhile. The connection is one of `Ledger.look`, which changes nothing.
    """
    connection.execute("begin")
    connection.text_factory = _text
    try:
        return _verdict(connection, heads or {})
    except sqlite3.DatabaseError as error:
        damaged = Finding("the file", f"it cannot be read to its end ({error}); restore it from a copy")
        return Verdict(0, GENESIS, (damaged,))
    finally:
        connection.text_factory = str
        if connection.in_transaction:
            connection.execute("rollback")


def _verdict(connection: sqlite3.Connection, heads: Mapping[str, str]) -> Verdict:
    walk = _Walk()
    for row in connection.execute(f"select {', '.join(EVENT)}, hash from events order by event_id"):
        walk.step(tuple(row[:-1]), row[-1])
    findings = [
        *(Finding(name, says) for name, says in differences(connection)),
        *walk.findings,
        *_removed_at_the_end(connection, walk.number),
        *_facts(connection, walk.introduced),
        *(_contradicted(known, where) for known, where in heads.items() if known not in walk.hashes),
    ]
    return Verdict(walk.count, walk.hash, tuple(findings))


@dataclass
class _Walk:
    """From event to event: whether each follows upon the one before it, and which facts it introduces."""

    number: int = 0
    hash: str = GENESIS
    count: int = 0
    hashes: set[str] = field(default_factory=lambda: {GENESIS})
    introduced: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def step(self, event: tuple[Any, ...], known: str) -> None:
        """Look at the next event."""
        number, kind = event[0], event[2]
        if number != self.number + 1:
            self.findings.append(_gap(self.number, number))
        elif known != link(self.hash, event):
            says = f"'{kind}' is not what was written here: it was changed, added, or put in another's place"
            self.findings.append(Finding(f"events {number}", says))
        self.number, self.hash, self.count = number, known, self.count + 1
        self.hashes.add(known)
        for key, told in _told(event[-1]):
            if key in self.introduced:
                says = f"it introduces {key[0]} {key[1]} for a second time"
                self.findings.append(Finding(f"events {number}", says))
            else:
                self.introduced[key] = (number, told)


def _gap(before: int, number: int) -> Finding:
    if number <= before + 1:
        return Finding(f"events {number}", "it was added before the first")
    missing = f"{before + 1}" if number == before + 2 else f"{before + 1} to {number - 1}"
    return Finding(f"events {missing}", "removed")


def _told(detail: str) -> Iterator[tuple[tuple[str, str], str]]:
    """The facts that an event introduces; a detail that is no JSON introduces none, and its hash tells."""
    try:
        said = json.loads(detail)
    except ValueError:
        return
    told = said.get("facts") if isinstance(said, dict) else None
    for table, rows in told.items() if isinstance(told, dict) else ():
        for key, known in rows.items() if isinstance(rows, dict) else ():
            yield (table, key), known


def _removed_at_the_end(connection: sqlite3.Connection, number: int) -> Iterator[Finding]:
    """SQLite counts the events that were ever written: who removed the last ones may have left that count."""
    row = connection.execute("select seq from sqlite_sequence where name = 'events'").fetchone()
    counted = row[0] if row else 0
    if counted != number:
        yield Finding("sqlite_sequence events", f"{counted} events were counted, and the last one here is {number}")


def _facts(connection: sqlite3.Connection, introduced: Mapping[tuple[str, str], tuple[int, str]]) -> Iterator[Finding]:
    left = dict(introduced)
    for table, key, now in facts(connection):
        number, told = left.pop((table, key), (0, ""))
        if not number:
            yield Finding(f"{table} {key}", "no event introduces it: it was added")
        elif now != told:
            yield Finding(f"{table} {key}", f"it was changed after event {number} introduced it")
    for (table, key), (number, _) in left.items():
        yield Finding(f"{table} {key}", f"it was removed; event {number} introduced it")


def _contradicted(known: str, where: str) -> Finding:
    says = f"no event has it, although it was the newest then ({where}): what came before was edited or removed since"
    return Finding(f"head {known}", says)


def _sha256(said: Sequence[Any]) -> str:
    text = json.dumps(said, separators=(",", ":"))  # ASCII: types, ends and characters cannot be taken for one another
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _text(content: bytes) -> str:
    """Whatever somebody wrote there, legible or not."""
    return content.decode("utf-8", "surrogateescape")
