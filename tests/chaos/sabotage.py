"""Senders that are broken on purpose: a suite that could not find these would be worth nothing."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.channels import Channel, ChannelName, Delivery, Open, Outcome, Refusal
from flows.channels.by_name import Factory, channel_for
from flows.channels.connections import Sending
from flows.channels.email import EmailChannel
from flows.channels.folder import FolderChannel
from flows.channels.webhook import WebhookChannel
from flows.releasing import recover
from flows.releasing.waiting import Appointment
from flows.settings import Settings

Kind = Callable[[Sequence[Delivery], Mapping[str, Path], Settings], Channel]


class OneByteEarly(WebhookChannel):
    """Sends the first byte of the first request while it is armed."""

    def arm(self, *, until: datetime) -> list[Refusal]:
        refusals = super().arm(until=until)
        for opened in super().opens()[:1]:
            opened.send()
            time.sleep(0.05)
        return refusals


class FolderEarly(FolderChannel):
    """Renames before the commit."""

    def opens(self) -> list[Open]:
        opens = super().opens()
        opens[0].send()
        time.sleep(0.1)
        return opens[1:]


class MailEarly(EmailChannel):
    """Sends the first message while it is armed."""

    def arm(self, *, until: datetime) -> list[Refusal]:
        refusals = super().arm(until=until)
        super().opens()[0].send()
        time.sleep(0.05)
        return refusals


class Twice(WebhookChannel):
    """Sends again what was acknowledged, under the same key."""

    def confirm(self, *, deadline: float) -> list[Outcome]:
        outcomes = super().confirm(deadline=deadline)
        self._outcomes._known.clear()
        super().complete([outcomes[0].delivery_id], deadline=deadline)
        return outcomes


class AnotherKey(WebhookChannel):
    """Sends again under a key that is drawn anew."""

    def confirm(self, *, deadline: float) -> list[Outcome]:
        outcomes = super().confirm(deadline=deadline)
        self._content.key = lambda delivery, event: os.urandom(16).hex()  # type: ignore[method-assign]
        self._outcomes._known.clear()
        super().complete([outcomes[0].delivery_id], deadline=deadline)
        return outcomes


class Forgotten(WebhookChannel):
    """Sends nothing to one, and says that it was delivered."""

    def arm(self, *, until: datetime) -> list[Refusal]:
        self._forgotten = self._deliveries.popitem()[0]
        return super().arm(until=until)

    def confirm(self, *, deadline: float) -> list[Outcome]:
        outcomes = super().confirm(deadline=deadline)
        return [*outcomes, replace(outcomes[0], delivery_id=self._forgotten)]


class Uncounted(WebhookChannel):
    """Says of everything that it was sent once."""

    def confirm(self, *, deadline: float) -> list[Outcome]:
        return [replace(outcome, attempts=1) for outcome in super().confirm(deadline=deadline)]


class AnotherContent(WebhookChannel):
    """Sends one recipient a content of his own."""

    def arm(self, *, until: datetime) -> list[Refusal]:
        refusals = super().arm(until=until)
        named = b"Waddenlijn"  # which only stands in what is not sealed
        name, line = next(item for item in self._lines.items() if named in item[1].request.message)
        other = line.request.message.replace(named, b"Wanderlijn")
        self._lines[name] = replace(line, sending=Sending(line.connection, other))
        return refusals


SABOTAGED: Mapping[str, tuple[ChannelName, type[Channel]]] = {
    "one byte early": ("webhook", OneByteEarly),
    "a folder early": ("folder", FolderEarly),
    "a message early": ("email", MailEarly),
    "twice": ("webhook", Twice),
    "another key": ("webhook", AnotherKey),
    "forgotten": ("webhook", Forgotten),
    "uncounted": ("webhook", Uncounted),
    "another content": ("webhook", AnotherContent),
}


def opens_before_t() -> None:
    """Nobody waits for the last three seconds."""
    left = Appointment.left.fget  # type: ignore[attr-defined]
    Appointment.left = property(lambda self: left(self) - 3.0)  # type: ignore[assignment, method-assign]


def recovers_without_a_word() -> None:
    """What was found is not told."""
    recovers = recover.recover

    def silent(*given: Any, **named: Any) -> list[str]:
        recovers(*given, **named)
        return []

    recover.recover = silent


PATCHED: Mapping[str, Callable[[], None]] = {
    "opens before T": opens_before_t,
    "recovers without a word": recovers_without_a_word,
}


def sabotaged(what: str) -> Factory:
    """Channels of which one kind is broken; or something else is, in this process."""
    if what in PATCHED:
        PATCHED[what]()
        return channel_for
    broken, kind = SABOTAGED[what]

    def factory(
        name: ChannelName, deliveries: Sequence[Delivery], releases: Mapping[str, Path], settings: Settings
    ) -> Channel:
        if name != broken:
            return channel_for(name, deliveries, releases, settings)
        make: Callable[..., Channel] = kind
        return make(deliveries, releases=releases, settings=settings)

    return factory
