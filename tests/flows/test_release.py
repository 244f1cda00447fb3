import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.channels import Open, Outcome, email
from flows.command.summary import deliveries
from flows.errors import ConfigurationError, HeldError
from flows.home import Home
from flows.release import Report, open_moment
from flows.releasing import opening, waiting
from flows.releasing.moment import plan, record, stage, withdraw
from flows.releasing.opening import PUNCTUAL, Stamps
from flows.releasing.recover import recover, retry
from flows.settings import Settings
from tests.flows.mail_receiver import mail_receiver
from tests.flows.receivers import Receivers, webhook_receivers
from tests.flows.sealed import files_below, sealed, settings_for
from warehouse import decisions
from warehouse.ledger import Ledger

TWO = ({"department": [], "folder": "shares/all"}, {"department": ["Ships"], "folder": "shares/ships"})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


@pytest.fixture
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path_factory.mktemp("hooks"), 2) as receivers:
        yield receivers


@pytest.fixture
def settings(home: Home) -> Settings:
    return settings_for(home, audience=TWO)


def ready(home: Home, settings: Settings, *release_ids: str, at: datetime | None = None) -> str:
    """The moment for which these releases are staged."""
    for release_id in release_ids:
        record(home, release_id)
    plan(home, release_ids, at=at)
    return stage(home, settings, release_ids)[0].moment_id


def released(home: Home, settings: Settings, *release_ids: str) -> Report:
    return open_moment(home, settings, ready(home, settings, *release_ids))


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def in_mart(home: Home, sql: str = "select distinct release_id from mart.promoter_metrics order by 1") -> list[object]:
    with duckdb.connect(os.path.realpath(home.published / "warehouse.duckdb"), read_only=True) as connection:
        return [row[0] for row in connection.execute(sql).fetchall()]


def state(home: Home, release_id: str) -> str | None:
    with Ledger.open(home.ledger) as ledger:
        return ledger.state(release_id)


def shared(home: Home, name: str, place: str = "passengers/2026-10/r1") -> dict[str, bytes]:
    return dict(files_below(home.path / "shares" / name / place))


def test_everyone_gets_the_same_content_byte_for_byte(home: Home, settings: Settings) -> None:
    one = sealed(home)
    report = released(home, settings, one)
    assert [d.status for d in report.deliveries] == ["delivered"] * 3
    assert report.breaches == ()
    assert report.missing == ()
    everywhere = [shared(home, "all"), shared(home, "ships")]
    site = dict(files_below(home.published / "site" / "passengers/2026-10/r1"))
    assert everywhere[0] == everywhere[1]
    assert everywhere[0].items() <= site.items()
    assert everywhere[0]["release.json"] == (home.releases / one / "release.json").read_bytes()
    assert in_mart(home) == [one]


def test_the_skew_and_the_register_are_published_with_the_release(home: Home, settings: Settings) -> None:
    report = released(home, settings, sealed(home))
    assert report.skew_ms is not None
    assert 0 < report.skew_ms < 100
    assert in_mart(home, "select skew_ms from mart.releases") == [report.skew_ms]
    assert in_mart(home, "select status from mart.deliveries") == ["delivered"] * 3
    assert in_mart(home, "select recipient from mart.deliveries order by recipient") == [
        *("Our organisation #1", "Ships #1", "everyone")
    ]


def test_who_takes_it_only_when_it_is_sent_again_received_it_late_and_the_skew_runs_to_him(
    home: Home, hooks: Receivers
) -> None:
    hooks.behave({1: {"release": [503, 503, 200]}})
    both = settings_for(home, audience=[{"webhook": {"url": hooks.url(0)}}, {"webhook": {"url": hooks.url(1)}}])
    report = released(home, both, sealed(home))
    first, second = (d for d in report.deliveries if d.channel == "webhook")
    assert (first.status, first.attempts, first.is_breach) == ("delivered", 1, False)
    assert (second.status, second.attempts, second.is_breach) == ("delivered", 3, True)
    taken = hooks.calls("release")[-1].at / 1e9
    assert second.opened_at is not None and abs(second.opened_at.timestamp() - taken) < 0.2
    assert report.skew_ms is not None and report.skew_ms > 700
    assert report.breaches == (f"the skew was {report.skew_ms:.1f} ms, above the tolerance of 100 ms",)
    assert in_mart(home, "select attempts from mart.deliveries where channel = 'webhook'") == [1, 3]
    register = (home.published / "site/passengers/2026-10/r1/en/register.html").read_text()
    assert "sent 3 times" in register
    assert "#2 received it late" in register


