"""After the decision: what was answered, what was promised and not kept, and what is left to be taken away."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from warehouse.leases import Lease, as_holder
from warehouse.ledger import Ledger
from warehouse.records import Status


@dataclass(frozen=True)
class Answer:
    """What came of one delivery."""

    delivery_id: str
    status: Status
    at: datetime
    detail: str = ""
    attempts: int = 1  # how often it was sent
    sent_at: datetime | None = None  # when what was answered had been sent whole, where that was not at T
    leaves: bool = False  # what was put beside the release for the moment still lies there
    is_breach: bool = False


@dataclass(frozen=True)
class Breach:
    """What was promised of a moment as a whole and not kept."""

    what: Literal["skew", "punctuality", "ended", "early_read"]
    milliseconds: float
    says: str


def confirm(
    ledger: Ledger,
    moment_id: str,
    *,
    release_ids: Sequence[str],
    opened_at: Mapping[str, datetime],
    answers: Iterable[Answer],
    skew_ms: float | None,
    breaches: Sequence[Breach] = (),
    lease: Lease,
) -> None:
    """Record when each delivery opened, what was answered, and the skew: the end of a moment."""
    with as_holder(ledger, lease):
        for delivery_id, at in opened_at.items():
            ledger.add("opened", delivery_id=delivery_id, moment_id=moment_id, at=at)
        _answer(ledger, answers, moment_id=moment_id)
        for breach in breaches:
            ledger.add("breach", release_ids=release_ids, moment_id=moment_id, **asdict(breach))
        ledger.add("confirmed", release_ids=release_ids, moment_id=moment_id, skew_ms=skew_ms)


def answer(ledger: Ledger, answers: Iterable[Answer]) -> None:
    """Record what came of deliveries after their moment was confirmed; one that was acknowledged stays so."""
    with ledger.transaction():
        came = _unknown(ledger, list(answers))
        for one in came:
            if one.status == "delivered" and one.sent_at is not None:
                ledger.add("opened", delivery_id=one.delivery_id, at=one.sent_at)
        _answer(ledger, came, moment_id=None)


def sent_again(ledger: Ledger, delivery_ids: Iterable[str]) -> None:
    """Record that deliveries are sent another time, before they are: whoever is killed meanwhile has counted it."""
    with ledger.transaction():
        for delivery_id in delivery_ids:
            ledger.add("sent_again", delivery_id=delivery_id)


def times_again(ledger: Ledger, delivery_ids: Iterable[str]) -> dict[str, int]:
    """How often deliveries were sent another time since the last that was recorded of them."""
    rows = ledger.connection.execute(
        "select s.delivery_id, count(*) from events as s where s.kind = 'sent_again'"
        " and s.delivery_id in (select value from json_each(?))"
        " and not exists (select 1 from events as e where e.delivery_id = s.delivery_id"
        " and e.kind in ('delivered', 'failed', 'unknown') and e.event_id > s.event_id) group by s.delivery_id",
        [json.dumps(list(delivery_ids))],
    )
    return dict(map(tuple, rows.fetchall()))


def tidy(ledger: Ledger, *, tidied: Iterable[str], untidy: Iterable[str]) -> None:
    """Record of which deliveries that are over nothing but the release is left, and of which something was kept."""
    with ledger.transaction():
        for kind, names in (("tidied", tidied), ("untidy", untidy)):
            for delivery_id in names:
                ledger.add(kind, delivery_id=delivery_id)


def _answer(ledger: Ledger, answers: Iterable[Answer], *, moment_id: str | None) -> None:
    for came in answers:
        left: dict[str, Any] = {"leaves": True} if came.leaves else {}
        ledger.add(
            came.status,
            delivery_id=came.delivery_id,
            moment_id=moment_id,
            at=came.at,
            detail=came.detail,
            attempts=came.attempts,
            **left,
        )
        if came.is_breach:
            ledger.add("breach", delivery_id=came.delivery_id, moment_id=moment_id, says=came.detail)


def _unknown(ledger: Ledger, answers: Sequence[Answer]) -> list[Answer]:
    """Those about deliveries that another process has not recorded as delivered meanwhile."""
    names = json.dumps([one.delivery_id for one in answers])
    rows = ledger.connection.execute(
        "select delivery_id from delivery_states "
        "where status = 'delivered' and delivery_id in (select value from json_each(?))",
        [names],
    )
    known = {row[0] for row in rows}
    return [one for one in answers if one.delivery_id not in known]
