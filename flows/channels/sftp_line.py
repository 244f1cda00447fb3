"""Connections by SFTP: only to hosts whose key is known, with what the configuration says and nothing of ~/.ssh/config.

asyncssh lives on an event loop; the loop has a thread of its own, which whoever opens the moment only wakes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import asyncssh
from pydantic import SecretStr

from flows.channels.connections import explain
from flows.errors import FlowError
from flows.recipients import Sftp
from warehouse import WarehouseError

Result = TypeVar("Result")

CONNECT_SECONDS = 15.0
ANSWER_SECONDS = 10.0  # for one request
SLOWEST = 100_000  # bytes per second
KEEP_ALIVE_SECONDS = 10.0  # a host that is silent for so long is asked, so that nothing on the way forgets us
CONNECTING = 64  # hosts at a time
ABREAST = 16  # files under way on one connection
FAULTS = (OSError, ValueError, asyncssh.Error, FlowError, WarehouseError)
NOT_THERE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
EVERYONE, EVERYONE_ENTERS = asyncssh.SFTPAttrs(permissions=0o644), asyncssh.SFTPAttrs(permissions=0o755)


@dataclass(frozen=True)
class Login:
    """Who logs in where, and by what he knows the host; deliveries with the same share one connection."""

    host: str
    port: int
    user: str
    private_key: Path | None
    password: SecretStr | None
    known_hosts: Path

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def login_of(target: Sftp, *, beside: Path) -> Login:
    """The log-in of a target; its files are named from the folder of `zwerm.toml`."""
    address = urlsplit(target.url)
    return Login(
        host=address.hostname or "",
        port=address.port or 22,
        user=unquote(address.username or ""),
        private_key=beside / Path(target.private_key).expanduser() if target.private_key else None,
        password=target.password,
        known_hosts=beside / Path(target.known_hosts).expanduser(),
    )


def folder_of(target: Sftp) -> str:
    """The folder on the host; `/~/` begins at the home of the account, as other programs write it."""
    path = unquote(urlsplit(target.url).path).rstrip("/")
    return (path[3:] or ".") if f"{path}/".startswith("/~/") else path or "/"


@dataclass(frozen=True)
class Line:
    """A connection that is logged in, and its SFTP session."""

    connection: asyncssh.SSHClientConnection
    sftp: asyncssh.SFTPClient

    @property
    def is_closed(self) -> bool:
        """Whether it is known to have ended."""
        return self.connection.is_closed()

    def close(self) -> None:
        """End it, without waiting for the host's goodbye."""
        self.connection.abort()

    async def ask(self) -> None:
        """Ask for next to nothing; raises where the connection is lost, or the host does not answer."""
        if self.is_closed:
            raise asyncssh.ConnectionLost("")
        await answered(self.sftp.realpath("."))

    async def has_content(self, path: str, content: bytes) -> bool:
        """Whether a file is there and holds this."""
        return await self.read(path, most=len(content) + 1) == content

    async def read(self, path: str, *, most: int) -> bytes | None:
        """A file's first bytes, None where there is none."""
        try:
            async with asyncio.timeout(_seconds(most)), self.sftp.open(path, "rb") as file:
                return cast(bytes, await file.read(most))
        except NOT_THERE:
            return None

    async def write(self, path: str, content: bytes) -> None:
        """Write a file; acknowledged when this returns."""
        async with (
            asyncio.timeout(_seconds(len(content))),
            self.sftp.open(path, "wb", attrs=EVERYONE) as file,
        ):
            await file.write(content)

    async def rename(self, path: str, new: str) -> None:
        """Give a file or folder its name in one step."""
        await answered(self.sftp.posix_rename(path, new))

    async def has(self, path: str) -> bool:
        """Whether something is there."""
        return bool(await answered(self.sftp.lexists(path)))

    async def names(self, folder: str) -> set[str]:
        """What a folder holds, none where that is no folder."""
        try:
            return {str(name) for name in await answered(self.sftp.listdir(folder))}
        except (*NOT_THERE, asyncssh.SFTPNotADirectory, asyncssh.SFTPFailure):
            return set()

    async def make(self, folder: str) -> None:
        """Make a folder and those above it, where they are not there; nothing is tried at those that are."""
        if await answered(self.sftp.isdir(folder)):
            return
        if above := folder.rpartition("/")[0]:
            await self.make(above)
        try:
            await answered(self.sftp.mkdir(folder, EVERYONE_ENTERS))
        except asyncssh.SFTPError:
            if not await answered(self.sftp.isdir(folder)):  # else somebody made it meanwhile
                raise

    async def remove(self, path: str) -> bool:
        """Remove a file; one that the host keeps is left. Whether it is not there any more."""
        try:
            await answered(self.sftp.remove(path))
        except LOST:
            raise
        except asyncssh.SFTPError as error:
            return isinstance(error, NOT_THERE)
        return True

    async def remove_tree(self, folder: str) -> bool:
        """Remove a folder with all that is in it; whether it is not there any more."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.sftp.rmtree(folder)
        except LOST:
            raise
        except asyncssh.SFTPError as error:
            return isinstance(error, NOT_THERE)
        return True


async def connect(login: Login) -> Line:
    """Connect, compare the host's key, log in, begin SFTP; bounded in time."""
    if login.private_key is None and login.password is None:
        raise FlowError("has neither a private_key nor a password in [[audience]]; give one of the two")
    _must_be_there(login)
    password = login.password.get_secret_value() if login.password else None
    async with asyncio.timeout(CONNECT_SECONDS):
        connection = await asyncssh.connect(
            login.host,
            login.port,
            username=login.user,
            known_hosts=str(login.known_hosts),
            x509_trusted_certs=None,
            config=None,
            agent_path=None,
            agent_identities=None,
            client_keys=[str(login.private_key)] if login.private_key else None,
            passphrase=password if login.private_key else None,
            password=None if login.private_key else password,
            preferred_auth=["publickey"] if login.private_key else ["password", "keyboard-interactive"],
            gss_host=None,
            host_based_auth=False,
            keepalive_interval=KEEP_ALIVE_SECONDS,
        )
        try:
            return Line(connection, await connection.start_sftp_client())
        except BaseException:
            connection.abort()
            raise