def test_a_rename_that_had_to_be_repeated_after_the_moment_was_late(home: Home, settings: Settings) -> None:
    held, aside = home.path / "shares" / "ships", home.path / "shares" / "aside"

    def away(step: str) -> None:
        if step == "committed":
            held.rename(aside)  # as where a share goes away for a while
        if step.startswith("opened:") and aside.exists() and step == "opened:2":
            aside.rename(held)

    moment = ready(home, settings, sealed(home))
    report = open_moment(home, settings, moment, on_step=away)
    states = {d.recipient: (d.status, d.attempts, d.is_breach) for d in report.deliveries}
    assert states["Ships #1"] == ("delivered", 2, True)
    assert states["Our organisation #1"] == ("delivered", 1, False)


def test_what_is_sent_again_after_a_kill_is_counted(home: Home, hooks: Receivers) -> None:
    one = settings_for(home, audience=[{"webhook": {"url": hooks.url(0)}}])
    moment = ready(home, one, sealed(home))
    step = "lambda step: step == 'opened:1' and os.kill(os.getpid(), 9)"
    audience = [{"webhook": {"url": hooks.url(0)}}]
    process = _process(home, f"open_moment(home, settings, {moment!r}, on_step={step})", audience=audience)
    assert process.wait(60) != 0
    recover(home, one)
    with Ledger.open(home.ledger) as ledger:
        (hook,) = (d for d in ledger.deliveries(ledger.released()[0].release_id) if d.channel == "webhook")
    assert (hook.status, hook.attempts, hook.is_breach) == ("delivered", 2, True)
    assert len(hooks.calls("release")) == 2


def test_a_moments_message_is_the_same_one_when_another_process_completes_a_single_release_of_it(
    home: Home, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 1.0)
    monkeypatch.setattr(email, "COMPLETE_SECONDS", 1.0)
    with mail_receiver(tmp_path_factory.mktemp("relay")) as relay:
        server = {"smtp": relay.url, "from": "zwerm@waddenlijn.example", "tls": "none", "max_connections": 1}
        person = {"email": {"to": ["jan@waddenlijn.example"], "server": "relay"}}
        mailed = settings_for(home, audience=[person], servers={"relay": server})
        relay.behave({"hang": True})
        first, second = sealed(home), sealed(home, survey="staff")
        report = released(home, mailed, first, second)
        assert {d.status for d in report.deliveries if d.channel == "email"} == {"unknown"}
        relay.behave({})
        monkeypatch.setattr(email, "COMPLETE_SECONDS", 20.0)
        retry(home, mailed, first)
        assert {mail.message["Message-ID"] for mail in relay.mails()} == {relay.mails()[0].message["Message-ID"]}
        assert relay.mails()[-1].message["Subject"] == "Our organisation: Passengers, Staff, 2 waves"
        assert relay.mails()[-1].text == relay.mails()[0].text
    with Ledger.open(home.ledger) as ledger:
        (mailed_late,) = (d for d in ledger.deliveries(first) if d.channel == "email")
    assert (mailed_late.status, mailed_late.is_breach) == ("delivered", True)
    assert mailed_late.attempts >= len(relay.mails()) >= 2  # what hung may have been cut off before it was a message
    first_time = next(d.opened_at for d in report.deliveries if d.channel == "email")
    assert mailed_late.opened_at is not None and first_time is not None
    assert mailed_late.opened_at - first_time > timedelta(seconds=1)


