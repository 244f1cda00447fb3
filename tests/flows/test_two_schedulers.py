"""Several schedulers on one home, one of which stood still: one of them opens a release, and nobody gets it twice."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.errors import HeldError
from flows.home import Home
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage, withdraw
from flows.releasing.publication import LEASE, renew
from flows.releasing.recover import recover
from tests.flows.reading import in_mart
from tests.flows.receivers import Receivers, webhook_receivers
from tests.flows.schedulers import Ended, Scheduler
from tests.flows.sealed import files_below, sealed, settings_for
from warehouse.leases import LeaseLostError, take
from warehouse.ledger import Ledger

LEASE_SECONDS = 2.0
BEFORE, AFTER = ("arming", "armed"), ("committed", "opened:1", "opened:3", "confirmed")
COMPLETING = {"flows.releasing.completion._completed": 2, "warehouse.confirming.confirm": 4}  # calls afterwards


@dataclass
class Place:
    """A home with one sealed release, its two folders and two webhooks, and the schedulers that a test started."""

    home: Home
    hooks: Receivers
    release_id: str
    started: list[Scheduler] = field(default_factory=list)

    @property
    def audience(self) -> list[dict[str, Any]]:
        """Two of each."""
        folders = [{"department": [], "folder": "shares/all"}, {"department": ["Ships"], "folder": "shares/ships"}]
        return [*folders, {"webhook": {"url": self.hooks.url(0)}}, {"webhook": {"url": self.hooks.url(1)}}]

    def scheduler(self, **named: Any) -> Scheduler:
        """Start one more."""
        self.started.append(Scheduler(self.home, self.audience, [self.release_id], **named))
        return self.started[-1]

    def planned(self, at: datetime | None) -> str:
        """The moment for which the release was staged by a process that ended."""
        record(self.home, self.release_id)
        plan(self.home, [self.release_id], at=at)
        (moment,) = stage(self.home, settings_for(self.home, audience=self.audience), [self.release_id])
        return moment.moment_id

    def kinds(self, *kinds: str) -> list[str]:
        """What the ledger has of these kinds, in their order."""
        with Ledger.open(self.home.ledger) as ledger:
            return [event.kind for event in ledger.events(kinds=kinds)]

    def must_be_released_once(self) -> None:
        """One commit, one confirm, each webhook once and the same content in each place."""
        assert self.kinds("released", "confirmed", "held") == ["released", "confirmed"]
        expected = (self.home.releases / self.release_id / "release.json").read_bytes()
        calls = self.hooks.calls("release")
        assert sorted(call.receiver for call in calls) == [0, 1]
        assert {call.body for call in calls} == {expected}
        one, other = (files_below(self.home.path / "shares" / name) for name in ("all", "ships"))
        assert one == other != {}
        assert in_mart(self.home.published / "warehouse.duckdb") == [self.release_id]
        assert recover(self.home, settings_for(self.home, audience=self.audience)) == []
        with Ledger.open(self.home.ledger) as ledger:
            assert {d.status for d in ledger.deliveries(self.release_id)} == {"delivered"}
            assert ledger.connection.execute("select count(*) from leases").fetchone()[0] == 0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with webhook_receivers(tmp_path / "receivers", 2) as hooks:
        home = Home(tmp_path / "home").prepare()
        made = Place(home, hooks, sealed(home))
        yield made
        for scheduler in made.started:
            scheduler.kill()


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def well(*ended: Ended) -> None:
    assert [(one.code, one.said) for one in ended] == [(0, "")] * len(ended)


def test_three_that_start_at_once_for_the_same_time_release_once_and_all_end_well(place: Place) -> None:
    several = [place.scheduler(waits=True) for _ in range(3)]
    at = soon(5)
    for scheduler in several:
        scheduler.begin(at)
    ended = [scheduler.end() for scheduler in several]
    well(*ended)
    assert sorted(one.is_joined for one in ended) == [False, True, True]
    place.must_be_released_once()
    assert all(call.at / 1e9 >= at.timestamp() for call in place.hooks.calls("release"))


def test_two_that_start_at_once_without_a_time_release_once(place: Place) -> None:
    both = [place.scheduler(waits=True) for _ in range(2)]
    for scheduler in both:
        scheduler.begin(None)
    well(*[scheduler.end() for scheduler in both])
    place.must_be_released_once()


def test_one_that_starts_while_another_has_all_armed_touches_nothing_and_joins(place: Place) -> None:
    first = place.scheduler(stops_at="armed")
    first.wait_until_stopped()
    second = place.scheduler()
    time.sleep(1)
    assert place.kinds("released", "held") == []
    first.go_on()
    one, other = first.end(), second.end()
    well(one, other)
    assert (one.is_joined, other.is_joined) == (False, True)
    assert "is opening a moment; nothing was touched" in other.recovered[0]
    place.must_be_released_once()


@pytest.mark.parametrize("step", BEFORE)
def test_one_that_stood_still_before_the_commit_is_followed_and_cannot_release_any_more(
    place: Place, step: str
) -> None:
    first = place.scheduler(stops_at=step, lease_seconds=LEASE_SECONDS)
    first.wait_until_stopped()
    time.sleep(LEASE_SECONDS)
    second = place.scheduler()
    well(second.end())
    place.must_be_released_once()
    first.go_on()
    ended = first.end()
    assert ended.code == 5
    assert "another process took over the moment" in ended.said
    place.must_be_released_once()


@pytest.mark.parametrize("step", AFTER)
def test_one_that_stood_still_after_the_commit_is_followed_and_sends_nothing_again(place: Place, step: str) -> None:
    first = place.scheduler(stops_at=step, lease_seconds=LEASE_SECONDS)
    first.wait_until_stopped()
    time.sleep(LEASE_SECONDS)
    second = place.scheduler()
    well(second.end())
    calls = len(place.hooks.calls("release"))
    first.go_on()
    ended = first.end()
    assert ended.code == 5
    assert "took over the moment" in ended.said or "stood still after the decision" in ended.said
    assert len(place.hooks.calls("release")) == calls
    assert place.kinds("released", "confirmed", "held") == ["released", "confirmed"]
    keys = {(call.receiver, call.headers["idempotency-key"]) for call in place.hooks.calls("release")}
    assert len(keys) == 2


@pytest.mark.parametrize("function", COMPLETING)
def test_one_that_stood_still_while_it_completed_is_followed_and_sends_nothing_more(
    place: Place, function: str
) -> None:
    moment_id = place.planned(None)
    place.scheduler(moment_id=moment_id, stops_at="committed").kill_when_stopped()
    first = place.scheduler(moment_id=moment_id, stops_in=function, recovers=False, lease_seconds=LEASE_SECONDS)
    first.wait_until_stopped()
    time.sleep(LEASE_SECONDS)
    well(place.scheduler(moment_id=moment_id).end())
    calls, shown = len(place.hooks.calls("release")), (place.home.published / "current").readlink()
    first.go_on()
    ended = first.end()
    assert (ended.code, "took over the moment" in ended.said) == (5, True)
    assert len(place.hooks.calls("release")) == calls == COMPLETING[function]
    keys = {(call.receiver, call.headers["idempotency-key"]) for call in place.hooks.calls("release")}
    assert len(keys) == 2
    assert place.kinds("released", "confirmed", "held") == ["released", "confirmed"]
    assert (place.home.published / "current").readlink() == shown


def test_one_that_stood_still_while_it_published_brings_no_old_state_back(place: Place) -> None:
    settings = settings_for(place.home, audience=place.audience)
    with Ledger.open(place.home.ledger) as ledger:
        slow = take(ledger, LEASE, seconds=-1)
        quick = take(ledger, LEASE)
        assert slow is not None and quick is not None
        renew(ledger, place.home, settings, lease=quick)
        shown = (place.home.published / "current").readlink()
        with pytest.raises(LeaseLostError):
            renew(ledger, place.home, settings, lease=slow)
        assert (place.home.published / "current").readlink() == shown
        assert len(ledger.events(kinds=("renewed",))) == 1
    assert list((place.home.published / ".next").iterdir()) == []


@pytest.mark.parametrize(("late", "expected"), [("hold", 4), ("release", 0)])
def test_a_scheduler_that_comes_after_the_time_holds_unless_late_is_to_be_released(
    place: Place, late: str, expected: int
) -> None:
    moment_id = place.planned(soon(-20))
    ended = place.scheduler(moment_id=moment_id, late=late).end()
    assert ended.code == expected
    if late == "hold":
        assert "passed while nothing ran" in ended.said
        assert place.hooks.calls("release") == []
        assert len(place.hooks.calls("held")) == 2
    else:
        place.must_be_released_once()


@pytest.mark.parametrize(("late", "expected"), [("hold", "held"), ("release", "staged")])
def test_the_next_start_finds_a_missed_time_and_holds_it_unless_late_is_to_be_released(
    place: Place, late: str, expected: str
) -> None:
    place.planned(soon(-120))
    said = recover(place.home, settings_for(place.home, audience=place.audience, release={"late": late}))
    assert [("passed while nothing ran" in line) for line in said] == [True] * (late == "hold")
    with Ledger.open(place.home.ledger) as ledger:
        assert ledger.state(place.release_id) == expected
        assert bool(ledger.open_moments()) == (late == "release")  # which the run, or serve, opens now


def test_what_is_withdrawn_while_all_is_armed_holds_the_rest_and_blames_no_recipient(place: Place) -> None:
    settings, other = settings_for(place.home, audience=place.audience), sealed(place.home, survey="staff")
    for name in (place.release_id, other):
        record(place.home, name)
    plan(place.home, [place.release_id, other])
    (moment,) = stage(place.home, settings, [place.release_id, other])

    def on_step(step: str) -> None:
        if step == "armed":
            withdraw(place.home, settings, other, reason="a wrong file")

    with pytest.raises(HeldError, match="staff 2026-10 was withdrawn meanwhile: a wrong file"):
        open_moment(place.home, settings, moment.moment_id, on_step=on_step)
    with Ledger.open(place.home.ledger) as ledger:
        (held,) = ledger.events(kinds=("held",))
        assert ledger.state(place.release_id) == "held"
    assert held.detail["refused"] == []
    assert place.hooks.calls("release") == []
