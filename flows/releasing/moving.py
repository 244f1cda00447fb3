"""What is staged follows its entry in the calendar, where that was changed and time is left; everyone is told why."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flows.errors import ConfigurationError
from flows.home import Home
from flows.releasing.moment import announce_moments, plan
from flows.releasing.planning import CHANGED, changed_entry, entries
from flows.settings import Settings
from warehouse import WarehouseError
from warehouse.ledger import Ledger
from warehouse.records import Release


def follow_calendar(home: Home, settings: Settings) -> list[str]:
    """Move what waits for a time that the calendar has changed since, and say so; one sentence for each.

    Where several wait, those that get the same new time move together; one that cannot move stays, and that is said.
    """
    if not home.ledger.exists() or not any(settings.calendar.values()):
        return []
    with Ledger.open(home.ledger) as ledger:
        changed = dict(_changed(ledger, settings))
    times: dict[datetime, list[Release]] = {}
    for release, at in changed.items():
        times.setdefault(at, []).append(release)
    return [sentence for at, releases in times.items() for sentence in _moved(home, settings, releases, at)]


def _changed(ledger: Ledger, settings: Settings) -> Iterator[tuple[Release, datetime]]:
    now = datetime.now(UTC)
    for release in ledger.pending():
        moment = ledger.moment(release.moment_id) if release.moment_id else None
        at = changed_entry(ledger, settings, release, now=now)
        if at is not None and moment is not None and moment.phase in ("open", "held"):
            yield release, at


def _moved(home: Home, settings: Settings, releases: list[Release], at: datetime) -> Iterator[str]:
    zone = settings.organisation.zone
    ids = [release.release_id for release in releases]
    try:
        moment = plan(home, ids, at=at, why=CHANGED, calendar=entries(settings, releases))
    except (ConfigurationError, WarehouseError) as error:  # too near to another moment, or being opened by now
        yield from (f"{r.survey} {r.wave}: {CHANGED}, but its moment stays: {error}" for r in releases)
        return
    announce_moments(home, settings, [moment])
    for release in releases:
        times = [f"{time.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" for time in (release.planned_at, at) if time]
        yield f"{release.survey} {release.wave}: moved from {' to '.join(times)}: {CHANGED}"