def test_messages_of_more_moments_than_a_server_takes_connections_are_completed_one_after_the_other(
    home: Home, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 0.5)
    monkeypatch.setattr(email, "COMPLETE_SECONDS", 0.5)
    with mail_receiver(tmp_path_factory.mktemp("relay")) as relay:
        server = {"smtp": relay.url, "from": "zwerm@waddenlijn.example", "tls": "none", "max_connections": 1}
        person = {"email": {"to": ["jan@waddenlijn.example"], "server": "relay"}}
        mailed = settings_for(home, audience=[person], servers={"relay": server})
        relay.behave({"answers": ["451 later"]})
        for survey in ("passengers", "staff"):
            report = released(home, mailed, sealed(home, survey=survey))
            assert {d.status for d in report.deliveries if d.channel == "email"} == {"failed"}
        relay.behave({})
        monkeypatch.setattr(email, "COMPLETE_SECONDS", 20.0)
        assert recover(home, mailed) == ["Our organisation #1 by email: completed late"] * 2
        taken = [mail for mail in relay.mails() if mail.answer.startswith("250")]
    assert len({mail.message["Message-ID"] for mail in taken}) == len(taken) == 2


def test_what_left_within_the_tolerance_is_on_time_and_what_left_after_it_or_again_is_late() -> None:
    stamps = Stamps((Open(("a", "b"), print),), (0,), (1_000_000,), 0)
    first, now = stamps.first, datetime.now(UTC)

    def outcome(milliseconds: float | None, attempts: int = 1) -> Outcome:
        sent_at = None if milliseconds is None else first + timedelta(milliseconds=milliseconds)
        return Outcome("a", "delivered", now, attempts=attempts, sent_at=sent_at)

    late = [stamps.is_late(o, tolerance_ms=100) for o in (outcome(None), outcome(40), outcome(140), outcome(40, 2))]
    assert late == [False, False, True, True]
    assert stamps.skew_ms([outcome(None)]) == 1.0
    assert stamps.skew_ms([outcome(140)]) == pytest.approx(140)
    assert stamps.opened_at([outcome(140)])["a"] == first + timedelta(milliseconds=140)
    assert stamps.opened_at([Outcome("b", "failed", now)]).keys() == {"a"}


def test_no_department_can_read_a_release_before_its_time(home: Home, settings: Settings) -> None:
    at = soon(4)
    moment = ready(home, settings, sealed(home, nps=12.3456), at=at)
    looked: list[tuple[datetime, list[str]]] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            seen = _readable(home.published) + _readable(home.path / "shares")
            looked.append((datetime.now(UTC), seen))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        report = open_moment(home, settings, moment, lead_seconds=30)
    finally:
        time.sleep(0.1)
        done.set()
        watcher.join()
    before = [seen for when, seen in looked if when < at]
    assert len(before) > 50
    assert {name for seen in before for name in seen} == set()
    assert len(looked[-1][1]) > 10
    opened = [d.opened_at for d in report.deliveries]
    assert all(at <= one for one in opened if one)
    is_punctual = all(one < at + PUNCTUAL for one in opened if one)
    assert is_punctual or any("after its time" in says for says in report.breaches), "late is told, never passed over"


def _readable(folder: Path) -> list[str]:
    """The files that an account which owns nothing can find and open below a folder, by the modes on the way."""
    found = []
    for path in folder.iterdir() if folder.exists() else ():
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                path, mode = path.resolve(), path.stat().st_mode
            if stat.S_ISDIR(mode) and mode & 0o005 == 0o005:
                found += _readable(path)
            elif stat.S_ISREG(mode) and mode & 0o004:
                found.append(str(path))
        except FileNotFoundError:
            continue
    return found


def test_a_refused_delivery_holds_the_release_for_everyone_and_a_retry_reaches_each_exactly_once(
    home: Home, settings: Settings
) -> None:
    (home.path / "shares").mkdir()
    (home.path / "shares" / "ships").write_text("a file is in the way")
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with pytest.raises(HeldError, match=r"passengers 2026-10: held, nobody has anything\. not ready: Ships #1") as held:
        stage(home, settings, [one])
    kept_by_prefect = str(held.value.in_public())
    assert "not ready: Ships #1" in kept_by_prefect
    assert one not in kept_by_prefect  # the id is a hash of what nobody may know yet
    assert str(home.path) not in kept_by_prefect
    assert state(home, one) == "held"
    assert [path.name for path in (home.path / "shares" / "all").rglob("*") if path.is_file()] == ["held.txt"]
    assert in_mart(home) == []
    (home.path / "shares" / "ships").unlink()
    (moment,) = retry(home, settings, one)
    report = open_moment(home, settings, moment.moment_id)
    assert [d.status for d in report.deliveries] == ["delivered"] * 3
    assert shared(home, "all") == shared(home, "ships") != {}
    with Ledger.open(home.ledger) as ledger:
        assert len(ledger.events(kinds=["delivered"])) == 3
        assert len(ledger.events(kinds=["opened"])) == 3


