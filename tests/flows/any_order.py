"""A home, its ledger, its folders and a receiver beside the model of them: the ground of `test_state_machine.py`."""

import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypeVar

import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from flows.errors import ConfigurationError, HeldError
from flows.home import Home
from flows.releasing.moment import record
from tests.flows.modelled import BEFORE_ARMING, OUT, Hour, Known, Model
from tests.flows.reading import readable
from tests.flows.sealed import files_below, sealed, settings_for
from warehouse import WarehouseError
from warehouse.leases import take
from warehouse.ledger import Ledger
from warehouse.publish import contents

SHARES = {"all": "Our organisation #1", "ships": "Ships #1"}
START = datetime(2031, 3, 3, 9, tzinfo=UTC)  # ahead of the files' own times
Item = TypeVar("Item")


class Killed(BaseException):
    """The process ends here: nothing that is caught as an error, and nothing that is written any more."""


class Receiver(ThreadingHTTPServer):
    """A webhook that says yes to everything, and keeps what came; its clock is this process's."""

    daemon_threads = True

    def __init__(self) -> None:
        self.came: list[tuple[str, str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Answer)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def events(self, *kinds: str) -> list[dict[str, str]]:
        """The bodies of some events."""
        return [json.loads(body) for event, _, body in list(self.came) if event in kinds]


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.came.append((self.headers["Zwerm-Event"], self.headers["Idempotency-Key"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the console."""


class Ground(RuleBasedStateMachine):
    """What one example works with."""

    @initialize(late=st.sampled_from(["hold", "release"]))
    def begin(self, late: str) -> None:
        self.clock = time_machine.travel(START, tick=True)
        self.now = self.clock.start()
        self.receiver = Receiver()
        self.home = Home(Path(tempfile.mkdtemp()) / "home").prepare()
        hook = {"url": f"http://127.0.0.1:{self.receiver.server_port}/"}
        audience = [
            {"department": [], "folder": "shares/all"},
            {"department": ["Ships"], "folder": "shares/ships"},
            {"department": [], "webhook": hook},
        ]
        self.settings = settings_for(self.home, audience=audience, release={"late": late, "tolerance_ms": 60_000})
        self.model = Model(late)
        self.is_settled = True  # no process was killed since the last start
        self.seen: tuple[str, list[str]] = ("", [])
        for name in SHARES:
            (self.home.path / "shares" / name).mkdir(parents=True)

    def end(self) -> None:
        """Give back what the test took."""
        self.receiver.shutdown()
        self.receiver.server_close()
        self.clock.stop()
        shutil.rmtree(self.home.path.parent)

    def seal(self, survey: str, wave: str, revision: int, previous: str | None) -> Known:
        number = len(self.model.releases)
        nps = round(10.7391 + number * 1.0137, 4)  # no figure is an end of another one's interval
        name = sealed(self.home, survey=survey, wave=wave, revision=revision, nps=nps, previous_release_id=previous)
        assert record(self.home, name) == "sealed"
        made = self.model.releases[name] = Known(name, survey, wave, revision, f"{nps}", previous)
        return made

    def staged(self, releases: list[Known], crash: str | None) -> str:
        """What must come of staging these."""
        if crash == "sealed":
            return "killed"
        for release in releases:
            release.left_out.clear()
            release.was_asked = True
        if refused := self.model.refused(releases):
            self.model.stop(releases, refused)
            return "held"
        for release in releases:
            if release.state in BEFORE_ARMING:  # what is being armed is left to who arms it
                release.state = "staged"
        return "killed" if crash else "done"

    def learn(self, releases: list[Known]) -> None:
        """Which moments these wait for now: their ids are random."""
        with Ledger.open(self.home.ledger) as ledger:
            for release in releases:
                known = ledger.release(release.release_id)
                assert known is not None
                release.moment = known.moment_id
                if known.moment_id is not None and known.moment_id not in self.model.moments:
                    self.model.moments[known.moment_id] = Hour(known.planned_at)

    def leave_the_lease_of_an_ended_process(self, moment_id: str) -> None:
        ended = subprocess.Popen(["true"])
        ended.wait()
        self.is_settled = False
        with Ledger.open(self.home.ledger) as ledger:
            if take(ledger, "moment", moment_id=moment_id):
                ledger.connection.execute("update leases set pid = ?, started = 0", [ended.pid])

    def has(self, release: Known, share: Path) -> bool:
        parts = {n: p.read_bytes() for n, p in contents(self.home.releases / release.release_id).items()}
        return files_below(share / release.place) == parts

    def texts(self) -> list[bytes]:
        shown = (*readable(self.home.published / "current" / "site"), *readable(self.home.path / "shares"))
        return [Path(name).read_bytes() for name in shown if name.endswith((".html", ".csv", ".json", ".ics"))]

    def block(self, name: str) -> None:
        share = self.home.path / "shares" / name
        if name not in self.model.blocked:
            self.model.blocked.add(name)
            share.rename(share.with_name(f".{name}-aside"))
            share.write_text("a file is in the way")

    def unblock(self, name: str) -> None:
        share = self.home.path / "shares" / name
        self.model.blocked.discard(name)
        share.unlink()
        share.with_name(f".{name}-aside").rename(share)

    def those(self, *states: str) -> list[Known]:
        return [release for release in self.model.releases.values() if release.state in states]

    def with_releases(self) -> list[str]:
        return [name for name in self.model.moments if self.model.of(name)]

    def revisable(self) -> list[Known]:
        newest = {(r.survey, r.wave): r for r in self.model.releases.values() if r.state != "withdrawn"}
        return [release for release in newest.values() if release.state in OUT]


def killing(crash: str | None) -> Callable[[str], None]:
    def on_step(step: str) -> None:
        if step == crash:
            raise Killed

    return on_step


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except HeldError:
        return "held"
    except Killed:
        return "killed"
    except (ConfigurationError, WarehouseError):
        return "refused"
    return "done"


def pick(items: Sequence[Item], number: int) -> Item:
    return items[number % len(items)]


def full_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
