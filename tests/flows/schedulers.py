"""Schedulers of one home, each a process of its own: started, stopped at a step and let go on as a test says."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

import psutil

from flows.guard import OUR_OWN, code, says
from flows.home import Home
from flows.preparing.examination import Examination
from flows.preparing.seal import read_sealed
from flows.preparing.steps import Prepared
from flows.release import open_moment
from flows.releasing.moment import record
from flows.releasing.recover import recover
from flows.releasing.staging import stage_together
from flows.run import Run
from flows.settings import PlannedMoment, Settings
from tests.flows.killed import CONTEXT, at_call_of
from tests.flows.sealed import settings_for
from warehouse import leases

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """How a scheduler ended: its exit code, and what it said."""

    code: int
    said: str
    recovered: tuple[str, ...]
    is_joined: bool


class Scheduler:
    """A process that does for a release what `zwerm run` does: recover, record, plan, stage, open; or its parts."""

    def __init__(
        self,
        home: Home,
        audience: Sequence[dict[str, Any]],
        release_ids: Sequence[str],
        *,
        at: datetime | None = None,
        moment_id: str | None = None,
        stops_at: str | None = None,
        stops_in: str | None = None,
        late: str = "hold",
        waits: bool = False,
        recovers: bool = True,
        lease_seconds: float | None = None,
    ) -> None:
        self._ours, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(
            target=_schedule,
            args=(theirs, home, audience, release_ids, moment_id, stops_at, stops_in, late, recovers, lease_seconds),
        )
        self._process.start()
        theirs.close()
        assert self._ours.recv() == "is there"
        if not waits:
            self.begin(at)

    def begin(self, at: datetime | None) -> None:
        """Let it begin, for a T or for as soon as all is armed."""
        self._ours.send(at)

    def wait_until_stopped(self) -> None:
        """Return when it stands still at the step, or in the function, that it was told."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while psutil.Process(self._process.pid).status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < give_up and self._process.is_alive(), "it does not come to that step"
            time.sleep(0.01)

    def kill_when_stopped(self) -> None:
        """End it at that step."""
        self.wait_until_stopped()
        self.kill()

    def go_on(self) -> None:
        """Let it go on as if nothing had been."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> Ended:
        """Wait for its end."""
        assert self._ours.poll(PATIENCE_SECONDS), "it does not end"
        said, recovered, is_joined = self._ours.recv()
        self._process.join(PATIENCE_SECONDS)
        assert self._process.exitcode is not None
        return Ended(self._process.exitcode, said, tuple(recovered), is_joined)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()


def _schedule(
    parent: Connection,
    home: Home,
    audience: Sequence[dict[str, Any]],
    release_ids: Sequence[str],
    moment_id: str | None,
    stops_at: str | None,
    stops_in: str | None,
    late: str,
    recovers: bool,
    lease_seconds: float | None,
) -> None:
    leases.LEASE_SECONDS = lease_seconds or leases.LEASE_SECONDS
    at_call_of(stops_in, _stop)
    parent.send("is there")
    at, settings = parent.recv(), settings_for(home, audience=audience, release={"late": late})
    recovered: list[str] = []
    try:
        recovered += recover(home, settings) if recovers else []
        moment_id = moment_id or _staged(home, settings, release_ids, at)
        report = open_moment(home, settings, moment_id, on_step=_stopping(stops_at))
    except OUR_OWN as error:
        parent.send((says(error), recovered, False))
        sys.exit(code(error))
    parent.send(("", recovered, report.is_joined))


def _staged(home: Home, settings: Settings, release_ids: Sequence[str], at: datetime | None) -> str:
    """The moment, as a run gets it whose T the calendar tells."""
    prepared = []
    for release_id in release_ids:
        record(home, release_id)
        known = read_sealed(home.releases / release_id)
        prepared.append(Prepared(Examination(known.survey, known.wave, "new", None, None, "", 40), known))
        if at is not None:
            entry = PlannedMoment(wave=known.wave, at=at.astimezone(settings.organisation.zone).replace(tzinfo=None))
            settings = settings.model_copy(update={"calendar": {known.survey: (entry,)}})
    staged = stage_together(Run(settings, home, datetime.now(UTC)), prepared)
    assert staged.moment_id is not None
    return staged.moment_id


def _stopping(step: str | None) -> Callable[[str], None]:
    def on_step(name: str) -> None:
        if name == step:
            _stop()

    return on_step


def _stop() -> None:
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # sent to the process, it stops a little later
