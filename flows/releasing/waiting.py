"""Waiting for a moment by two clocks, and a section that no interrupt tears apart."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from flows.errors import HeldError

Result = TypeVar("Result")

PACE_SECONDS = 0.2
SPIN_SECONDS = 0.002
JUMP_SECONDS = 1.0  # the wall clock was set, or the machine slept
CANCELLED = "cancelled before its moment"


@dataclass(frozen=True)
class Appointment:
    """A time that has come only when the wall clock says so and as many seconds have passed as it was away."""

    at: datetime
    steady_at: float

    @classmethod
    def on(cls, at: datetime) -> "Appointment":
        """An appointment at a time of the wall clock."""
        return cls(at, time.monotonic() + _until(at))

    @property
    def left(self) -> float:
        """Seconds still to wait by the clock that is behind."""
        return max(_until(self.at), self.steady_at - time.monotonic())

    def wait(self, *, until_left: float, is_cancelled: Callable[[], bool]) -> None:
        """Return when no more than so many seconds are left; held when cancelled or when the clock was set."""
        while (left := self.left - until_left) > 0:
            if is_cancelled():
                raise HeldError(CANCELLED)
            jump = _until(self.at) - (self.steady_at - time.monotonic())
            if abs(jump) > JUMP_SECONDS:
                raise HeldError(f"this host's clock was set by {-jump:.1f} seconds while everything was armed")
            time.sleep(min(left, PACE_SECONDS))

    def meet(self) -> None:
        """Return at the time itself, not before; it is near, or the clock was set back."""
        while (left := self.left) > 0:
            if left > JUMP_SECONDS:
                raise HeldError(f"this host's clock was set back by {left:.1f} seconds while everything was armed")
            if left > SPIN_SECONDS:
                time.sleep(left - SPIN_SECONDS)


def wait_far(at: datetime, *, is_cancelled: Callable[[], bool], is_over: Callable[[], bool]) -> float:
    """Wait hours or days for a time of the wall clock, which may be set meanwhile; `is_over` ends it early.

    What is returned is by how many seconds the wall clock was set on: whoever it led past his time comes late.
    """
    asked_at = began = time.monotonic()
    first = datetime.now(UTC)
    while (left := _until(at)) > 0:
        if is_cancelled():
            raise HeldError(CANCELLED)
        if time.monotonic() - asked_at > 5:
            if is_over():
                break
            asked_at = time.monotonic()
        time.sleep(min(left, PACE_SECONDS))
    return (datetime.now(UTC) - first).total_seconds() - (time.monotonic() - began)


def shielded(work: Callable[[Callable[[], bool]], Result]) -> Result:
    """Run `work` in a thread and wait for its end, whatever comes: an interrupt asks it to stop, and is raised later.

    Signals are handled in the main thread alone, so nothing can tear `work` apart between two of its steps. It is given
    a function that tells whether it was asked to stop, which it heeds before the commit and no more after it.
    """
    stop, done = threading.Event(), threading.Event()
    results: list[Result] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(stop.is_set))
        except BaseException as error:
            faults.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=run, name="zwerm-moment")
    thread.start()
    interrupt: BaseException | None = None
    while not done.is_set():
        try:
            done.wait(PACE_SECONDS)
        except BaseException as error:
            interrupt = error
            stop.set()
    thread.join()
    if interrupt is not None:
        raise interrupt
    if faults:
        raise faults[0]
    return results[0]


def _until(at: datetime) -> float:
    return (at - datetime.now(UTC)).total_seconds()
