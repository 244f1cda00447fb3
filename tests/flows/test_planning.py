"""The moment of a release: asked for, else the calendar's, else the next configured time of day."""

from datetime import UTC, datetime

import pytest

from flows.errors import ConfigurationError
from flows.releasing.planning import moment_of
from flows.settings import Settings

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
