"""What tests of webhooks have in common: a sealed release, deliveries to it, and the steps of a moment."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from flows.channels import Delivery, Outcome
from flows.channels.envelope import unseal
from flows.channels.webhook import WebhookChannel
from flows.channels.webhook_request import Event
from flows.home import Home
from flows.recipients import Webhook
from flows.settings import Settings
from tests.flows.receivers import Behaviour, Call, Receivers

SECRET = "hunter2-of-texel"
BODY = json.dumps({"nps": 41.8276, "filler": "x" * 12_000}, sort_keys=True).encode()
SETTINGS = Settings.model_validate(
    {"surveys": {"s": {"wave": {"value": "2026-10"}, "sources": [{"path": "s.csv"}], "roles": {"score": "score"}}}}
)


@dataclass(frozen=True)
class Manner:
    """How a webhook receives, and the events that ask it and that open the release."""

    is_sealed: bool

    @property
    def asking(self) -> Event:
        return "sealed" if self.is_sealed else "ready"

    @property
    def opening(self) -> Event:
        return "key" if self.is_sealed else "release"

    def delivery(self, url: str, *, number: int = 1) -> Delivery:
        return delivery(url, number=number, sealed=self.is_sealed)


def sealed(folder: Path, body: bytes = BODY) -> Path:
    folder.mkdir(parents=True)
    (folder / "release.json").write_bytes(body)
    manifest = {"release_id": folder.name, "survey": "passengers", "wave": "2026-10", "revision": 1, "reason": ""}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def delivery(url: str, *, secret: str | None = SECRET, number: int = 1, sealed: bool = False) -> Delivery:
    target = Webhook.model_validate({"url": url, "secret": secret, "sealed": sealed})
    return Delivery(secrets.token_hex(16), "0f1e2d3c4b5a6978", f"Ships > Texel #{number}", "webhook", "nl", target)


def channel(release: Path, *deliveries: Delivery) -> WebhookChannel:
    own = SETTINGS.model_copy(update={"home": Home(release.parents[1]).prepare().path})
    return WebhookChannel(deliveries, releases={release.name: release}, settings=own)


def answering(event: Event, *statuses: int) -> Behaviour:
    """A receiver that answers one call of this kind after the other so; the last status from then on."""
    return cast(Behaviour, {event: list(statuses)})


def soon(seconds: float = 30) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def now() -> datetime:
    return datetime.now(UTC)


def open_all(webhooks: WebhookChannel) -> None:
    for each in webhooks.opens():
        each.send()


def confirm(webhooks: WebhookChannel, *, seconds: float = 5) -> dict[str, Outcome]:
    return {outcome.delivery_id: outcome for outcome in webhooks.confirm(deadline=time.monotonic() + seconds)}


def signed_by(call: Call, secret: str) -> bool:
    signed = call.headers["zwerm-timestamp"].encode() + b"." + call.body
    return call.headers["zwerm-signature"] == "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def readable(receivers: Receivers, receiver: int) -> bytes:
    """What one receiver can read by all that he has: the release, or envelopes with the key that he has got."""
    calls = [call for call in receivers.calls() if call.receiver == receiver]
    plain = {call.body for call in calls if call.event == "release"}
    keys = {call.body for call in calls if call.event == "key"}
    opened = {unseal(call.body, key) for call in calls if call.event == "sealed" for key in keys}
    [document] = plain | opened
    return document


def must_tell_nothing(
    sent: Iterable[bytes], *, body: bytes = BODY, before: Iterable[str] = ("ready", "sealed")
) -> None:
    """Fail where what came tells a piece of the release, its length, its hash, or its name."""
    whole = b"".join(sent)
    pieces = [body[place : place + 12] for place in range(0, min(len(body), 200), 4)]
    digest = hashlib.sha256(body)
    names = [b"passengers", b"2026-10", b"0f1e2d3c4b5a6978", digest.digest(), digest.hexdigest().encode()]
    assert not [one for one in (*pieces, *names) if one in whole]
    heads = [
        line.split(b": ") for line in whole.lower().split(b"\r\n") if line.startswith((b"zwerm-event", b"content-"))
    ]
    assert {value.decode() for name, value in heads if name == b"zwerm-event"} <= {*before}
    assert str(len(body)).encode() not in [value for _, value in heads]
