"""What the ledger tells: one small frozen record per release, moment, delivery and event; times are UTC."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

State = Literal["drafted", "sealed", "staged", "armed", "released", "confirmed", "held", "withdrawn"]
Phase = Literal["open", "arming", "armed", "released", "confirmed", "held"]
Status = Literal["delivered", "failed", "unknown", "left_out"]

OUT: tuple[State, ...] = ("released", "confirmed")  # decided: no way back


@dataclass(frozen=True)
class Facts:
    """What a release is from its seal on; none of it ever changes."""

    release_id: str
    survey: str
    wave: str
    revision: int
    reason: str | None
    previous_release_id: str | None
    departments: int
    content_sha256: str  # of release.json


@dataclass(frozen=True)
class Release(Facts):
    """A release as the ledger knows it now; times are UTC."""

    sealed_at: datetime
    state: State
    changed_at: datetime
    stated_reason: str | None  # why it was held or withdrawn
    moment_id: str | None
    planned_at: datetime | None
    released_at: datetime | None
    skew_ms: float | None

    @property
    def is_out(self) -> bool:
        """Whether it was released: whatever happens, it is out or on its way out."""
        return self.state in OUT


@dataclass(frozen=True)
class Moment:
    """A T, or none where it opens as soon as it is armed, and how far it has come."""

    moment_id: str
    planned_at: datetime | None
    created_at: datetime
    phase: Phase


@dataclass(frozen=True)
class DeliveryState:
    """One release × one recipient × one channel, and what came of it."""

    delivery_id: str
    release_id: str
    recipient: str
    channel: str
    language: str
    target: str | None  # JSON; of an address only host or server, and a keyed hash of the whole
    status: Status | None  # None: nothing is known yet
    opened_at: datetime | None
    answered_at: datetime | None
    detail: str
    is_breach: bool  # it came late, or was not answered in time
    attempts: int = 0  # how often it was sent; 0 until that is known


@dataclass(frozen=True)
class Event:
    """One row of the ledger."""

    event_id: int
    at: datetime
    kind: str
    moment_id: str | None
    delivery_id: str | None
    release_ids: tuple[str, ...]
    detail: dict[str, Any]


def as_text(time: datetime) -> str:
    """A time as the ledger keeps it."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def as_time(text: str | None) -> datetime | None:
    """A time as the ledger kept it."""
    return None if text is None else datetime.fromisoformat(text)


def release_of(row: sqlite3.Row) -> Release:
    """A row of the view `release_states`."""
    values = dict(row)
    for name in ("sealed_at", "changed_at", "planned_at", "released_at"):
        values[name] = as_time(values[name])
    return Release(**values)


def delivery_of(row: sqlite3.Row) -> DeliveryState:
    """A row of the view `delivery_states`."""
    values = {name: row[name] for name in DeliveryState.__dataclass_fields__}
    for name in ("opened_at", "answered_at"):
        values[name] = as_time(values[name])
    return DeliveryState(**{**values, "is_breach": bool(values["is_breach"])})


def over_of(row: sqlite3.Row) -> DeliveryState:
    """A row of `untidy.sql`."""
    facts = {name: row[name] for name in ("delivery_id", "release_id", "recipient", "channel", "language", "target")}
    status: Status | None = "delivered" if row["outcome"] == "delivered" else None
    return DeliveryState(
        **facts, status=status, opened_at=None, answered_at=None, detail="", is_breach=False, attempts=0
    )


def event_of(row: sqlite3.Row) -> Event:
    """A row of `events`."""
    return Event(
        event_id=row["event_id"],
        at=datetime.fromisoformat(row["at"]),
        kind=row["kind"],
        moment_id=row["moment_id"],
        delivery_id=row["delivery_id"],
        release_ids=tuple(json.loads(row["release_ids"] or "[]")),
        detail=json.loads(row["detail"]),
    )


def moment_of(row: sqlite3.Row) -> Moment:
    """A row of the view `moment_phases`."""
    created_at = datetime.fromisoformat(row["created_at"])
    return Moment(row["moment_id"], as_time(row["planned_at"]), created_at, row["phase"])
