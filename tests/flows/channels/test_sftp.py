"""By SFTP nothing that can be read arrives before T, and nothing is written again that was acknowledged.

What arrived, and when, is told by the server's own log; the server is a process of its own.
"""

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import asyncssh
import pytest
from pydantic import ValidationError

from flows.channels import Delivery, Outcome, Refusal
from flows.channels.envelope import MARK, key_of, unpack, unseal
from flows.channels.sftp import SftpChannel
from flows.channels.sftp_login import folder_of
from flows.command.doctor.hosts import hosts
from flows.errors import HeldError
from flows.home import Home
from flows.recipients import Sftp
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage
from flows.releasing.recover import retry
from tests.flows.killed import killed, started_again
from tests.flows.sealed import files_below, sealed, settings_for
from tests.flows.sftp_server import PASSWORD, Behaviour, Operation, SftpServer, sftp_server
from warehouse.publish import contents

READABLE = (b"39.8398", b"passengers", b"2026-10", b"Waddenlijn", b"nps")
PLACE = "passengers/2026-10/r1"


@pytest.fixture(scope="module")
def client_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "id_ed25519"
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(path), "pkcs8-pem", passphrase=PASSWORD)
    key.write_public_key(str(path.with_suffix(".pub")))
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, client_key: Path) -> Iterator[SftpServer]:
    public = client_key.with_suffix(".pub").read_text()
    with sftp_server(tmp_path_factory.mktemp("sftp"), authorized_key=public) as server:
        yield server


@pytest.fixture
def server(running: SftpServer) -> Iterator[SftpServer]:
    running.behave({})
    yield running
    running.behave({})


@pytest.fixture
def place() -> str:
    """A folder on the server that is this test's alone."""
    return secrets.token_hex(4) + "-texel"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def release(home: Home) -> str:
    return sealed(home)


@pytest.fixture
def known_hosts(server: SftpServer, tmp_path: Path) -> str:
    return str(server.known_hosts(tmp_path / "known_hosts"))


def delivery(release: str, url: str, known_hosts: str, **said: object) -> Delivery:
    target = Sftp.model_validate({"url": url, "known_hosts": known_hosts, "password": PASSWORD, **said})
    return Delivery(secrets.token_hex(16), release, "Ships > Texel #1", "sftp", "nl", target)


def channel(home: Home, *some: Delivery) -> SftpChannel:
    releases = {each.release_id: home.releases / each.release_id for each in some}
    return SftpChannel(some, releases=releases, settings=settings_for(home))


def ready(home: Home, *some: Delivery, seconds: float = 30) -> SftpChannel:
    folders = channel(home, *some)
    assert folders.stage() == []
    assert folders.arm(until=datetime.now(UTC) + timedelta(seconds=seconds)) == []
    return folders


def open_all(folders: SftpChannel) -> int:
    at = time.time_ns()
    for each in folders.opens():
        each.send()
    return at


def confirmed(folders: SftpChannel, *, seconds: float = 25) -> dict[str, Outcome]:
    return {outcome.delivery_id: outcome for outcome in folders.confirm(deadline=time.monotonic() + seconds)}


def once_refused(server: SftpServer, place: str, behaviour: Behaviour) -> None:
    """Let the server behave otherwise, a little after it left an operation without a good answer."""

    def wait() -> None:
        ends = time.monotonic() + 20
        while time.monotonic() < ends and all(each.answered_at for each in server.log(place)[came:]):
            time.sleep(0.02)
        time.sleep(0.3)
        server.behave(behaviour)

    came = len(server.log(place))
    threading.Thread(target=wait, daemon=True).start()


def sealed_files(home: Home, release: str) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in contents(home.releases / release).items()}


def written(log: Sequence[Operation]) -> list[str]:
    """What was written and acknowledged, in order, each with the bytes it got."""
    return [one.paths[-1] for one in log if one.what == "write" and one.answered_at is not None]


