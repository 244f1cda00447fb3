"""Webhooks: all is asked, connected and composed before T; then one send each, and the answers are read together.

A connection is held without a byte of the request on it: a held head would tell the length, and its signature would
confirm guesses. What was not answered with a 2xx is sent again under the same key; after a 2xx never. A sealed webhook
has its envelope since it was staged, and at T gets the key to it, which is equally short for every release.
"""

import secrets
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flows.channels import GONE, Delivery, Open, Outcome, Refusal, Stop
from flows.channels.connections import (
    MOST_AT_ONCE,
    TIME_UP,
    address_of,
    close_all,
    is_alive,
    room_for,
    together,
)
from flows.channels.outcomes import Outcomes
from flows.channels.tries import PAUSES, tries
from flows.channels.webhook_content import Content, opening_event, target_of
from flows.channels.webhook_line import FAULTS, Attempt, Line, attempts, hold, why
from flows.channels.webhook_request import Event, seconds_ahead
from flows.settings import Settings

ANSWER_SECONDS = 10.0  # how long one connection or one answer may take, where little is sent
READY_SECONDS = 25.0
CLOCK_SECONDS = 5.0
ANNOUNCE_SECONDS = 5.0
COMPLETE_SECONDS = 30.0
RECONNECT_SECONDS = 1.0  # so long before T a lost connection may still be made anew
GRACE_SECONDS = 0.2  # for threads to note that the deadline has come
HELD_PER_SECOND = 100  # connections, on a slow host; what arming takes beyond the slowest answer
READY_PAUSES = (0.25, 1.0)  # seconds before a readiness call goes out again where the connection failed
SLOWEST_READER = 250_000  # bytes per second
SLOWEST_LINE = 1_000_000  # bytes per second, of our own, which all envelopes share
BYTES_AT_ONCE = 1 << 28  # of envelopes in memory
ASKED: Mapping[Event, str] = {"ready": "asked whether it is ready", "sealed": "given the sealed release"}


