"""A series of releases under fire: lanes side by side, each with receivers of its own, and what came of all."""

import re
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import trustme

from tests.chaos import checker
from tests.chaos.evidence import WHATS, Evidence, Violation
from tests.chaos.far import far
from tests.chaos.fate import Fate
from tests.chaos.lane import HOOKS, SECURE_HOOKS, Lane
from tests.chaos.living import lived
from tests.flows.mail_receiver import mail_receiver
from tests.flows.receivers import ROOT, running

PLACES = re.compile(r"(localhost|127\.0\.0\.1):\d+|\d+(\.\d+)?")


@dataclass
class Tally:
    """What happened in a series."""

    seed: int
    releases: int = 0
    starts: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    jumps: int = 0
    planned: int = 0
    unknown: int = 0
    completed: int = 0
    holds: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, evidence: Evidence) -> list[Violation]:
        """Count one release, and tell what was wrong with it."""
        found = checker.violations(evidence)
        fate = evidence.fate
        self.releases += 1
        self.starts += len(evidence.starts)
        for number, start in enumerate(evidence.starts):
            kill = fate.kill_of(number)
            if start.is_killed:
                self.kills[(kill and kill.step) or "a random moment"] += 1
            if start.end == "held":
                self.holds[PLACES.sub("…", start.reason.partition("nobody has anything. ")[2])] += 1
        self.faults.update(fault.kind for fault in fate.faults)
        self.faults.update([f"mail server {fate.mail_fault}"] if fate.mail_fault else [])
        self.faults.update([f"SFTP and object store: {fate.far_fault}"] if fate.is_far and fate.far_fault else [])
        self.jumps += fate.jump is not None
        self.planned += fate.ahead is not None
        self.unknown += checker.unknown(evidence)
        self.completed += sum(start.is_killed and start.is_out for start in evidence.starts)
        self.violations += found
        return found

    def table(self) -> str:
        """All of it, to be read."""
        wrong = Counter(violation.what for violation in self.violations)
        rows = [
            (
                "releases",
                f"{self.releases} in {self.starts} starts, {self.planned} at a planned T, {self.seconds:.0f} s",
            ),
            ("kill -9", f"{self.kills.total()}, {self.completed} of them after the commit"),
            *((f"  at {step}", str(count)) for step, count in sorted(self.kills.items())),
            ("network faults", str(self.faults.total())),
            *((f"  {kind}", str(count)) for kind, count in sorted(self.faults.items())),
            ("clock jumps", str(self.jumps)),
            ("holds", str(self.holds.total())),
            *((f"  {count} ×", reason) for reason, count in self.holds.most_common()),
            ("unknown outcomes", f"{self.unknown}, each sent again under the same key"),
            *((what, str(wrong[what])) for what in WHATS),
        ]
        return "\n".join(f"{name:<52}{value}" for name, value in rows)


@contextmanager
def lanes(folder: Path, *, count: int, seed: int, is_far: bool = True) -> Iterator[list[Lane]]:
    """Lanes with their receivers running; a process for all webhooks, one per mail server, one who watches folders."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "receiver.pem")
    hooks = folder / "hooks"
    hooks.mkdir()
    counts = (str(HOOKS * count), str(SECURE_HOOKS * count))
    with ExitStack() as stack:
        command = [sys.executable, "-m", "tests.chaos.receivers", str(hooks), *counts, str(folder / "receiver.pem")]
        ports = stack.enter_context(running(command))["ports"]
        watcher = stack.enter_context(_watcher(folder / "sightings.jsonl"))
        made = []
        for index in range(count):
            own = folder / f"lane-{index}"
            own.mkdir()
            mail = stack.enter_context(mail_receiver(own / "mail"))
            there = stack.enter_context(far(own)) if index == 0 and is_far else None
            logs = (folder / "sightings.jsonl", folder / "authority.pem")
            made.append(Lane(own, seed, index, ports, hooks, mail, watcher, *logs, far=there))
        yield made


@contextmanager
def _watcher(log: Path) -> Iterator["IO[bytes]"]:
    command = [sys.executable, "-m", "tests.chaos.watcher", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin and child.stdout
        assert child.stdout.readline(), "the watcher did not start; see what it printed"
        try:
            yield child.stdin
        finally:
            child.stdin.close()
            child.wait(10)


def run(
    all_lanes: Sequence[Lane], fates: Sequence[Fate], *, told: Callable[[Tally, Evidence, list[Violation]], None]
) -> Tally:
    """Have every lane take the next release until none is left; `told` is called after each.

    Those that go far are the first lane's, which alone has servers there.
    """
    tally, lock, began = Tally(all_lanes[0].seed), threading.Lock(), time.monotonic()
    far_ones, near = deque(fate for fate in fates if fate.is_far), deque(fate for fate in fates if not fate.is_far)

    def taken(lane: Lane) -> Fate | None:
        with lock:
            own = far_ones if lane is all_lanes[0] and far_ones else near
            return own.popleft() if own else None

    def work(lane: Lane) -> None:
        while (fate := taken(lane)) is not None:
            evidence = lived(lane, fate)
            with lock:
                tally.seconds = time.monotonic() - began
                told(tally, evidence, tally.add(evidence))

    with ThreadPoolExecutor(len(all_lanes)) as pool:
        for future in [pool.submit(work, lane) for lane in all_lanes]:
            future.result()
    return tally
