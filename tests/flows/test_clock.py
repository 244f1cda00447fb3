"""A clock that is wrong, or set while a moment is awaited, makes nobody early and releases nothing twice.

`time_machine` moves the wall clock of this process, as an administrator or NTP would; the monotonic one runs on. What
the kernel says of its clock differs from host to host, so here it is said by the test.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from flows.errors import HeldError
from flows.home import Home
from flows.release import open_moment
from flows.releasing import clock
from flows.releasing.clock import KEEP, Synchronisation, is_off
from flows.releasing.moment import plan, record, stage
from flows.releasing.recover import recover, retry
from flows.settings import Settings
from tests.flows.receivers import Receivers, webhook_receivers
from tests.flows.sealed import sealed, settings_for
from warehouse.ledger import Ledger

HOUR = timedelta(hours=1)
TWO = ({"department": [], "folder": "shares/all"}, {"department": ["Ships"], "folder": "shares/ships"})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


@pytest.fixture
def settings(home: Home) -> Settings:
    return settings_for(home, audience=TWO)


@pytest.fixture
def hooks(tmp_path: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "hooks", 3) as receivers:
        yield receivers


@pytest.fixture(autouse=True)
def right_again() -> Iterator[None]:
    """Whatever a test does to the clock, the next one has it right."""
    yield
    travelled.stop()


class Travelled:
    """The wall clock, which can be set; the same time of it goes on ticking."""

    def __init__(self) -> None:
        self._journeys: list[time_machine.travel] = []

    def by(self, apart: timedelta) -> None:
        journey = time_machine.travel(datetime.now(UTC) + apart, tick=True)
        journey.start()
        self._journeys.append(journey)

    def stop(self) -> None:
        while self._journeys:
            self._journeys.pop().stop()


travelled = Travelled()


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def ready(home: Home, settings: Settings, release_id: str, *, at: datetime | None = None) -> str:
    record(home, release_id)
    plan(home, [release_id], at=at)
    return stage(home, settings, [release_id])[0].moment_id


def state(home: Home, release_id: str) -> str | None:
    with Ledger.open(home.ledger) as ledger:
        return ledger.state(release_id)


def remarks(home: Home, moment_id: str) -> list[str]:
    with Ledger.open(home.ledger) as ledger:
        return [event.detail["says"] for event in ledger.events(kinds=("clock",), moment_id=moment_id)]


def counted(home: Home) -> dict[str, int]:
    with Ledger.open(home.ledger) as ledger:
        return {kind: len(ledger.events(kinds=(kind,))) for kind in ("released", "opened", "delivered")}


def shared(home: Home) -> list[Path]:
    return [path for path in (home.path / "shares").rglob("release.json") if ".zwerm-" not in str(path)]


# -- what the kernel says


@pytest.mark.parametrize(("says", "remark"), [("no", "calls it unsynchronised"), ("unknown", "cannot be told here")])
def test_a_clock_that_is_not_known_to_be_right_is_told_and_holds_only_where_a_right_one_is_required(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch, says: Synchronisation, remark: str
) -> None:
    monkeypatch.setattr(clock, "synchronised", lambda: (says, 16_000.0))
    moment_id = ready(home, settings, sealed(home))
    assert open_moment(home, settings, moment_id).missing == ()
    (said,) = remarks(home, moment_id)
    assert remark in said

    strict = settings_for(home, audience=TWO, release={"require_synchronised_clock": True})
    one = sealed(home, wave="2026-11")
    with pytest.raises(HeldError, match=rf"{remark}.*require_synchronised_clock is set; turn on NTP") as held:
        open_moment(home, strict, ready(home, strict, one))
    assert "timedatectl" not in str(held.value.in_public())
    assert state(home, one) == "held"
    assert remark in (home.published / "site" / "index.html").read_text()


def test_of_a_clock_that_is_kept_right_nothing_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "synchronised", lambda: ("yes", 4.0))
    strict = settings_for(home, release={"require_synchronised_clock": True})
    moment_id = ready(home, strict, sealed(home))
    assert open_moment(home, strict, moment_id).missing == ()
    assert remarks(home, moment_id) == []


# -- what the recipients' clocks say


def test_a_clock_is_off_where_most_of_those_who_told_theirs_are_more_than_two_seconds_away() -> None:
    assert is_off([]) is None
    assert is_off([0.0, 1.9, -2.0]) is None
    assert is_off([9.0, 9.0, 0.0, 0.0]) is None, "half are not most"
    assert is_off([9.0, -9.0, 9.0, -9.0]) is None, "they do not agree among themselves"
    behind, ahead = is_off([9.0, 7.0, 0.0]), is_off([-3700.0])
    assert behind is not None
    assert behind.says == (
        "this host's clock is 8 seconds behind the clocks of most recipients (2 of the 3 who told theirs)"
    )
    assert KEEP in behind.do
    assert ahead is not None
    assert "3,700 seconds ahead of" in ahead.says


def test_a_clock_that_is_off_against_most_recipients_holds_the_moment_for_all_who_are_told_why(
    home: Home, hooks: Receivers
) -> None:
    settings = settings_for(home, audience=[{"webhook": {"url": hooks.url(number)}} for number in range(3)])
    hooks.behave({0: {"clock_seconds": 8.0}, 1: {"clock_seconds": 7.0}})
    one = sealed(home)
    with pytest.raises(HeldError, match=r"seconds behind the clocks of most recipients \(2 of the 3.*set it right"):
        open_moment(home, settings, ready(home, settings, one))
    assert hooks.calls("release") == []
    reasons = {json.loads(call.body)["reason"] for call in hooks.calls("held")}
    assert len(hooks.calls("held")) == 3
    assert all("behind the clocks of most recipients" in reason and "timedatectl" not in reason for reason in reasons)
    hooks.behave({0: {"clock_seconds": 8.0}})  # one clock alone is his own affair
    (moment,) = retry(home, settings, one)
    assert {d.status for d in open_moment(home, settings, moment.moment_id).deliveries} == {"delivered"}
    assert len(hooks.calls("release")) == 3


# -- a clock that is set


@pytest.mark.parametrize("apart", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_while_everything_is_armed_holds_and_a_retry_releases_once(
    home: Home, settings: Settings, apart: timedelta
) -> None:
    one, at = sealed(home), soon(7)
    steady_at = time.monotonic() + 7
    moment_id = ready(home, settings, one, at=at)

    def set_it(step: str) -> None:
        if step == "armed":
            travelled.by(apart)

    with pytest.raises(HeldError, match="clock was set"):
        open_moment(home, settings, moment_id, on_step=set_it)
    assert time.monotonic() < steady_at, "it was held at once, not at a time that never was"
    assert (state(home, one), shared(home), counted(home)["released"]) == ("held", [], 0)
    travelled.stop()
    moments = retry(home, settings, one)
    report = open_moment(home, settings, moments[0].moment_id)
    assert moments[0].planned_at == at
    assert time.monotonic() >= steady_at
    assert {d.status for d in report.deliveries} == {"delivered"}
    assert counted(home) == {"released": 1, "opened": 3, "delivered": 3}


def test_a_clock_that_is_set_past_the_time_while_it_is_awaited_makes_it_late_and_nobody_early(
    home: Home, settings: Settings
) -> None:
    one = sealed(home)
    moment_id = ready(home, settings, one, at=soon(1800))
    looked: list[bool] = []

    def asked() -> bool:
        if len(looked) == 2:
            travelled.by(HOUR)
        looked.append(True)
        return False

    with pytest.raises(HeldError, match="passed while nothing ran"):
        open_moment(home, settings, moment_id, is_cancelled=asked)
    assert (state(home, one), shared(home), counted(home)["released"]) == ("held", [], 0)
    (said,) = remarks(home, moment_id)
    assert "was set forward by 3,600 seconds" in said


def test_a_clock_that_is_put_right_while_a_moment_is_awaited_makes_it_wait_for_the_right_time(
    home: Home, settings: Settings
) -> None:
    travelled.by(-HOUR)  # an hour slow, so that its time seems far away
    at = soon(3605)
    steady_at = time.monotonic() + 5
    moment_id = ready(home, settings, sealed(home), at=at)
    looked: list[bool] = []

    def asked() -> bool:
        if len(looked) == 2:
            travelled.stop()
        looked.append(True)
        return False

    report = open_moment(home, settings, moment_id, is_cancelled=asked)
    assert time.monotonic() >= steady_at
    opened = [d.opened_at for d in report.deliveries]
    assert all(one is not None and at <= one for one in opened)
    is_punctual = all(one < at + timedelta(seconds=1) for one in opened if one)
    assert is_punctual or report.breaches, "late is told, never passed over"
    assert any("was set forward by 3,600 seconds" in said for said in remarks(home, moment_id))


@pytest.mark.parametrize("apart", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_after_the_commit_changes_nothing_and_nothing_is_sent_again(
    home: Home, settings: Settings, hooks: Receivers, apart: timedelta
) -> None:
    settings = settings_for(home, audience=[*TWO, {"webhook": {"url": hooks.url(0)}}])
    one = sealed(home)
    moment_id = ready(home, settings, one)

    def set_it(step: str) -> None:
        if step == "committed":
            travelled.by(apart)

    report = open_moment(home, settings, moment_id, on_step=set_it)
    assert report.breaches == ()
    assert report.skew_ms is not None
    assert report.skew_ms < 1000
    assert [d.is_breach for d in report.deliveries] == [False] * 4
    assert open_moment(home, settings, moment_id).is_joined
    assert recover(home, settings) == []
    travelled.stop()
    assert open_moment(home, settings, moment_id).is_joined
    assert recover(home, settings) == []
    assert counted(home) == {"released": 1, "opened": 4, "delivered": 4}
    assert len(hooks.calls("release")) == 1
