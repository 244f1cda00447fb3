"""Leases: who does now what only one process may do; a holder that died is followed by the next who asks."""

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from warehouse import WarehouseError
from warehouse.ledger import Ledger
from warehouse.records import as_text, as_time

LEASE_SECONDS = 600.0  # a holder that lives but has hung for so long is followed too; it cannot commit any more
START_TOLERANCE_SECONDS = 1.0
PATIENCE_SECONDS = 120.0  # with whoever holds what others wait for
PACE_SECONDS = 0.05


class LeaseLostError(WarehouseError):
    """Another process took over, because this one had not moved on for too long: it does nothing any more."""

    is_busy = True


@dataclass(frozen=True)
class Lease:
    """What its holder shows when it writes: the token tells whether it is still his."""

    name: str
    token: str
    moment_id: str | None


@dataclass(frozen=True)
class Holder:
    """Who holds a lease."""

    token: str
    moment_id: str | None
    pid: int
    started: float
    place: str
    expires_at: datetime

    @property
    def is_stale(self) -> bool:
        """Whether the holder is gone: its process ended, or its time is over."""
        if self.expires_at <= datetime.now(UTC):
            return True
        return self.place == _place() and not _runs(self.pid, self.started)


def take(ledger: Ledger, name: str, *, moment_id: str | None = None, seconds: float | None = None) -> Lease | None:
    """Take a lease that is free or stale; None where a living process holds it."""
    lease = Lease(name, secrets.token_hex(16), moment_id)
    pid = os.getpid()
    expires_at = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS if seconds is None else seconds)
    with ledger.transaction():
        holder = held_by(ledger, name)
        if holder is not None and not holder.is_stale:
            return None
        ledger.connection.execute(
            "insert or replace into leases (name, token, moment_id, pid, started, place, expires_at) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            [name, lease.token, moment_id, pid, _started(psutil.Process(pid)), _place(), as_text(expires_at)],
        )
    return lease


@contextmanager
def one_at_a_time(ledger: Ledger, name: str, *, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold a lease throughout a block, after whoever has it; without it where he lasts longer than the patience."""
    deadline = time.monotonic() + patience
    while (lease := take(ledger, name)) is None and time.monotonic() < deadline:
        time.sleep(PACE_SECONDS)
    try:
        yield
    finally:
        if lease is not None:
            give_back(ledger, lease)


def give_back(ledger: Ledger, lease: Lease) -> None:
    """Free a lease, if it is still the holder's own."""
    ledger.connection.execute("delete from leases where name = ? and token = ?", [lease.name, lease.token])


@contextmanager
def as_holder(ledger: Ledger, lease: Lease) -> Iterator[None]:
    """A transaction in which a lease is the holder's, and for the whole time again from now on; else LeaseLostError."""
    with ledger.transaction():
        kept = ledger.connection.execute(
            "update leases set expires_at = ? where name = ? and token = ?",
            [as_text(datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)), lease.name, lease.token],
        )
        if kept.rowcount != 1:
            raise LeaseLostError("another process took over the moment, because this one had not moved on for too long")
        yield


def hold_on(ledger: Ledger, lease: Lease) -> float:
    """Until when, by the monotonic clock, nobody can take this lease over; LeaseLostError where somebody has.

    What is sent without a look at the ledger is sent before that or never.
    """
    until = time.monotonic() + LEASE_SECONDS
    with as_holder(ledger, lease):
        return until


def held_by(ledger: Ledger, name: str) -> Holder | None:
    """Who holds a lease, dead or alive."""
    row = ledger.connection.execute(
        "select token, moment_id, pid, started, place, expires_at from leases where name = ?", [name]
    ).fetchone()
    if row is None:
        return None
    expires_at = as_time(row["expires_at"]) or datetime.now(UTC)
    return Holder(row["token"], row["moment_id"], row["pid"], row["started"], row["place"], expires_at)


def _runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(_started(process) - started) < START_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False


def _started(process: psutil.Process) -> float:
    """Seconds from boot: the time of day at which a process started moves when the clock is set."""
    return float(process.create_time() - psutil.boot_time())


def _place() -> str:
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()} {namespace.readlink() if namespace.exists() else ''}"
