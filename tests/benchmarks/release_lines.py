"""The lines of the benchmark's receivers: they read, note when the first and the last bytes came, and say yes."""

import re
import socket
import ssl
import struct
import time
from contextlib import suppress
from dataclasses import dataclass

SO_TIMESTAMPNS = 35  # the kernel's own time of arrival, in the ancillary data of each read
READ = 1 << 16
SLOW_READ, SLOW_SECONDS = 10_000, 0.01  # so much at once, so often: 1 MB/s
SLOW_BUFFER = 1 << 15  # what a slow reader's kernel takes in for him
HTTP_ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
EHLO_ANSWER = b"250-receiver\r\n250 SIZE 10000000\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
EVENT = re.compile(rb"\r\nzwerm-event: *(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Came:
    """One whole message: nanoseconds since 1970 of its first bytes and of its last, and how long it was."""

    event: str
    first: int
    whole: int
    size: int


class Line:
    """What all kinds share: reading with the kernel's time."""

    at_once = READ
    rests_seconds = 0.0  # after each read
    receive_buffer = 0  # bytes; 0 is the kernel's choice

    def __init__(self, connection: socket.socket, notes: list[Came]) -> None:
        connection.setblocking(False)
        self.connection, self.notes = connection, notes
        self.buffer = bytearray()
        self.first = 0

    def greet(self) -> None:
        """What the receiver says first."""

    def read(self) -> None:
        """Read what is there; the connection is closed when the sender closed it."""
        try:
            data, ancillary, _, _ = self.connection.recvmsg(self.at_once, 64)
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        if not data:
            self.connection.close()
            return
        at = next((_nanoseconds(value) for _, kind, value in ancillary if kind == SO_TIMESTAMPNS), time.time_ns())
        self.take(data, at)

    def take(self, data: bytes, at: int) -> None:
        """Add to what is there, and see whether it is whole."""
        raise NotImplementedError

    def answer(self) -> None:
        """Say what is due; called when all that had come was read, so that answering delays no reading."""

    def note(self, event: str, size: int) -> None:
        """Keep when it came."""
        self.notes.append(Came(event, self.first, time.time_ns(), size))


class Http(Line):
    whole = 0  # length of the request, once its head is there
    is_whole = False

    def take(self, data: bytes, at: int) -> None:
        self.is_whole = self.completed(data, at)

    def answer(self) -> None:
        if self.is_whole:
            with suppress(OSError):
                self.connection.send(HTTP_ANSWER)
            self.connection.close()
            self.is_whole = False

    def completed(self, data: bytes, at: int) -> bool:
        """Whether the request is whole now; it is noted then."""
        self.first = self.first or at
        self.buffer += data
        if not self.whole and (head := self.buffer.find(b"\r\n\r\n")) > 0:
            length = LENGTH.search(self.buffer, 0, head)
            self.whole = head + 4 + (int(length[1]) if length else 0)
        if not self.whole or len(self.buffer) < self.whole:
            return False
        event = EVENT.search(self.buffer)
        self.note(event[1].decode() if event else "", len(self.buffer))
        return True


class SlowHttp(Http):
    at_once = SLOW_READ
    rests_seconds = SLOW_SECONDS
    receive_buffer = SLOW_BUFFER


class Https(Http):
    """The same over TLS, decrypted in memory so that the kernel's times stay to be had."""

    context: ssl.SSLContext

    def __init__(self, connection: socket.socket, notes: list[Came]) -> None:
        super().__init__(connection, notes)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.is_open = False

    def take(self, data: bytes, at: int) -> None:
        self.incoming.write(data)
        try:
            if not self.is_open:
                self.tls.do_handshake()
                self.is_open = True
            while not self.is_whole:
                self.is_whole = self.completed(self.tls.read(READ), at)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:
            self.connection.close()

    def answer(self) -> None:
        if self.is_whole:
            self.tls.write(HTTP_ANSWER)
            self._flush()
            self.connection.close()
            self.is_whole = False

    def _flush(self) -> None:
        with suppress(OSError):
            self.connection.send(self.outgoing.read())


class Smtp(Line):
    in_data = False

    def greet(self) -> None:
        self.connection.send(b"220 receiver ESMTP\r\n")

    def take(self, data: bytes, at: int) -> None:
        self.first = self.first or at
        self.buffer += data
        with suppress(OSError):
            self._proceed()

    def _proceed(self) -> None:
        while self.buffer:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            unit, found, rest = self.buffer.partition(end)
            if not found:
                return
            if self.in_data:
                self.note("release", len(unit) + len(end))
            self.buffer = rest
            self._say(bytes(unit[:4]).upper())

    def _say(self, verb: bytes) -> None:
        answer = b"250 OK\r\n"
        if self.in_data:
            self.in_data = False
        elif verb == b"DATA":
            self.in_data, self.first, answer = True, 0, b"354 Go on\r\n"
        elif verb == b"EHLO":
            answer = EHLO_ANSWER
        elif verb == b"QUIT":
            answer = b"221 Bye\r\n"
        self.connection.send(answer)


def _nanoseconds(value: bytes) -> int:
    seconds, rest = struct.unpack("qq", value)
    return int(seconds * 1_000_000_000 + rest)
