"""An S3 server (moto's) in a process of its own, behind a proxy that logs every raw byte and can misbehave.

`faults.json` is read anew at each request, so that a test may mend the way while it runs. The log has every request as
it came, byte for byte, with the time at which its last byte came.
"""

import asyncio
import json
import os
import re
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, cast

import obstore
from obstore.store import S3Store

from tests.flows.receivers import running

BUCKET = "results"
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Fault(TypedDict, total=False):
    """What happens to requests whose first line matches `on`: a regular expression over "PUT /results/zwerm/name"."""

    on: str
    do: str  # answer (with `status`) | hang | close | swallow (it is done, and nothing answered) | slow | garble
    status: int
    seconds: float  # of slow
    times: int  # the first so many; default: all


class Faults(TypedDict, total=False):
    """What goes wrong on the way."""

    requests: list[Fault]
    most_connections: int  # more at once are closed without a word
    drop: int  # whenever it grows, all connections are dropped


@dataclass(frozen=True)
class Request:
    """One request as it came at the proxy."""

    at: int  # nanoseconds since 1970
    connection: int
    raw: bytes

    @property
    def line(self) -> str:
        """Method and path."""
        return self.raw.split(b" HTTP/", 1)[0].decode()


@dataclass(frozen=True)
class ObjectServer:
    """The running server, seen from the test."""

    folder: Path
    port: int  # of the proxy
    behind: int  # of the server itself

    @property
    def endpoint(self) -> str:
        """Where the way through the proxy begins."""
        return f"http://127.0.0.1:{self.port}"

    def behave(self, faults: Faults) -> None:
        """Set what goes wrong from now on."""
        draft = self.folder / "faults.draft"
        draft.write_text(json.dumps(faults))
        draft.replace(self.folder / "faults.json")
        if "drop" in faults:
            time.sleep(0.2)  # it is seen to at the proxy's next look

    def log(self) -> list[Request]:
        """Everything that came so far."""
        lines = (self.folder / "raw.jsonl").read_text().splitlines()
        return [Request(**{**entry, "raw": bytes.fromhex(entry["raw"])}) for entry in map(json.loads, lines)]

    def objects(self) -> dict[str, bytes]:
        """What lies in the bucket, asked of the server itself."""
        store = self._store()
        names = sorted(meta["path"] for batch in obstore.list(store) for meta in batch)
        return {name: bytes(obstore.get(store, name).bytes()) for name in names}

    def put(self, name: str, content: bytes) -> None:
        """Put an object as somebody else would."""
        obstore.put(self._store(), name, content)

    def delete(self, name: str) -> None:
        """Take an object away as somebody else would."""
        obstore.delete(self._store(), name)

    def _store(self) -> S3Store:
        return S3Store(
            BUCKET,
            endpoint=f"http://127.0.0.1:{self.behind}",
            region="us-east-1",
            access_key_id="test",
            secret_access_key="test",
            client_options={"allow_http": True},
        )


@contextmanager
def object_server(folder: Path) -> Iterator[ObjectServer]:
    """Start server and proxy, with an empty bucket."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "raw.jsonl").touch()
    with running([sys.executable, "-m", "tests.flows.s3_server", str(folder)]) as said:
        yield ObjectServer(folder, cast(int, said["port"]), cast(int, said["behind"]))


@dataclass
class _Proxy:
    folder: Path
    behind: int
    count: int = 0
    drops: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    met: Counter[str] = field(default_factory=Counter)

    def faults(self) -> Faults:
        path = self.folder / "faults.json"
        return cast(Faults, json.loads(path.read_text()) if path.exists() else {})

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            drops = self.faults().get("drop", 0)
            if drops > self.drops:
                for writer in list(self.open):
                    writer.transport.abort()
            self.drops = max(self.drops, drops)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        number = self.count
        self.open.add(writer)
        try:
            if len(self.open) <= self.faults().get("most_connections", 1_000):
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    await self._relay(number, reader, writer)
        finally:
            self.open.discard(writer)
            writer.close()

    async def _relay(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await _request(reader):
            with (self.folder / "raw.jsonl").open("a") as file:
                file.write(json.dumps({"at": time.time_ns(), "connection": number, "raw": request.hex()}) + "\n")
            fault = self._fault(request)
            if fault.get("do") in ("answer", "hang", "close", "garble"):
                if not await _instead(fault, writer):
                    return
                continue
            await asyncio.sleep(fault.get("seconds", 0.0))
            answer = await self._asked(request)
            if fault.get("do") == "swallow":
                return
            writer.write(answer)
            await writer.drain()

    async def _asked(self, request: bytes) -> bytes:
        """The server's answer; it closes after each one, and the proxy keeps its own connections, as stores do."""
        there, back = await asyncio.open_connection("127.0.0.1", self.behind)
        try:
            back.write(request)
            head, _, body = (await there.read(-1)).partition(HEAD_END)
        finally:
            back.close()
        kept = [line for line in head.split(b"\r\n")[1:] if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([b"HTTP/1.1 " + head.split(b" ", 1)[1].split(b"\r\n")[0], *kept]) + HEAD_END + body

    def _fault(self, request: bytes) -> Fault:
        line = request.split(b" HTTP/", 1)[0].decode()
        for fault in self.faults().get("requests", []):
            if re.search(fault["on"], line):
                self.met[json.dumps(fault)] += 1
                if self.met[json.dumps(fault)] <= fault.get("times", 1_000_000):
                    return fault
        return {}


async def _instead(fault: Fault, writer: asyncio.StreamWriter) -> bool:
    """Do what is done instead of asking the server; whether the connection goes on."""
    if fault["do"] == "hang":
        await asyncio.sleep(3600)
    if fault["do"] == "garble":
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        await writer.drain()
    if fault["do"] == "answer":
        body = b"<Error><Code>SlowDown</Code><Message>hunter2</Message></Error>"
        writer.write(b"HTTP/1.1 %d Oh\r\nContent-Length: %d\r\n\r\n%s" % (fault["status"], len(body), body))
        await writer.drain()
    return fault["do"] == "answer"


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One request with its body; empty at the end."""
    try:
        head = await reader.readuntil(HEAD_END)
    except asyncio.IncompleteReadError:
        return b""
    length = LENGTH.search(head)
    return head + await reader.readexactly(int(length[1])) if length else head


async def _serve(folder: Path, behind: int) -> None:
    proxy = _Proxy(folder, behind)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20)
    print(json.dumps({"port": server.sockets[0].getsockname()[1], "behind": behind}), flush=True)
    watching = asyncio.create_task(proxy.watch())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    watching.cancel()
    os._exit(0)  # what hangs is not waited for


def main(words: Sequence[str]) -> None:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    moto: Any = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    _, behind = moto.get_host_and_port()
    request = urllib.request.Request(f"http://127.0.0.1:{behind}/{BUCKET}", method="PUT")
    urllib.request.urlopen(request).close()
    asyncio.run(_serve(Path(words[0]), behind))


if __name__ == "__main__":
    main(sys.argv[1:])
