"""Webhooks: all is asked, connected and composed before T; then one send each, and the answers are read together.

A connection is held without a byte of the request on it: a held head would tell the length, and its signature would
confirm guesses. What was not answered with a 2xx is sent again under the same key; after a 2xx never.
"""

import json
import secrets
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import chain, repeat
from pathlib import Path

from flows.channels import GONE, Delivery, Open, Outcome, Refusal, Stop
from flows.channels.connections import (
    MOST_AT_ONCE,
    TIME_UP,
    address_of,
    close_all,
    is_alive,
    together,
)
from flows.channels.outcomes import Outcomes
from flows.channels.webhook_line import FAULTS, Attempt, Line, attempts, hold, why
from flows.channels.webhook_request import Event, compose, key_for
from flows.home import Home
from flows.recipients import Webhook
from flows.settings import Settings

ANSWER_SECONDS = 10.0  # how long one connection or one answer may take
READY_SECONDS = 25.0
ANNOUNCE_SECONDS = 5.0
COMPLETE_SECONDS = 30.0
RECONNECT_SECONDS = 1.0  # so long before T a lost connection may still be made anew
GRACE_SECONDS = 0.2  # for threads to note that the deadline has come
READY_PAUSES = (0.25, 1.0)  # seconds before a readiness call goes out again where the connection failed
RESEND_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)  # seconds; the last one from then on


