"""Which moment a release gets: planned ones are the same or lie apart, and one that changes is recorded as moved."""

import secrets
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from warehouse import WarehouseError
from warehouse.ledger import Ledger
from warehouse.records import Moment, Release, as_text

APART = timedelta(minutes=2)  # planned moments of a home are the same or at least so far apart
BEGUN = "its moment had begun already"


class TooCloseError(WarehouseError):
    """Two planned moments would lie less than two minutes apart."""


def moment_for(ledger: Ledger, planned_at: datetime | None, *, leaving: Set[str] = frozenset()) -> Moment:
    """The open moment of a T, else a new one; a moment that only `leaving` releases wait for is in nobody's way."""
    moments = [m for m in ledger.moments() if m.planned_at is not None and m.phase != "held"]
    if planned_at is not None:
        same = [moment for moment in moments if moment.planned_at == planned_at]
        if same and same[-1].phase == "open":
            return same[-1]
        if same:
            later = [m for m in moments if m.phase == "open" and m.planned_at and m.planned_at > planned_at]
            return later[0] if later else _new_moment(ledger, None)
        _must_be_apart(ledger, moments, planned_at, leaving)
    return _new_moment(ledger, planned_at)


def place(
    ledger: Ledger,
    releases: Sequence[Release],
    moment: Moment,
    *,
    why: str,
    replaced: Sequence[Release] = (),
    calendar: Mapping[str, datetime | None] = MappingProxyType({}),
) -> None:
    """Record that releases wait for a moment, and which of them, or of those they replace, had another time before."""
    changed = [release for release in releases if release.moment_id != moment.moment_id]
    if changed:
        ids = [release.release_id for release in changed]
        knew = {name: as_text(at) if at else None for name, at in calendar.items() if name in ids}
        ledger.add("planned", release_ids=ids, moment_id=moment.moment_id, calendar=knew)
    for release in changed:
        earlier = release.planned_at or _time_of(release, replaced)
        if earlier is not None and earlier != moment.planned_at:
            ledger.add(
                "moved",
                release_ids=[release.release_id],
                moment_id=moment.moment_id,
                moved_from=as_text(earlier),
                moved_to=as_text(moment.planned_at) if moment.planned_at else None,
                reason=why,
            )


def is_under_way(ledger: Ledger, release: Release) -> bool:
    """Whether a release is being armed now: its moment stays what it is."""
    moment = ledger.moment(release.moment_id) if release.moment_id else None
    return moment is not None and moment.phase in ("arming", "armed") and release.state in ("staged", "armed")


def _time_of(release: Release, replaced: Sequence[Release]) -> datetime | None:
    same = [r.planned_at for r in replaced if (r.survey, r.wave) == (release.survey, release.wave)]
    return max((at for at in same if at is not None), default=None)


def _must_be_apart(ledger: Ledger, moments: Sequence[Moment], planned_at: datetime, leaving: Set[str]) -> None:
    for moment in moments:
        if moment.planned_at is None or abs(moment.planned_at - planned_at) >= APART:
            continue
        waiting = (r for r in ledger.releases_of(moment.moment_id) if r.release_id not in leaving)
        if any(release.state != "withdrawn" for release in waiting):
            raise TooCloseError(
                f"another moment is planned for {moment.planned_at:%Y-%m-%d %H:%M:%S} UTC; "
                f"{planned_at.astimezone(UTC):%H:%M:%S} is less than two minutes from it. "
                "Choose the same time, or one at least two minutes apart"
            )


def _new_moment(ledger: Ledger, planned_at: datetime | None) -> Moment:
    moment = Moment(secrets.token_hex(16), planned_at, datetime.now(UTC), "open")
    introduced = ledger.insert(
        "moments",
        [
            {
                "moment_id": moment.moment_id,
                "planned_at": as_text(planned_at) if planned_at else None,
                "created_at": as_text(moment.created_at),
            }
        ],
    )
    ledger.add("appointed", moment_id=moment.moment_id, facts=introduced)
    return moment
