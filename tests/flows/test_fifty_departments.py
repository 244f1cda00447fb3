"""Fifty departments on four ways out: nobody has a byte before the moment, everybody the same ones after it."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from flows.errors import HeldError
from flows.preparing.steps import prepare
from flows.release import Report, open_moment
from flows.releasing.moment import plan, stage
from flows.releasing.recover import retry
from flows.run import Run
from tests.flows.mail_receiver import PASSWORD, USER, Mail, MailReceiver, mail_receiver
from tests.flows.receivers import Call, Receivers, webhook_receivers
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

DEPARTMENTS = [
    path for n in range(10) for path in ((f"Region {n}",), *((f"Region {n}", f"Team {m}") for m in range(4)))
]
PLAIN, TLS, MAIL, FOLDERS = DEPARTMENTS[:20], DEPARTMENTS[20:35], DEPARTMENTS[35:45], DEPARTMENTS[45:]
FIRST, SECOND = "2025-08", "2025-09"
NOT_READY = 7  # the plain receiver that refuses
CONFIGURATION = """
[organisation]
name = "Waddenlijn"
languages = ["nl", "en"]
timezone = "Europe/Amsterdam"
[surveys.guests]
title = "Guests"
[surveys.guests.roles]
score = "score"
responded_at = "at"
department = ["region", "team"]
"""

HELD = {"held", "aangehouden"}  # how the messages about a hold end their subject


@dataclass
class Scene:
    """Fifty departments' receivers around one survey, and what was seen of the two waves that it released."""

    survey: Survey
    plain: Receivers
    tls: Receivers
    mail: MailReceiver
    release_ids: dict[str, str] = field(default_factory=dict)
    planned_at: datetime | None = None
    reports: dict[str, Report] = field(default_factory=dict)
    looked: list[tuple[int, int]] = field(default_factory=list)  # when, and how many releases lay in folders
    held: str = ""
    while_held: list[Call] = field(default_factory=list)
    mails_while_held: list[Mail] = field(default_factory=list)
    folders_while_held: int = 0
    published_while_held: list[str] = field(default_factory=list)

    def content(self, wave: str) -> bytes:
        """What was sealed for everyone."""
        run = Run.begin(self.survey.config)
        return (run.home.releases / self.release_ids[wave] / "release.json").read_bytes()

    def calls(self, event: str) -> list[Call]:
        """What came at any of the 35 webhooks."""
        return [call for receivers in (self.plain, self.tls) for call in receivers.calls(event)]

    def in_folders(self, wave: str) -> list[bytes]:
        """What lies in the five folders."""
        return [path.read_bytes() for path in self.survey.folder.glob(f"shares/*/*/{wave}/r1/release.json")]

    def published(self) -> list[str]:
        """Which waves everyone can query."""
        return list(self.survey.read("select distinct wave from mart.promoter_metrics order by wave")["wave"])


def answers() -> str:
    lines = ["region,team,score,at"]
    for number, path in enumerate(DEPARTMENTS):
        region, team = (*path, "")[:2]
        for wave, count in ((FIRST, 11 + number % 9), (SECOND, 12 + number % 7)):
            lines += [f"{region},{team},{(n * 7 + number) % 11},{wave}-14" for n in range(count)]
    return "\n".join(lines) + "\n"


