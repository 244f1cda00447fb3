"""Receivers for `make bench-release`: one process that reads whatever comes and notes when, and nothing else.

Of each whole message it keeps two times, both by this host's clock: when the kernel took its first bytes in, which on
loopback is while the sender hands them over, and when the receiver held all of it. Whoever connects to the first port
gets the notes as JSON, and they begin anew. `python -m tests.benchmarks.release_receivers CPU [CERTIFICATE]` prints the
ports and ends with its input.
"""

import gc
import json
import os
import resource
import select
import socket
import ssl
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flows.releasing.undisturbed import undisturbed
from tests.benchmarks.release_lines import READ, SO_TIMESTAMPNS, Came, Http, Https, Line, SlowHttp, Smtp
from tests.flows.receivers import running

DESCRIPTORS = 8192


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

    def __init__(self, kinds: list[type[Line]]) -> None:
        self.notes: list[Came] = []
        self.asking = _listening()
        self.listening = {each.fileno(): (each, kind) for kind in kinds for each in [_listening(kind.receive_buffer)]}
        self.ports = [self.asking.getsockname()[1], *(each.getsockname()[1] for each, _ in self.listening.values())]
        self.connections: dict[int, Line] = {}
        self.resting: deque[tuple[float, int, Line]] = deque()  # until when; all rest equally long
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

    def _rest(self, descriptor: int, line: Line) -> None:
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

    def _accept(self, listening: socket.socket, kind: type[Line]) -> None:
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
    kinds: list[type[Line]] = [Http, SlowHttp, Smtp]
    if certificate:
        Https.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        Https.context.load_cert_chain(certificate)
        kinds.append(Https)
    gc.disable()
    process = _Process(kinds)
    print(json.dumps({"ports": [*process.ports, *([] if certificate else [0])]}), flush=True)
    with undisturbed():  # a recipient reads at once, whatever else this host has to do
        process.run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
