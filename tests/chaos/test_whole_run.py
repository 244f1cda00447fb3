"""`zwerm run` itself, killed with SIGKILL while it prepares, while it arms and after its commit; and started again."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from flows.home import Home
from tests.flows.mail_receiver import MailReceiver, mail_receiver
from tests.flows.receivers import ROOT, Receivers, webhook_receivers
from tests.flows.served import alone
from warehouse.ledger import Ledger

WAVE = "2025-09"
PATIENCE_SECONDS = 180
LOOKS_EVERY_SECONDS = 0.002
CONFIGURATION = """
[organisation]
name = "Waddenlijn"
[surveys.guests]
[[surveys.guests.sources]]
path = "answers.csv"
[surveys.guests.roles]
score = "score"
responded_at = "at"
department = ["unit"]
"""


class Place:
    """A survey with two webhooks, a shared folder and a mail server, and the command that releases it."""

    def __init__(self, folder: Path, hooks: Receivers, mail: MailReceiver) -> None:
        self.folder, self.hooks, self.mail, self.home = folder, hooks, mail, Home(folder)
        rows = [f"{unit},{n % 11},2025-09-14" for unit in ("Texel", "Vlieland") for n in range(40)]
        (folder / "answers.csv").write_text("\n".join(["unit,score,at", *rows, ""]), encoding="utf-8")
        ways = [f'webhook = {{ url = "{hooks.url(number)}" }}' for number in (0, 1)]
        ways += ['folder = "shares/all"', 'email = { to = ["texel@example.com"], server = "relay" }']
        relay = f'[servers.relay]\nsmtp = "{mail.url}"\nfrom = "zwerm@example.com"\ntls = "none"\n'
        audience = "\n".join(f"[[audience]]\n{way}\n" for way in ways)
        (folder / "zwerm.toml").write_text(CONFIGURATION + audience + relay, encoding="utf-8")
        self.servers: list[psutil.Process] = []

    @contextmanager
    def run(self) -> Iterator["subprocess.Popen[str]"]:
        """`zwerm run`, which is killed at the end of the block if it has not ended."""
        command = [sys.executable, "-m", "flows", "run", "--survey", "guests", "--wave", WAVE]
        with subprocess.Popen(
            [*command, "--config", str(self.folder / "zwerm.toml")],
            env=alone(self.folder),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def killed(self, when: Callable[[], bool]) -> None:
        """Run it, and kill it as soon as something is so; its Prefect server is an orphan then."""
        with self.run() as process:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not when():
                assert process.poll() is None, process.stdout and process.stdout.read()
                assert time.monotonic() < deadline
                time.sleep(LOOKS_EVERY_SECONDS)
            process.kill()
        orphan = self.server()
        assert orphan is not None, "it had no server of its own"
        self.must_have_ended(self.servers)
        self.servers.append(orphan)

    def server(self) -> psutil.Process | None:
        """The home's own Prefect server, where it lives."""
        record = self.home.prefect / "server.json"
        try:
            process = psutil.Process(int(json.loads(record.read_text(encoding="utf-8"))["pid"]))
            return process if process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None

    def must_have_ended(self, servers: list[psutil.Process]) -> None:
        """No temporary server outlives the next start."""
        assert [server for server in servers if server.is_running() and server.status() != psutil.STATUS_ZOMBIE] == []

    def phase(self) -> str:
        """How far the moment has come."""
        if not self.home.ledger.exists():
            return ""
        with Ledger.open(self.home.ledger) as ledger:
            return next((moment.phase for moment in reversed(ledger.moments())), "")

    def nobody_has_anything(self) -> bool:
        """Neither webhooks, folder nor mail server got anything readable."""
        shared = list((self.folder / "shares").glob("all/guests/*/r1/release.json"))
        return not [*self.hooks.calls("release"), *shared, *self.mail.mails()]


def test_the_whole_run_killed_three_times_ends_its_servers_and_gives_everyone_the_same_once(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    with webhook_receivers(tmp_path / "hooks", 2) as hooks, mail_receiver(tmp_path / "mail") as mail:
        place = Place(folder, hooks, mail)
        place.killed(lambda: place.home.warehouse.exists())  # fetched, and on its way to the seal
        assert place.nobody_has_anything()

        place.killed(lambda: place.phase() in ("arming", "armed"))
        assert place.phase() in ("arming", "armed")
        assert place.nobody_has_anything()

        hooks.behave({number: {"slow_seconds": 2.0} for number in (0, 1)})
        place.killed(lambda: place.phase() == "released")
        hooks.behave({})
        assert place.phase() == "released"

        with place.run() as process:
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, said
        assert re.search(rf"guests {WAVE}: the process ended while it opened", " ".join(said.split())), said
        place.must_have_ended(place.servers)
        assert place.server() is None
        everybody_has_it_once(place)


def everybody_has_it_once(place: Place) -> None:
    (shared,) = place.folder.glob("shares/all/guests/*/r1/release.json")
    calls = place.hooks.calls("release")
    assert {call.body for call in calls} == {shared.read_bytes()}
    for receiver in (0, 1):
        assert len({call.headers["idempotency-key"] for call in calls if call.receiver == receiver}) == 1
    assert len({str(mail.message["Message-ID"]) for mail in place.mail.mails()}) == 1
    with Ledger.open(place.home.ledger) as ledger:
        (release,) = ledger.releases("guests", WAVE)
        assert release.state == "confirmed"
        assert {state.status for state in ledger.deliveries(release.release_id)} == {"delivered"}