def test_one_who_is_not_ready_when_armed_holds_every_release_of_the_moment(home: Home, settings: Settings) -> None:
    first, second = sealed(home), sealed(home, survey="staff")
    moment = ready(home, settings, first, second)
    place = home.path / "shares" / "ships" / "staff" / "2026-10" / "r1"
    place.mkdir(parents=True)
    (place / "release.json").write_text("something else")
    with pytest.raises(HeldError, match=r"Ships #1 by folder: .*exists and is not this release"):
        open_moment(home, settings, moment)
    assert (state(home, first), state(home, second)) == ("held", "held")
    assert in_mart(home) == []
    assert shared(home, "all") == {}
    assert not list((home.path / "shares" / "all").glob(".zwerm-*"))


def test_a_held_release_says_on_the_published_site_that_and_why_it_is_held(home: Home, settings: Settings) -> None:
    released(home, settings, sealed(home))
    before = in_mart(home)
    (home.path / "shares" / "ships" / "passengers" / "2026-11").mkdir(parents=True)
    (home.path / "shares" / "ships" / "passengers" / "2026-11" / "r1").write_text("in the way")
    later = sealed(home, wave="2026-11", nps=-55.5)
    record(home, later)
    plan(home, [later])
    with pytest.raises(HeldError):
        stage(home, settings, [later])
    assert in_mart(home) == before
    index = (home.published / "site" / "index.html").read_text()
    assert "not ready: Ships #1 by folder" in index
    assert "in the way" not in index
    assert str(home.path) not in index
    assert "-55.5" not in index


def test_whom_two_holds_in_a_row_name_is_left_out_of_the_third_and_the_register_says_so(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.path / "shares").mkdir()
    (home.path / "shares" / "ships").write_text("a file is in the way")
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with pytest.raises(HeldError):
        stage(home, settings, [one])
    for _ in range(3):  # within seconds: a scheduler's retries
        with pytest.raises(HeldError):
            retry(home, settings, one)
    monkeypatch.setattr(decisions, "HOLDS_APART", timedelta())
    (moment,) = retry(home, settings, one)
    report = open_moment(home, settings, moment.moment_id)
    assert {d.recipient: d.status for d in report.deliveries} == {
        "everyone": "delivered",
        "Our organisation #1": "delivered",
        "Ships #1": "left_out",
    }
    assert in_mart(home, "select recipient from mart.deliveries where status = 'left_out'") == ["Ships #1"]
    assert "left out: Ships #1 by folder (two holds in a row)" in deliveries(report)


def test_a_department_that_nobody_but_its_manager_stands_for_holds_the_release(home: Home) -> None:
    settings = settings_for(home, audience=[{"department": ["Ships"], "folder": "x", "manager": True}])
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with pytest.raises(HeldError, match="Ships > Texel: its manager is its only recipient"):
        stage(home, settings, [one])
    assert state(home, one) == "held"


def test_two_releases_of_one_moment_open_together_and_both_stand_afterwards(home: Home, settings: Settings) -> None:
    first, second = sealed(home), sealed(home, survey="staff")
    at = soon(2.5)
    moment = ready(home, settings, first, at=at)
    assert ready(home, settings, second, at=at) == moment
    report = open_moment(home, settings, moment)
    assert {release.release_id for release in report.releases} == {first, second}
    assert in_mart(home) == sorted([first, second])
    with Ledger.open(home.ledger) as ledger:
        assert len(ledger.events(kinds=["released"])) == 1


def test_two_surveys_that_wait_at_the_same_time_both_stand_in_the_publication(home: Home, settings: Settings) -> None:
    waiting, other = sealed(home), sealed(home, survey="staff")
    at = soon(14)
    moment, unplanned = ready(home, settings, waiting, at=at), ready(home, settings, other)
    process = _process(home, f"open_moment(home, settings, {moment!r}, lead_seconds=1)")
    open_moment(home, settings, unplanned, clear_seconds=0)  # while the first one waits
    assert datetime.now(UTC) < at
    assert in_mart(home) == [other]
    assert process.wait(60) == 0
    assert in_mart(home) == sorted([waiting, other])