def audience(plain: Receivers, tls: Receivers) -> str:
    entries = [
        *((path, "webhook", {"url": plain.url(n), "secret": "s" * 20}) for n, path in enumerate(PLAIN)),
        *((path, "webhook", {"url": tls.url(n), "secret": "s" * 20}) for n, path in enumerate(TLS)),
        *((path, "email", {"to": [f"d{n}@waddenlijn.example"], "server": "relay"}) for n, path in enumerate(MAIL)),
        *((path, "folder", f"shares/{n}") for n, path in enumerate(FOLDERS)),
    ]
    return "\n".join(
        f'[[audience]]\ndepartment = {json.dumps(path)}\nlanguage = "{("nl", "en")[n % 2]}"\n{way} = {toml(target)}\n'
        for n, (path, way, target) in enumerate(entries)
    )


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {json.dumps(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("fifty")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "authority.pem")
        patch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        certificate = folder / "localhost.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        plain = stack.enter_context(webhook_receivers(folder / "plain", len(PLAIN)))
        tls = stack.enter_context(webhook_receivers(folder / "tls", len(TLS), certificate=certificate))
        relay = mail_receiver(folder / "mail", encryption="starttls", certificate=certificate, is_guarded=True)
        mail = stack.enter_context(relay)
        server = {"smtp": mail.url, "from": "zwerm@waddenlijn.example", "user": USER, "password": PASSWORD}
        more = f"[servers]\nrelay = {toml(server)}\n{audience(plain, tls)}"
        (folder / "survey").mkdir()
        survey = Survey.written(folder / "survey", answers(), configuration=CONFIGURATION, more=more)
        scene = Scene(survey, plain, tls, mail)
        released_at_its_time(scene)
        refused_and_mended(scene)
        yield scene


def released_at_its_time(scene: Scene) -> None:
    """The first wave, planned for a moment some seconds ahead."""
    run = sealed(scene, FIRST)
    planned_at = datetime.now(UTC) + timedelta(seconds=10)
    scene.planned_at = plan(run.home, [scene.release_ids[FIRST]], at=planned_at).planned_at
    (moment,) = stage(run.home, run.settings, [scene.release_ids[FIRST]])
    done = threading.Event()
    watcher = threading.Thread(target=look, args=(scene, done))
    watcher.start()
    try:
        scene.reports[FIRST] = open_moment(run.home, run.settings, moment.moment_id)
    finally:
        done.set()
        watcher.join()


def refused_and_mended(scene: Scene) -> None:
    """The second wave: one says that he is not ready, and is mended."""
    run = sealed(scene, SECOND)
    before = len(scene.mail.mails())
    scene.plain.behave({NOT_READY: {"ready": [503]}})
    plan(run.home, [scene.release_ids[SECOND]])
    with pytest.raises(HeldError) as held:
        stage(run.home, run.settings, [scene.release_ids[SECOND]])
    scene.held = str(held.value)
    scene.while_held = [call for call in scene.calls("release") if json.loads(call.body)["wave"] == SECOND]
    scene.mails_while_held = scene.mail.mails()[before:]
    scene.folders_while_held = len(scene.in_folders(SECOND))
    scene.published_while_held = scene.published()
    scene.plain.behave({})
    (moment,) = retry(run.home, run.settings)
    scene.reports[SECOND] = open_moment(run.home, run.settings, moment.moment_id)


def sealed(scene: Scene, wave: str) -> Run:
    run = Run.begin(scene.survey.config)
    prepared = prepare(run, "guests", wave, with_pages=wave == FIRST)
    assert prepared.sealed is not None
    assert prepared.sealed.departments == 50
    scene.release_ids[wave] = prepared.sealed.release_id
    return run


def look(scene: Scene, done: threading.Event) -> None:
    while not done.wait(0.02):
        found = [path for path in scene.survey.folder.glob("shares/*/*/*/*/release.json") if ".zwerm-" not in str(path)]
        scene.looked.append((time.time_ns(), len(found)))


def planned(scene: Scene) -> int:
    assert scene.planned_at is not None
    return int(scene.planned_at.timestamp() * 1e9)


def test_before_its_time_only_readiness_calls_without_content_came_at_any_webhook(scene: Scene) -> None:
    for receivers in (scene.plain, scene.tls):
        early = [came for came in receivers.log() if came.what == "bytes" and came.at < planned(scene)]
        requests: dict[int, bytes] = {}
        for came in early:
            requests[came.connection] = requests.get(came.connection, b"") + came.data
        assert len(requests) == 2 * len(receivers.ports)  # asked when staged, and their clocks when armed
        for request in requests.values():
            head, body = request.split(b"\r\n\r\n")
            assert b"\r\nzwerm-event: ready" in head.lower()
            assert body == b"{}"
            assert scene.release_ids[FIRST].encode() not in request
            assert FIRST.encode() not in request


def test_every_webhook_was_held_open_and_its_first_byte_of_the_release_came_at_or_after_the_moment(
    scene: Scene,
) -> None:
    for receivers in (scene.plain, scene.tls):
        log = receivers.log()
        carried = {came.connection for came in log if came.what == "bytes" and b'"nps"' in came.data}
        for connection in carried:
            events = [came for came in log if came.connection == connection]
            assert min(came.at for came in events if came.what == "bytes") >= planned(scene)
        connected = Counter(came.receiver for came in log if came.what == "connected" and came.at < planned(scene))
        assert set(connected.values()) == {3}  # asked twice, and held
    arrived = [call.at for call in scene.calls("release") if json.loads(call.body)["wave"] == FIRST]
    assert len(arrived) == 35


def test_the_mail_server_had_no_byte_of_a_message_before_the_moment(scene: Scene) -> None:
    commands = (b"EHLO", b"STARTTLS", b"AUTH", b"MAIL FROM", b"RCPT TO", b"DATA", b"QUIT", b"NOOP", b"RSET", b"\x16")
    early = [came for came in scene.mail.log() if came.at < planned(scene)]
    assert any(came.data.upper().startswith(b"DATA") for came in early)  # everything up to the message itself
    for came in early:
        lines = [line for line in came.data.upper().split(b"\r\n") if line]
        assert all(line.startswith(commands) for line in lines), came.data
    assert min(mail.at for mail in scene.mail.mails()) >= planned(scene)


def test_no_folder_had_the_release_before_the_moment_and_all_five_had_it_right_after(scene: Scene) -> None:
    before = [count for at, count in scene.looked if at < planned(scene)]
    assert len(before) > 50
    assert set(before) == {0}
    assert scene.looked[-1][1] == len(FOLDERS)


@pytest.mark.parametrize("wave", [FIRST, SECOND])
def test_all_webhooks_and_folders_got_the_same_bytes_and_each_address_one_message(scene: Scene, wave: str) -> None:
    sealed = scene.content(wave)
    calls = [call for call in scene.calls("release") if json.loads(call.body)["wave"] == wave]
    assert [call.body for call in calls] == [sealed] * 35  # exactly once each
    assert scene.in_folders(wave) == [sealed] * 5
    mails = [mail for mail in scene.mail.mails() if "index.html" in mail.text]
    addressed = Counter(address for mail in mails for address in mail.recipients)
    assert addressed == {f"d{n}@waddenlijn.example": 2 for n in range(10)}  # one for each wave
    assert all(mail.is_encrypted and mail.user == USER for mail in mails)


@pytest.mark.parametrize("wave", [FIRST, SECOND])
def test_every_delivery_is_recorded_as_delivered_once(scene: Scene, wave: str) -> None:
    report = scene.reports[wave]
    assert Counter((d.channel, d.status) for d in report.deliveries) == {
        ("published", "delivered"): 1,
        ("webhook", "delivered"): 35,
        ("email", "delivered"): 10,
        ("folder", "delivered"): 5,
    }
    with Ledger.open(Run.begin(scene.survey.config).home.ledger) as ledger:
        delivered = Counter(event.delivery_id for event in ledger.events(kinds=("delivered",)))
    assert {delivered[d.delivery_id] for d in report.deliveries} == {1}


def test_one_that_refuses_readiness_keeps_the_release_from_all_fifty(scene: Scene) -> None:
    path = " > ".join(PLAIN[NOT_READY])
    assert f"not ready: {path} #1 by webhook" in scene.held
    assert "503" in scene.held
    assert "nobody has anything" in scene.held
    assert scene.while_held == []
    assert {str(mail.message["Subject"]).rpartition(": ")[2] for mail in scene.mails_while_held} == HELD
    assert not any("index.html" in mail.text for mail in scene.mails_while_held)
    assert scene.folders_while_held == 0
    assert scene.published_while_held == [FIRST]
    assert scene.published() == [FIRST, SECOND]
    told = {call.receiver: json.loads(call.body) for call in scene.plain.calls("held")}
    assert len(told) == len(PLAIN) - 1  # who was ready is told why nothing came
    assert all("nps" not in json.dumps(body) for body in told.values())
