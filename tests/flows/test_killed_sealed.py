"""Sealed webhooks through a whole moment: killed anywhere, each recipient opens the same content, with one key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.channels.envelope import unseal
from flows.home import Home
from tests.flows.channels.hooks import must_tell_nothing
from tests.flows.killed import killed, started_again
from tests.flows.receivers import Receivers, webhook_receivers
from tests.flows.sealed import sealed

BEFORE = ("armed",)
AFTER = ("committed", "opened:1", "confirmed")


@pytest.fixture(scope="module")
def receivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path_factory.mktemp("receivers"), 2 * (len(BEFORE) + len(AFTER))) as started:
        yield started


@pytest.mark.parametrize(("number", "step"), list(enumerate((*BEFORE, *AFTER))), ids=(*BEFORE, *AFTER))
def test_killed_at_any_step_every_sealed_recipient_opens_the_same_content(
    tmp_path: Path, receivers: Receivers, number: int, step: str
) -> None:
    own = (2 * number, 2 * number + 1)
    audience: list[dict[str, Any]] = [
        {"department": ["Ships"] if place % 2 else [], "webhook": {"url": receivers.url(place), "sealed": True}}
        for place in own
    ]
    (tmp_path / "home").mkdir()
    home = Home(tmp_path / "home").prepare()
    one = sealed(home)
    document = (home.releases / one / "release.json").read_bytes()
    assert killed(home, audience, [one], step=step)
    if step in BEFORE:
        raw = [came.data for came in receivers.log() if came.receiver in own]
        must_tell_nothing(raw, body=document, before=["sealed", "ready"])
        assert one.encode() not in b"".join(raw)
    report, _ = started_again(home, audience, [one])
    hooks = [delivery for delivery in report.deliveries if delivery.channel == "webhook"]
    assert [delivery.status for delivery in hooks] == ["delivered", "delivered"]
    sent = [call for call in receivers.calls("key") if call.receiver in own]
    assert sum(delivery.attempts for delivery in hooks) >= len(sent), "what came again is counted"
    for place in own:
        calls = [call for call in receivers.calls() if call.receiver == place]
        envelopes = {call.body for call in calls if call.event == "sealed"}
        keys = [call for call in calls if call.event == "key"]
        assert len(envelopes) == 1, "the same envelope, however often it was staged"
        assert unseal(envelopes.pop(), keys[0].body) == document
        assert len({(call.headers["idempotency-key"], call.body) for call in keys}) == 1
        assert len(keys) == (1 if step in (*BEFORE, "confirmed") else len(keys)) <= 2
        assert [call.event for call in calls if call.event in ("sealed", "key")][-1] == "key"