def test_a_second_process_for_the_same_moment_joins_and_nothing_is_sent_twice(home: Home, settings: Settings) -> None:
    moment = ready(home, settings, sealed(home), at=soon(12))
    process = _process(home, f"open_moment(home, settings, {moment!r})")
    report = open_moment(home, settings, moment)
    assert process.wait(60) == 0
    assert [d.status for d in report.deliveries] == ["delivered"] * 3
    with Ledger.open(home.ledger) as ledger:
        assert len(ledger.events(kinds=["released"])) == 1
        assert len(ledger.events(kinds=["opened"])) == 3
    assert open_moment(home, settings, moment).is_joined


def test_who_waits_for_a_moment_that_is_moved_waits_for_the_new_one(home: Home, settings: Settings) -> None:
    one = sealed(home)
    process = _process(home, f"open_moment(home, settings, {ready(home, settings, one, at=soon(3600))!r})")
    at = soon(12)
    ready(home, settings, one, at=at)  # by somebody who ends there
    assert process.wait(60) == 0
    assert state(home, one) == "confirmed"
    with Ledger.open(home.ledger) as ledger:
        assert all(d.opened_at is not None and d.opened_at >= at for d in ledger.deliveries(one))


def test_a_release_whose_time_passed_while_nothing_ran_is_held_unless_late_is_to_be_released(home: Home) -> None:
    settings = settings_for(home)
    moment = ready(home, settings, sealed(home), at=soon(-3600))
    with pytest.raises(HeldError, match="passed while nothing ran"):
        open_moment(home, settings, moment)
    lenient = settings_for(home, release={"late": "release"})
    moment = ready(home, lenient, sealed(home, survey="staff"), at=soon(-7200))
    report = open_moment(home, lenient, moment)
    assert [release.state for release in report.releases] == ["confirmed"]
    assert "after its time" in report.breaches[0]


def test_a_moment_cancelled_before_its_commit_is_held_with_that_reason(home: Home, settings: Settings) -> None:
    one = sealed(home)
    moment = ready(home, settings, one, at=soon(600))
    asked = threading.Event()
    threading.Timer(0.5, asked.set).start()
    with pytest.raises(HeldError, match="cancelled before its moment"):
        open_moment(home, settings, moment, is_cancelled=asked.is_set)
    assert state(home, one) == "held"


def test_an_interrupt_before_the_commit_holds_and_one_after_it_lets_everything_complete(
    home: Home, settings: Settings
) -> None:
    one, two = sealed(home), sealed(home, wave="2026-11")
    first = ready(home, settings, one, at=soon(600))
    process = _process(home, f"open_moment(home, settings, {first!r})")
    time.sleep(0.5)  # it waits by now
    process.send_signal(2)
    assert process.wait(60) != 0
    assert state(home, one) == "held"
    second = ready(home, settings, two)
    step = "lambda step: step == 'opened:0' and (os.kill(os.getpid(), 2), __import__('time').sleep(0.5))"
    process = _process(home, f"open_moment(home, settings, {second!r}, on_step={step})")
    assert process.wait(60) != 0
    assert state(home, two) == "confirmed"
    assert shared(home, "ships", "passengers/2026-11/r1") == shared(home, "all", "passengers/2026-11/r1") != {}


def test_planned_moments_are_the_same_or_two_minutes_apart(home: Home, settings: Settings) -> None:
    at = soon(3600)
    ready(home, settings, sealed(home), at=at)
    other = sealed(home, survey="staff")
    record(home, other)
    with pytest.raises(ConfigurationError, match="two minutes apart"):
        plan(home, [other], at=at + timedelta(seconds=90))


def test_a_withdrawn_release_takes_those_measured_against_it_along(home: Home, settings: Settings) -> None:
    first = sealed(home)
    second = sealed(home, wave="2026-11", previous_release_id=first)
    ready(home, settings, first, second, at=soon(3600))
    assert set(withdraw(home, settings, first, reason="a wrong file")) == {first, second}
    assert (state(home, first), state(home, second)) == ("withdrawn", "withdrawn")


