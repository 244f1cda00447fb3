"""Receivers that misbehave, all at one moment: before it they are not ready, after it each is completed or told."""

import time
from math import inf
from pathlib import Path

import pytest

from tests.flows.channels.hooks import (
    BODY,
    Manner,
    answering,
    channel,
    confirm,
    must_tell_nothing,
    now,
    open_all,
    readable,
    soon,
)
from tests.flows.receivers import Behaviour, Receivers, webhook_receivers

GOOD, REFUSING, SILENT, HANGING_UP, NO_HTTP, SLOW, AT_ITS_LIMIT, CUTTING = range(8)
ERRING, LATE, DROPPING, NEVER = range(1, 5)


def test_before_the_moment_misbehaviour_is_a_refusal_and_nobody_has_anything_readable(
    tmp_path: Path, release: Path, manner: Manner, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.channels.webhook.ANSWER_SECONDS", 2.0)
    events: list[str] = [manner.asking]
    behaviours: dict[int, Behaviour] = {
        REFUSING: answering(manner.asking, 503),
        SILENT: {"silent": events},
        HANGING_UP: {"hang_up": events},
        NO_HTTP: {"garbage": True},
        SLOW: {"slow_seconds": 0.5},
        AT_ITS_LIMIT: {"most_connections": 0},
        CUTTING: {"cut": events},
    }
    with webhook_receivers(tmp_path / "many", 8, certificate=certificate) as started:
        started.behave(behaviours)
        deliveries = [manner.delivery(started.url(number), number=number) for number in range(8)]
        webhooks = channel(release, *deliveries)
        began = time.monotonic()
        refused = {refusal.delivery_id: refusal.reason for refusal in webhooks.stage()}
        assert time.monotonic() - began < 20
        unready = (REFUSING, SILENT, HANGING_UP, NO_HTTP, AT_ITS_LIMIT, CUTTING)
        assert set(refused) == {deliveries[number].delivery_id for number in unready}
        says = [refused[deliveries[number].delivery_id] for number in unready]
        parts = ("answered 503", "in time", "without an answer", "not answer in HTTP", *["closed the connection"] * 2)
        assert all(part in reason for part, reason in zip(parts, says, strict=True)), says
        must_tell_nothing(came.data for came in started.log())
        webhooks.announce("held", "some are not ready")
        assert {call.receiver for call in started.calls("held")} == {GOOD, SLOW}
        assert started.calls(manner.opening) == []


def test_after_the_moment_each_is_completed_once_or_told_as_unknown(
    tmp_path: Path, release: Path, manner: Manner, certificate: Path
) -> None:
    with webhook_receivers(tmp_path / "many", 5, certificate=certificate) as started:
        deliveries = [manner.delivery(started.url(number), number=number) for number in range(5)]
        webhooks = channel(release, *deliveries)
        assert webhooks.stage() == []
        started.behave({DROPPING: {"drop_seconds": 0.1}})
        assert webhooks.arm(until=soon()) == []
        time.sleep(0.4)
        must_tell_nothing(came.data for came in started.log())
        opened_at = time.time_ns()
        never: list[str] = [manner.opening]
        started.behave(
            {ERRING: answering(manner.opening, 503, 500, 204), LATE: {"slow_seconds": 0.7}, NEVER: {"silent": never}}
        )
        open_all(webhooks)
        outcomes = confirm(webhooks, seconds=2.5)
        statuses = [outcomes[each.delivery_id].status for each in deliveries]
        assert statuses == ["delivered"] * 4 + ["unknown"]
        assert all(readable(started, number) == BODY for number in range(5))
        opening = started.calls(manner.opening)
        assert min(call.at for call in opening) > opened_at
        for number, each in enumerate(deliveries):
            own = [call for call in opening if call.receiver == number]
            acknowledged = [call for call in own if call.status == 204]
            assert len(acknowledged) == (number != NEVER), "once, and never after an acknowledgement"
            assert len({(call.headers["idempotency-key"], call.body) for call in own}) == 1
            assert outcomes[each.delivery_id].attempts == len(own) + (number == DROPPING)  # one send met a closed door


def test_a_receiver_that_takes_fewer_connections_than_its_deliveries_need_is_not_ready(
    release: Path, http: Receivers, manner: Manner
) -> None:
    webhooks = channel(release, *(manner.delivery(http.url(0), number=number) for number in (1, 2)))
    assert webhooks.stage() == []
    http.behave({0: {"most_connections": 1}})
    assert webhooks.arm(until=soon(1.5)) == []
    time.sleep(0.7)
    [refusal] = webhooks.still_ready()
    assert refusal.reason == f"localhost:{http.ports[0]} closed the connection held for T"
    webhooks.abandon()
    assert http.calls(manner.opening) == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_endpoint_that_accepts_and_never_says_a_word_keeps_nobody_waiting(
    release: Path, http: Receivers, manner: Manner, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.channels.webhook.ANSWER_SECONDS", 1.0)
    http.behave({1: {"mute": True}})  # it does not speak TLS, which nobody finds out who hears nothing
    bad = manner.delivery(f"{scheme}://localhost:{http.ports[1]}/")
    webhooks = channel(release, manner.delivery(http.url(0)), bad)
    started = time.monotonic()
    [refusal] = webhooks.stage()
    assert time.monotonic() - started < 3
    assert refusal.delivery_id == bad.delivery_id
    assert refusal.reason.startswith(f"localhost:{http.ports[1]} did not answer in time when ")
    assert [came.receiver for came in http.log() if came.what == "bytes"].count(1) > 0


def test_who_answers_at_last_is_delivered_by_a_later_completion(release: Path, http: Receivers, manner: Manner) -> None:
    events: list[str] = [manner.opening]
    http.behave({0: {"silent": events}})
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks, seconds=0.3)[one.delivery_id].status == "unknown"
    http.behave({0: answering(manner.opening, 503, 204)})
    [outcome] = webhooks.complete([one.delivery_id], deadline=inf)
    assert (outcome.status, outcome.attempts) == ("delivered", len(http.calls(manner.opening)))
    assert webhooks.complete([one.delivery_id], deadline=inf) == [outcome]
