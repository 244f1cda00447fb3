"""Stopping before the commit: who is asked together is waited for once, and what was withdrawn is not told as held."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from flows.channels.by_name import channels_for
from flows.errors import HeldError
from flows.home import Home
from flows.releasing.audience import restored
from flows.releasing.holding import each, hold
from flows.releasing.moment import plan, record, stage, withdraw
from tests.flows.sealed import sealed, settings_for
from warehouse.ledger import Ledger


def test_however_many_ways_out_hang_they_are_waited_for_once() -> None:
    channels: dict[Any, Any] = dict.fromkeys(("folder", "webhook", "email", "share"))
    end, began = threading.Event(), time.monotonic()
    answers = each(channels, lambda name, _: end.wait(30), otherwise=lambda name, error: type(error), seconds=1.0)
    seconds = time.monotonic() - began
    end.set()
    assert answers == [TimeoutError] * len(channels)
    assert seconds < 3.0


def test_what_was_withdrawn_meanwhile_is_not_told_as_held(tmp_path: Path) -> None:
    home = Home(tmp_path).prepare()
    settings, one = settings_for(home, audience=[{"department": [], "folder": "shares/all"}]), sealed(home)
    record(home, one)
    plan(home, [one])
    stage(home, settings, [one])
    withdraw(home, settings, one, reason="a wrong file")
    with Ledger.open(home.ledger) as ledger:
        channels = channels_for(restored(ledger.deliveries(one), settings), home=home, settings=settings)
        with pytest.raises(HeldError):
            hold(ledger, home, settings, [one], channels=channels, reason="not ready")
        assert ledger.state(one) == "withdrawn"
    assert [path.name for path in (home.path / "shares" / "all").rglob("*.txt")] == ["withdrawn.txt"]
