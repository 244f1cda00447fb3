"""An SFTP server (asyncssh's own) in a process of its own, which logs every operation with the time at which it came.

`python -m tests.flows.sftp_server FOLDER OPTIONS` prints its port and ends when its input ends. How it behaves stands
in `behaviour.json` and is read anew at each operation. What it serves lies in `FOLDER/root`.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

import asyncssh

from tests.flows.receivers import running

USER, PASSWORD = "zwerm", "correct-horse-battery"
OPERATIONS = (
    "open",
    "read",
    "write",
    "close",
    "lstat",
    "stat",
    "realpath",
    "mkdir",
    "remove",
    "rename",
    "posix_rename",
)
Mode = Literal["sftp", "silent", "closing"]


class Behaviour(TypedDict, total=False):
    """What the server does otherwise than doing everything at once."""

    slow_seconds: float  # before each operation
    refuse: bool  # every log-in
    most_connections: int
    hang: list[str]  # operations that are done and never answered
    fail: list[str]  # operations that are refused
    unsupported: list[str]
    only: str  # what a path must hold for `fail`, `hang` and `drop_after` to concern it
    drop_after: list[str]  # operations that are done, and then the connection is closed without an answer
    drop: bool  # all connections, now


@dataclass(frozen=True)
class Operation:
    """One operation that came; times in nanoseconds since 1970, `answered_at` None where it was not answered well."""

    at: int
    what: str
    paths: list[str]
    data: bytes
    answered_at: int | None


@dataclass(frozen=True)
class SftpServer:
    """A running server, seen from the test."""

    folder: Path
    port: int
    host_key: str

    @property
    def root(self) -> Path:
        """What it serves."""
        return self.folder / "root"

    def url(self, place: str) -> str:
        """The address of a folder, as the configuration writes it."""
        return f"sftp://{USER}@127.0.0.1:{self.port}/{place}"

    def known_hosts(self, path: Path) -> Path:
        """A file that vouches for this host."""
        path.write_text(f"[127.0.0.1]:{self.port} {self.host_key}\n")
        return path

    def behave(self, behaviour: Behaviour) -> None:
        """Set how it behaves from now on."""
        draft = self.folder / "behaviour.draft"
        draft.write_text(json.dumps(behaviour))
        draft.replace(self.folder / "behaviour.json")

    def log(self, place: str = "") -> list[Operation]:
        """All operations so far, below a folder."""
        path = self.folder / "operations.jsonl"
        whole, _, _ = path.read_text().rpartition("\n") if path.exists() else ("", "", "")  # the last may be half there
        entries = [json.loads(line) for line in whole.splitlines() if place in line]  # what others wrote may be much
        found = [Operation(**{**entry, "data": bytes.fromhex(entry["data"])}) for entry in entries]
        return sorted((one for one in found if any(place in path for path in one.paths)), key=lambda one: one.at)


@contextmanager
def sftp_server(folder: Path, *, mode: Mode = "sftp", authorized_key: str | None = None) -> Iterator[SftpServer]:
    """Start a server in a process of its own; `silent` says nothing to who connects, `closing` hangs up at once."""
    (folder / "root").mkdir(parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(folder / "host_key"))
    options = json.dumps({"mode": mode, "authorized_key": authorized_key})
    with running([sys.executable, "-m", "tests.flows.sftp_server", str(folder), options]) as said:
        yield SftpServer(folder, said["port"], key.export_public_key().decode().strip())


@dataclass
class _Host:
    folder: Path
    connections: set[asyncssh.SSHServerConnection]

    def behaviour(self) -> Behaviour:
        path = self.folder / "behaviour.json"
        return cast(Behaviour, json.loads(path.read_text())) if path.exists() else {}

    def note(self, at: int, what: str, paths: list[str], data: bytes, *, is_answered: bool) -> None:
        answered_at = time.time_ns() if is_answered else None
        entry = {"at": at, "what": what, "paths": paths, "data": data.hex(), "answered_at": answered_at}
        with (self.folder / "operations.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            if self.behaviour().get("drop"):
                for connection in list(self.connections):
                    connection.abort()
                    self.note(time.time_ns(), "dropped", ["/"], b"", is_answered=False)


class _Guard(asyncssh.SSHServer):
    def __init__(self, host: _Host) -> None:
        self._host = host

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        if len(self._host.connections) >= self._host.behaviour().get("most_connections", 1000):
            conn.abort()
        self._host.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.connections.discard(self._conn)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD) and not self._host.behaviour().get("refuse")


def _served(host: _Host) -> type[asyncssh.SFTPServer]:
    class Served(asyncssh.SFTPServer):
        def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(chan, chroot=os.fsencode(host.folder / "root"))

    for what in OPERATIONS:
        setattr(Served, what, _logged(host, what, getattr(asyncssh.SFTPServer, what)))
    return Served


def _logged(host: _Host, what: str, do: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def done(self: asyncssh.SFTPServer, *given: Any) -> Any:
        at, behaviour = time.time_ns(), host.behaviour()
        paths = [_path(host, each) for each in given[: 2 if "rename" in what else 1]]
        data = given[2] if what == "write" else b""
        concerned = behaviour.get("only", "") in paths[-1]
        await asyncio.sleep(behaviour.get("slow_seconds", 0))
        if concerned and what in (*behaviour.get("fail", ()), *behaviour.get("unsupported", ())):
            host.note(at, what, paths, data, is_answered=False)
            unsupported = what in behaviour.get("unsupported", ())
            raise asyncssh.SFTPOpUnsupported("no") if unsupported else asyncssh.SFTPFailure("/etc/secret: not today")
        try:
            result = do(self, *given)
            return await result if asyncio.iscoroutine(result) else result
        finally:
            is_dropped = concerned and what in behaviour.get("drop_after", ())
            is_hanging = concerned and what in behaviour.get("hang", ())
            host.note(at, what, paths, data, is_answered=not is_dropped and not is_hanging)
            if is_dropped:
                self.connection.abort()
            if is_hanging:
                await asyncio.sleep(3600)

    return done


def _path(host: _Host, given: Any) -> str:
    path = os.fsdecode(given if isinstance(given, bytes) else getattr(given, "name", b"?"))
    return path.removeprefix(str((host.folder / "root").resolve()))


async def _serve(folder: Path, mode: Mode, authorized_key: str | None) -> None:
    host = _Host(folder, set())
    if mode == "sftp":
        server: Any = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[str(folder / "host_key")],
            server_factory=lambda: _Guard(host),
            authorized_client_keys=asyncssh.import_authorized_keys(authorized_key) if authorized_key else None,
            sftp_factory=_served(host),
            allow_scp=False,
        )
        port = server.get_port()
    else:
        server = await asyncio.start_server(_silent if mode == "silent" else _closing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    watching = asyncio.ensure_future(host.watch())
    print(json.dumps({"port": port}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    watching.cancel()
    os._exit(0)


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def _closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), **json.loads(sys.argv[2])))
