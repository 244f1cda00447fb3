"""Webhook receivers in a process of their own, which log every raw byte with the time at which it came.

Each receiver listens on a port of its own. How it behaves stands in `behaviour.json` and is read anew at each event, so
that a test may mend a receiver while it runs. `python -m tests.flows.receivers FOLDER COUNT [CERTIFICATE]` prints the
ports and ends when its input ends, that is with the process that started it.
"""

import asyncio
import json
import os
import resource
import ssl
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, cast

import h11

ROOT = Path(__file__).parents[2]
IMF_DATE = "%a, %d %b %Y %H:%M:%S GMT"


class Behaviour(TypedDict, total=False):
    """What a receiver does otherwise than answering 204 at once."""

    ready: list[int]  # statuses for one readiness call after the other, the last one from then on
    release: list[int]
    sealed: list[int]
    key: list[int]
    slow_seconds: float  # before each answer
    drop_seconds: float  # a connection on which nothing came by then is closed
    silent: list[str]  # events that get no answer
    hang_up: list[str]  # events after which the connection is closed without an answer
    cut: list[str]  # events of which the connection is closed once the head is there
    mute: bool  # accepts the connection, and says nothing to whatever comes; no shaking of hands either
    garbage: bool  # answers something that is not HTTP
    deaf: list[str]  # events of which nothing is read after the head, until `deaf_seconds` have passed
    deaf_seconds: float
    most_connections: int  # one more at the same time is closed at once, without a word
    clock_seconds: float  # how far the clock in its answers is ahead
    dateless: bool  # answers without a Date


@dataclass(frozen=True)
class Came:
    """One event at a receiver; `at` is the receiver's time in nanoseconds since 1970."""

    receiver: int
    connection: int
    at: int
    what: str  # connected, bytes, answered, closed
    data: bytes = b""


@dataclass(frozen=True)
class Call:
    """One whole request as it was received."""

    receiver: int
    at: int
    event: str
    headers: dict[str, str]
    target: str
    body: bytes
    status: int | None


@dataclass(frozen=True)
class Receivers:
    """A running process with its receivers, seen from the test."""

    folder: Path
    ports: tuple[int, ...]
    is_tls: bool

    def url(self, receiver: int, path: str = "/hook") -> str:
        """Where one receiver listens."""
        return f"{'https' if self.is_tls else 'http'}://localhost:{self.ports[receiver]}{path}"

    def behave(self, behaviours: dict[int, Behaviour]) -> None:
        """Set how receivers behave from now on; those not named answer 204 at once."""
        draft = self.folder / "behaviour.draft"
        draft.write_text(json.dumps(behaviours))
        draft.replace(self.folder / "behaviour.json")

    def log(self) -> list[Came]:
        """Everything that came so far, in the order in which it came."""
        lines = (self.folder / "raw.jsonl").read_text().splitlines()
        return [Came(**{**entry, "data": bytes.fromhex(entry["data"])}) for entry in map(json.loads, lines)]

    def calls(self, event: str | None = None) -> list[Call]:
        """The whole requests so far, of one event or of all."""
        lines = (self.folder / "calls.jsonl").read_text().splitlines()
        found = [Call(**{**entry, "body": bytes.fromhex(entry["body"])}) for entry in map(json.loads, lines)]
        return [call for call in found if event in (None, call.event)]