def test_a_withdrawn_release_takes_along_those_that_show_its_figures_otherwise_and_theirs(
    home: Home, settings: Settings
) -> None:
    """The year before, a wave of the trend, one of a pooled window: none of it may be told once it is withdrawn."""
    out = sealed(home, wave="2026-09")
    released(home, settings, out)
    revised = sealed(home, wave="2025-10", revision=2)
    first = sealed(home, previous_release_id=out, earlier_release_ids=(revised, out))
    second = sealed(home, wave="2026-11", previous_release_id=first, earlier_release_ids=(out, first))
    other = sealed(home, wave="2026-12", previous_release_id=out, earlier_release_ids=(out,))
    ready(home, settings, revised, first, second, other, at=soon(3600))
    assert set(withdraw(home, settings, revised, reason="a wrong file")) == {revised, first, second}
    assert state(home, other) == "staged"


def test_a_release_waits_for_the_year_before_that_it_is_measured_against(home: Home, settings: Settings) -> None:
    before = sealed(home, wave="2025-10", revision=2)
    ready(home, settings, before, at=soon(3600))
    with pytest.raises(HeldError, match="2026-10 is measured against 2025-10, which is staged"):
        released(home, settings, sealed(home, earlier_release_ids=(before,)))


def test_a_release_is_not_opened_before_the_one_it_is_measured_against(home: Home, settings: Settings) -> None:
    first = sealed(home)
    second = sealed(home, wave="2026-11", previous_release_id=first)
    ready(home, settings, first, at=soon(3600))
    with pytest.raises(HeldError, match="2026-11 is measured against 2026-10, which is staged"):
        released(home, settings, second)


def test_a_revision_becomes_the_latest_and_the_earlier_one_stays_readable(home: Home, settings: Settings) -> None:
    first = sealed(home)
    released(home, settings, first)
    before = shared(home, "all")
    second = sealed(home, revision=2, nps=41.0)
    released(home, settings, second)
    assert in_mart(home, "select distinct release_id from mart.promoter_metrics where is_latest") == [second]
    assert in_mart(home) == sorted([first, second])
    assert shared(home, "all") == before
    assert (home.published / "site" / "passengers/2026-10/r1/en/index.html").exists()


def test_a_reader_of_the_published_warehouse_sees_the_old_release_then_the_new_one_and_no_mixture(
    home: Home, settings: Settings
) -> None:
    first, second = sealed(home), sealed(home, revision=2, nps=41.0)
    released(home, settings, first)
    reader = _reader(home)
    released(home, settings, second)
    time.sleep(0.5)
    (home.path / "stop").touch()
    out, error = reader.communicate(timeout=60)
    assert reader.returncode == 0, error
    seen = json.loads(out)
    assert seen == [[first], sorted([first, second])]


def test_content_that_the_moment_adds_is_on_no_page_of_the_waiting_time(home: Home, settings: Settings) -> None:
    released(home, settings, sealed(home))
    before = files_below(home.published / "site")
    ready(home, settings, sealed(home, wave="2026-11", nps=77.7777), at=soon(3600))
    assert files_below(home.published / "site") == before
    assert recover(home, settings) == []


