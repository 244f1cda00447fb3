import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from flows.errors import HeldError
from flows.releasing.waiting import Appointment, shielded, wait_far


def never() -> bool:
    return False


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_an_appointment_is_met_at_its_time_and_not_before() -> None:
    at = soon(0.3)
    Appointment.on(at).meet()
    assert timedelta() <= datetime.now(UTC) - at < timedelta(milliseconds=200)


def test_both_clocks_must_have_reached_the_time() -> None:
    began = time.monotonic()
    Appointment(soon(-0.2), began + 0.3).meet()
    assert time.monotonic() >= began + 0.3


def test_a_clock_that_was_set_while_everything_was_armed_holds_the_moment() -> None:
    now = time.monotonic()
    for steady_left in (2.0, 60.0):  # the wall clock says thirty seconds
        with pytest.raises(HeldError, match="clock was set"):
            Appointment(soon(30), now + steady_left).wait(until_left=0.5, is_cancelled=never)
    with pytest.raises(HeldError, match="set back"):
        Appointment(soon(3600), now).meet()


def test_waiting_for_days_ends_when_cancelled_or_when_the_moment_is_over() -> None:
    with pytest.raises(HeldError, match="cancelled"):
        wait_far(soon(86_400), is_cancelled=lambda: True, is_over=never)
    wait_far(soon(-1), is_cancelled=lambda: True, is_over=never)  # its time has come


def test_a_shielded_section_comes_to_its_end_and_the_interrupt_is_raised_after_it() -> None:
    ended: list[bool] = []

    def section(is_interrupted: Callable[[], bool]) -> None:
        threading.Timer(0.1, _interrupt).start()
        while not is_interrupted():
            time.sleep(0.01)
        time.sleep(0.3)
        ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        shielded(section)
    assert ended == [True]


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_what_a_shielded_section_returns_or_raises_comes_through() -> None:
    def failing(is_interrupted: Callable[[], bool]) -> int:
        raise HeldError("not ready")

    assert shielded(lambda is_interrupted: 7) == 7
    with pytest.raises(HeldError, match="not ready"):
        shielded(failing)