class WebhookChannel:
    """The webhooks of one moment: what one receiver does never delays the send to another."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._deliveries = {each.delivery_id: each for each in deliveries if each.target is not None}
        self._gone = [each.delivery_id for each in deliveries if each.target is None]
        self._releases = releases
        self._settings = settings
        self._context = ssl.create_default_context()
        self._lines: dict[str, Line] = {}
        self._until: datetime | None = None  # None: as soon as all are ready
        self._ready: frozenset[str] | None = None  # None: another process asked, and all said yes
        self._outcomes = Outcomes()
        self.clock_offsets: list[float] = []  # seconds that receivers' clocks were ahead of ours, to the whole second
        for name in self._gone:
            self._note(name, Attempt(f"the webhook {GONE}"))

    def stage(self) -> list[Refusal]:
        """Ask every endpoint whether it is ready, with a signed call without content; a 2xx is a yes."""
        said = together(self._ask, list(self._deliveries), seconds=READY_SECONDS)
        refusals = [
            Refusal(name, f"{self._place(name)} {TIME_UP}" if reason is None else reason)
            for name, reason in zip(self._deliveries, said, strict=True)
            if reason != ""
        ]
        self._ready = frozenset(self._deliveries) - {refusal.delivery_id for refusal in refusals}
        return self._refuse_gone() + refusals

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Connect, shake hands, compose, hold; `until` is T, or a time that has passed where none is planned."""
        now = datetime.now(UTC)
        self._until = until if until > now else None
        _ = self._bodies, self._secret  # read once, so that all get the same bytes
        return self._refuse_gone() + self._hold(self._deliveries)

    def still_ready(self) -> list[Refusal]:
        """Name the connections that were lost; while T is more than a second away they are first made anew."""
        lost = [line for line in self._lines.values() if not is_alive(line.connection)]
        close_all(line.connection for line in lost)
        for line in lost:
            del self._lines[line.delivery_id]
        if lost and self._seconds_left() > RECONNECT_SECONDS:
            return self._hold([line.delivery_id for line in lost])
        return [Refusal(line.delivery_id, f"{line.request.address} closed the connection held for T") for line in lost]

    def opens(self) -> list[Open]:
        """One send per delivery: head and body, never waiting; what the kernel does not take follows in `confirm`."""
        return [Open((name,), line.sending.go) for name, line in self._lines.items()]

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """Read all answers side by side until the deadline, and send again what failed or stayed unanswered."""
        lines, self._lines = self._lines, {}
        pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="zwerm-webhook")
        at_once = partial(self._resend, pauses=(0.0, *RESEND_PAUSES), deadline=deadline)
        later = partial(self._resend, pauses=RESEND_PAUSES, deadline=deadline)
        resends = [pool.submit(at_once, name) for name in self._deliveries if name not in lines]
        for line, attempt in attempts(list(lines.values()), deadline=min(deadline, time.monotonic() + ANSWER_SECONDS)):
            self._note(line.delivery_id, attempt, is_first=True)
            if not attempt.is_yes:
                resends.append(pool.submit(later, line.delivery_id))
        wait(resends, timeout=max(deadline - time.monotonic() + GRACE_SECONDS, 0))
        pool.shutdown(wait=False, cancel_futures=True)
        return self._outcomes.of([*self._deliveries, *self._gone])

    def complete(self, delivery_ids: Sequence[str]) -> list[Outcome]:
        """Send what is still missing, at once and then with pauses, under the key that it always had."""
        _ = self._bodies, self._secret
        deadline = time.monotonic() + COMPLETE_SECONDS
        resend = partial(self._resend, pauses=(0.0, *RESEND_PAUSES), deadline=deadline)
        missing = [name for name in self._outcomes.missing(delivery_ids) if name in self._deliveries]
        together(resend, missing, seconds=COMPLETE_SECONDS)
        return self._outcomes.of(delivery_ids)

    def abandon(self) -> None:
        """Close what is held, nothing of it sent."""
        close_all(line.connection for line in self._lines.values())
        self._lines = {}

    def announce(self, event: Stop, reason: str) -> None:
        """Tell everyone who was ready that the release is held or withdrawn: once, and without a way to fail."""
        told = [name for name in self._deliveries if self._ready is None or name in self._ready]
        deadline = time.monotonic() + ANNOUNCE_SECONDS
        together(
            lambda name: self._post(name, event, key=secrets.token_hex(16), reason=reason, deadline=deadline),
            told,
            seconds=ANNOUNCE_SECONDS,
        )

    def _ask(self, name: str) -> str:
        key = secrets.token_hex(16)  # each asking is an event of its own: an answer that a receiver kept may not count
        deadline = time.monotonic() + READY_SECONDS
        for pause in (*READY_PAUSES, None):
            asked_at = datetime.now(UTC)
            attempt = self._post(name, "ready", key=key, deadline=deadline)
            if pause is None or attempt.answer or attempt.reason.endswith(TIME_UP):
                break
            time.sleep(pause)
        if attempt.answer and attempt.answer.date:
            self.clock_offsets.append((attempt.answer.date - asked_at.replace(microsecond=0)).total_seconds())
        return "" if attempt.is_yes else f"{attempt.reason} when asked whether it is ready"

    def _hold(self, names: Iterable[str]) -> list[Refusal]:
        asked, seconds = list(names), min(ANSWER_SECONDS, self._seconds_left())
        at = self._until or datetime.now(UTC)
        held = together(
            lambda name: self._line(name, "release", key=self._key(name), at=at, seconds=seconds),
            asked,
            seconds=seconds,
            late=lambda line: close_all([line.connection] if isinstance(line, Line) else []),
        )
        self._lines |= {line.delivery_id: line for line in held if isinstance(line, Line)}
        return [
            Refusal(name, reason or f"{self._place(name)} {TIME_UP}")
            for name, reason in zip(asked, held, strict=True)
            if not isinstance(reason, Line)
        ]

    def _line(self, name: str, event: Event, *, key: str, at: datetime, seconds: float, reason: str = "") -> Line | str:
        try:
            body = self._body(name, event, reason=reason)
            request = compose(self._target(name), event=event, key=key, body=body, at=at)
            return hold(name, request, context=self._context, seconds=seconds)
        except FAULTS as error:
            return f"{self._place(name)} {why(error)}"

    def _post(self, name: str, event: Event, *, key: str, deadline: float, reason: str = "") -> Attempt:
        ends = min(deadline, time.monotonic() + ANSWER_SECONDS)
        line = self._line(name, event, key=key, at=datetime.now(UTC), seconds=ends - time.monotonic(), reason=reason)
        if isinstance(line, str):
            return Attempt(line)
        line.sending.finish()
        return next(attempt for _, attempt in attempts([line], deadline=ends))

    def _resend(self, name: str, *, pauses: Sequence[float], deadline: float) -> None:
        for pause in chain(pauses, repeat(pauses[-1])):
            if time.monotonic() + pause >= deadline:
                return
            time.sleep(pause)
            attempt = self._post(name, "release", key=self._key(name), deadline=deadline)
            self._note(name, attempt)
            if attempt.is_yes:
                return

    def _note(self, name: str, attempt: Attempt, *, is_first: bool = False) -> None:
        self._outcomes.note(
            name,
            is_yes=attempt.is_yes,
            is_answered=attempt.answer is not None,
            is_sent=attempt.is_sent,
            detail=attempt.reason,
            is_first=is_first,
            sent_at=attempt.sent_at,
        )

    def _refuse_gone(self) -> list[Refusal]:
        return [Refusal(name, f"the webhook {GONE}") for name in self._gone]

    def _key(self, name: str) -> str:
        return key_for(name, "release", secret=self._secret)

    @cached_property
    def _secret(self) -> bytes:
        return Home(self._settings.home).secret()

    def _body(self, name: str, event: Event, *, reason: str) -> bytes:
        delivery = self._deliveries[name]
        if event == "release":
            return self._bodies[delivery.release_id]
        if event == "ready":
            return b"{}"
        manifest = json.loads((self._releases[delivery.release_id] / "manifest.json").read_bytes())
        notice = {"reason": reason, "survey": manifest["survey"], "wave": manifest["wave"]}
        return json.dumps(notice, ensure_ascii=False, sort_keys=True).encode()

    @cached_property
    def _bodies(self) -> dict[str, bytes]:
        return {name: (folder / "release.json").read_bytes() for name, folder in self._releases.items()}

    def _target(self, name: str) -> Webhook:
        target = self._deliveries[name].target
        assert isinstance(target, Webhook)
        return target

    def _place(self, name: str) -> str:
        try:
            return str(address_of(self._target(name).url))
        except ValueError:
            return "the webhook"

    def _seconds_left(self) -> float:
        return (self._until - datetime.now(UTC)).total_seconds() if self._until else float("inf")
