"""A line to one webhook: connection and composed request, held until it is sent, and how the exchange ended."""

import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import h11

from flows.channels.connections import NOT_NOW, TIME_UP, Sending, connect, explain
from flows.channels.webhook_request import Answer, Request, read_answer

CHUNK = 65_536
FAULTS = (OSError, ValueError, h11.RemoteProtocolError)


@dataclass(frozen=True)
class Line:
    """One connection, not a byte of the request on it before `sending.go()`."""

    delivery_id: str
    connection: socket.socket
    request: Request
    sending: Sending


@dataclass(frozen=True)
class Attempt:
    """How one request ended: with an answer, or with a reason; `is_sent` when all of it had left."""

    reason: str
    answer: Answer | None = None
    is_sent: bool = False
    sent_at: datetime | None = None  # when its last byte went, where that was not at T

    @property
    def is_yes(self) -> bool:
        """Whether a 2xx was answered: the only thing that counts as delivered."""
        return self.answer is not None and self.answer.is_yes


def hold(delivery_id: str, request: Request, *, context: ssl.SSLContext, seconds: float) -> Line:
    """Connect and shake hands, with room in the kernel for the whole request; OSError tells what did not work."""
    connection = connect(request.address, context=context, seconds=seconds, send_buffer=2 * len(request.message))
    return Line(delivery_id, connection, request, Sending(connection, request.message))


def attempts(lines: Sequence[Line], *, deadline: float) -> Iterator[tuple[Line, Attempt]]:
    """Send the rest, read the answers of all lines side by side, close each; in the order in which they end."""
    with selectors.DefaultSelector() as selector:
        for line in lines:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            selector.register(line.connection, selectors.EVENT_READ if line.sending.is_done else both, line)
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if attempt := _proceed(key.data, selector):
                    selector.unregister(key.fileobj)
                    key.data.connection.close()
                    yield key.data, replace(attempt, sent_at=key.data.sending.ended_at)
        for key in list(selector.get_map().values()):
            key.data.connection.close()
            yield key.data, Attempt(f"{key.data.request.address} {TIME_UP}", is_sent=key.data.sending.is_sent)


def _proceed(line: Line, selector: selectors.BaseSelector) -> Attempt | None:
    if not line.sending.is_done:
        line.sending.finish()
        events = selectors.EVENT_READ if line.sending.is_done else selectors.EVENT_READ | selectors.EVENT_WRITE
        selector.modify(line.connection, events, line)
    try:
        return _read(line)
    except FAULTS as error:
        return Attempt(f"{line.request.address} {why(error)}", is_sent=line.sending.is_sent)


def _read(line: Line) -> Attempt | None:
    """Read until the answer's head is there; with TLS nothing that is decrypted may be left lying."""
    while True:
        try:
            data = line.connection.recv(CHUNK)
        except NOT_NOW:
            return None
        if not data:
            return Attempt(
                f"{line.request.address} closed the connection without an answer", is_sent=line.sending.is_sent
            )
        if answer := read_answer(line.request.parser, data):
            return Attempt(f"{line.request.address} answered {answer.status}", answer, is_sent=line.sending.is_sent)


def why(error: BaseException) -> str:
    """Say what went wrong as the rest of a sentence that begins with host and port."""
    return "does not answer in HTTP" if isinstance(error, h11.RemoteProtocolError) else explain(error)
