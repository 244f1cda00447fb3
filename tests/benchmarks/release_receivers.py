"""Receivers for `make bench-release`: one process that reads whatever comes and notes when, and nothing else.

Of each whole message it keeps two times, both by this host's clock: when the kernel took its first bytes in, which on
loopback is while the sender hands them over, and when the receiver held all of it. Whoever connects to the first port
gets the notes as JSON, and they begin anew. `python -m tests.benchmarks.release_receivers CPU [CERTIFICATE]` prints the
ports and ends with its input.
"""

import gc
import json
import os
import re
import resource
import select
import socket
import ssl
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flows.releasing.undisturbed import undisturbed
from tests.flows.receivers import running

SO_TIMESTAMPNS = 35  # the kernel's own time of arrival, in the ancillary data of each read
DESCRIPTORS = 8192
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


@dataclass(frozen=True)
class Receivers:
    """The running process, seen from the benchmark."""

    notes_port: int
    http_port: int
    slow_http_port: int
    https_port: int | None
    smtp_port: int

    def take(self) -> list[Came]:
        """What came since this was last asked."""
        with socket.create_connection(("127.0.0.1", self.notes_port)) as connection:
            said = b"".join(iter(lambda: connection.recv(READ), b""))
        return [Came(*entry) for entry in json.loads(said)]


@contextmanager
def release_receivers(*, cpu: int | None = None, certificate: Path | None = None) -> Iterator[Receivers]:
    """Start the receivers in a process of their own, on one processor if it is named."""
    command = [sys.executable, "-m", "tests.benchmarks.release_receivers", str(-1 if cpu is None else cpu)]
    with running([*command, *([str(certificate)] if certificate else [])]) as said:
        notes, http, slow, smtp, https = cast(list[int], said["ports"])
        yield Receivers(notes, http, slow, https or None, smtp)


def raise_limit() -> None:
    """Allow this process as many descriptors as a thousand connections need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Connection:
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


class _Http(_Connection):
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


class _SlowHttp(_Http):
    at_once = SLOW_READ
    rests_seconds = SLOW_SECONDS
    receive_buffer = SLOW_BUFFER


class _Https(_Http):
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


class _Smtp(_Connection):
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


def _listening(receive_buffer: int = 0) -> socket.socket:
    listening = socket.socket()
    if receive_buffer:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # connections inherit it
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.bind(("127.0.0.1", 0))
    listening.listen(4096)
    listening.setblocking(False)
    return listening


class _Process:
    """All connections of all kinds in one loop over epoll."""

    def __init__(self, kinds: list[type[_Connection]]) -> None:
        self.notes: list[Came] = []
        self.asking = _listening()
        self.listening = {each.fileno(): (each, kind) for kind in kinds for each in [_listening(kind.receive_buffer)]}
        self.ports = [self.asking.getsockname()[1], *(each.getsockname()[1] for each, _ in self.listening.values())]
        self.connections: dict[int, _Connection] = {}
        self.resting: deque[tuple[float, int, _Connection]] = deque()  # until when; all rest equally long
        self.epoll = select.epoll()
        for descriptor in (sys.stdin.fileno(), self.asking.fileno(), *self.listening):
            self.epoll.register(descriptor, select.EPOLLIN)

    def run(self) -> None:
        """Serve until the input ends."""
        while True:
            lines = []
            for descriptor, _ in self.epoll.poll(self._wake(), maxevents=DESCRIPTORS):
                if line := self.connections.get(descriptor):
                    line.read()
                    lines.append(line)
                    self._rest(descriptor, line)
                elif descriptor in self.listening:
                    self._accept(*self.listening[descriptor])
                elif descriptor == self.asking.fileno():
                    self._tell()
                else:
                    return
            for line in lines:
                line.answer()

    def _rest(self, descriptor: int, line: _Connection) -> None:
        if line.rests_seconds and line.connection.fileno() == descriptor:
            self.epoll.modify(descriptor, 0)
            self.resting.append((time.monotonic() + line.rests_seconds, descriptor, line))

    def _wake(self) -> float | None:
        """Let those read on who have rested; for how long the others still do."""
        while self.resting and self.resting[0][0] <= time.monotonic():
            _, descriptor, line = self.resting.popleft()
            if line.connection.fileno() == descriptor:
                self.epoll.modify(descriptor, select.EPOLLIN)
        return max(self.resting[0][0] - time.monotonic(), 0) if self.resting else None

    def _accept(self, listening: socket.socket, kind: type[_Connection]) -> None:
        with suppress(BlockingIOError):
            while True:
                connection, _ = listening.accept()
                line = self.connections[connection.fileno()] = kind(connection, self.notes)
                self.epoll.register(connection.fileno(), select.EPOLLIN)
                line.greet()

    def _tell(self) -> None:
        connection, _ = self.asking.accept()
        connection.setblocking(True)
        with connection:
            connection.sendall(json.dumps([(c.event, c.first, c.whole, c.size) for c in self.notes]).encode())
        self.notes.clear()


def _serve(cpu: int, certificate: Path | None) -> None:
    if cpu >= 0:
        os.sched_setaffinity(0, {cpu})
    raise_limit()
    kinds: list[type[_Connection]] = [_Http, _SlowHttp, _Smtp]
    if certificate:
        _Https.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        _Https.context.load_cert_chain(certificate)
        kinds.append(_Https)
    gc.disable()
    process = _Process(kinds)
    print(json.dumps({"ports": [*process.ports, *([] if certificate else [0])]}), flush=True)
    with undisturbed():  # a recipient reads at once, whatever else this host has to do
        process.run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