@contextmanager
def webhook_receivers(folder: Path, count: int, *, certificate: Path | None = None) -> Iterator[Receivers]:
    """Start receivers in a process of their own; with a certificate (key and chain in one file) they speak TLS."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.flows.receivers", str(folder), str(count)]
    with running([*command, *([str(certificate)] if certificate else [])]) as said:
        yield Receivers(folder, tuple(cast(list[int], said["ports"])), is_tls=certificate is not None)


@contextmanager
def running(command: list[str]) -> Iterator[dict[str, Any]]:
    """Run a child that says one line of JSON when it is up and ends when its input ends."""
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    ) as child:
        assert child.stdin and child.stdout
        line = child.stdout.readline()
        assert line, "the receivers did not start; see what they printed"
        try:
            yield json.loads(line)
        finally:
            child.stdin.close()
            child.wait(10)


@dataclass
class _Server:
    folder: Path
    connections: int = 0
    answered: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    open: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def behaviour(self, receiver: int) -> Behaviour:
        path = self.folder / "behaviour.json"
        every = json.loads(path.read_text()) if path.exists() else {}
        return cast(Behaviour, every.get(str(receiver), {}))

    def note(self, name: str, entry: dict[str, object]) -> None:
        with (self.folder / name).open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def status(self, receiver: int, event: str) -> int:
        count, self.answered[receiver, event] = self.answered[receiver, event], self.answered[receiver, event] + 1
        statuses = cast(list[int], self.behaviour(receiver).get(event, [204]))
        return statuses[min(count, len(statuses) - 1)]


class _Connection(asyncio.Protocol):
    def __init__(self, server: _Server, receiver: int) -> None:
        self.server, self.receiver = server, receiver
        self.parser = h11.Connection(h11.SERVER)
        self.request: h11.Request | None = None
        self.body = b""
        server.connections += 1
        self.number = server.connections
        self.has_bytes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._came("connected")
        self.server.open[self.receiver] += 1
        if self.server.open[self.receiver] > self._behaviour().get("most_connections", sys.maxsize):
            self.transport.close()
        elif (seconds := self._behaviour().get("drop_seconds")) is not None:
            asyncio.get_running_loop().call_later(seconds, self._drop)

    def data_received(self, data: bytes) -> None:
        self._came("bytes", data)
        self.has_bytes = True
        if self._behaviour().get("mute"):
            return
        try:
            self._parse(data)
        except h11.RemoteProtocolError:
            self.transport.close()

    def _parse(self, data: bytes) -> None:
        self.parser.receive_data(data)
        while (event := self.parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.Request):
                self.request = event
                self._go_deaf()
                if self._event() in self._behaviour().get("cut", []):
                    self.transport.abort()
                    return
            elif isinstance(event, h11.Data):
                self.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._decide()
            elif isinstance(event, h11.ConnectionClosed):
                break

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.open[self.receiver] -= 1
        self._came("closed")

    def _decide(self) -> None:
        assert self.request is not None
        headers = {name.decode(): value.decode() for name, value in self.request.headers}
        event, behaviour = headers.get("zwerm-event", ""), self._behaviour()
        mute = event in behaviour.get("silent", []) or event in behaviour.get("hang_up", [])
        status = None if mute else self.server.status(self.receiver, event)
        call = Call(self.receiver, time.time_ns(), event, headers, self.request.target.decode(), self.body, status)
        self.server.note("calls.jsonl", {**call.__dict__, "body": self.body.hex()})
        if event in behaviour.get("hang_up", []):
            self.transport.close()
        elif status is not None:
            asyncio.get_running_loop().call_later(behaviour.get("slow_seconds", 0), self._answer, status)

    def _answer(self, status: int) -> None:
        if self._behaviour().get("garbage"):
            self.transport.write(b"220 mail.example ESMTP\r\n\r\n")
        else:
            told = time.gmtime(time.time() + self._behaviour().get("clock_seconds", 0))
            date = [] if self._behaviour().get("dateless") else [("Date", time.strftime(IMF_DATE, told))]
            response = h11.Response(status_code=status, headers=[*date, ("Content-Length", "0")])
            self.transport.write((self.parser.send(response) or b"") + (self.parser.send(h11.EndOfMessage()) or b""))
        self._came("answered")
        self.transport.close()

    def _go_deaf(self) -> None:
        if self._event() in self._behaviour().get("deaf", []):
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(
                self._behaviour().get("deaf_seconds", 1), self.transport.resume_reading
            )

    def _event(self) -> str:
        assert self.request is not None
        return dict(self.request.headers).get(b"zwerm-event", b"").decode()

    def _drop(self) -> None:
        if not self.has_bytes:
            self.transport.close()

    def _behaviour(self) -> Behaviour:
        return self.server.behaviour(self.receiver)

    def _came(self, what: str, data: bytes = b"") -> None:
        came = Came(self.receiver, self.number, time.time_ns(), what, data)
        self.server.note("raw.jsonl", {**came.__dict__, "data": data.hex()})


async def _serve(folder: Path, count: int, certificate: Path | None) -> None:
    loop, server, context = asyncio.get_running_loop(), _Server(folder), None
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    for name in ("raw.jsonl", "calls.jsonl"):
        (folder / name).touch()
    listening = [
        await loop.create_server(partial(_Connection, server, receiver), "127.0.0.1", 0, ssl=context, backlog=512)
        for receiver in range(count)
    ]
    print(json.dumps({"ports": [each.sockets[0].getsockname()[1] for each in listening]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None))
