"""A sealed webhook has the envelope before the moment, and 32 bytes open it then."""

import re
import secrets
import time
from math import inf
from pathlib import Path

import pytest

from flows.channels.envelope import unseal
from tests.flows.channels.hooks import (
    BODY,
    SECRET,
    answering,
    channel,
    confirm,
    delivery,
    must_tell_nothing,
    now,
    open_all,
    readable,
    sealed,
    signed_by,
    soon,
)
from tests.flows.receivers import Receivers

SHORTEST = b'{"nps": 41.8276}'


def test_the_envelope_comes_before_the_moment_and_one_key_at_it(release: Path, https: Receivers) -> None:
    one = delivery(https.url(0), sealed=True)
    webhooks = channel(release, one)
    assert webhooks.stage() == []
    assert webhooks.arm(until=soon()) == []
    assert webhooks.still_ready() == []
    must_tell_nothing((came.data for came in https.log()), before=["sealed"])
    open_all(webhooks)
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    envelope, key = https.calls()
    assert (envelope.event, key.event, len(key.body)) == ("sealed", "key", 32)
    assert unseal(envelope.body, key.body) == BODY
    for call in (envelope, key):
        assert call.headers["content-type"] == "application/octet-stream"
        assert call.headers["zwerm-delivery"] == one.delivery_id
        assert signed_by(call, SECRET)
    assert envelope.headers["idempotency-key"] != key.headers["idempotency-key"]


def test_the_request_with_the_key_is_as_long_for_every_release(tmp_path: Path, https: Receivers) -> None:
    """What goes out at the moment tells nothing of a release's size, and takes no longer for a larger one."""
    large = b'"' + secrets.token_hex(500_000).encode() + b'"'
    sent = []
    for name, body in (("small", SHORTEST), ("large", large)):
        webhooks = channel(
            sealed(tmp_path / name / "releases" / "0f1e2d3c4b5a6978", body), delivery(https.url(0), sealed=True)
        )
        assert webhooks.stage() == []
        webhooks.arm(until=now())
        before = len(https.log())
        open_all(webhooks)
        confirm(webhooks)
        sent.append([came.data for came in https.log()[before:] if came.what == "bytes"])
    small, large_one = sent
    assert len(small) == len(large_one) == 1, "one send each"
    assert len(small[0]) == len(large_one[0]) < 600
    assert {len(call.body) for call in https.calls("sealed")} == {4096, 1 << 20}


def test_releases_of_like_size_cannot_be_told_apart(tmp_path: Path, http: Receivers) -> None:
    for number, body in enumerate((BODY, BODY[:-3000])):
        folder = sealed(tmp_path / str(number) / "releases" / "0f1e2d3c4b5a6978", body)
        assert channel(folder, delivery(http.url(0), sealed=True)).stage() == []
    one, other = http.calls("sealed")
    assert len(one.body) == len(other.body) == 16_384


def test_an_envelope_that_is_sent_again_is_the_same_bytes_under_the_same_key(release: Path, http: Receivers) -> None:
    one = delivery(http.url(0), sealed=True)
    for _ in range(2):
        assert channel(release, one).stage() == []
    first, second = http.calls("sealed")
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_each_delivery_has_an_envelope_and_a_key_of_its_own(release: Path, http: Receivers) -> None:
    webhooks = channel(release, *(delivery(http.url(0), sealed=True, number=number) for number in (1, 2)))
    webhooks.stage()
    webhooks.arm(until=now())
    open_all(webhooks)
    confirm(webhooks)
    envelopes, keys = http.calls("sealed"), http.calls("key")
    assert len({call.body for call in envelopes}) == len({call.body for call in keys}) == 2
    by_delivery = {call.headers["zwerm-delivery"]: call.body for call in keys}
    assert [unseal(call.body, by_delivery[call.headers["zwerm-delivery"]]) for call in envelopes] == [BODY, BODY]


