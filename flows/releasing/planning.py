"""Which moment a release gets: the one asked for, else the calendar's, else the next configured time of day."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from flows.errors import ConfigurationError
from flows.settings import Settings, instant
from warehouse.ledger import Ledger
from warehouse.records import Release, as_time

if TYPE_CHECKING:
    from flows.preparing.seal import Sealed

ASKED = "asked for with --at"
HELD = "it was held"
CHANGED = "its entry in the calendar was changed"
TIME_LEFT = timedelta(minutes=2)
WAITING = ("sealed", "staged", "armed", "held")


def moment_of(settings: Settings, *, survey: str, wave: str, at: str | None, now: datetime) -> datetime | None:
    """The T (UTC) of a wave's release; None: as soon as it is ready. A time that has passed or cannot be is refused."""
    if at is not None:
        return moment_at(settings, at, now=now)
    try:
        if (entered := entry(settings, survey, wave)) is not None:
            return entered
        return _next(settings.release.at, settings, now) if settings.release.at else None
    except ValueError as error:
        raise ConfigurationError(f"release.at: {error}, or give this one with --at") from None


def entry(settings: Settings, survey: str, wave: str) -> datetime | None:
    """The T (UTC) that the calendar has for a wave; one that cannot be was refused with the configuration."""
    found = (planned for planned in settings.calendar.get(survey, ()) if planned.wave == wave)
    return next((instant(planned.at, settings.organisation.zone) for planned in found), None)


def entries(settings: Settings, releases: "Iterable[Sealed | Release]") -> dict[str, datetime | None]:
    """What the calendar says of each release now: whether it says something else later is told by this."""
    return {one.release_id: entry(settings, one.survey, one.wave) for one in releases}


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


def ahead(settings: Settings, survey: str, wave: str) -> datetime | None:
    """The T that the calendar has for a wave, where it is still to come."""
    entered = entry(settings, survey, wave)
    return entered if entered is not None and entered > datetime.now(UTC) else None


def changed_entry(ledger: Ledger, settings: Settings, release: Release, *, now: datetime) -> datetime | None:
    """The T that the calendar has for what is staged or held, where its entry was changed since that was planned.

    There must be time left: what is about to arm, or would be late by its new time, stays as it is.
    """
    entered = entry(settings, release.survey, release.wave)
    if release.state not in ("staged", "held") or release.planned_at is None or entered in (None, release.planned_at):
        return None
    planned = [event for event in ledger.events(kinds=("planned",)) if release.release_id in event.release_ids]
    knew = planned[-1].detail.get("calendar", {}) if planned else {}
    if entered is None or release.release_id not in knew or as_time(knew[release.release_id]) == entered:
        return None
    return entered if min(entered, release.planned_at) - now > TIME_LEFT else None


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
    """The next time that the organisation's clocks show `clock`; refused on a day that skips it or shows it twice."""
    zone = settings.organisation.zone
    here = now.astimezone(zone)
    local = datetime.combine(here.date(), clock)
    shown_last = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if local <= here.replace(tzinfo=None) and shown_last <= now:
        local += timedelta(days=1)
    return instant(local, zone)


def require_reason(*, revise: bool, material: bool, reason: str | None) -> None:
    """A revision says why it is made, and so does who lets everything in at once: it is printed on its pages."""
    if (revise or material) and not (reason and reason.strip()):
        option = "--material" if material else "--revise"
        raise ConfigurationError(f'{option} needs a reason, which everyone reads: {option} --reason "…"')