def line_of(task: "asyncio.Task[Line] | None") -> Line | None:
    """The connection that a task made, if it did."""
    if task is None or not task.done() or task.cancelled() or task.exception() is not None:
        return None
    return task.result()


def _must_be_there(login: Login) -> None:
    if login.private_key is not None and not login.private_key.is_file():
        raise FlowError(f"cannot be logged in to: there is no private key {login.private_key}")
    if not login.known_hosts.is_file():
        raise FlowError(
            f"is a host nobody can vouch for: {login.known_hosts} does not exist; {_ask_for_its_key(login)}"
        )


def _ask_for_its_key(login: Login) -> str:
    port = f"-p {login.port} " if login.port != 22 else ""
    return (
        f"ask who runs it for its key's fingerprint, compare it with that of ssh-keyscan {port}{login.host}, and add "
        "that line to known_hosts"
    )


def why(error: BaseException, login: Login) -> str:
    """Say what went wrong, with what to do; quotes neither the host's words nor its folders."""
    return f"{login} {_told(error, login)}"


def _told(error: BaseException, login: Login) -> str:
    match error:
        case FlowError() | WarehouseError():
            return str(error)
        case asyncssh.HostKeyNotVerifiable():
            return _host_key(login)
        case asyncssh.PermissionDenied():
            return f"refuses the log-in as {login.user}"
        case asyncssh.SFTPOpUnsupported():
            return "cannot posix-rename@openssh.com, by which files appear whole and at once; OpenSSH's server can"
        case asyncssh.SFTPPermissionDenied() | asyncssh.SFTPWriteProtect():
            return f"does not let {login.user} write in that folder"
        case asyncssh.SFTPNoSpaceOnFilesystem() | asyncssh.SFTPQuotaExceeded():
            return "has no space left"
        case asyncssh.ConnectionLost() | asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
            return "closed the connection"
        case asyncssh.SFTPError():
            return f"could not do what was asked ({type(error).__name__})"
        case asyncssh.ChannelOpenError():
            return "offers no SFTP"
        case asyncssh.Error():
            return f"does not speak SSH as it should ({type(error).__name__})"
        case ValueError():
            return (
                f"cannot be logged in to: {login.private_key} is no private key, or the password does not open it (one "
                "with a password is read in the form that ssh-keygen -p -m PKCS8 gives it)"
            )
        case _:
            return explain(error)


def _host_key(login: Login) -> str:
    known = asyncssh.match_known_hosts(str(login.known_hosts), login.host, "", login.port)
    if any(known[:2]):
        return (
            f"shows another host key than {login.known_hosts} has: ask who runs it whether it was changed, and only "
            "then replace it there"
        )
    return f"has a host key that is not in {login.known_hosts}: {_ask_for_its_key(login)}"


def _seconds(size: int) -> float:
    return ANSWER_SECONDS + size / SLOWEST


async def answered(request: Awaitable[Result]) -> Result:
    """The answer to a request, or TimeoutError."""
    async with asyncio.timeout(ANSWER_SECONDS):
        return await request


async def abreast(calls: Iterable[Callable[[], Awaitable[object]]]) -> None:
    """Do all of it, some at a time; after the first fault nothing of it goes on."""
    turn = asyncio.Semaphore(ABREAST)

    async def in_turn(call: Callable[[], Awaitable[object]]) -> None:
        async with turn:
            await call()

    tasks = [asyncio.ensure_future(in_turn(call)) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Loop:
    """An event loop in a thread of its own, from its first use until it is closed; then it may be used again."""

    @cached_property
    def own(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        loop = asyncio.new_event_loop()
        self._turn = asyncio.Semaphore(CONNECTING)
        self._thread = Thread(target=loop.run_forever, name="zwerm-sftp", daemon=True)
        self._thread.start()
        return loop

    async def in_turn(self, work: Awaitable[Result]) -> Result:
        """Do this there when not too many others are at it: what bounds its time counts from its turn."""
        async with self._turn:
            return await work

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do this there, and wait for what comes of it; the work bounds its own time."""
        return asyncio.run_coroutine_threadsafe(work, self.own).result()

    def close(self) -> None:
        """End it, with what is still under way there."""
        if "own" not in self.__dict__:
            return
        asyncio.run_coroutine_threadsafe(_cancelled(), self.own).result()
        self.own.call_soon_threadsafe(self.own.stop)
        self._thread.join()
        self.own.close()
        del self.own


async def _cancelled() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(*tasks, return_exceptions=True)
