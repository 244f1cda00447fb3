"""What people complain about where reports are sent by others' tools, and what famously leaked: none of it is so here.

Receivers run in processes of their own and keep the raw bytes with the time at which they came. Each test's first line
is the complaint, in our words.
"""

import json
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.channels import webhook
from flows.command.summary import deliveries
from flows.errors import HeldError
from flows.home import Home
from flows.orchestration.site_server import site
from flows.release import Report, open_moment
from flows.releasing import opening
from flows.releasing.moment import plan, record, stage
from flows.releasing.recover import recover, retry
from flows.settings import Settings
from tests.flows.killed import killed
from tests.flows.mail_receiver import MailReceiver, mail_receiver
from tests.flows.receivers import Receivers, webhook_receivers
from tests.flows.sealed import sealed, settings_for
from warehouse.ledger import Ledger

MANY = 24
NPS = 48.1516
AT_ONCE_SECONDS = 1.0  # on a host that does much else besides; what a release took stands in its register
AUDIENCE = list[dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def hooks(tmp_path: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "hooks", MANY) as receivers:
        yield receivers


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[MailReceiver]:
    with mail_receiver(tmp_path / "relay") as receiver:
        yield receiver


def servers(relay: MailReceiver, *, most: int = 2) -> dict[str, Any]:
    said = {"smtp": relay.url, "from": "zwerm@waddenlijn.example", "tls": "none", "max_connections": most}
    return {"relay": said}


def hooked(hooks: Receivers, count: int, **more: Any) -> AUDIENCE:
    return [{"department": ["Ships"], "webhook": {"url": hooks.url(number), **more}} for number in range(count)]


def ready(home: Home, settings: Settings, release_id: str, *, at: datetime | None = None) -> str:
    record(home, release_id)
    plan(home, [release_id], at=at)
    return stage(home, settings, [release_id])[0].moment_id


def released(home: Home, settings: Settings, release_id: str) -> Report:
    return open_moment(home, settings, ready(home, settings, release_id))


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def came(hooks: Receivers) -> Counter[int]:
    """How often each receiver got a release."""
    return Counter(call.receiver for call in hooks.calls("release"))


def keys(hooks: Receivers) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = {}
    for call in hooks.calls("release"):
        found.setdefault(call.receiver, set()).add(call.headers["idempotency-key"])
    return found


def test_recipients_are_not_spread_over_minutes(home: Home, hooks: Receivers, relay: MailReceiver) -> None:
    """Some have the report at nine, others ten minutes later: who is slow keeps everybody behind him waiting."""
    hooks.behave({number: {"slow_seconds": 1.5} for number in range(0, MANY, 3)})
    mailed = [{"email": {"to": [f"p{number}@waddenlijn.example"], "server": "relay"}} for number in range(20)]
    folders = [{"folder": f"shares/{number}"} for number in range(5)]
    settings = settings_for(home, audience=[*hooked(hooks, MANY), *mailed, *folders], servers=servers(relay))
    report = released(home, settings, sealed(home))
    assert {delivery.status for delivery in report.deliveries} == {"delivered"}
    assert report.skew_ms is not None
    assert report.skew_ms < AT_ONCE_SECONDS * 1000
    whole = [call.at for call in hooks.calls("release")] + [mail.at for mail in relay.mails()]
    assert len(whole) == MANY + len(relay.mails())
    assert (max(whole) - min(whole)) / 1e9 < AT_ONCE_SECONDS


def test_one_failing_recipient_does_not_make_a_retry_send_to_everybody_again(
    home: Home, hooks: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One address of fifty fails, the task is run again, and forty-nine people get the same report twice."""
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 1.5)
    monkeypatch.setattr(webhook, "COMPLETE_SECONDS", 1.5)
    hooks.behave({3: {"release": [503]}})
    settings, one = settings_for(home, audience=hooked(hooks, 6)), sealed(home)
    report = released(home, settings, one)
    assert [(delivery.recipient, delivery.status) for delivery in report.missing] == [("Ships #4", "failed")]
    before = came(hooks)
    assert {number: before[number] for number in range(6) if number != 3} == dict.fromkeys((0, 1, 2, 4, 5), 1)
    assert 2 <= before[3] <= 10, "with pauses in between, and an end"
    hooks.behave({})
    assert retry(home, settings, one) == ()
    assert came(hooks) - before == {3: 1}
    retry(home, settings, one)
    assert came(hooks) - before == {3: 1}
    assert {len(each) for each in keys(hooks).values()} == {1}


@pytest.mark.parametrize("step", ["confirmed", "opened:2"])
def test_nothing_is_doubled_by_a_restart(home: Home, hooks: Receivers, step: str) -> None:
    """The server was restarted while it sent, and began again from the top: everybody has two."""
    audience, one = hooked(hooks, 5), sealed(home)
    assert killed(home, audience, [one], step=step)
    acknowledged = came(hooks) if step == "confirmed" else Counter[int]()
    settings = settings_for(home, audience=audience)
    recover(home, settings)
    assert recover(home, settings) == []
    times = came(hooks)
    assert set(times) == set(range(5))
    assert all(times[number] == count == 1 for number, count in acknowledged.items()), "never after an answer"
    assert max(times.values()) <= 2, "what was under way at the kill cannot be told by anyone"
    assert {len(each) for each in keys(hooks).values()} == {1}, "so it comes under the key that a receiver knows"
    with Ledger.open(home.ledger) as ledger:
        counted = {state.recipient: state.attempts for state in ledger.deliveries(one) if state.channel == "webhook"}
    assert all(counted[f"Ships #{number + 1}"] >= times[number] for number in range(5)), "and it is counted"


def test_two_schedulers_do_not_send_twice(home: Home, hooks: Receivers) -> None:
    """Two schedulers were running, an old one and its successor: everybody got everything from both."""
    audience, one = hooked(hooks, 5), sealed(home)
    both = [_scheduler(home, audience, one) for _ in range(2)]
    assert [process.stdout and process.stdout.readline() for process in both] == ["ready\n"] * 2
    at = soon(5)
    for process in both:
        assert process.stdin is not None
        process.stdin.write(f"{at.isoformat()}\n")
        process.stdin.flush()
    for process in both:
        process.communicate(timeout=90)
    codes = sorted(process.returncode for process in both)
    assert codes[0] == 0, "one of them opened it"
    assert codes[1] in (0, 3), "the other joined, or was told that it is being opened"
    assert came(hooks) == dict.fromkeys(range(5), 1)
    assert all(call.at / 1e9 >= at.timestamp() for call in hooks.calls("release"))
    with Ledger.open(home.ledger) as ledger:
        assert len(ledger.events(kinds=("released",))) == 1
        assert {state.attempts for state in ledger.deliveries(one)} == {1}


def _scheduler(home: Home, audience: AUDIENCE, release_id: str) -> "subprocess.Popen[str]":
    """A process that stages a release for the time that it reads and opens it; it ends with 3 where another has it."""
    lines = f"""
    import sys
    from datetime import datetime
    from pathlib import Path
    from flows.home import Home
    from flows.release import open_moment
    from flows.releasing.moment import plan, record, stage
    from tests.flows.sealed import settings_for
    from warehouse import WarehouseError
    home = Home(Path({str(home.path)!r}))
    settings = settings_for(home, audience={audience!r})
    record(home, {release_id!r})
    print("ready", flush=True)
    at = datetime.fromisoformat(input())
    try:
        plan(home, [{release_id!r}], at=at)
        moments = stage(home, settings, [{release_id!r}])
    except WarehouseError:
        sys.exit(3)
    open_moment(home, settings, moments[0].moment_id)
    """
    command = [sys.executable, "-c", textwrap.dedent(lines)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def test_nothing_is_called_a_success_while_nothing_was_sent(
    home: Home, hooks: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says success, a green tick for each; weeks later it turns out that nobody ever received anything."""
    monkeypatch.setattr(opening, "CONFIRM_SECONDS", 1.5)
    monkeypatch.setattr(webhook, "COMPLETE_SECONDS", 1.5)
    hooks.behave(
        {
            0: {"hang_up": ["release"]},  # takes it, and says nothing
            1: {"release": [500]},
            2: {"silent": ["release"]},
        }
    )
    settings, one = settings_for(home, audience=hooked(hooks, 3)), sealed(home)
    report = released(home, settings, one)
    assert [delivery.status for delivery in report.deliveries] == ["delivered", "unknown", "failed", "unknown"]
    assert len(report.missing) == 3
    said = deliveries(report)
    assert said[0] == "1 of 4 deliveries made", "what everyone reads on the site"
    assert sum(line.startswith("missing: Ships #") for line in said) == 3
    register = (home.published / "site/passengers/2026-10/r1/en/register.html").read_text()
    for number in (1, 2, 3):
        assert f"#{number}" in register
    assert "delivered" not in {d.status for d in report.missing}

    hooks.behave({number: {"ready": [500]} for number in range(3)})
    nobody = sealed(home, wave="2026-11")
    with pytest.raises(HeldError, match="held, nobody has anything") as held:
        released(home, settings, nobody)
    assert held.value.exit_code == 4


def test_a_server_that_takes_few_connections_is_no_reason_to_spread_the_sends(home: Home, relay: MailReceiver) -> None:
    """The advice: your server cannot bear it, so schedule the groups some minutes after one another."""
    people = [
        {"language": language, "email": {"to": [f"{language}{number}@waddenlijn.example"], "server": "relay"}}
        for number in range(60)
        for language in ("en", "nl")
    ]
    settings = settings_for(
        home,
        audience=people,
        servers=servers(relay, most=2),
        organisation={"name": "Waddenlijn", "languages": ["en", "nl"]},
    )
    report = released(home, settings, sealed(home))
    assert {delivery.status for delivery in report.deliveries} == {"delivered"}
    mails = relay.mails()
    assert sorted(len(mail.recipients) for mail in mails) == [60, 60], "one message per language"
    assert len({address for mail in mails for address in mail.recipients}) == 120
    assert (max(mail.at for mail in mails) - min(mail.at for mail in mails)) / 1e9 < AT_ONCE_SECONDS
    assert not any(address in mail.content.decode() for mail in mails for address in mail.recipients)


def test_nobody_buys_the_figures_two_seconds_early(home: Home, hooks: Receivers, relay: MailReceiver) -> None:
    """Whoever paid had the survey two seconds before everybody, by a contract that tolerated half a second more."""
    plain, closed = hooked(hooks, 4), hooked(hooks, 8, sealed=True)[4:]
    people: AUDIENCE = [{"email": {"to": ["all@waddenlijn.example"], "server": "relay"}}]
    folders: AUDIENCE = [{"folder": "shares/all"}]
    settings = settings_for(home, audience=[*plain, *closed, *people, *folders], servers=servers(relay))
    at = soon(7)
    moment_id = ready(home, settings, sealed(home, nps=NPS), at=at)
    seen: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            if (home.path / "shares/all/passengers/2026-10/r1/release.json").exists():
                seen.append(time.time())
                return

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        report = open_moment(home, settings, moment_id)
    finally:
        done.set()
        watcher.join()
    assert {delivery.status for delivery in report.deliveries} == {"delivered"}
    nanoseconds = at.timestamp() * 1e9
    early = b"".join(one.data for one in hooks.log() if one.at < nanoseconds)
    assert b"Zwerm-Event: ready" in early
    assert b"Zwerm-Event: sealed" in early
    assert not any(word in early for word in (b"Zwerm-Event: release", b"Zwerm-Event: key", str(NPS).encode()))
    opened = [call.at for event in ("release", "key") for call in hooks.calls(event)]
    assert len(opened) == 8
    assert min(opened) >= nanoseconds, "not two seconds early, not 15 ms, not at all"
    assert not any(b"Subject:" in one.data for one in relay.log() if one.at < nanoseconds)
    assert min(mail.at for mail in relay.mails()) >= nanoseconds
    assert seen
    assert seen[0] >= at.timestamp()


def test_a_guessed_address_and_a_bypassed_scheduler_show_nothing_before_the_time(home: Home) -> None:
    """The document lay at a name that could be guessed, past the scheduler: it was fetched at the forty-fourth try."""
    settings = settings_for(home)
    first = sealed(home, wave="2026-09")
    released(home, settings, first)
    one, at = sealed(home, nps=NPS), soon(5)
    moment_id = ready(home, settings, one, at=at)
    place = "passengers/2026-10/r1"
    guesses = [
        *(f"{place}/en/{name}.html" for name in ("index", "register", "method", "departments", "quality")),
        *(f"{place}/{name}" for name in ("release.json", "downloads/promoter_metrics.csv", "manifest.json", "")),
        *(f"{folder}/{place}/en/index.html" for folder in (one, "next", ".next", ".r", "current", "draft", "preview")),
        *(f"../{folder}/{one}/release.json" for folder in ("releases", ".next", ".r", "working")),
        *(f"passengers/2026-10/r{revision}/en/index.html" for revision in range(2, 6)),
        *(f"passengers/2026-10/{name}" for name in (one, one[:8], "index.html", "r1.html", "latest")),
    ]
    errors: list[BaseException] = []

    def bypass() -> None:  # nobody's schedule: it is opened by hand, as soon as it is there
        try:
            open_moment(home, settings, moment_id)
        except BaseException as error:
            errors.append(error)

    by_hand = threading.Thread(target=bypass)
    with site(home.published / "site", host="127.0.0.1", port=0) as address, httpx.Client(base_url=address) as client:
        assert client.get("/passengers/2026-09/r1/en/index.html").status_code == 200
        by_hand.start()
        tries, found = 0, None
        while found is None and time.time() < at.timestamp() + 30:
            for guess in guesses:
                answer, tries = client.get(f"/{guess}"), tries + 1
                if answer.status_code == 200:
                    found = guess
                    break
                assert str(NPS) not in answer.text
        by_hand.join(60)
        assert errors == []
        assert found is not None
        assert time.time() >= at.timestamp(), f"{found} was there after {tries} tries"
        assert tries > 44
        assert client.get(f"/{place}/en/index.html").status_code == 200
    hidden = [path for path in (home.published / ".next", home.releases) if path.exists()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in hidden)
    assert (home.published / ".r").stat().st_mode & 0o004 == 0, "no one lists what has a random name"
    manifest = json.loads((home.releases / one / "manifest.json").read_text())
    assert manifest["wave"] == "2026-10"
