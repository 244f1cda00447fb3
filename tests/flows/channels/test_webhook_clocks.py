"""Recipients tell the time in whole seconds; what is reported is what that proves, and no more."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.channels import TellsTime
from flows.channels.webhook_request import seconds_ahead
from tests.flows.channels.hooks import Manner, channel, delivery, must_tell_nothing, signed_by
from tests.flows.receivers import Behaviour, webhook_receivers

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def moment(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@given(
    asked=st.floats(0, 10, allow_nan=False),
    there=st.floats(0, 3, allow_nan=False),
    back=st.floats(0, 3, allow_nan=False),
    offset=st.floats(-90, 90, allow_nan=False),
)
def test_no_clock_is_said_to_be_further_off_than_it_is(asked: float, there: float, back: float, offset: float) -> None:
    told = moment(asked + there + offset).replace(microsecond=0)
    ahead = seconds_ahead(told, asked_at=moment(asked), answered_at=moment(asked + there + back))
    assert min(offset, 0) - 1e-5 <= ahead <= max(offset, 0) + 1e-5
    assert abs(offset - ahead) <= 1 + there + back + 1e-5, "and no nearer than the second and the way there explain"


@pytest.mark.parametrize(
    ("date", "ahead"),
    [(0, 0.0), (-1, 0.0), (1, 0.5), (5, 4.5), (-2, -0.75), (-30, -28.75)],
)
def test_what_the_whole_second_and_the_way_there_explain_is_nothing(date: int, ahead: float) -> None:
    assert seconds_ahead(moment(date), asked_at=moment(0.25 - 0.5), answered_at=moment(0.5)) == pytest.approx(ahead)


def test_a_date_at_the_end_of_time_breaks_nothing() -> None:
    last = datetime.max.replace(tzinfo=UTC, microsecond=0)
    assert seconds_ahead(last, asked_at=NOON, answered_at=NOON) > 1e9


def test_everyone_is_asked_anew_and_those_who_tell_no_time_are_not_in_the_list(
    tmp_path: Path, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.channels.webhook.CLOCK_SECONDS", 1.5)
    behaviours: dict[int, Behaviour] = {
        1: {"clock_seconds": 120},
        2: {"clock_seconds": -120},
        3: {"dateless": True},
        4: {"silent": ["ready"]},
        5: {"hang_up": ["ready"]},
        6: {"ready": [503]},
        7: {"garbage": True},
    }
    with webhook_receivers(tmp_path / "clocks", 8) as receivers:
        receivers.behave(behaviours)
        deliveries = [delivery(receivers.url(number), number=number, sealed=number % 3 == 0) for number in range(8)]
        webhooks = channel(release, *deliveries)
        assert isinstance(webhooks, TellsTime)
        began = time.monotonic()
        behind, *right, ahead = sorted(webhooks.clocks())
        assert time.monotonic() - began < 4
        assert right == [0.0, 0.0], "one that is right, and one that answers 503"
        assert 117 < ahead <= 120 and -120 <= behind < -117
        asked = receivers.calls()
        assert {call.event for call in asked} == {"ready"} and all(call.body == b"{}" for call in asked)
        assert all(signed_by(call, "hunter2-of-texel") for call in asked)
        must_tell_nothing((came.data for came in receivers.log()), before=["ready"])
        webhooks.clocks()
        keys = [call.headers["idempotency-key"] for call in receivers.calls() if call.receiver == 0]
        assert len(keys) == len({*keys}) == 2


def test_clocks_that_cannot_be_asked_are_no_reason_to_fail(release: Path, manner: Manner) -> None:
    webhooks = channel(release, manner.delivery("http://localhost:1/"), manner.delivery("http:///"))
    assert webhooks.clocks() == []
    assert channel(release).clocks() == []
