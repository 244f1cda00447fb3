"""Backfills as the command runs them, one after the other, in a process that starts Prefect's server once.

`python -m tests.flows.backfilling CONFIG` reads one call per line (JSON) and answers each with one line.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.command import calls
from flows.preparing.seal import Sealed, seal
from flows.run import Run

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Worker:
    """The process, seen from the test."""

    process: subprocess.Popen[str]

    def backfill(self, first: str, last: str, **named: object) -> dict[str, Any] | None:
        """What a backfill says; None where it was killed on the way (`dies_at_seal`: of the how manyth wave)."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"first": first, "last": last, **named}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            assert self.process.wait(10) == -signal.SIGKILL
            return None
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def worker(config: Path) -> Iterator[Worker]:
    """Start a process for backfills; it ends with its input."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-m", "tests.flows.backfilling", str(config)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Worker(process)


def main(config: Path) -> None:
    """Answer each line with the result of its backfill."""
    usual = {"survey": "guests", "reason": None, "at": None, "dry_run": False, "quiet": False}
    with calls.prefect_for(Run.begin(config)):
        for line in sys.stdin:
            named = json.loads(line)
            _die_at_seal(named.pop("dies_at_seal", 0))
            print(json.dumps(calls.backfill(config=config, **(usual | named)), default=str), flush=True)


def _die_at_seal(number: int) -> None:
    """Kill this process where it would seal the how manyth wave; 0: not."""
    left = [number]

    def sealing(*arguments: Any, **named: Any) -> Sealed:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return seal(*arguments, **named)

    if number:
        pytest.MonkeyPatch().setattr("flows.preparing.steps.seal", sealing)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # Prefect's threads live on
