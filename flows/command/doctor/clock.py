"""Whether this host's clock is right, and whether each moment that is announced exists and can be kept."""

import ctypes
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.home import Home
from flows.settings import PlannedMoment, Settings, instant
from transforms.waves import ends_before
from warehouse.ledger import Ledger

ABOUT = "clock and calendar"
UNSYNCHRONISED, STATUS_UNSYNCHRONISED = 5, 0x40  # TIME_ERROR and STA_UNSYNC of <sys/timex.h>
APART = timedelta(minutes=2)
WORKING_DAYS_BEFORE_A_MEETING = 5
DAYS_LOOKED_AHEAD = 366

Synchronisation = Literal["yes", "no", "unknown"]


class _Timex(ctypes.Structure):
    """The beginning of the kernel's `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "frequency", "most_error", "error")),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def synchronised() -> tuple[Synchronisation, float]:
    """Whether the kernel says that its clock is kept right, and by how many milliseconds it may be wrong at most."""
    if sys.platform != "linux":
        return "unknown", 0.0
    asked = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return "unknown", 0.0
    if state < 0:
        return "unknown", 0.0
    is_wrong = state == UNSYNCHRONISED or asked.status & STATUS_UNSYNCHRONISED
    return "no" if is_wrong else "yes", asked.most_error / 1000


def kernel() -> Iterator[Finding]:
    """What the kernel says of the clock."""
    state, error_ms = synchronised()
    if state == "yes":
        yield ok(ABOUT, f"this host's clock is kept right, within {error_ms:,.0f} ms")
    elif state == "no":
        yield remark(
            ABOUT,
            "nothing keeps this host's clock right (the kernel calls it unsynchronised)",
            "turn on NTP, for instance: timedatectl set-ntp true; in a container: on its host",
        )
    else:
        yield remark(ABOUT, "whether this host's clock is kept right cannot be told here", "see that NTP is on")


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
