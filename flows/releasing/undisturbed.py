"""The milliseconds of the opens belong to them: whatever can wait, in this process and on this host, waits."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_SECONDS = 1e-5  # after which another thread gives the interpreter back; each send lets it go


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have this thread go before others: before those of this process, and of this host where it allows that.

    A thread that computes would else keep the interpreter for 5 ms after each send, and a busy host its processor.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    is_first = _go_first()
    try:
        yield
    finally:
        if is_first:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        sys.setswitchinterval(interval)


def _go_first() -> bool:
    """Take the least of the real-time priorities, if this account may (CAP_SYS_NICE, `LimitRTPRIO=1` in a unit)."""
    if not hasattr(os, "sched_setscheduler") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        return True
    return False
