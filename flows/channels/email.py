"""E-mail: one message per server, moment and language to batches of recipients, held after DATA until T.

What is sent at T is complete in memory: a link and no figures, dots stuffed, the end of data behind it. A server that
has not answered may still deliver; so a message is sent again only when it was refused or its connection ended, or,
after the moment, by `complete`; and always under the same Message-ID, by which readers' programs know it again.
"""

import math
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from threading import BoundedSemaphore

from flows.channels import Delivery, Open, Outcome, Refusal, Stop
from flows.channels.connections import TIME_UP, Sending, address_of, close_all, is_alive, together
from flows.channels.email_batches import Division
from flows.channels.email_line import FAULTS, Batch, Line, answer, hold, leave, rehearse, why
from flows.channels.email_message import News, message_id, notice, random_id, write
from flows.channels.news import news_of
from flows.channels.outcomes import Outcomes
from flows.channels.tries import PAUSES, pauses
from flows.home import Home
from flows.recipients import Email, MailServer
from flows.settings import Settings

STAGE_SECONDS = 60.0
ARM_SECONDS = 20.0
ANNOUNCE_SECONDS = 10.0
COMPLETE_SECONDS = 60.0
RECONNECT_SECONDS = 1.0  # so long before T a lost connection may still be made anew
TAKEN = range(200, 300)
GRACE_SECONDS = 0.2  # for threads to note that the deadline has come
LATE_SECONDS = 2.0  # the same where nobody waits at T: each send has to be counted