def assert_delivered_once(server: SftpServer, place: str, home: Home, release: str) -> None:
    """The same bytes as everywhere, nothing beside them, and no file written again once that was acknowledged."""
    files = {f"{PLACE}/{name}": content for name, content in sealed_files(home, release).items()}
    assert files_below(server.root / place) == files
    plain = [path for path in written(server.log(place)) if ".plain/" in path]
    assert len(plain) == len(set(plain))
    keys = [path for path in written(server.log(place)) if path.endswith(".key.part")]
    assert len(keys) <= 1


def test_no_key_byte_and_no_readable_byte_arrives_before_the_moment(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    some = [delivery(release, server.url(f"{place}/{number}"), known_hosts) for number in range(3)]
    folders = ready(home, *some)
    assert folders.still_ready() == []
    time.sleep(0.2)
    opened_at = open_all(folders)
    outcomes = confirmed(folders)
    log = server.log(place)
    assert not any(word in caplog.text for word in (PASSWORD, "39.8398"))
    before = [one for one in log if one.at < opened_at]
    keys = [key_of(each.delivery_id, secret=home.secret()) for each in some]
    assert all(any(key == one.data for one in log) for key in keys)
    assert not any(key in one.data for one in before for key in keys)
    assert not any(word in one.data for one in before for word in READABLE)
    assert not any("passengers" in path or "r1" in path for one in before for path in one.paths), "nor asked for"
    assert any(one.what == "write" and one.data.startswith(MARK) for one in before)
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
    for number in range(3):
        assert_delivered_once(server, f"{place}/{number}", home, release)


def test_the_key_opens_what_lies_there_and_its_time_is_when_the_host_acknowledged_it(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    server.behave({"hang": ["mkdir"]})
    open_all(folders)
    outcome = confirmed(folders, seconds=2)[one.delivery_id]
    (renamed,) = (each for each in server.log(place) if each.paths[-1].endswith(".key"))
    assert renamed.answered_at is not None
    assert outcome.status == "unknown"
    assert outcome.detail.startswith("has the key to the closed envelope, and no plain copies")
    assert outcome.sent_at is not None
    late = outcome.sent_at.timestamp() - renamed.answered_at / 1e9
    assert -0.001 < late < 1
    held = files_below(server.root / place)
    envelope, key = (held[f".zwerm-{one.delivery_id}.{kind}"] for kind in ("sealed", "key"))
    assert unpack(unseal(envelope, key)) == sealed_files(home, release)
    server.behave({})
    (outcome,) = channel(home, one).complete([one.delivery_id], deadline=inf)
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert_delivered_once(server, place, home, release)


def test_folders_on_one_host_and_account_share_one_connection(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    server.behave({"most_connections": 1})
    some = [delivery(release, server.url(f"{place}/{number}"), known_hosts) for number in range(4)]
    folders = ready(home, *some)
    assert len(folders.opens()) == 1
    open_all(folders)
    assert {outcome.status for outcome in confirmed(folders).values()} == {"delivered"}


def test_a_host_that_takes_no_more_connections_is_refused(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    server.behave({"most_connections": 0})
    (refusal,) = channel(home, delivery(release, server.url(place), known_hosts)).stage()
    assert refusal.reason == f"127.0.0.1:{server.port} closed the connection"


@pytest.mark.parametrize("known", ["not there", "empty", "another key"])
def test_a_host_whose_key_is_not_known_is_refused_with_what_to_do_and_never_trusted(
    known: str, server: SftpServer, place: str, home: Home, release: str, tmp_path: Path
) -> None:
    path = tmp_path / "hosts"
    if known != "not there":
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        path.write_text("" if known == "empty" else f"[127.0.0.1]:{server.port} {other}")
    folders = channel(home, delivery(release, server.url(place), str(path)))
    for refusals in (folders.stage(), folders.arm(until=datetime.now(UTC))):
        (refusal,) = refusals
        todo = "only then replace it there" if known == "another key" else f"ssh-keyscan -p {server.port} 127.0.0.1"
        assert str(path) in refusal.reason
        assert todo in refusal.reason
    folders.abandon()
    assert server.log(place) == []


def test_a_private_key_with_its_pass_phrase_logs_in(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str, client_key: Path
) -> None:
    folders = ready(home, delivery(release, server.url(place), known_hosts, private_key=str(client_key)))
    folders.abandon()


def test_nothing_of_the_accounts_own_ssh_files_counts(
    server: SftpServer,
    place: str,
    home: Home,
    release: str,
    known_hosts: str,
    client_key: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = tmp_path / ".ssh"
    own.mkdir(mode=0o700)
    (own / "config").write_text("Host *\n  User mallory\n  Port 1\n  ProxyCommand false\n")
    (own / "known_hosts").write_text(Path(known_hosts).read_text())
    asyncssh.read_private_key(client_key, PASSWORD).write_private_key(str(own / "id_ed25519"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "nobody").write_text("")
    ready(home, delivery(release, server.url(place), known_hosts)).abandon()
    for said in ({"known_hosts": str(tmp_path / "nobody")}, {"password": "wrong"}):
        assert len(channel(home, delivery(release, server.url(place), **{"known_hosts": known_hosts, **said})).stage())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"password": "wrong"}, "refuses the log-in as zwerm"),
        ({"password": None}, "has neither a private_key nor a password in [[audience]]; give one of the two"),
        ({"private_key": "none.pem"}, "there is no private key"),
        ({"private_key": "KEY", "password": "wrong"}, "is no private key, or the password does not open it"),
    ],
    ids=["password", "nothing", "no file", "pass phrase"],
)
def test_who_cannot_log_in_is_refused_without_a_secret_in_the_reason(
    said: dict[str, object],
    reason: str,
    server: SftpServer,
    place: str,
    home: Home,
    release: str,
    known_hosts: str,
    client_key: Path,
) -> None:
    said = {key: str(client_key) if value == "KEY" else value for key, value in said.items()}
    (refusal,) = channel(home, delivery(release, server.url(place), known_hosts, **said)).stage()
    assert refusal.reason.startswith(f"127.0.0.1:{server.port} ")
    assert reason in refusal.reason
    assert "wrong" not in refusal.reason
    assert PASSWORD not in refusal.reason


def test_a_server_without_posix_rename_is_refused(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    server.behave({"unsupported": ["posix_rename"]})
    folders = channel(home, delivery(release, server.url(place), known_hosts))
    (refusal,) = folders.stage()
    assert "cannot posix-rename@openssh.com" in refusal.reason
    folders.abandon()
    assert files_below(server.root / place) == {}


def test_a_folder_that_cannot_be_written_is_refused_without_the_hosts_own_words(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    server.behave({"fail": ["write"]})
    folders = channel(home, delivery(release, server.url(place), known_hosts))
    (refusal,) = folders.stage()
    assert refusal.reason == f"127.0.0.1:{server.port} could not do what was asked (SFTPFailure)"
    folders.abandon()


@pytest.mark.parametrize(
    ("mode", "reason"), [("silent", "did not answer in time"), ("closing", "closed the connection")]
)
def test_a_host_that_says_nothing_or_hangs_up_is_refused_in_time(
    mode: str, reason: str, home: Home, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.channels.sftp_line.CONNECT_SECONDS", 1.0)
    with sftp_server(tmp_path / "mute", mode="silent" if mode == "silent" else "closing") as mute:
        known_hosts = str(mute.known_hosts(tmp_path / "known"))
        began = time.monotonic()
        folders = channel(home, delivery(release, mute.url("texel"), known_hosts))
        (refusal,) = folders.stage()
        assert refusal.reason == f"127.0.0.1:{mute.port} {reason}"
        folders.abandon()
        folders.announce("held", "not ready")
    assert time.monotonic() - began < 12


def test_a_slow_host_delays_nobody_and_is_delivered(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    server.behave({"slow_seconds": 1})
    began = time.monotonic()
    open_all(folders)
    assert time.monotonic() - began < 0.5
    server.behave({"slow_seconds": 0.02})
    outcome = confirmed(folders)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    server.behave({})
    assert_delivered_once(server, place, home, release)


def test_a_connection_lost_while_armed_is_made_anew_or_right_before_the_moment_refused(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    drop(server)
    assert folders.still_ready() == []
    assert folders.still_ready() == []
    folders.abandon()
    folders = ready(home, one, seconds=0.9)
    drop(server)
    assert folders.still_ready() == [Refusal(one.delivery_id, f"127.0.0.1:{server.port} closed the connection")]
    folders.abandon()
    assert list((server.root / place).iterdir()) == []


def test_a_host_that_hangs_while_armed_is_refused_in_time(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts), seconds=0.9)
    server.behave({"hang": ["realpath"]})
    began = time.monotonic()
    assert folders.still_ready() == [Refusal(one.delivery_id, f"127.0.0.1:{server.port} did not answer in time")]
    assert time.monotonic() - began < 2
    server.behave({})
    folders.abandon()
    assert list((server.root / place).iterdir()) == []


def test_operations_that_fail_after_the_commit_are_tried_again_until_they_work(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    server.behave({"fail": ["write", "posix_rename"]})
    once_refused(server, place, {})
    open_all(folders)
    outcome = confirmed(folders)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 2), "the key was refused; the plain copies came later"
    assert outcome.sent_at is not None
    assert_delivered_once(server, place, home, release)


def test_plain_copies_that_fail_at_first_follow_and_what_was_written_is_not_written_again(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    server.behave({"fail": ["write"], "only": "release.json"})
    once_refused(server, place, {})
    open_all(folders)
    outcome = confirmed(folders)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert_delivered_once(server, place, home, release)


@pytest.mark.parametrize("step", ["key", "plain"])
def test_an_acknowledgement_that_is_lost_is_asked_for_and_nothing_is_done_again(
    step: str, server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    server.behave({"drop_after": ["posix_rename"], "only": ".key" if step == "key" else PLACE})
    once_refused(server, place, {})
    open_all(folders)
    outcome = confirmed(folders)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    renamed = [each.paths[-1] for each in server.log(place) if each.what == "posix_rename"]
    assert len(renamed) == len(set(renamed)) == 3
    assert_delivered_once(server, place, home, release)


def test_a_key_that_is_taken_and_never_answered_is_asked_for(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.channels.sftp_line.ANSWER_SECONDS", 1.0)
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    server.behave({"hang": ["posix_rename"]})
    once_refused(server, place, {})
    open_all(folders)
    outcome = confirmed(folders)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert_delivered_once(server, place, home, release)


def test_a_connection_that_drops_right_at_the_moment_is_completed_late_and_counted(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    drop(server)
    open_all(folders)
    outcome = confirmed(folders)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 2)
    assert_delivered_once(server, place, home, release)


def test_a_host_that_stays_away_is_not_delivered_and_completed_by_another_process(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    drop(server, {"drop": True, "refuse": True})
    open_all(folders)
    outcome = confirmed(folders, seconds=1)[one.delivery_id]
    assert outcome.status in ("failed", "unknown")
    server.behave({})
    (late,) = channel(home, one).complete([one.delivery_id], deadline=inf)
    assert late.status == "delivered"
    (again,) = channel(home, one).complete([one.delivery_id], deadline=inf)
    assert again.status == "delivered"
    assert_delivered_once(server, place, home, release)


def test_what_is_there_byte_for_byte_is_delivered_and_not_touched(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    open_all(folders := ready(home, delivery(release, server.url(place), known_hosts)))
    confirmed(folders)
    changes = [each for each in server.log(place) if each.what in ("write", "mkdir", "posix_rename")]
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    assert folders.still_ready() == []
    assert folders.opens() == []
    assert confirmed(folders)[one.delivery_id].status == "delivered"
    assert [each for each in server.log(place) if each.what in ("write", "mkdir", "posix_rename")] == changes


def test_something_else_in_its_place_is_refused_and_left_alone(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    (server.root / place / PLACE).mkdir(parents=True)
    (server.root / place / PLACE / "release.json").write_bytes(b"{}")
    (refusal,) = channel(home, delivery(release, server.url(place), known_hosts)).stage()
    assert "which is not this release; have it moved elsewhere" in refusal.reason
    assert files_below(server.root / place) == {f"{PLACE}/release.json": b"{}"}


def test_what_lies_there_when_another_process_arms_is_not_put_again_unless_it_was_changed(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    one = delivery(release, server.url(place), known_hosts)
    assert channel(home, one).stage() == []
    ready(home, one).abandon()
    assert len([path for path in written(server.log(place)) if path.endswith(".sealed.part")]) == 1
    assert channel(home, one).stage() == []
    (envelope,) = (server.root / place).glob("*.sealed")
    envelope.write_bytes(envelope.read_bytes()[:-1] + b"x")
    open_all(folders := ready(home, one))
    assert confirmed(folders)[one.delivery_id].status == "delivered"
    assert len([path for path in written(server.log(place)) if path.endswith(".sealed.part")]) == 3


def test_a_hold_is_told_in_the_recipients_language_and_the_notice_goes_when_the_release_comes(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    folders.abandon()
    folders.announce("held", "not ready: Ships #1 by webhook")
    (name,) = files_below(server.root / place)
    assert name == "passengers/2026-10/held.txt"
    text = files_below(server.root / place)[name].decode()
    assert "Deze resultaten zijn aangehouden." in text
    assert "De reden: not ready: Ships #1 by webhook" in text
    assert "39.8398" not in text
    channel(home, one).announce("withdrawn", "a mistake in the answers")
    assert set(files_below(server.root / place)) == {"passengers/2026-10/withdrawn.txt"}
    open_all(folders := ready(home, one))
    assert confirmed(folders)[one.delivery_id].status == "delivered"
    assert_delivered_once(server, place, home, release)


def test_every_key_is_put_before_the_first_plain_copy(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    some = [delivery(release, server.url(f"{place}/{number}"), known_hosts) for number in range(8)]
    open_all(folders := ready(home, *some))
    assert {outcome.status for outcome in confirmed(folders).values()} == {"delivered"}
    log = server.log(place)
    keys = [each.answered_at or 0 for each in log if each.paths[-1].endswith(".key") and each.what == "posix_rename"]
    assert len(keys) == 8
    assert max(keys) < min(each.at for each in log if ".plain" in each.paths[-1])


def test_a_folder_whose_entry_is_gone_is_refused_and_told(home: Home, release: str) -> None:
    gone = Delivery(secrets.token_hex(16), release, "Ships > Texel #1", "sftp", "nl", None)
    (refusal,) = channel(home, gone).stage()
    assert "stands in [[audience]] no more" in refusal.reason
    (outcome,) = channel(home, gone).complete([gone.delivery_id], deadline=inf)
    assert outcome.status == "failed"


def test_a_process_killed_right_after_the_key_was_put_is_completed_once(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    audience = [{"sftp": {"url": server.url(place), "password": PASSWORD, "known_hosts": known_hosts}}]
    record(home, release)
    server.behave({"hang": ["mkdir"], "only": ".plain"})

    def has_key() -> bool:
        return any((server.root / place).glob(".zwerm-*.key"))

    assert killed(home, audience, [release], until=has_key)
    assert not (server.root / place / PLACE).exists()
    server.behave({})
    report, said = started_again(home, audience, [release])
    assert any("completed" in line for line in said)
    (delivered,) = (each for each in report.deliveries if each.channel == "sftp")
    assert (delivered.status, delivered.attempts) == ("delivered", 1)
    assert_delivered_once(server, place, home, release)
    changes = [each for each in server.log(place) if each.what in ("write", "mkdir", "posix_rename")]
    started_again(home, audience, [release])
    assert [each for each in server.log(place) if each.what in ("write", "mkdir", "posix_rename")] == changes


def test_a_hold_is_for_every_way_out_and_the_next_moment_opens_them_all(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str, tmp_path: Path
) -> None:
    target = {"url": server.url(place), "password": PASSWORD, "known_hosts": known_hosts}
    audience = [{"sftp": target}, {"share": str(tmp_path / "share")}, {"folder": str(tmp_path / "folder")}]
    settings = settings_for(home, audience=audience, release={"tolerance_ms": 10_000})
    record(home, release)
    plan(home, [release])
    server.behave({"unsupported": ["posix_rename"]})
    with pytest.raises(HeldError, match="posix-rename"):
        stage(home, settings, [release])
    notice = {"passengers/2026-10/held.txt"}
    assert files_below(server.root / place) == {}, "who was not ready is not told there"
    assert set(files_below(tmp_path / "share")) == set(files_below(tmp_path / "folder")) == notice
    server.behave({})
    (moment,) = retry(home, settings, release)
    report = open_moment(home, settings, moment.moment_id)
    assert report.missing == ()
    assert not [each for each in report.deliveries if each.is_breach]
    assert report.skew_ms is not None
    opened = [each.opened_at for each in report.deliveries if each.opened_at]
    assert report.skew_ms >= (max(opened) - min(opened)).total_seconds() * 1e3 - 1
    files = {f"{PLACE}/{name}": content for name, content in sealed_files(home, release).items()}
    for folder in (server.root / place, tmp_path / "share", tmp_path / "folder"):
        assert files_below(folder) == files


def test_a_file_for_the_key_that_somebody_wrote_into_is_made_anew(
    server: SftpServer, place: str, home: Home, release: str, known_hosts: str
) -> None:
    folders = ready(home, one := delivery(release, server.url(place), known_hosts))
    draft = server.root / place / f".zwerm-{one.delivery_id}.key.part"
    draft.write_bytes(b"not ours")
    assert folders.still_ready() == []
    assert draft.read_bytes() == b""
    draft.unlink()
    assert folders.still_ready() == []
    assert draft.read_bytes() == b""
    folders.abandon()


@pytest.mark.parametrize(
    ("path", "folder"),
    [("/shares/texel/", "/shares/texel"), ("/~/texel", "texel"), ("/~", "."), ("", "/"), ("/a%20b", "/a b")],
    ids=["absolute", "in the account's home", "the home", "the root", "with a space"],
)
def test_an_address_names_a_folder_on_the_host(path: str, folder: str) -> None:
    assert folder_of(Sftp(url=f"sftp://zwerm@host{path}")) == folder


def test_an_address_whose_port_is_none_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ValidationError, match="Port"):
        Sftp(url="sftp://zwerm@host:99999/texel")


def test_the_doctor_logs_in_renames_something_and_leaves_nothing(
    server: SftpServer, place: str, home: Home, known_hosts: str
) -> None:
    (server.root / place).mkdir()
    sftp = {"url": server.url(f"{place}/new"), "password": PASSWORD, "known_hosts": known_hosts}
    (finding,) = hosts(settings_for(home, audience=[{"sftp": sftp}]))
    assert (finding.kind, finding.says[:8]) == ("ok", "1 folder")
    assert {each.what for each in server.log(place)} >= {"posix_rename", "remove"}
    assert [each.data for each in server.log(place) if each.what == "write"] in ([], [b""])
    assert list((server.root / place).iterdir()) == []
    server.behave({"unsupported": ["posix_rename"]})
    wrong = {**sftp, "password": "wrong"}
    found = list(hosts(settings_for(home, audience=[{"sftp": sftp}, {"sftp": wrong}])))
    assert [each.kind for each in found] == ["problem", "problem"]
    assert "cannot posix-rename@openssh.com" in found[0].says
    assert found[1].says == f"127.0.0.1:{server.port} refuses the log-in as zwerm"
    assert all(each.do for each in found)
    assert list((server.root / place).iterdir()) == []


def drop(server: SftpServer, behaviour: Behaviour | None = None) -> None:
    """Close every connection from the server's side, and serve again, or behave as is said."""
    came, ends = len(server.log("/")), time.monotonic() + 20
    server.behave(behaviour or {"drop": True})
    while not any(each.what == "dropped" for each in server.log("/")[came:]):
        assert time.monotonic() < ends
        time.sleep(0.02)
    server.behave(behaviour or {})
