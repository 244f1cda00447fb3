"""A release in a process of its own that is killed at a named step, or after a while, and the next start after it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from flows.home import Home
from flows.release import Report, open_moment, report
from flows.releasing.moment import plan, record, stage
from flows.releasing.recover import recover
from tests.flows.sealed import settings_for
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

CONTEXT = get_context("forkserver")  # children that have imported everything already
CONTEXT.set_forkserver_preload(
    [
        *("tests.flows.killed", "flows.channels.webhook", "flows.channels.folder", "flows.channels.email"),
        *("checks.book", "checks.engine", "checks.expectations", "transforms.report.pages"),  # what takes seconds
    ]
)


def killed(
    home: Home,
    audience: Sequence[dict[str, Any]],
    release_ids: Sequence[str],
    *,
    step: str | None = None,
    function: str | None = None,
    seconds: float | None = None,
    until: Callable[[], bool] | None = None,
    at: datetime | None = None,
) -> bool:
    """Release in another process that dies at a step, in a function, after a while, or once something is so.

    False where it came to its end.
    """
    child = CONTEXT.Process(target=_release, args=(home.path, audience, release_ids, step, function, at))
    child.start()
    if seconds is not None:
        time.sleep(seconds)
        child.kill()
    if until is not None:
        while not until() and child.is_alive():
            time.sleep(0.05)
        child.kill()
    child.join(120)
    assert child.exitcode in (0, -signal.SIGKILL), f"it ended by itself with {child.exitcode}"
    return child.exitcode != 0


def killed_on_the_way(survey: Survey, wave: str, *, step: str | None = None, function: str | None = None) -> bool:
    """Go the whole way in another process that dies at a named step of the moment, or where it calls a function."""
    child = CONTEXT.Process(target=_whole_way, args=(survey, wave, step, function))
    child.start()
    child.join(200)
    assert child.exitcode in (0, -signal.SIGKILL), f"it ended by itself with {child.exitcode}"
    return child.exitcode != 0


def started_again(
    home: Home, audience: Sequence[dict[str, Any]], release_ids: Sequence[str]
) -> tuple[Report, list[str]]:
    """What the next `zwerm run` does: recover, then bring the same releases to their end; with what it said."""
    settings = settings_for(home, audience=audience)
    said = recover(home, settings)
    if not all(record(home, release_id) in ("released", "confirmed") for release_id in release_ids):
        plan(home, release_ids)
        (moment,) = stage(home, settings, release_ids)
        return open_moment(home, settings, moment.moment_id), said
    with Ledger.open(home.ledger) as ledger:
        release = ledger.release(release_ids[0])
        assert release is not None
        assert release.moment_id is not None
        return report(ledger, release.moment_id), said


def _whole_way(survey: Survey, wave: str, step: str | None, function: str | None) -> None:
    def on_step(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    _die_in(function)
    survey.release(wave, on_step=on_step)


def at_call_of(function: str | None, do: Callable[[], None]) -> None:
    """Do something where any thread of this process calls a function or a method, wherever it was imported to."""
    if function is None:
        return
    called: Callable[..., Any] = resolve_name(function)

    @wraps(called)
    def first(*arguments: Any, **named: Any) -> Any:
        do()
        return called(*arguments, **named)

    ours = [one for name, one in sys.modules.items() if name.startswith(("flows.", "warehouse."))]
    for one in (*ours, resolve_name(function.rpartition(".")[0])):
        for known in [known for known, value in vars(one).items() if value is called]:
            setattr(one, known, first)


def _die_in(function: str | None) -> None:
    """End this process where any of its threads calls a function."""
    at_call_of(function, lambda: os.kill(os.getpid(), signal.SIGKILL))


def _release(
    path: Path,
    audience: Sequence[dict[str, Any]],
    release_ids: Sequence[str],
    step: str | None,
    function: str | None,
    at: datetime | None,
) -> None:
    def on_step(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    _die_in(function)
    home = Home(path)
    settings = settings_for(home, audience=audience)
    for release_id in release_ids:
        record(home, release_id)
    plan(home, release_ids, at=at)
    (moment,) = stage(home, settings, release_ids, on_step=on_step)
    open_moment(home, settings, moment.moment_id, on_step=on_step)