class WebhookChannel:
    """The webhooks of one moment: what one receiver does never delays the send to another."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._deliveries = {each.delivery_id: each for each in deliveries if each.target is not None}
        self._gone = [each.delivery_id for each in deliveries if each.target is None]
        self._content = Content(releases, settings=settings)
        self._context = ssl.create_default_context()
        self._lines: dict[str, Line] = {}
        self._until: datetime | None = None  # None: as soon as all are ready
        self._ready: frozenset[str] | None = None  # None: another process asked, and all said yes
        self._doubtful: set[str] = set()  # sealed ones that refused the key: they may lack the envelope
        self._given_again: set[str] = set()  # those that have acknowledged the envelope since
        self._outcomes = Outcomes()
        for name in self._gone:
            self._note(name, Attempt(f"the webhook {GONE}"))

    def stage(self) -> list[Refusal]:
        """Ask every endpoint with a signed call whether it is ready, or give it its envelope; a 2xx is a yes."""
        self._content.read()
        refusals = self._refuse_without_room() or self._ask_all()
        self._ready = frozenset(self._deliveries) - {refusal.delivery_id for refusal in refusals}
        return self._refuse_gone() + refusals

    def clocks(self) -> list[float]:
        """Ask everyone anew; of each whose answer has a date, by how many seconds his clock is ahead at least."""
        ask = partial(self._clock, deadline=time.monotonic() + CLOCK_SECONDS)
        told = together(ask, list(self._deliveries), seconds=CLOCK_SECONDS)
        return [seconds for seconds in told if seconds is not None]

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Connect, shake hands, compose, hold; `until` is T, or a time that has passed where none is planned.

        Whether an envelope still lies there is not asked again: it was acknowledged, and its key is made anew from the
        delivery's id and the home's secret, so it is the key to that envelope in whichever process this is.
        """
        now = datetime.now(UTC)
        self._until = until if until > now else None
        self._content.read()
        return self._refuse_gone() + (self._refuse_without_room() or self._hold(self._deliveries))

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
        at_once = partial(self._resend, pauses=(0.0, *PAUSES), deadline=deadline)
        later = partial(self._resend, pauses=PAUSES, deadline=deadline)
        resends = [pool.submit(at_once, name) for name in self._deliveries if name not in lines]
        for line, attempt in attempts(list(lines.values()), deadline=min(deadline, time.monotonic() + ANSWER_SECONDS)):
            self._note(line.delivery_id, attempt, is_first=True)
            if not attempt.is_yes:
                resends.append(pool.submit(later, line.delivery_id))
        wait(resends, timeout=max(deadline - time.monotonic() + GRACE_SECONDS, 0))
        pool.shutdown(wait=False, cancel_futures=True)
        return self._outcomes.of([*self._deliveries, *self._gone])

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Send what is still missing, at once and then with pauses, under the key that it always had."""
        self._content.read()
        ends = min(deadline, time.monotonic() + COMPLETE_SECONDS)
        resend = partial(self._resend, pauses=(0.0, *PAUSES), deadline=ends)
        missing = [name for name in self._outcomes.missing(delivery_ids) if name in self._deliveries]
        together(resend, missing, seconds=COMPLETE_SECONDS)
        return self._outcomes.of(delivery_ids)

    def note_again(self, note: Callable[[Sequence[str]], None]) -> None:
        """Have each further sending written down before it goes."""
        self._outcomes.note_again = note

    def abandon(self) -> None:
        """Close what is held, nothing of it sent."""
        close_all(line.connection for line in self._lines.values())
        self._lines = {}

    def announce(self, event: Stop, reason: str) -> None:
        """Tell everyone who was ready that the release is held or withdrawn: once, and without a way to fail."""
        told = [name for name in self._deliveries if self._ready is None or name in self._ready]
        deadline = time.monotonic() + ANNOUNCE_SECONDS
        together(
            lambda name: self._post(name, event, key=_new_key(), reason=reason, deadline=deadline),
            told,
            seconds=ANNOUNCE_SECONDS,
        )

    def _ask_all(self) -> list[Refusal]:
        sizes = [self._content.envelope_bytes(delivery) for delivery in self._deliveries.values()]
        said = together(
            self._ask,
            list(self._deliveries),
            seconds=READY_SECONDS + sum(sizes) / SLOWEST_LINE,
            at_once=min(MOST_AT_ONCE, BYTES_AT_ONCE // max([1, *sizes])) or 1,
        )
        return [
            Refusal(name, f"{self._place(name)} {TIME_UP}" if reason is None else reason)
            for name, reason in zip(self._deliveries, said, strict=True)
            if reason != ""
        ]

    def _ask(self, name: str) -> str:
        # Each asking for readiness is an event of its own: an answer that a receiver kept may not count. An envelope is
        # one event however often it is sent: who has acknowledged it has it.
        delivery = self._deliveries[name]
        is_sealed = target_of(delivery).sealed
        event: Event = "sealed" if is_sealed else "ready"
        key = self._content.key(delivery, event) if is_sealed else _new_key()
        deadline = time.monotonic() + READY_SECONDS + self._content.envelope_bytes(delivery) / SLOWEST_READER
        for pause in (*READY_PAUSES, None):
            attempt = self._post(name, event, key=key, deadline=deadline)
            if pause is None or attempt.answer or attempt.reason.endswith(TIME_UP):
                break
            time.sleep(pause)
        return "" if attempt.is_yes else f"{attempt.reason} when {ASKED[event]}"

    def _clock(self, name: str, *, deadline: float) -> float | None:
        asked_at = datetime.now(UTC)
        attempt = self._post(name, "ready", key=_new_key(), deadline=deadline)
        if attempt.answer is None or attempt.answer.date is None:
            return None
        return seconds_ahead(attempt.answer.date, asked_at=asked_at, answered_at=datetime.now(UTC))

    def _hold(self, names: Iterable[str]) -> list[Refusal]:
        asked = list(names)
        seconds = min(ANSWER_SECONDS, self._seconds_left())
        at = self._until or datetime.now(UTC)
        held = together(
            lambda name: self._opening_line(name, at=at, seconds=seconds),
            asked,
            seconds=min(ANSWER_SECONDS + len(asked) / HELD_PER_SECOND, self._seconds_left()),
            late=lambda line: close_all([line.connection] if isinstance(line, Line) else []),
        )
        self._lines |= {line.delivery_id: line for line in held if isinstance(line, Line)}
        return [
            Refusal(name, reason or f"{self._place(name)} {TIME_UP}")
            for name, reason in zip(asked, held, strict=True)
            if not isinstance(reason, Line)
        ]

    def _opening_line(self, name: str, *, at: datetime, seconds: float) -> Line | str:
        if self._lacks_envelope(name):
            return f"{self._place(name)} has not acknowledged the sealed release"
        delivery = self._deliveries[name]
        event = opening_event(delivery)
        return self._line(name, event, key=self._content.key(delivery, event), at=at, seconds=seconds)

    def _line(self, name: str, event: Event, *, key: str, at: datetime, seconds: float, reason: str = "") -> Line | str:
        try:
            request = self._content.request(self._deliveries[name], event, key=key, at=at, reason=reason)
            return hold(name, request, context=self._context, seconds=seconds)
        except FAULTS as error:
            return f"{self._place(name)} {why(error)}"

    def _post(
        self, name: str, event: Event, *, key: str, deadline: float, reason: str = "", is_again: bool = False
    ) -> Attempt:
        now = time.monotonic()
        line = self._line(
            name, event, key=key, at=datetime.now(UTC), seconds=min(deadline - now, ANSWER_SECONDS), reason=reason
        )
        if isinstance(line, str):
            return Attempt(line)
        if is_again:
            self._outcomes.note_again([name])
        if time.monotonic() >= deadline:  # it stood still: by now another may send it
            line.connection.close()
            return Attempt(f"{line.request.address} {TIME_UP}")
        line.sending.finish()
        patience = ANSWER_SECONDS + len(line.request.message) / SLOWEST_READER
        return next(attempt for _, attempt in attempts([line], deadline=min(deadline, now + patience)))

    def _resend(self, name: str, *, pauses: Sequence[float], deadline: float) -> None:
        delivery = self._deliveries[name]
        event = opening_event(delivery)
        for _ in tries(pauses, deadline=deadline):
            self._give_again(delivery, deadline=deadline)
            key = self._content.key(delivery, event)
            attempt = self._post(name, event, key=key, deadline=deadline, is_again=True)
            self._note(name, attempt)
            if attempt.is_yes:
                return

    def _give_again(self, delivery: Delivery, *, deadline: float) -> None:
        # The envelope was acknowledged before T, by whichever process staged it: a key whose outcome is unknown is sent
        # again alone. Who answers the key with anything but a yes may have lost the envelope: then it goes ahead of the
        # next key, until that is acknowledged. Both are the same bytes under the same idempotency keys in every
        # process, so a receiver may keep the first envelope or the last, and any key he got opens it.
        name = delivery.delivery_id
        if self._lacks_envelope(name) or (name in self._doubtful and name not in self._given_again):
            attempt = self._post(name, "sealed", key=self._content.key(delivery, "sealed"), deadline=deadline)
            if attempt.is_yes:
                self._given_again.add(name)

    def _lacks_envelope(self, name: str) -> bool:
        is_unready = self._ready is not None and name not in self._ready
        return is_unready and target_of(self._deliveries[name]).sealed and name not in self._given_again

    def _note(self, name: str, attempt: Attempt, *, is_first: bool = False) -> None:
        if attempt.answer is not None and not attempt.is_yes and target_of(self._deliveries[name]).sealed:
            self._doubtful.add(name)
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

    def _refuse_without_room(self) -> list[Refusal]:
        lack = room_for(len(self._deliveries))
        return [Refusal(name, lack) for name in self._deliveries] if lack else []

    def _place(self, name: str) -> str:
        try:
            return str(address_of(target_of(self._deliveries[name]).url))
        except ValueError:
            return "the webhook"

    def _seconds_left(self) -> float:
        return (self._until - datetime.now(UTC)).total_seconds() if self._until else float("inf")


def _new_key() -> str:
    return secrets.token_hex(16)
