"""The ledger: the append-only record of every release, delivery and decision, in SQLite, read by others at any time.

What has happened is never changed: a state is what the newest events say, and each carries a hash over all before it
(`chain.py`). Decisions are written in `decisions.py`, and what came of them in `confirming.py`.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from warehouse import WarehouseError, chain, events, layout
from warehouse.chaining import make_private, migrate
from warehouse.records import (
    DeliveryState,
    Event,
    Facts,
    Moment,
    Release,
    State,
    as_text,
    delivery_of,
    event_of,
    moment_of,
    over_of,
    release_of,
)

BUSY_SECONDS = 30.0


class Ledger:
    """An open ledger; used from one thread at a time, by any number of processes."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the ledger, made 0600 where there is none; every commit is on disk before it counts."""
        make_private(path)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            for setting in ("journal_mode = wal", "synchronous = full", "foreign_keys = on", "recursive_triggers = on"):
                connection.execute(f"pragma {setting}").close()
            ledger = cls(connection, path)
            ledger._migrate()
        except BaseException:
            connection.close()
            raise
        return ledger

    @classmethod
    def look(cls, path: Path) -> Self:
        """Open the ledger so that nothing in it can change, not even its version; others may write meanwhile."""
        if not path.exists():
            raise WarehouseError(f"{path} is not there: nothing has been sealed yet, or it was removed")
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        if not _can_be_told(connection):
            connection.close()
            raise WarehouseError(f"{path} is of an earlier Zwerm and has no chain yet: the next zwerm run gives it one")
        return cls(connection, path)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what is asked

    def release(self, release_id: str) -> Release | None:
        """One release, None where the ledger does not know it."""
        return next(iter(self._releases("release_id = ?", [release_id])), None)

    def known(self, release_ids: Sequence[str]) -> tuple[Release, ...]:
        """These releases, as far as the ledger knows them."""
        return self._releases("release_id in (select value from json_each(?))", [json.dumps(release_ids)])

    def state(self, release_id: str) -> State | None:
        """How far a release has come."""
        release = self.release(release_id)
        return release.state if release else None

    def releases(self, survey: str | None = None, wave: str | None = None) -> tuple[Release, ...]:
        """Everything that was ever sealed, by survey, wave and revision."""
        return self._releases("survey = coalesce(?, survey) and wave = coalesce(?, wave)", [survey, wave])

    def released(self) -> tuple[Release, ...]:
        """Everything that was ever released: what every publication is made of."""
        return self._releases("state in ('released', 'confirmed')")

    def latest_released(self, survey: str, wave: str) -> Release | None:
        """The newest released revision of a wave."""
        out = [release for release in self.releases(survey, wave) if release.is_out]
        return out[-1] if out else None

    def pending(self) -> tuple[Release, ...]:
        """What is sealed and neither released nor withdrawn: sealed, staged, armed or held."""
        return self._releases("state in ('drafted', 'sealed', 'staged', 'armed', 'held')")

    def stopped(self) -> tuple[Release, ...]:
        """What is held or withdrawn now, with the stated reason: everyone is told."""
        return self._releases("state in ('held', 'withdrawn')")

    def moment(self, moment_id: str) -> Moment | None:
        """One moment, None where the ledger does not know it."""
        return next(iter(self._moments("moment_id = ?", [moment_id])), None)

    def moments(self) -> tuple[Moment, ...]:
        """All moments, oldest first."""
        return self._moments("true")

    def open_moments(self) -> tuple[Moment, ...]:
        """Moments that are still to come or under way, with at least one release that waits for them."""
        waiting = {release.moment_id for release in self.pending() if release.state != "held"}
        phases = "phase in ('open', 'arming', 'armed') or phase = 'released'"
        return tuple(m for m in self._moments(phases) if m.phase == "released" or m.moment_id in waiting)

    def releases_of(self, moment_id: str) -> tuple[Release, ...]:
        """The releases that are planned for, or came out at, a moment."""
        return self._releases("moment_id = ?", [moment_id])

    def deliveries(self, *release_ids: str) -> tuple[DeliveryState, ...]:
        """Everyone who receives these releases, and what came of it; in the order in which they were drawn up."""
        rows = self.connection.execute(
            "select s.* from delivery_states as s join deliveries as d using (delivery_id) "
            "where s.release_id in (select value from json_each(?)) order by d.rowid",
            [json.dumps(release_ids)],
        )
        return tuple(delivery_of(row) for row in rows)

    def untidy(self, channels: Sequence[str], *, tries: int) -> tuple[DeliveryState, ...]:
        """Deliveries by these channels that are over and may have left something, unless tried so often in vain.

        Of `status` only `delivered` is told; also who is wanted no more is among them.
        """
        query = (files("warehouse") / "untidy.sql").read_text(encoding="utf-8")
        rows = self.connection.execute(query, [json.dumps(channels)])
        return tuple(over_of(row) for row in rows if row["tries"] < tries)

    def events(self, *, kinds: Sequence[str] = (), moment_id: str | None = None) -> tuple[Event, ...]:
        """What happened, oldest first; all of it, or some kinds, or of one moment."""
        rows = self.connection.execute(
            "select * from events where (? = '[]' or kind in (select value from json_each(?))) "
            "and moment_id is coalesce(?, moment_id) order by event_id",
            [json.dumps(kinds), json.dumps(kinds), moment_id],
        )
        return tuple(event_of(row) for row in rows)

    def newest_event(self, *kinds: str) -> int:
        """The number of the newest event, of some kinds or of all; 0 where nothing has happened."""
        row = self.connection.execute(
            "select coalesce(max(event_id), 0) from events where ? = '[]' or kind in (select value from json_each(?))",
            [json.dumps(kinds), json.dumps(kinds)],
        ).fetchone()
        return int(row[0])

    def head(self) -> str:
        """The newest event's hash, which stands for all that has happened: who keeps it can prove a later edit."""
        return chain.head(self.connection)

    def touched_since(self, event_id: int) -> frozenset[str]:
        """The releases of which something was recorded after an event, about them or one of their deliveries."""
        rows = self.connection.execute(
            "select release_id from release_events where event_id > ? "
            "union select d.release_id from events as e join deliveries as d using (delivery_id) where e.event_id > ?",
            [event_id, event_id],
        )
        return frozenset(row[0] for row in rows)

    # -- what is written

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and alone: nobody else writes between what is read here and what is written."""
        try:
            self.connection.execute("begin immediate")
        except sqlite3.OperationalError as error:
            raise _busy(error, self.path) from None
        try:
            yield
            self.connection.execute("commit")
        except BaseException:
            if self.connection.in_transaction:  # what a full disk stopped, SQLite has undone itself
                self.connection.execute("rollback")
            raise

    def add(
        self,
        kind: str,
        *,
        release_ids: Sequence[str] | None = None,
        moment_id: str | None = None,
        delivery_id: str | None = None,
        at: datetime | None = None,
        **detail: Any,
    ) -> None:
        """Write one event, linked to the one before it; in the caller's transaction where there is one."""
        with nullcontext() if self.connection.in_transaction else self.transaction():
            events.append(
                self.connection,
                kind,
                release_ids=release_ids,
                moment_id=moment_id,
                delivery_id=delivery_id,
                at=at,
                detail=detail,
            )

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
        """Write facts; what is returned goes into the event that introduces them, so that an edit is found."""
        return events.insert(self.connection, table, rows)

    def checkpoint(self) -> None:
        """Move what was written into the main file now, so that the next commit need not."""
        self.connection.execute("pragma wal_checkpoint(passive)").fetchall()

    def seal(self, facts: Facts) -> State:
        """Record a sealed release, once: the same content sealed again is the same release, in the state it has."""
        with self.transaction():
            known = self.state(facts.release_id)
            if known is not None:
                return known
            known_facts = {name: getattr(facts, name) for name in Facts.__dataclass_fields__}
            introduced = self.insert("releases", [{**known_facts, "sealed_at": as_text(datetime.now(UTC))}])
            self.add("drafted", release_ids=[facts.release_id], facts=introduced)
            self.add("sealed", release_ids=[facts.release_id])
        return "sealed"

    # -- inside

    def _migrate(self) -> None:
        if layout.version(self.connection) != layout.VERSION:
            with self.transaction():  # of two processes the second finds it done
                migrate(self.connection, self.path)

    def _releases(self, condition: str, values: Iterable[Any] = ()) -> tuple[Release, ...]:
        rows = self.connection.execute(
            f"select * from release_states where {condition} order by survey, wave, revision, sealed_at",
            list(values),
        )
        return tuple(release_of(row) for row in rows)

    def _moments(self, condition: str, values: Iterable[Any] = ()) -> tuple[Moment, ...]:
        rows = self.connection.execute(
            f"select * from moment_phases where {condition} order by coalesce(planned_at, created_at), moment_id",
            list(values),
        )
        return tuple(moment_of(row) for row in rows)


def _busy(error: sqlite3.OperationalError, path: Path) -> Exception:
    """What is told where another process keeps the ledger for itself: it stands still in the middle of a write."""
    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
        return error
    busy = WarehouseError(
        f"another process has been writing to {path} for {BUSY_SECONDS:.0f} seconds; see whether it stands still"
    )
    busy.is_busy = True
    return busy


def _can_be_told(connection: sqlite3.Connection) -> bool:
    """Whether there is a chain to look at, or such damage that the look itself tells."""
    try:
        return layout.has_chain(connection)
    except sqlite3.DatabaseError:
        return True