@pytest.mark.parametrize("status", [404, 500])
def test_who_refuses_the_key_gets_the_envelope_again_before_the_next_one(
    release: Path, http: Receivers, status: int
) -> None:
    """A receiver that lost the envelope, say with its memory, needs both; the other way round he could not use it."""
    http.behave({0: answering("key", status, status, 204)})
    webhooks = channel(release, one := delivery(http.url(0), sealed=True))
    webhooks.stage()
    webhooks.arm(until=now())
    open_all(webhooks)
    outcome = confirm(webhooks)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 3)
    assert [call.event for call in http.calls()] == ["sealed", "key", "sealed", "key", "key"]
    assert len({(call.event, call.headers["idempotency-key"], call.body) for call in http.calls()}) == 2
    assert webhooks.complete([one.delivery_id], deadline=inf) == [outcome]
    assert len(http.calls()) == 5, "after an acknowledgement nothing is sent again"


def test_an_unknown_outcome_brings_the_key_again_and_not_the_envelope(release: Path, http: Receivers) -> None:
    webhooks = channel(release, one := delivery(http.url(0), sealed=True))
    webhooks.stage()
    http.behave({0: {"hang_up": ["key"]}})
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks, seconds=0.5)[one.delivery_id].status == "unknown"
    http.behave({})
    outcome = webhooks.complete([one.delivery_id], deadline=inf)[0]
    keys = http.calls("key")
    assert (outcome.status, outcome.attempts) == ("delivered", len(keys))
    assert len({(call.headers["idempotency-key"], call.body) for call in keys}) == 1
    assert len(http.calls("sealed")) == 1


def test_whoever_has_not_acknowledged_the_envelope_is_not_armed_and_gets_both_after_the_moment(
    release: Path, http: Receivers
) -> None:
    http.behave({0: answering("sealed", 503, 204)})
    webhooks = channel(release, bad := delivery(http.url(0), sealed=True), delivery(http.url(1), sealed=True))
    assert [refusal.delivery_id for refusal in webhooks.stage()] == [bad.delivery_id]
    [refusal] = webhooks.arm(until=now())
    assert refusal.reason == f"localhost:{http.ports[0]} has not acknowledged the sealed release"
    open_all(webhooks)
    assert {outcome.status for outcome in confirm(webhooks).values()} == {"delivered"}
    assert [call.event for call in http.calls() if call.receiver == 0] == ["sealed", "sealed", "key"]
    assert readable(http, 0) == BODY


def test_a_slow_reader_may_take_its_time_for_the_envelope_and_opens_as_early(tmp_path: Path, https: Receivers) -> None:
    body = b'"' + secrets.token_hex(4_000_000).encode() + b'"'
    https.behave({0: {"deaf": ["sealed"], "deaf_seconds": 1}})
    folder = sealed(tmp_path / "large" / "releases" / "0f1e2d3c4b5a6978", body)
    webhooks = channel(folder, one := delivery(https.url(0), sealed=True))
    assert webhooks.stage() == []
    webhooks.arm(until=now())
    opened_at = time.time_ns()
    open_all(webhooks)
    outcome = confirm(webhooks)[one.delivery_id]
    assert (outcome.status, outcome.sent_at) == ("delivered", None)
    [key] = https.calls("key")
    assert (key.at - opened_at) / 1e9 < 0.9
    assert readable(https, 0) == body


@pytest.mark.parametrize("event", ["held", "withdrawn"])
def test_a_stop_names_the_delivery_so_that_the_envelope_can_be_thrown_away(
    release: Path, http: Receivers, event: str
) -> None:
    webhooks = channel(release, one := delivery(http.url(0), sealed=True))
    webhooks.stage()
    webhooks.announce("held" if event == "held" else "withdrawn", "a recipient is not ready")
    [stop] = http.calls(event)
    assert stop.headers["zwerm-delivery"] == one.delivery_id
    assert http.calls("key") == []
    assert not re.search(rb"nps|41\.8", stop.body)
