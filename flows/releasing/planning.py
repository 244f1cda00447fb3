"""Which moment a release gets: the one asked for, else the calendar's, else the next configured time of day."""

import re
from datetime import UTC, datetime, time, timedelta

from flows.errors import ConfigurationError
from flows.settings import Settings, instant
from warehouse.ledger import Ledger

ASKED = "asked for with --at"
HELD = "it was held"
WAITING = ("sealed", "staged", "armed", "held")


def moment_of(settings: Settings, *, survey: str, wave: str, at: str | None, now: datetime) -> datetime | None:
    """The T (UTC) of a wave's release; None: as soon as it is ready. A time that has passed or cannot be is refused."""
    zone = settings.organisation.zone
    if at is not None:
        return moment_at(settings, at, now=now)
    try:
        for planned in settings.calendar.get(survey, ()):
            if planned.wave == wave:
                return instant(planned.at, zone)
        return _next(settings.release.at, settings, now) if settings.release.at else None
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def announced(ledger: Ledger, survey: str, wave: str) -> datetime | None:
    """The T for which something of a wave waits already: only who asks for another moves it.

    What was held keeps its T while that lies ahead; what waits for one that has passed is late, and is treated so.
    """
    waiting = [release for release in ledger.releases(survey, wave) if release.state in WAITING and release.planned_at]
    newest = max(waiting, key=lambda release: release.changed_at, default=None)
    if newest is None or newest.planned_at is None:
        return None
    is_past = newest.planned_at <= datetime.now(UTC)
    return None if is_past and newest.state == "held" else newest.planned_at


def moment_at(settings: Settings, at: str, *, now: datetime) -> datetime:
    """The T (UTC) that `at` asks for, 09:30 or 2026-12-08T09:30 in the organisation's zone."""
    try:
        return _asked(at, settings, now)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _asked(at: str, settings: Settings, now: datetime) -> datetime:
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", at):
        return _next(time.fromisoformat(at.zfill(len(at) + 1) if at[1] == ":" else at), settings, now)
    try:
        moment = instant(datetime.fromisoformat(at), settings.organisation.zone)
    except ValueError as error:
        if "exist" in str(error):
            raise
        raise ValueError(f"'{at}' is no time: write 09:30, or 2026-12-08T09:30") from None
    if moment <= now:
        raise ValueError(f"'{at}' has passed: it is {now.astimezone(settings.organisation.zone):%Y-%m-%d %H:%M} now")
    return moment


def _next(clock: time, settings: Settings, now: datetime) -> datetime:
    """The next time that the organisation's clocks show `clock`."""
    zone = settings.organisation.zone
    day = now.astimezone(zone).date()
    moment = instant(datetime.combine(day, clock), zone)
    if moment <= now:
        moment = instant(datetime.combine(day + timedelta(days=1), clock), zone)
    return moment.astimezone(UTC)


def require_reason(*, revise: bool, material: bool, reason: str | None) -> None:
    """A revision says why it is made, and so does who lets everything in at once: it is printed on its pages."""
    if (revise or material) and not (reason and reason.strip()):
        option = "--material" if material else "--revise"
        raise ConfigurationError(f'{option} needs a reason, which everyone reads: {option} --reason "…"')
