import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.channels import webhook
from flows.errors import HeldError
from flows.home import Home
from flows.release import open_moment
from flows.releasing import opening
from flows.releasing.moment import record, withdraw
from flows.releasing.recover import complete, recover, retry
from tests.flows.killed import CONTEXT, killed, started_again
from tests.flows.receivers import Call, Receivers, webhook_receivers
from tests.flows.sealed import files_below, sealed, settings_for
from warehouse import WarehouseError, decisions
from warehouse.ledger import Ledger

STEPS = (
    *("sealed", "staged", "arming", "armed", "committed"),
    *("opened:0", "opened:1", "opened:2", "opened:3", "opened:4", "confirmed", "renewed"),
)
FIGURES = "select * from mart.promoter_metrics order by department_id"
DECIDED = STEPS[STEPS.index("committed") :]


@dataclass(frozen=True)
class Place:
    """A home, who receives from it, and the receivers of its webhooks."""

    home: Home
    audience: list[dict[str, Any]]
    receivers: Receivers


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with webhook_receivers(tmp_path / "receivers", 2) as receivers:
        yield placed(tmp_path / "home", receivers)


def placed(path: Path, receivers: Receivers) -> Place:
    audience: list[dict[str, Any]] = [
        {"department": [], "folder": "shares/all"},
        {"department": ["Ships"], "folder": "shares/ships"},
        {"department": [], "webhook": {"url": receivers.url(0)}},
        {"department": ["Ships"], "webhook": {"url": receivers.url(1)}},
    ]
    path.mkdir()
    return Place(Home(path).prepare(), audience, receivers)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the same release came to its end without a kill."""
    home = Home(tmp_path_factory.mktemp("undisturbed")).prepare()
    folders = [{"department": [], "folder": "shares/all"}, {"department": ["Ships"], "folder": "shares/ships"}]
    assert not killed(home, folders, [sealed(home)])
    return home


def content(home: Home) -> dict[str, bytes]:
    """All that was released: every shared file and every sealed page of the site."""
    site = files_below(home.published / "site")
    own = {name: data for name, data in site.items() if "/r1/" in name and "/register." not in name}
    return {**files_below(home.path / "shares"), **own}


def in_mart(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(os.path.realpath(home.published / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def readable(home: Home) -> bool:
    """Whether anyone could read anything of the release in the published or the shared folders."""
    shared = [path for path in (home.path / "shares").rglob("release.json") if ".zwerm-" not in str(path)]
    is_shown = (home.published / "current").is_symlink() and bool(in_mart(home, "select 1 from mart.promoter_metrics"))
    return bool(shared) or is_shown


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_named_step_the_next_start_gives_everyone_the_same_content(
    place: Place, undisturbed: Home, step: str
) -> None:
    one = sealed(place.home)
    assert killed(place.home, place.audience, [one], step=step)
    if step not in DECIDED:
        assert not readable(place.home)
        assert place.receivers.calls("release") == []
    report, said = started_again(place.home, place.audience, [one])
    assert {d.status for d in report.deliveries} == {"delivered"}
    assert bool(said) == (step not in ("sealed", "staged", "renewed"))

    expected = (place.home.releases / one / "release.json").read_bytes()
    calls = place.receivers.calls("release")
    assert {call.body for call in calls} == {expected}
    for receiver in (0, 1):
        keys = {call.headers["idempotency-key"] for call in calls if call.receiver == receiver}
        assert len(keys) == 1

    assert content(place.home) == content(undisturbed) != {}
    assert in_mart(place.home, FIGURES) == in_mart(undisturbed, FIGURES) != []
    assert in_mart(place.home, "select distinct status from mart.deliveries") == [("delivered",)]
    assert list((place.home.published / ".next").iterdir()) == []
    assert list((place.home.path / "shares").glob("*/.zwerm-*")) == []
    assert recover(place.home, settings_for(place.home, audience=place.audience)) == []


@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.9, 1.4])
def test_killed_at_any_time_nothing_is_lost_and_nothing_is_a_mixture(place: Place, seconds: float) -> None:
    one = sealed(place.home)
    killed(place.home, place.audience, [one], seconds=seconds)
    report, _ = started_again(place.home, place.audience, [one])
    assert {d.status for d in report.deliveries} == {"delivered"}
    for receiver in (0, 1):
        keys = {c.headers["idempotency-key"] for c in place.receivers.calls("release") if c.receiver == receiver}
        assert len(keys) == 1
    names = {name.split("/", 1)[0] for name in files_below(place.home.path / "shares")}
    assert names == {"all", "ships"}
    assert in_mart(place.home, "select count(distinct release_id) from mart.promoter_metrics") == [(1,)]


def test_who_was_acknowledged_before_the_kill_is_not_sent_anything_again(place: Place) -> None:
    one = sealed(place.home)
    killed(place.home, place.audience, [one], step="confirmed")
    before = len(place.receivers.calls("release"))
    started_again(place.home, place.audience, [one])
    assert len(place.receivers.calls("release")) == before == 2


def test_a_moment_that_was_completed_after_a_kill_says_so_in_its_register(place: Place) -> None:
    one = sealed(place.home)
    killed(place.home, place.audience, [one], step="opened:1")
    report, said = started_again(place.home, place.audience, [one])
    assert "the process ended while it opened" in said[0]
    assert report.breaches == (said[0].split(": ", 1)[1],)
    assert report.skew_ms is not None
    assert report.skew_ms > 100
    register = (place.home.published / "site/passengers/2026-10/r1/en/register.html").read_text()
    assert "cut short" in register


def test_every_release_of_a_moment_is_completed_together(place: Place) -> None:
    both = [sealed(place.home), sealed(place.home, survey="staff")]
    killed(place.home, place.audience, both, step="committed")
    assert not readable(place.home)
    report, _ = started_again(place.home, place.audience, both)
    assert sorted(release.release_id for release in report.releases) == sorted(both)
    assert in_mart(place.home, "select distinct release_id from mart.releases order by 1") == [
        (name,) for name in sorted(both)
    ]


def test_a_planned_moment_whose_process_died_is_open_again_until_its_time(place: Place) -> None:
    one, at = sealed(place.home), datetime.now(UTC) + timedelta(seconds=15)
    settings = settings_for(place.home, audience=place.audience)
    killed(place.home, place.audience, [one], step="armed", at=at)
    assert recover(place.home, settings) == [
        "passengers 2026-10: was being armed when the process ended; nothing was sent"
    ]
    with Ledger.open(place.home.ledger) as ledger:
        (moment,) = ledger.open_moments()
    report = open_moment(place.home, settings, moment.moment_id)
    assert moment.planned_at == at
    assert all(d.opened_at is not None and d.opened_at >= at for d in report.deliveries)
    assert report.breaches == ()


def test_a_planned_moment_that_nobody_opened_is_held_by_the_next_start_and_everyone_is_told(place: Place) -> None:
    one, at = sealed(place.home), datetime.now(UTC) - timedelta(hours=1)
    settings = settings_for(place.home, audience=place.audience)
    killed(place.home, place.audience, [one], step="staged", at=at)
    (said,) = recover(place.home, settings)
    assert "passengers 2026-10: held, nobody has anything. its time" in said
    assert not readable(place.home)
    told = [json.loads(call.body) for call in place.receivers.calls("held")]
    assert len(told) == 2
    assert all("passed while nothing ran" in notice["reason"] for notice in told)
    assert "passed while nothing ran" in (place.home.published / "site" / "index.html").read_text()
    (moment,) = retry(place.home, settings)
    assert {d.status for d in open_moment(place.home, settings, moment.moment_id).deliveries} == {"delivered"}
    assert len(place.receivers.calls("release")) == 2


def test_one_who_does_not_answer_after_the_commit_is_completed_later_as_a_breach(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 2.0)
    monkeypatch.setattr(webhook, "COMPLETE_SECONDS", 2.0)
    one = sealed(place.home)
    place.receivers.behave({1: {"release": [503]}})
    started_again(place.home, place.audience, [one])
    with Ledger.open(place.home.ledger) as ledger:
        states = {d.recipient: (d.status, d.is_breach) for d in ledger.deliveries(one) if d.channel == "webhook"}
        assert ledger.state(one) == "confirmed"
    assert states["Our organisation #2"] == ("delivered", False)
    assert states["Ships #2"] == ("failed", True)
    place.receivers.behave({})
    said = recover(place.home, settings_for(place.home, audience=place.audience))
    assert said == ["Ships #2 by webhook: completed late"]
    assert in_mart(place.home, "select status, is_breach from mart.deliveries where recipient = 'Ships #2'") == [
        ("delivered", True)
    ]
    calls = [call for call in place.receivers.calls("release") if call.receiver == 1]
    assert len({call.headers["idempotency-key"] for call in calls}) == 1
    assert [call.status for call in calls].count(204) == 1
    assert retry(place.home, settings_for(place.home, audience=place.audience), one) == ()
    assert len([call for call in place.receivers.calls("release") if call.receiver == 1]) == len(calls)


@pytest.mark.parametrize("name", ["site", "current"])
def test_what_cannot_be_published_is_told_with_what_to_do_and_holds_only_what_has_to_be(
    tmp_path: Path, name: str
) -> None:
    home = Home(tmp_path).prepare()
    settings, one, other = settings_for(home), sealed(home), sealed(home, survey="staff")
    assert not killed(home, [], [one])
    record(home, other)
    with Ledger.open(home.ledger) as ledger:
        decisions.plan(ledger, [other], planned_at=datetime.now(UTC) - timedelta(hours=1))
        decisions.stage(ledger, [other])
    link, aside = home.published / name, home.published / "aside"
    link.rename(aside)
    link.mkdir()
    held, said = recover(home, settings)
    assert "held, nobody has anything" in held
    assert f"what is published in {home.published} could not be renewed: {link} is in the way of the link" in said
    assert said.endswith("move it elsewhere. Everyone reads it as it was; when that is mended: zwerm recover")
    with pytest.raises(HeldError, match=rf"{name} is in the way of the link that Zwerm makes there; move it elsewhere"):
        retry(home, settings)
    with pytest.raises(
        WarehouseError, match=f"{other} is withdrawn and its recipients are told, but what is published"
    ):
        withdraw(home, settings, other, reason="a wrong file")
    link.rmdir()
    aside.rename(link)
    assert recover(home, settings) == ["what is published was renewed from the ledger"]
    assert recover(home, settings) == []
    assert "a wrong file" in (home.published / "site" / "index.html").read_text()


def test_what_was_decided_and_could_not_be_published_is_published_when_that_is_mended(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    settings, one = settings_for(home), sealed(home)
    assert killed(home, [], [one], step="committed")
    (home.published / "site").unlink()
    (home.published / "site").write_text("a file is in the way")
    decided, said = recover(home, settings)
    assert decided.startswith("passengers 2026-10: was decided when the process ended")
    assert "site is in the way of the link" in said
    (home.published / "site").unlink()
    assert recover(home, settings) == ["what is published was renewed from the ledger"]
    assert in_mart(home, "select status, is_breach from mart.deliveries") == [("delivered", True)]
    assert recover(home, settings) == []


def test_who_cannot_be_reached_is_tried_at_five_starts_and_after_that_only_where_a_person_asks(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 0.4)
    monkeypatch.setattr(webhook, "COMPLETE_SECONDS", 0.4)
    settings, one = settings_for(place.home, audience=place.audience), sealed(place.home)
    place.receivers.behave({0: {"release": [503]}, 1: {"release": [503]}})
    report, _ = started_again(place.home, place.audience, [one])  # tries twice: at T, and once more before it ends
    assert len(report.missing) == 2
    said = []
    while told := recover(place.home, settings):
        said.append(told)
    assert said == [["Our organisation #2 by webhook: still lacks it", "Ships #2 by webhook: still lacks it"]] * 3
    before = len(place.receivers.calls("release"))
    assert recover(place.home, settings) == []
    assert len(place.receivers.calls("release")) == before
    place.receivers.behave({1: {"release": [503]}})
    assert complete(place.home, settings) == [
        "Our organisation #2 by webhook: completed late",
        "Ships #2 by webhook: still lacks it",
    ]
    place.receivers.behave({})
    assert complete(place.home, settings, one) == ["Ships #2 by webhook: completed late"]
    assert complete(place.home, settings, one) == []
    answered = [(call.receiver, call.status) for call in place.receivers.calls("release")]
    assert sorted(yes for yes in answered if yes[1] == 204) == [(0, 204), (1, 204)]


def test_two_processes_that_complete_at_once_send_nothing_again_that_was_acknowledged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 0.4)
    monkeypatch.setattr(webhook, "COMPLETE_SECONDS", 0.4)
    settings, one = settings_for(place.home, audience=place.audience), sealed(place.home)
    place.receivers.behave({0: {"release": [503]}, 1: {"release": [503]}})
    started_again(place.home, place.audience, [one])
    monkeypatch.setattr(webhook, "COMPLETE_SECONDS", 20.0)
    place.receivers.behave({0: {"slow_seconds": 0.5}, 1: {"slow_seconds": 0.5}})
    with ThreadPoolExecutor(3) as pool:  # each with a ledger and channels of its own, as processes have
        said = list(pool.map(lambda _: complete(place.home, settings, one), range(3)))
    assert any("Ships #2 by webhook: completed late" in sentences for sentences in said)
    answered = Counter(call.receiver for call in place.receivers.calls("release") if call.status == 204)
    assert answered == {0: 1, 1: 1}


def test_however_often_it_was_sent_by_processes_that_were_killed_all_of_it_is_counted(place: Place) -> None:
    one = sealed(place.home)
    place.receivers.behave({0: {"release": [503]}})

    def came() -> list[Call]:
        return [call for call in place.receivers.calls("release") if call.receiver == 0]

    assert killed(place.home, place.audience, [one], until=lambda: len(came()) >= 3)
    again = CONTEXT.Process(target=started_again, args=(place.home, place.audience, [one]))
    again.start()
    while len(came()) < 5:
        assert again.is_alive()
        time.sleep(0.05)
    again.kill()
    again.join()
    place.receivers.behave({})
    report, _ = started_again(place.home, place.audience, [one])
    sent = {(delivery.recipient, delivery.channel): delivery.attempts for delivery in report.deliveries}
    assert len(came()) <= sent["Our organisation #2", "webhook"] <= len(came()) + 2  # two were killed as they began one
    assert len({call.headers["idempotency-key"] for call in came()}) == 1
    assert in_mart(place.home, "select max(attempts) from mart.deliveries") == [
        (sent["Our organisation #2", "webhook"],)
    ]


def test_what_lies_in_its_place_already_is_seen_and_not_put_there_again(place: Place) -> None:
    one = sealed(place.home)
    killed(place.home, place.audience[:2], [one], step="opened:2")
    found = place.home.path / "shares" / "all" / "passengers" / "2026-10" / "r1"
    before = found.stat().st_ino, (found / "release.json").stat().st_mtime_ns
    report, _ = started_again(place.home, place.audience[:2], [one])
    assert {d.status for d in report.deliveries} == {"delivered"}
    assert (found.stat().st_ino, (found / "release.json").stat().st_mtime_ns) == before
    with Ledger.open(place.home.ledger) as ledger:
        assert [d.attempts for d in ledger.deliveries(one)] == [1, 1, 1], "a rename is done once"