def _process(home: Home, code: str, *, audience: object = TWO) -> subprocess.Popen[bytes]:
    """A process of its own that runs one line with `home` and `settings` at hand; returned when it begins to."""
    lines = f"""
    import os
    from pathlib import Path
    from flows.home import Home
    from flows.release import open_moment
    from tests.flows.sealed import settings_for
    home = Home(Path({str(home.path)!r}))
    settings = settings_for(home, audience={audience!r})
    print("begins", flush=True)
    {code}
    """
    command = [sys.executable, "-c", textwrap.dedent(lines)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout as said:
        assert said.readline() == b"begins\n"
    return process


def _reader(home: Home) -> subprocess.Popen[str]:
    lines = f"""
    import json, os, duckdb
    seen = []
    while not os.path.exists({str(home.path / "stop")!r}):
        path = os.path.realpath({str(home.published / "warehouse.duckdb")!r})
        with duckdb.connect(path, read_only=True) as connection:
            tables = [
                sorted(row[0] for row in connection.execute(f"select distinct release_id from mart.{{t}}").fetchall())
                for t in ("promoter_metrics", "releases", "departments", "quality", "deliveries")
            ]
        assert all(table == tables[0] for table in tables), tables
        if not seen:
            print("begins", flush=True)
        if not seen or seen[-1] != tables[0]:
            seen.append(tables[0])
    print(json.dumps(seen))
    """
    command = [sys.executable, "-c", textwrap.dedent(lines)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    assert reader.stdout.readline() == "begins\n"
    return reader


@pytest.fixture(autouse=True)
def no_leftovers(home: Home) -> Iterator[None]:
    """Whatever a test does, what it leaves in the private folder is nothing that was released to nobody."""
    yield
    left = list((home.published / ".next").glob("*")) if (home.published / ".next").exists() else []
    assert left == []


def test_what_is_published_is_never_left_out_however_often_it_was_not_ready(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "HOLDS_APART", timedelta())
    (home.published / "site").write_text("a file is in the way")
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with pytest.raises(HeldError, match="site is in the way of the link that Zwerm makes there; move it elsewhere"):
        stage(home, settings, [one])
    for _ in range(3):
        with pytest.raises(HeldError, match="everyone by published"):
            retry(home, settings, one)
    (home.published / "site").unlink()
    (moment,) = retry(home, settings, one)
    assert {d.status for d in open_moment(home, settings, moment.moment_id).deliveries} == {"delivered"}


# -- one moment for every way out


def test_each_way_out_comes_up_its_own_window_before_the_time_and_all_open_at_that_one_time(
    home: Home, hooks: Receivers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hooks.behave({0: {"drop_seconds": 4.0}})  # a server that could not hold a connection for as long as arming takes
    at = soon(11)
    with mail_receiver(tmp_path_factory.mktemp("relay")) as relay:
        everybody = settings_for(
            home,
            audience=[
                *({"department": ["Ships"], "webhook": {"url": hooks.url(number)}} for number in (0, 1)),
                {"department": [], "email": {"to": ["jan@waddenlijn.example"], "server": "relay"}},
                {"department": [], "share": str(home.path / "mounted")},
                *TWO,
            ],
            servers={"relay": {"smtp": relay.url, "from": "zwerm@waddenlijn.example", "tls": "none"}},
            release={"windows": {"webhook": 2.0, "email": 3.0, "share": 4.0}, "tolerance_ms": 1000},
        )
        (home.path / "mounted").mkdir()
        moment = ready(home, everybody, sealed(home), at=at)
        staged_at = datetime.now(UTC)
        armed: list[float] = []

        def looking() -> bool:
            if not armed and list((home.path / "shares").glob("*/.zwerm-*/release")):
                armed.append((at - datetime.now(UTC)).total_seconds())
            return False

        report = open_moment(home, everybody, moment, is_cancelled=looking)
        connected = [one.at / 1e9 for one in hooks.log() if one.what == "connected"]
        spoken: dict[int, float] = {}
        for one in relay.log():
            spoken.setdefault(one.connection, one.at / 1e9)
    assert report.missing == ()
    opened = [delivery.opened_at for delivery in report.deliveries]
    assert len(opened) == 7
    assert all(one is not None and at <= one for one in opened), "nobody has another T"
    is_punctual = all(one < at + timedelta(seconds=1) for one in opened if one)
    assert is_punctual or report.breaches, "late is told, never passed over"
    assert armed[0] > 4.5, "what is local and slow is begun with at once"
    held = [at.timestamp() - one for one in connected if 0 < at.timestamp() - one < 5]
    assert len(held) == 2
    assert all(seconds <= 2.0 for seconds in held)
    mailed = [at.timestamp() - one for one in spoken.values() if one > staged_at.timestamp()]
    assert mailed
    assert all(0 < seconds <= 3.0 for seconds in mailed)


def test_a_server_that_drops_what_it_should_hold_for_its_window_is_not_ready_and_holds_for_all(
    home: Home, hooks: Receivers
) -> None:
    hooks.behave({0: {"drop_seconds": 0.7}})
    both = settings_for(
        home,
        audience=[*TWO, {"webhook": {"url": hooks.url(0)}}],
        release={"windows": {"webhook": 2.0}},
    )
    one = sealed(home)
    with pytest.raises(HeldError, match="closed the connection held for T"):
        open_moment(home, both, ready(home, both, one, at=soon(5)))
    assert state(home, one) == "held"
    assert hooks.calls("release") == []
    assert shared(home, "all") == {}


class Terminated(BaseException):
    """What Prefect raises in the main thread of a flow that is cancelled in its pages."""


@pytest.mark.parametrize(
    ("step", "ends"),
    [("arming", "held"), ("armed", "held"), *((step, "confirmed") for step in ("committed", "opened:1", "confirmed"))],
)
def test_cancelled_before_the_commit_it_is_held_with_that_reason_and_after_it_completed_first(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str, ends: str
) -> None:
    def terminate(number: int, frame: object) -> None:
        raise Terminated

    earlier = signal.signal(signal.SIGTERM, terminate)
    monkeypatch.setattr(waiting, "PACE_SECONDS", 0.02)
    one = sealed(home)
    moment = ready(home, settings, one, at=soon(3) if ends == "held" else None)

    def cancel(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.3)

    try:
        with pytest.raises(Terminated):
            open_moment(home, settings, moment, on_step=cancel)
    finally:
        signal.signal(signal.SIGTERM, earlier)
    with Ledger.open(home.ledger) as ledger:
        release = ledger.release(one)
        assert release is not None
        assert release.state == ends
        assert release.stated_reason == ("cancelled before its moment" if ends == "held" else None)
        statuses = {delivery.status for delivery in ledger.deliveries(one)}
    assert statuses == ({None} if ends == "held" else {"delivered"})
    assert (shared(home, "all") != {}) == (ends == "confirmed")


def test_it_is_heeded_at_once_when_somebody_cancels_between_two_windows(home: Home, hooks: Receivers) -> None:
    both = settings_for(home, audience=[*TWO, {"webhook": {"url": hooks.url(0)}}])
    moment = ready(home, both, sealed(home), at=soon(25))
    asked = threading.Event()
    threading.Timer(1.5, asked.set).start()
    began = time.monotonic()
    with pytest.raises(HeldError, match="cancelled before its moment"):
        open_moment(home, both, moment, is_cancelled=asked.is_set)
    assert time.monotonic() - began < 8
    assert [json.loads(call.body)["reason"] for call in hooks.calls("held")] == ["cancelled before its moment"]
    assert not list((home.path / "shares").glob("*/.zwerm-*"))


def test_a_withdrawal_is_told_to_everyone_at_once_with_its_reason_and_no_figure(home: Home, hooks: Receivers) -> None:
    both = settings_for(home, audience=[{"webhook": {"url": hooks.url(0)}}, {"webhook": {"url": hooks.url(1)}}])
    one = sealed(home, nps=12.3456)
    ready(home, both, one, at=soon(3600))
    withdraw(home, both, one, reason="a wrong file")
    told = [json.loads(call.body) for call in hooks.calls("withdrawn")]
    assert told == [{"reason": "a wrong file", "survey": "passengers", "wave": "2026-10"}] * 2
    index = (home.published / "site" / "index.html").read_text()
    assert "a wrong file" in index
    assert not any("12.3456" in said for said in (index, json.dumps(told)))


def test_whom_two_holds_at_arming_name_is_left_out_and_asked_again_at_the_next_release(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "HOLDS_APART", timedelta())
    one = sealed(home)
    place = home.path / "shares" / "ships" / "passengers" / "2026-10" / "r1"
    place.mkdir(parents=True)
    (place / "release.json").write_text("something else")
    for number in range(2):
        with pytest.raises(HeldError, match="Ships #1 by folder"):
            if number == 0:
                released(home, settings, one)
            else:
                open_moment(home, settings, retry(home, settings, one)[0].moment_id)
    (moment,) = retry(home, settings, one)
    report = open_moment(home, settings, moment.moment_id)
    assert [(d.recipient, d.status) for d in report.deliveries if d.status != "delivered"] == [("Ships #1", "left_out")]
    assert "left out" in (home.published / "site/passengers/2026-10/r1/en/register.html").read_text()
    shutil.rmtree(place)
    following = released(home, settings, sealed(home, wave="2026-11"))
    assert {d.status for d in following.deliveries} == {"delivered"}
