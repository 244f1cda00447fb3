"""The moment of a release: asked for, else the calendar's, else the next configured time of day."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine

from flows.command import calls
from flows.errors import ConfigurationError
from flows.releasing.planning import moment_of
from flows.settings import Settings

TOML = """
[organisation]
timezone = "Europe/Amsterdam"
[surveys.guests]
wave = { value = "2026-11" }
sources = [{ path = "x.csv" }]
roles = { score = "s" }
"""
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 12, 8, 8, 0, tzinfo=UTC)  # nine o'clock in Amsterdam


def settings(**more: object) -> Settings:
    survey = {"sources": [{"path": "x.csv"}], "roles": {"score": "s"}, "wave": {"value": "2026-11"}}
    organisation = {"timezone": "Europe/Amsterdam"}
    return Settings.model_validate({"surveys": {"guests": survey}, "organisation": organisation, **more})


def moment(configured: Settings, at: str | None = None, now: datetime = NOW) -> datetime | None:
    return moment_of(configured, survey="guests", wave="2026-11", at=at, now=now)


def test_without_a_time_it_opens_as_soon_as_it_is_ready() -> None:
    assert moment(settings()) is None


def test_the_next_time_of_day_is_in_the_organisations_zone() -> None:
    daily = settings(release={"at": "09:30"})
    assert moment(daily) == datetime(2026, 12, 8, 8, 30, tzinfo=UTC)
    assert moment(daily, now=datetime(2026, 12, 8, 8, 30, tzinfo=UTC)) == datetime(2026, 12, 9, 8, 30, tzinfo=UTC)


def test_the_calendar_comes_before_the_time_of_day_and_what_is_asked_before_both() -> None:
    planned = settings(release={"at": "09:30"}, calendar={"guests": [{"wave": "2026-11", "at": "2026-12-10T10:00"}]})
    assert moment(planned) == datetime(2026, 12, 10, 9, 0, tzinfo=UTC)
    assert moment(planned, at="9:45") == datetime(2026, 12, 8, 8, 45, tzinfo=UTC)
    assert moment(planned, at="2026-12-09T11:00") == datetime(2026, 12, 9, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("2026-12-08T08:00", "has passed"),
        ("2027-03-28T02:30", "does not exist"),
        ("2027-10-31T02:30", "exists twice"),
        ("noon", "is no time"),
    ],
)
def test_a_moment_that_has_passed_or_cannot_be_is_refused(at: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        moment(settings(), at=at)


SKIPPED, TWICE = datetime(2027, 3, 28, tzinfo=AMSTERDAM), datetime(2027, 10, 31, tzinfo=AMSTERDAM)
BEFORE = [(SKIPPED, "does not exist"), (TWICE, "exists twice")]


@pytest.mark.parametrize(("day", "says"), BEFORE)
@pytest.mark.parametrize("hours_before", [20.0, 0.5])
def test_a_time_of_day_is_refused_on_the_day_that_skips_it_or_shows_it_twice_and_on_no_other(
    day: datetime, says: str, hours_before: float
) -> None:
    daily = settings(release={"at": "02:30"})
    with time_machine.travel(day - timedelta(hours=hours_before), tick=False):
        for at in ("02:30", "2:30:00"):
            with pytest.raises(ConfigurationError, match=says):
                moment(daily, at=at, now=datetime.now(UTC))
        with pytest.raises(ConfigurationError, match=r"release\.at: .*or give this one with --at"):
            moment(daily, now=datetime.now(UTC))
        other = f"{day:%Y-%m-%d}T04:00"
        assert moment(daily, at=other, now=datetime.now(UTC)) == datetime.fromisoformat(other).replace(tzinfo=AMSTERDAM)
    with time_machine.travel(day - timedelta(days=2), tick=False):
        assert moment(daily, now=datetime.now(UTC)) is not None
    with time_machine.travel(day + timedelta(hours=5), tick=False):  # its own time of day is over: the next is plain
        tomorrow = datetime.combine(day.date() + timedelta(days=1), time(2, 30), tzinfo=AMSTERDAM)
        assert moment(daily, now=datetime.now(UTC)) == tomorrow


def test_between_the_two_showings_of_a_time_it_is_refused_and_after_both_it_is_the_next_days() -> None:
    daily = settings(release={"at": "02:30"})
    first_time, second_time = datetime(2027, 10, 31, 0, 45, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match="exists twice"):
        moment(daily, now=first_time)
    assert moment(daily, now=second_time) == datetime(2027, 11, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("at", "says"), [("2027-03-28T02:30", "does not exist"), ("2027-10-31T02:30", "exists twice")])
@pytest.mark.parametrize("call", ["run", "backfill", "release"])
def test_no_call_takes_a_moment_that_the_clocks_skip_or_show_twice(
    tmp_path: Path, call: str, at: str, says: str
) -> None:
    (tmp_path / "zwerm.toml").write_text(TOML)
    asked: dict[str, dict[str, object]] = {
        "run": {"survey": None, "wave": None, "revise": False, "reason": None, "material": False},
        "backfill": {"survey": "guests", "first": "2026-10", "last": "2026-11", "reason": None, "dry_run": False},
        "release": {"release": None, "retry": True, "withdraw": False, "reason": None},
    }
    with pytest.raises(ConfigurationError, match=says):
        getattr(calls, call)(config=tmp_path / "zwerm.toml", at=at, quiet=True, **asked[call])
    assert not (tmp_path / "working" / "ledger.sqlite").exists()
