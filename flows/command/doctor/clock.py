"""Whether this host's clock is right, and whether each moment that is announced exists and can be kept."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.home import Home
from flows.releasing.clock import KEEP, UNKEPT, UNTOLD, synchronised
from flows.settings import PlannedMoment, Settings, instant
from transforms.waves import ends_before
from warehouse.ledger import Ledger

ABOUT = "clock and calendar"
APART = timedelta(minutes=2)
WORKING_DAYS_BEFORE_A_MEETING = 5
DAYS_LOOKED_AHEAD = 366


def kernel() -> Iterator[Finding]:
    """What the kernel says of the clock."""
    state, error_ms = synchronised()
    if state == "yes":
        yield ok(ABOUT, f"this host's clock is kept right, within {error_ms:,.0f} ms")
    else:
        yield remark(ABOUT, UNKEPT if state == "no" else UNTOLD, KEEP)


def moments(settings: Settings, home: Home, *, now: datetime) -> Iterator[Finding]:
    """The zone, the time of day of releases through the year, and the moments of the calendar."""
    zone = settings.organisation.zone
    yield ok(ABOUT, f"{zone.key}: it is {now.astimezone(zone):%Y-%m-%d %H:%M %Z} there")
    yield from _time_of_day(settings, now)
    released = _released(home)
    planned = [(survey, moment) for survey, moments in settings.calendar.items() for moment in moments]
    for survey, moment in planned:
        if (survey, moment.wave) not in released:
            yield from _planned(settings, survey, moment, now=now)
    yield from _too_close(settings, planned)


def _time_of_day(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Days on which the clocks skip `release.at`, or show it twice: a run of that day would be refused."""
    at, zone = settings.release.at, settings.organisation.zone
    if at is None:
        return
    today = now.astimezone(zone).date()
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_LOOKED_AHEAD)):
        try:
            instant(datetime.combine(day, at), zone)
        except ValueError as error:
            yield remark(
                ABOUT, f"release.at: {error}", "until then it does no harm; before that day, change release.at"
            )


def _planned(settings: Settings, survey: str, moment: PlannedMoment, *, now: datetime) -> Iterator[Finding]:
    zone = settings.organisation.zone
    opens_at = instant(moment.at, zone)
    what = f"{survey} {moment.wave}, announced for {opens_at.astimezone(zone):%Y-%m-%d %H:%M}"
    if opens_at <= now:
        yield remark(ABOUT, f"{what}: that has passed, and it is not released", "change its line in [calendar]")
        return
    yield ok(ABOUT, f"{what} ({_away(opens_at - now)} from now)")
    ends = ends_before(moment.wave)
    if ends is not None and opens_at.astimezone(zone).date() < ends:
        yield remark(ABOUT, f"{what}: the wave ends only on {ends - timedelta(days=1)}", "choose a day after it")
    if moment.meeting is not None:
        days = _working_days(opens_at.astimezone(zone).date(), moment.meeting)
        if days < WORKING_DAYS_BEFORE_A_MEETING:
            yield remark(
                ABOUT,
                f"{what}: the meeting of {moment.meeting} is {max(days, 0)} working days later; departments need "
                f"{WORKING_DAYS_BEFORE_A_MEETING} to come with plans",
                "release earlier, or meet later",
            )


def _too_close(settings: Settings, planned: list[tuple[str, PlannedMoment]]) -> Iterator[Finding]:
    zone = settings.organisation.zone
    times = sorted((instant(moment.at, zone), f"{survey} {moment.wave}") for survey, moment in planned)
    for (first, name), (second, other) in pairwise(times):
        if timedelta() < second - first < APART:
            yield problem(
                ABOUT,
                f"{name} and {other} are announced less than two minutes apart",
                "give them the same time, or two minutes between them",
            )


def _released(home: Home) -> set[tuple[str, str]]:
    if not home.ledger.exists():
        return set()
    with Ledger.open(home.ledger) as ledger:
        return {(release.survey, release.wave) for release in ledger.released()}


def _working_days(first: date, last: date) -> int:
    """Mondays to Fridays from the day of the release to the day before the meeting."""
    return sum((first + timedelta(days=ahead)).weekday() < 5 for ahead in range((last - first).days))


def _away(left: timedelta) -> str:
    hours = left.total_seconds() / 3600
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"
