"""What webhooks are told at each event: bodies, fixed keys, and for a sealed one its envelope and the key to that."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path

from flows.channels import Delivery
from flows.channels.envelope import key_of, seal, sealed_length
from flows.channels.webhook_request import Event, Request, compose, key_for
from flows.home import Home
from flows.recipients import Webhook
from flows.settings import Settings


class Content:
    """What the webhooks of one moment are told; each file is read once, so that all get the same bytes."""

    def __init__(self, releases: Mapping[str, Path], *, settings: Settings) -> None:
        self._releases = releases
        self._settings = settings

    def read(self) -> None:
        """Have at hand what many threads ask for at once."""
        _ = self._documents, self._secret

    def request(self, delivery: Delivery, event: Event, *, key: str, at: datetime, reason: str = "") -> Request:
        """One event as bytes; ValueError, which quotes nothing, where the address cannot be one."""
        target = target_of(delivery)
        body = self._body(delivery, event, reason=reason)
        name = delivery.delivery_id if target.sealed else None  # so that envelope and key find each other
        return compose(target, event=event, key=key, body=body, at=at, delivery_id=name)

    def key(self, delivery: Delivery, event: Event) -> str:
        """The idempotency key of what may be sent again; the same in every process."""
        return key_for(delivery.delivery_id, event, secret=self._secret)

    def envelope_bytes(self, delivery: Delivery) -> int:
        """How long the envelope of a sealed webhook is; 0 for a plain one."""
        return sealed_length(len(self._documents[delivery.release_id])) if target_of(delivery).sealed else 0

    def _body(self, delivery: Delivery, event: Event, *, reason: str) -> bytes:
        match event:
            case "ready":
                return b"{}"
            case "release":
                return self._documents[delivery.release_id]
            case "sealed":
                return seal(self._documents[delivery.release_id], self._envelope_key(delivery))
            case "key":
                return self._envelope_key(delivery)
            case "held" | "withdrawn":
                manifest = json.loads((self._releases[delivery.release_id] / "manifest.json").read_bytes())
                notice = {"reason": reason, "survey": manifest["survey"], "wave": manifest["wave"]}
                return json.dumps(notice, ensure_ascii=False, sort_keys=True).encode()

    def _envelope_key(self, delivery: Delivery) -> bytes:
        return key_of(delivery.delivery_id, secret=self._secret)

    @cached_property
    def _secret(self) -> bytes:
        return Home(self._settings.home).secret()

    @cached_property
    def _documents(self) -> dict[str, bytes]:
        return {name: (folder / "release.json").read_bytes() for name, folder in self._releases.items()}


def target_of(delivery: Delivery) -> Webhook:
    """Where a webhook's delivery goes."""
    assert isinstance(delivery.target, Webhook)
    return delivery.target


def opening_event(delivery: Delivery) -> Event:
    """What is sent at T: the release, or the key to what is there already."""
    return "key" if target_of(delivery).sealed else "release"