class EmailChannel:
    """The messages of one moment; each batch has a connection of its own, and nobody sees another's address."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._deliveries = {delivery.delivery_id: delivery for delivery in deliveries}
        self._releases = releases
        self._settings = settings
        self._context = ssl.create_default_context()
        self._lines: list[Line] = []
        self._until: datetime | None = None  # None: as soon as all are ready
        self._at = datetime.now(UTC)
        self._outcomes = Outcomes()
        self._refused: frozenset[str] = frozenset()  # who was asked and said no; another process asked before if nobody
        self._division = Division(deliveries, settings)
        self._batches, self._impossible = self._division.batches, self._division.impossible
        self._slots = {name: BoundedSemaphore(server.max_connections) for name, server in settings.servers.items()}
        for name, reason in self._impossible.items():
            self._note(name, detail=reason)

    def stage(self) -> list[Refusal]:
        """Log in with every server and offer it every recipient, over as many connections as the moment will need."""
        deadline = time.monotonic() + STAGE_SECONDS
        said = together(partial(self._rehearse, deadline=deadline), self._batches, seconds=STAGE_SECONDS)
        refusals = self._refusals([self._impossible, *map(_reasons, self._batches, said)])
        self._refused = frozenset(refusal.delivery_id for refusal in refusals)
        return refusals

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Go as far as DATA with every batch, and hold; `until` is T, or a time that has passed if none is planned."""
        now = datetime.now(UTC)
        self._until, self._at = (until if until > now else None), max(until, now)
        return self._refusals([self._impossible, *self._hold(self._batches)])

    def still_ready(self) -> list[Refusal]:
        """Name whose connections were lost; while T is more than a second away they are first made anew."""
        lost = [line for line in self._lines if not is_alive(line.connection)]
        names = {name for line in lost for name in line.names}
        self._lines = [line for line in self._lines if names.isdisjoint(line.names)]
        close_all(lost)
        if lost and self._seconds_left() > RECONNECT_SECONDS:
            return self._refusals(self._hold(self._batches_of(names)))
        return self._refusals([dict.fromkeys(names, "closed the connection held for T")])

    def opens(self) -> list[Open]:
        """One send per batch: the whole message and the end of data."""
        all_of = self._division.all_of
        return [Open(tuple(chain.from_iterable(map(all_of, line.names))), line.sending.go) for line in self._lines]

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """Read every server's answer until the deadline, and send again where it refused or went away."""
        lines, self._lines = self._lines, []
        held = {name for line in lines for lead in line.names for name in self._division.all_of(lead)}
        others = self._batches_of(self._outcomes.missing(name for name in self._deliveries if name not in held))
        settle = partial(self._settle, deadline=deadline)
        together(settle, [*lines, *others], seconds=deadline - time.monotonic() + GRACE_SECONDS)
        return self._outcomes.of(self._deliveries)

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Send what is still missing, at once and then with pauses, under the Message-ID that it always had."""
        settle = partial(self._settle, deadline=min(deadline, time.monotonic() + COMPLETE_SECONDS))
        wanted = self._batches_of(self._outcomes.missing(delivery_ids))
        together(settle, wanted, seconds=COMPLETE_SECONDS + LATE_SECONDS)
        return self._outcomes.of(delivery_ids)

    def note_again(self, note: Callable[[Sequence[str]], None]) -> None:
        """Have each further sending written down before it goes."""
        self._outcomes.note_again = note

    def abandon(self) -> None:
        """Close what is held, which servers then forget."""
        close_all(self._lines)
        self._lines = []

    def announce(self, event: Stop, reason: str) -> None:
        """Write to everyone who was ready that the results are held or withdrawn: once, and without a way to fail."""
        deadline = time.monotonic() + ANNOUNCE_SECONDS
        told = self._batches_of(name for name in self._deliveries if name not in self._refused)
        together(partial(self._tell, event=event, reason=reason, deadline=deadline), told, seconds=ANNOUNCE_SECONDS)

    def _batches_of(self, names: Iterable[str]) -> list[Batch]:
        wanted = set(map(self._division.lead_of, names))
        kept = [{name: to for name, to in batch.recipients.items() if name in wanted} for batch in self._batches]
        return [replace(batch, recipients=rest) for batch, rest in zip(self._batches, kept, strict=True) if rest]

    def _rehearse(self, batch: Batch, *, deadline: float) -> Mapping[str, str]:
        size = len(self._message(batch))
        try:
            return rehearse(batch, self._server(batch), context=self._context, size=size, deadline=deadline)
        except FAULTS as error:
            return dict.fromkeys(batch.recipients, why(error))

    def _hold(self, batches: Sequence[Batch]) -> list[Mapping[str, str]]:
        seconds = min(ARM_SECONDS, self._seconds_left())
        line_by = partial(self._line, deadline=time.monotonic() + seconds)
        held = together(line_by, batches, seconds=seconds, late=_close_late)
        self._lines += [line for line in held if isinstance(line, Line)]
        return [_reasons(batch, each) for batch, each in zip(batches, held, strict=True)]

    def _line(self, batch: Batch, *, deadline: float) -> Line | Mapping[str, str]:
        message = self._message(batch)
        try:
            return hold(batch, self._server(batch), context=self._context, message=message, deadline=deadline)
        except FAULTS as error:
            return dict.fromkeys(batch.recipients, why(error))

    def _settle(self, work: Line | Batch, *, deadline: float) -> None:
        batch = work.batch if isinstance(work, Line) else work
        if isinstance(work, Line):
            self._read(work, deadline, is_first=True)
        for pause in pauses(PAUSES if isinstance(work, Line) else (0.0, *PAUSES), deadline=deadline):
            if not (missing := self._outcomes.missing(batch.recipients)):
                return
            time.sleep(pause)
            self._send_again(replace(batch, recipients={name: batch.recipients[name] for name in missing}), deadline)

    def _send_again(self, batch: Batch, deadline: float) -> None:
        with self._slots[batch.server_name]:  # what is out need not go at once: it may be of many moments
            line = self._line(batch, deadline=deadline)
            for name, reason in _reasons(batch, line).items():
                self._note(name, detail=reason)
            if isinstance(line, Line):
                self._outcomes.note_again([each for name in line.names for each in self._division.all_of(name)])
                self._read(line, deadline)

    def _tell(self, batch: Batch, *, event: Stop, reason: str, deadline: float) -> None:
        sender, own = self._server(batch).sender, tuple(name for name in batch.release_ids if name in self._releases)
        with suppress(*FAULTS, KeyError):
            news, identity = self._news(replace(batch, release_ids=own)), random_id(sender)
            message = notice(
                news, event, reason, language=batch.language, sender=sender, message_id=identity, at=datetime.now(UTC)
            )
            line = hold(batch, self._server(batch), context=self._context, message=message, deadline=deadline)
            if isinstance(line, Line):
                try:
                    answer(line, deadline=deadline)
                finally:
                    line.close()

    def _read(self, line: Line, deadline: float, *, is_first: bool = False) -> None:
        code, detail = 0, ""
        try:
            code = answer(line, deadline=deadline)
            detail = f"answered {code} to the message"
        except FAULTS as error:
            detail = why(error)
        for name in line.names:
            self._note(name, detail=detail, code=code, sending=line.sending, is_first=is_first)
        if code:
            leave(line.client)  # only now: what is acknowledged must not wait for a goodbye
        line.close()

    def _note(
        self, name: str, *, detail: str, code: int = 0, sending: Sending | None = None, is_first: bool = False
    ) -> None:
        for each in self._division.all_of(name):
            self._outcomes.note(
                each,
                is_yes=code in TAKEN,
                is_answered=code > 0,
                is_sent=sending is not None and sending.is_sent,
                detail=self._named(name, detail),
                is_first=is_first,
                sent_at=sending.ended_at if sending else None,
            )

    def _message(self, batch: Batch) -> bytes:
        sender, language, secret = self._server(batch).sender, batch.language, Home(self._settings.home).secret()
        identity = message_id(secret, release_ids=batch.release_ids, language=language, sender=sender)
        return write(self._news(batch), language=language, sender=sender, message_id=identity, at=self._at)

    def _news(self, batch: Batch) -> list[News]:
        home = Home(self._settings.home)
        folders = [self._releases.get(name, home.releases / name) for name in batch.release_ids]
        return news_of(folders, language=batch.language, settings=self._settings)

    def _server(self, batch: Batch) -> MailServer:
        return self._settings.servers[batch.server_name]

    def _refusals(self, reasons: Iterable[Mapping[str, str]]) -> list[Refusal]:
        return [
            Refusal(delivery_id, self._named(name, reason))
            for each in reasons
            for name, reason in each.items()
            for delivery_id in self._division.all_of(name)
        ]

    def _named(self, name: str, reason: str) -> str:
        if self._deliveries[name].target is None:
            return f"the e-mail address {reason}"
        server = _target(self._deliveries[name]).server
        try:
            return f"mail server {server} ({address_of(self._settings.servers[server].smtp)}) {reason}"
        except (KeyError, ValueError):
            return f"mail server {server} {reason}"

    def _seconds_left(self) -> float:
        return (self._until - datetime.now(UTC)).total_seconds() if self._until else math.inf


def _reasons(batch: Batch, result: Line | Mapping[str, str] | None) -> Mapping[str, str]:
    """Who of a batch is refused, and why; no result is no answer in time."""
    if isinstance(result, Line):
        return result.refused
    return dict.fromkeys(batch.recipients, TIME_UP) if result is None else result


def _close_late(result: Line | Mapping[str, str]) -> None:
    if isinstance(result, Line):
        result.close()


def _target(delivery: Delivery) -> Email:
    assert isinstance(delivery.target, Email)
    return delivery.target
