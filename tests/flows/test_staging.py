"""A moment that was announced stays, whoever runs again; one that is moved says so and why."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.errors import ConfigurationError, FlowError, HeldError
from flows.home import Home
from flows.orchestration.serving import moved_by_calendar
from flows.preparing.examination import Examination
from flows.preparing.seal import read_sealed
from flows.preparing.steps import Prepared
from flows.release import lead_of, open_moment
from flows.releasing.moment import plan, record, stage, withdraw
from flows.releasing.recover import recover, retry
from flows.releasing.staging import NEWER, Staged, stage_together
from flows.run import Run
from flows.settings import Settings
from tests.flows.sealed import sealed, settings_for
from warehouse import WarehouseError, decisions
from warehouse.leases import take
from warehouse.ledger import Ledger
from warehouse.records import Event, Release

T = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


def staged(home: Home, *release_ids: str, at: datetime | None = None, settings: Settings | None = None) -> Staged:
    """What `zwerm run` does with releases that it sealed; `at` as it is written after --at."""
    own = settings or settings_for(home)
    prepared = []
    for release_id in release_ids:
        record(home, release_id)
        known = read_sealed(home.releases / release_id)
        prepared.append(Prepared(Examination(known.survey, known.wave, "new", None, None, "", 40), known))
    asked = f"{at.astimezone(own.organisation.zone):%Y-%m-%dT%H:%M:%S}" if at else None
    return stage_together(Run(own, home, datetime.now(UTC)), prepared, at=asked)


def release(home: Home, release_id: str) -> Release:
    with Ledger.open(home.ledger) as ledger:
        found = ledger.release(release_id)
    assert found is not None
    return found


def moves(home: Home) -> tuple[Event, ...]:
    with Ledger.open(home.ledger) as ledger:
        return ledger.events(kinds=("moved",))


def calendar(home: Home) -> str:
    return (home.published / "site" / "en" / "calendar.html").read_text()


def test_the_next_run_keeps_an_announced_moment(home: Home) -> None:
    one = sealed(home)
    first = staged(home, one, at=T)
    assert staged(home, one).moments == first.moments
    assert staged(home, one, settings=settings_for(home, release={"at": "09:30"})).moments == first.moments
    assert first.planned_at == T
    assert moves(home) == ()
    assert f"{T:%H:%M}" in calendar(home)


def test_newer_answers_take_the_moment_for_which_the_older_were_announced(home: Home) -> None:
    older, newer = sealed(home), sealed(home, nps=12.5)
    first = staged(home, older, at=T)
    assert staged(home, newer).moments == first.moments
    assert (release(home, older).state, release(home, older).stated_reason) == ("withdrawn", NEWER)
    assert release(home, newer).planned_at == T
    assert moves(home) == ()


@pytest.mark.parametrize("apart", [MINUTE, -HOUR])
def test_a_moment_is_moved_only_where_another_is_asked_for_and_everyone_is_told_why(
    home: Home, apart: timedelta
) -> None:
    one = sealed(home)
    staged(home, one, at=T)
    assert "was moved" not in calendar(home)
    assert staged(home, one, at=T + apart).planned_at == T + apart
    (event,) = moves(home)
    assert event.detail["reason"] == "asked for with --at"
    assert datetime.fromisoformat(event.detail["moved_from"]) == T
    assert f"This moment was moved: from {T:%Y-%m-%d %H:%M:%S} UTC to" in calendar(home)
    assert ": asked for with --at" in calendar(home)
    newer = sealed(home, nps=12.5)
    staged(home, newer)
    assert "This moment was moved: from" in calendar(home)
    staged(home, sealed(home, nps=13.5), at=T + 2 * HOUR)
    assert len(moves(home)) == 2


def test_a_refused_moment_leaves_what_waits_as_it_was(home: Home) -> None:
    staged(home, sealed(home, survey="staff"), at=T)
    older, newer = sealed(home), sealed(home, nps=12.5)
    staged(home, older, at=T + HOUR)
    with pytest.raises(ConfigurationError, match="two minutes apart"):
        staged(home, newer, at=T + MINUTE)
    assert (release(home, older).state, release(home, older).planned_at) == ("staged", T + HOUR)
    assert release(home, newer).state == "sealed"


def test_releases_that_wait_for_different_moments_keep_them_and_all_are_told(home: Home) -> None:
    first, second, third = sealed(home), sealed(home, survey="staff"), sealed(home, wave="2026-11")
    staged(home, second, at=T + HOUR)
    staged(home, first, at=T)
    together = staged(home, first, second, third)
    assert [moment.planned_at for moment in together.moments] == [T, T + HOUR]
    assert release(home, third).planned_at == T + HOUR


def test_what_another_process_is_opening_is_left_to_it(home: Home) -> None:
    one, other = sealed(home), sealed(home, survey="staff")
    first = staged(home, one, at=T)
    assert first.moment_id is not None
    with Ledger.open(home.ledger) as ledger:
        lease = take(ledger, "moment")
        assert lease is not None
        decisions.freeze(ledger, first.moment_id, lease=lease)
        both = staged(home, one, other)
        assert first.moment_id in {moment.moment_id for moment in both.moments}
        assert len(both.moments) == 2
        assert release(home, one).planned_at == T
        with pytest.raises(WarehouseError, match="is being opened now and cannot be planned anew"):
            staged(home, one, at=T + HOUR)


@pytest.mark.parametrize("late", ["hold", "release"])
def test_what_missed_its_moment_is_late_and_no_first_moment_of_another_kind(home: Home, late: str) -> None:
    one, settings = sealed(home), settings_for(home, release={"late": late})
    at = datetime.now(UTC) - timedelta(seconds=20)
    record(home, one)
    with Ledger.open(home.ledger) as ledger:
        decisions.plan(ledger, [one], planned_at=at)
        decisions.stage(ledger, [one])
    (moment,) = staged(home, one, settings=settings).moments
    assert moment.planned_at == at
    if late == "hold":
        with pytest.raises(HeldError, match="passed while nothing ran"):
            open_moment(home, settings, moment.moment_id)
        (again,) = staged(home, one, settings=settings).moments
        assert again.planned_at is None
        (event,) = moves(home)
        assert event.detail["reason"] == "it was held"
    else:
        assert "after its time" in open_moment(home, settings, moment.moment_id).breaches[0]


def test_a_retry_moves_nothing_that_waits_unless_a_time_is_given(home: Home) -> None:
    one, settings = sealed(home), settings_for(home)
    staged(home, one, at=T)
    with pytest.raises(FlowError, match=rf"is staged, not held: it opens {T:%Y-%m-%d %H:%M:%S} UTC.*--retry --at TIME"):
        retry(home, settings, one)
    assert retry(home, settings) == ()
    (moment,) = retry(home, settings, one, at=T + HOUR)
    assert moment.planned_at == T + HOUR
    assert [event.detail["reason"] for event in moves(home)] == ["asked for with --at"]


def test_what_was_held_before_its_moment_waits_for_it_again(home: Home) -> None:
    one, settings = sealed(home), settings_for(home)
    first = staged(home, one, at=T)
    assert first.moment_id is not None
    with pytest.raises(HeldError, match="cancelled"):
        open_moment(home, settings, first.moment_id, is_cancelled=lambda: True)
    (moment,) = retry(home, settings)
    assert moment.planned_at == T
    assert moves(home) == ()


def test_a_retry_takes_what_was_sealed_and_no_more(home: Home) -> None:
    one, waiting = sealed(home), sealed(home, survey="staff")
    staged(home, waiting, at=T)
    record(home, one)
    (moment,) = retry(home, settings_for(home))
    assert {r.release_id for r in open_moment(home, settings_for(home), moment.moment_id).releases} == {one}
    assert release(home, waiting).state == "staged"


def test_a_planned_revision_is_on_the_calendar_until_it_is_out(home: Home) -> None:
    settings = settings_for(home)
    (moment,) = staged(home, sealed(home)).moments
    open_moment(home, settings, moment.moment_id)
    revision = sealed(home, revision=2, nps=41.5)
    staged(home, revision, at=T)
    feed = (home.published / "site" / "calendar.ics").read_text()
    assert f"DTSTART:{T:%Y%m%dT%H%M%SZ}" in feed
    withdraw(home, settings, revision, reason="a wrong file")
    assert "DTSTART" not in (home.published / "site" / "calendar.ics").read_text()
    assert recover(home, settings) == []


def in_calendar(home: Home, at: datetime | None, **more: object) -> Settings:
    entries = [{"wave": "2026-10", "at": f"{at:%Y-%m-%dT%H:%M:%S}"}] if at else []
    return settings_for(home, calendar={"passengers": entries, **more})


def test_a_changed_calendar_entry_moves_what_is_staged_and_everyone_is_told_why(home: Home) -> None:
    one, other = sealed(home), sealed(home, survey="staff")
    for each in (one, other):
        staged(home, each, at=None if each == one else T, settings=in_calendar(home, T))
    later = in_calendar(home, T + HOUR)
    (said,) = recover(home, later)
    assert said == (
        f"passengers 2026-10: moved from {T:%Y-%m-%d %H:%M:%S} UTC to {T + HOUR:%Y-%m-%d %H:%M:%S} UTC: "
        "its entry in the calendar was changed"
    )
    assert (release(home, one).state, release(home, one).planned_at) == ("staged", T + HOUR)
    assert release(home, other).planned_at == T
    assert [(event.release_ids, event.detail["reason"]) for event in moves(home)] == [
        ((one,), "its entry in the calendar was changed")
    ]
    assert f"This moment was moved: from {T:%Y-%m-%d %H:%M:%S} UTC to" in calendar(home)
    assert recover(home, later) == []
    assert staged(home, one, settings=in_calendar(home, T + 2 * HOUR)).planned_at == T + 2 * HOUR
    assert len(moves(home)) == 2


def test_what_the_calendar_moved_is_what_a_served_home_schedules_anew(home: Home) -> None:
    one, run = sealed(home), Run(settings_for(home), home, datetime.now(UTC))
    assert moved_by_calendar(run) == []
    staged(home, one, settings=in_calendar(home, T))
    assert moved_by_calendar(run) == []
    recover(home, in_calendar(home, T - HOUR))
    assert [moment.planned_at for moment in moved_by_calendar(run)] == [T - HOUR]
    staged(home, one, at=T)
    assert moved_by_calendar(run) == []


def test_a_moment_whose_windows_are_long_is_begun_with_earlier(home: Home) -> None:
    folders = settings_for(home, audience=[{"folder": "shares/all"}])
    longer = settings_for(home, audience=[{"share": str(home.path / "m")}], release={"windows": {"share": 60}})
    (home.path / "m").mkdir()
    for settings, survey, seconds in ((folders, "passengers", 30), (longer, "staff", 60)):
        (moment,) = staged(home, sealed(home, survey=survey), at=T, settings=settings).moments
        with Ledger.open(home.ledger) as ledger:
            assert lead_of(ledger, settings, moment.moment_id) == seconds


def test_an_unchanged_calendar_entry_does_not_take_back_what_was_asked_for(home: Home) -> None:
    one, said = sealed(home), in_calendar(home, T)
    staged(home, one, at=T + HOUR, settings=said)
    assert recover(home, said) == []
    assert staged(home, one, settings=said).planned_at == T + HOUR
    assert staged(home, one, settings=in_calendar(home, None)).planned_at == T + HOUR
    assert moves(home) == ()
    assert "moved from" in recover(home, in_calendar(home, T + 2 * HOUR))[0]
    assert release(home, one).planned_at == T + 2 * HOUR


@pytest.mark.parametrize(
    ("planned", "changed"), [(timedelta(seconds=100), HOUR), (HOUR, timedelta(seconds=100)), (HOUR, -HOUR)]
)
def test_where_no_time_is_left_a_changed_calendar_entry_moves_nothing(
    home: Home, planned: timedelta, changed: timedelta
) -> None:
    now, one = datetime.now(UTC).replace(microsecond=0), sealed(home)
    staged(home, one, settings=in_calendar(home, now + planned))
    assert recover(home, in_calendar(home, now + changed)) == []
    assert release(home, one).planned_at == now + planned


def test_a_changed_calendar_entry_too_near_to_another_moment_is_told_and_moves_nothing(home: Home) -> None:
    one, other = sealed(home), sealed(home, survey="staff")
    staged(home, other, at=T)
    staged(home, one, settings=in_calendar(home, T + HOUR))
    (said,) = recover(home, in_calendar(home, T + MINUTE))
    assert "its entry in the calendar was changed, but its moment stays: another moment is planned for" in said
    assert release(home, one).planned_at == T + HOUR


def test_what_was_held_and_then_announced_anew_waits_for_its_new_time(home: Home) -> None:
    one, said = sealed(home), in_calendar(home, T)
    (moment,) = staged(home, one, settings=said).moments
    with pytest.raises(HeldError, match="cancelled"):
        open_moment(home, said, moment.moment_id, is_cancelled=lambda: True)
    later = in_calendar(home, T + HOUR)
    assert "moved from" in recover(home, later)[0]
    assert release(home, one).state == "held"
    (again,) = retry(home, later, one)
    assert again.planned_at == T + HOUR
    assert release(home, one).state == "staged"


def test_several_that_stage_the_same_at_once_find_everyone_ready(home: Home) -> None:
    own = settings_for(home, audience=[{"department": [], "folder": "shares/all", "share": "shares/closed"}])
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with ThreadPoolExecutor(6) as pool:
        moments = list(pool.map(lambda _: stage(home, own, [one]), range(6)))
    assert len(set(moments)) == 1
    assert [path.name for path in (home.path / "shares/all").iterdir()] == []
