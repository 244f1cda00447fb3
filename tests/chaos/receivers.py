"""Webhook receivers in a process of their own, which log raw bytes and do wrong what `faults.json` says.

Each logs into `<folder>/<receiver>.jsonl`, one line per event on a connection, with the monotonic clock of the host and
the receiver's own time of day. The sender is left to close after an answer: a close in order shows that it had read all
that it was sent, a reset that it had not, or that the answer came to a connection that was gone.
"""

import asyncio
import json
import ssl
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict, cast

from tests.chaos.fate import HookFault
from tests.chaos.wire import Request, request_of

TOO_LATE_SECONDS = 2.5  # beyond what the suite's senders wait
SLOW_SECONDS = 0.2
DROP_SECONDS = 0.3
CUT_BYTES = 200
STATUS = {204: b"No Content", 503: b"Service Unavailable"}


class Wrong(TypedDict):
    """One fault as the receivers read it."""

    release: int
    kind: HookFault
    times: int


@dataclass(frozen=True)
class Came:
    """One event on a connection."""

    connection: int
    at: int  # nanoseconds of the monotonic clock
    wall: int  # nanoseconds since 1970
    what: str  # connected, bytes, answered, closed
    data: str = ""  # hex of the bytes, the status, or how it was closed


class Server:
    """All receivers of a process."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.connections = folder, 0
        self.logs = [(folder / f"{receiver}.jsonl").open("a") for receiver in range(count)]
        self.used: dict[tuple[int, int, str], int] = {}

    def is_wrong(self, receiver: int, *kinds: HookFault) -> HookFault | None:
        """The fault of these kinds that befalls now, counted."""
        for wrong in self._faults(receiver):
            use = (receiver, wrong["release"], wrong["kind"])
            if wrong["kind"] in kinds and self.used.get(use, 0) < wrong["times"]:
                self.used[use] = self.used.get(use, 0) + 1
                return wrong["kind"]
        return None

    def note(self, receiver: int, came: Came) -> None:
        """Write one event down."""
        self.logs[receiver].write(json.dumps(asdict(came)) + "\n")
        self.logs[receiver].flush()

    def _faults(self, receiver: int) -> list[Wrong]:
        path = self.folder / "faults" / f"{receiver}.json"
        return cast(list[Wrong], json.loads(path.read_text())) if path.exists() else []


class Connection(asyncio.Protocol):
    """One connection of one receiver."""

    def __init__(self, server: Server, receiver: int) -> None:
        self.server, self.receiver, self.data = server, receiver, b""
        self.is_done = self.is_ours = False
        server.connections += 1
        self.number = server.connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._note("connected")
        if self.server.is_wrong(self.receiver, "refuses connections"):
            self._close()
        asyncio.get_running_loop().call_later(DROP_SECONDS, self._drop)

    def data_received(self, data: bytes) -> None:
        is_opening = not self.data and (b"Event: release\r\n" in data or b"Event: key\r\n" in data)
        if is_opening and self.server.is_wrong(self.receiver, "is cut off in the middle"):
            self._note("bytes", data[:CUT_BYTES].hex())  # the rest never came
            self.transport.abort()
            return
        self._note("bytes", data.hex())
        self.data += data
        request = request_of(self.data)
        if request is not None and request.is_whole and not self.is_done:
            self.is_done = True
            self._decide(request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._note("closed", "ours" if self.is_ours else "reset" if isinstance(exc, ConnectionError) else "read")

    def _decide(self, request: Request) -> None:
        wrong, status, seconds = None, 204, 0.0
        if request.event in ("ready", "sealed"):
            wrong = self.server.is_wrong(self.receiver, "refuses to be ready", "hangs when asked")
        elif request.event in ("release", "key"):
            wrong = self.server.is_wrong(
                self.receiver,
                *("5xx after the commit", "hangs after the commit", "closes early"),
                *("answers too late", "answers nonsense", "slow"),
            )
        if wrong in ("refuses to be ready", "5xx after the commit"):
            status = 503
        elif wrong in ("answers too late", "slow"):
            seconds = TOO_LATE_SECONDS if wrong == "answers too late" else SLOW_SECONDS
        elif wrong == "closes early":
            self._close()
        elif wrong == "answers nonsense":
            self.transport.write(b"220 mail.example ESMTP\r\n\r\n")
        if wrong not in ("hangs when asked", "hangs after the commit", "closes early", "answers nonsense"):
            asyncio.get_running_loop().call_later(seconds, self._answer, status)

    def _answer(self, status: int) -> None:
        if self.transport.is_closing():
            return
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()).encode()
        self._note("answered", str(status))
        self.transport.write(
            b"HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Length: 0\r\n\r\n" % (status, STATUS[status], date)
        )

    def _drop(self) -> None:
        if not self.data and self.server.is_wrong(self.receiver, "drops while armed"):
            self._close()

    def _close(self) -> None:
        self.is_ours = True
        self.transport.close()

    def _note(self, what: str, data: str = "") -> None:
        self.server.note(self.receiver, Came(self.number, time.monotonic_ns(), time.time_ns(), what, data))


async def _serve(folder: Path, plain: int, secure: int, certificate: Path) -> None:
    loop, server = asyncio.get_running_loop(), Server(folder, plain + secure)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    listening = [
        await loop.create_server(
            partial(Connection, server, receiver), "127.0.0.1", 0, ssl=None if receiver < plain else context
        )
        for receiver in range(plain + secure)
    ]
    print(json.dumps({"ports": [each.sockets[0].getsockname()[1] for each in listening]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
