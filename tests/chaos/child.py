"""One start of the pipeline in a process of its own, with everything imported already: it may die at any instruction.

The steps that it came to stand in its log with the monotonic clock, which is the host's and which nothing here sets.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import time_machine

from flows.channels import email, object_store, object_store_bucket, sftp, sftp_line, share, webhook
from flows.channels.by_name import Factory, channel_for
from flows.errors import HeldError
from flows.home import Home
from flows.release import open_moment
from flows.releasing import arming, opening
from flows.releasing import recover as recovering
from flows.releasing.moment import plan, record, stage
from tests.chaos.fate import Jump
from tests.flows.sealed import sealed, settings_for
from warehouse.ledger import Ledger

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        *("tests.chaos.child", "flows.channels.published", "flows.channels.folder"),
        *("checks.book", "checks.engine", "checks.expectations", "transforms.report.pages"),  # what takes seconds
    ]
)
SURVEY = "passengers"
LEAD_SECONDS = 60.0  # everything is armed as soon as it is staged, and held until T
PAUSES = (0.1, 0.2, 0.4)  # seconds; the last one from then on
ANSWER_SECONDS = 1.0  # how long these senders wait; receivers that answer too late take longer
FAR = {"STAGE_SECONDS": 6.0, "COMPLETE_SECONDS": 4.0, "STOP_SECONDS": 2.0, "PAUSES": (0.1, 0.2, 0.4)}
WAITS: dict[ModuleType, dict[str, object]] = {
    webhook: {
        **{"ANSWER_SECONDS": ANSWER_SECONDS, "READY_SECONDS": 3.0, "COMPLETE_SECONDS": 3.0, "ANNOUNCE_SECONDS": 1.0},
        **{"CLOCK_SECONDS": 1.0, "PAUSES": PAUSES},
    },
    email: {
        **{"STAGE_SECONDS": 4.0, "ARM_SECONDS": 4.0, "COMPLETE_SECONDS": 3.0, "ANNOUNCE_SECONDS": 1.0},
        "PAUSES": PAUSES,
    },
    share: FAR,
    sftp: FAR,
    object_store: FAR,
    sftp_line: {"CONNECT_SECONDS": 3.0, "ANSWER_SECONDS": 2.0},
    object_store_bucket: {"CONNECT_SECONDS": 2.0, "ANSWER_SECONDS": 2.0},
    opening: {"CONFIRM_SECONDS": 3.0},
    arming: {"ARM_SECONDS": 30.0},
}


@dataclass(frozen=True)
class Order:
    """What one process is to do, and where it writes how it went."""

    home: Path
    log: Path
    number: int  # of the release
    wave: str
    nps: float
    said: dict[str, Any]  # audience and servers, as the configuration says them
    certificates: Path
    planned_at: datetime | None = None
    die_at: str | None = None
    jump: Jump | None = None
    sabotage: str | None = None


@dataclass(frozen=True)
class Said:
    """What a process that came to its end said."""

    end: str  # confirmed, held, nothing
    reason: str = ""
    recovered: list[str] = field(default_factory=list)


def begin(order: Order) -> Any:
    """Start the process; the caller kills it, or waits for it."""
    process = CONTEXT.Process(target=_start, args=(order,))
    process.start()
    return process


def _start(order: Order) -> None:
    note = _noting(order.log)
    note("begun", "")
    os.environ["SSL_CERT_FILE"] = str(order.certificates)
    for module, waits in WAITS.items():
        for name, seconds in waits.items():
            assert hasattr(module, name), f"{module.__name__} has no {name} any more"
            setattr(module, name, seconds)
    factory: Factory = channel_for
    if order.sabotage is not None:
        from tests.chaos.sabotage import sabotaged

        factory = sabotaged(order.sabotage)
    try:
        said = _released(order, _steps(order, note), factory, note)
    except HeldError as error:
        said = Said("held", error.public or str(error))
    note("ended", json.dumps(asdict(said)))


def _released(order: Order, on_step: Callable[[str], None], factory: Factory, note: Callable[[str, str], None]) -> Said:
    """What `zwerm run` does below the orchestrator: recover, then bring this release to its end."""
    home = Home(order.home).prepare()
    settings = settings_for(home, **order.said)
    recovered = recovering.recover(home, settings, factory=factory)
    note("recovered", json.dumps(recovered))
    release_id = sealed(home, survey=SURVEY, wave=order.wave, nps=order.nps)
    note("sealed", release_id)
    state = record(home, release_id)
    if state in ("released", "confirmed"):
        recovering.retry(home, settings, release_id, factory=factory)
        return Said("nothing", recovered=recovered)
    at = order.planned_at if order.planned_at and order.planned_at > datetime.now(UTC) else None
    if state == "held" and at is None:
        moments = recovering.retry(home, settings, release_id, on_step=on_step, factory=factory)
    elif state == "staged" and order.planned_at is not None:
        with Ledger.open(home.ledger) as ledger:
            moments = tuple(m for m in ledger.open_moments())
    else:
        plan(home, [release_id], at=at)
        moments = stage(home, settings, [release_id], on_step=on_step, factory=factory)
    for moment in moments:
        open_moment(
            home,
            settings,
            moment.moment_id,
            on_step=on_step,
            factory=factory,
            lead_seconds=LEAD_SECONDS,
            clear_seconds=0,
        )
    return Said("confirmed", recovered=recovered)


def _steps(order: Order, note: Callable[[str, str], None]) -> Callable[[str], None]:
    def on_step(name: str) -> None:
        note("step", name)
        if name == order.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if order.jump is not None and name == order.jump.step:
            there = datetime.now(UTC) + timedelta(seconds=order.jump.seconds)
            time_machine.travel(there, tick=True).start()

    return on_step


def _noting(log: Path) -> Callable[[str, str], None]:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(what: str, detail: str) -> None:
        with suppress(OSError):
            line = {"at": time.monotonic_ns(), "what": what, "detail": detail}
            os.write(descriptor, (json.dumps(line) + "\n").encode())

    return note
