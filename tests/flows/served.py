"""`zwerm serve` in a process of its own, over a small survey, and its Prefect server asked over HTTP."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import psutil

from flows.home import Home
from warehouse.ledger import Ledger
from warehouse.records import Release

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("Europe/Amsterdam")
PATIENCE_SECONDS = 150  # a loaded machine may take a minute to start Prefect's server
SURVEY = """
[surveys.{name}]
wave = "month"
[[surveys.{name}.sources]]
path = "answers.csv"
[surveys.{name}.roles]
response_id = "id"
responded_at = "at"
score = "score"
department = ["part"]
"""
NPS = "27.43362"  # of these answers, its first digits: unusual enough to be looked for
T = TypeVar("T")


def write(folder: Path, surveys: Sequence[str], *, schedule: Mapping[str, str] | None = None) -> Path:
    """A folder with 226 answers to one question, and a configuration that calls them by several names."""
    draw = random.Random(1)
    scores = [9] * 110 + [7] * 68 + [4] * 48
    draw.shuffle(scores)
    rows = [f"{n},2025-10-{1 + n % 28:02d} 10:00,{'Ships' if n % 2 else 'Shops'},{s}" for n, s in enumerate(scores)]
    (folder / "answers.csv").write_text("\n".join(["id,at,part,score", *rows, ""]), encoding="utf-8")
    lines = ['[organisation]\nname = "Waddenlijn"\ntimezone = "Europe/Amsterdam"\n']
    for name in surveys:
        lines.append(SURVEY.format(name=name))
        if schedule and name in schedule:
            lines.append(f'[surveys.{name}.schedule]\ncron = "{schedule[name]}"\n')
    path = folder / "zwerm.toml"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def alone(folder: Path) -> dict[str, str]:
    """The environment of a process that no Prefect profile and no setting of this one reaches."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return own | {"HOME": str(folder), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def local(seconds: float) -> tuple[datetime, str]:
    """A whole second to come, and as one writes it in the organisation's zone."""
    at = (datetime.now(ZONE) + timedelta(seconds=seconds)).replace(microsecond=0)
    return at, at.replace(tzinfo=None).isoformat()


def until(found: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS, says: str = "it") -> T:
    """What is found as soon as it is; an error where it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (result := found()) is not None:
            return result
        time.sleep(0.2)
    raise AssertionError(f"{says} did not come within {seconds} s")


class Prefect:
    """A Prefect server, asked as a stranger's program would ask it."""

    def __init__(self, address: str, auth: str | None) -> None:
        user, _, word = (auth or "").partition(":")
        self.client = httpx.Client(base_url=address, auth=(user, word) if auth else None, timeout=PATIENCE_SECONDS)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the server answers; it asks to come again where its database is locked for a moment."""

        def answered() -> httpx.Response | None:
            answer = self.client.post(path, json=body)
            return None if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else answer

        answer = until(answered, says=f"an answer to {path}")
        answer.raise_for_status()
        return answer.json()

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment by flow and name."""
        answer = self.client.get(f"/deployments/name/{name}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def begin(self, name: str, **parameters: Any) -> str:
        """Have a deployment run now; the run's id."""
        found = self.deployment(name)
        run = self.post(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        return str(run["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """A flow run."""
        answer = self.client.get(f"/flow_runs/{run_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def runs(self, deployment: str) -> list[dict[str, Any]]:
        """All runs of a deployment."""
        only = {"deployments": {"id": {"any_": [self.deployment(deployment)["id"]]}}}
        found: list[dict[str, Any]] = self.post("/flow_runs/filter", only | {"sort": "EXPECTED_START_TIME_ASC"})
        return found

    def ended(self, run_id: str) -> dict[str, Any]:
        """The state in which a run ends."""

        def state() -> dict[str, Any] | None:
            found: dict[str, Any] = self.run(run_id)["state"] or {}
            return found if found.get("type") in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED") else None

        return until(state, says=f"the end of run {run_id}")

    def pause(self, name: str) -> None:
        """Have a deployment's schedules fire no more."""
        self.client.post(f"/deployments/{self.deployment(name)['id']}/pause_deployment").raise_for_status()

    def cancel(self, run_id: str) -> None:
        """What the button on Prefect's page does."""
        state = "CANCELLING" if self.run(run_id)["state"]["type"] in ("RUNNING", "PENDING") else "CANCELLED"
        self.post(f"/flow_runs/{run_id}/set_state", {"state": {"type": state, "name": state.title()}})


@dataclass(frozen=True)
class Served:
    """A `zwerm serve` that is up."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    output: Path

    @cached_property
    def home(self) -> Home:
        """Its home."""
        return Home(self.folder)

    @cached_property
    def prefect(self) -> Prefect:
        """Its Prefect server."""
        known = json.loads((self.home.prefect / "server.json").read_text(encoding="utf-8"))
        return Prefect(known["address"], known["auth"])

    @property
    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text(encoding="utf-8")

    @property
    def site(self) -> str:
        """Where the site is served."""
        found = re.search(r"Site +(\S+)", self.said)
        assert found is not None
        return found[1]

    def release(self, survey: str) -> Release | None:
        """The newest release of a survey, as the ledger knows it."""
        if not self.home.ledger.exists():
            return None
        with Ledger.open(self.home.ledger) as ledger:
            releases = ledger.releases(survey)
        return releases[-1] if releases else None

    def release_in(self, survey: str, state: str) -> Release:
        """The newest release of a survey, once it is in a state."""

        def found() -> Release | None:
            release = self.release(survey)
            return release if release is not None and release.state == state else None

        return until(found, says=f"{survey}, {state},")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float, list[str]]:
        """End it; its exit code, the seconds that took, and what is left of its processes."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        seconds = time.monotonic() - began
        _, left = psutil.wait_procs(family, timeout=1)
        return code, seconds, [" ".join(one.cmdline()) for one in left]


def serve(folder: Path, *, name: str = "serve") -> Served:
    """Start `zwerm serve` and wait until it serves."""
    output = folder / f"{name}.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", "serve", "--port", "0"],
            cwd=folder,
            env=alone(folder),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    served = Served(folder, process, output)

    def is_up() -> bool | None:
        assert process.poll() is None, served.said
        return "Ctrl-C ends everything" in served.said or None

    until(is_up, says="zwerm serve")
    return served


@contextmanager
def stopped_at_last(served: Served) -> Iterator[Served]:
    """Whatever happens, nothing of it lives on."""
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.stop()
        if "prefect" in vars(served):
            served.prefect.client.close()
