import os
import sys

import pytest

from flows.releasing.undisturbed import undisturbed


def standing() -> tuple[int, int, float]:
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, sys.getswitchinterval()


def test_others_wait_while_the_opens_run_and_not_a_moment_longer() -> None:
    before = standing()
    with undisturbed():
        policy, _, interval = standing()
        assert interval < 1e-4 < before[2]
        assert policy in (os.SCHED_OTHER, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.SCHED_FIFO)
    assert standing() == before


def test_a_fault_among_the_opens_gives_the_turn_back_as_well() -> None:
    before = standing()
    with pytest.raises(OSError, match="full"), undisturbed():
        raise OSError("full")
    assert standing() == before


def test_an_account_that_may_not_go_first_opens_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*asked: object) -> None:
        raise PermissionError

    before = standing()
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with undisturbed():
        assert standing()[0] == before[0]
    assert standing() == before
