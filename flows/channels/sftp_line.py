"""Connections by SFTP: only to hosts whose key is known, with what `zwerm.toml` says and nothing of ~/.ssh/config."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar, cast

import asyncssh

from flows.channels.sftp_login import Login, must_be_there
from flows.errors import FlowError
from warehouse import WarehouseError

Result = TypeVar("Result")

CONNECT_SECONDS = 15.0
ANSWER_SECONDS = 10.0  # for one request
SLOWEST = 100_000  # bytes per second
KEEP_ALIVE_SECONDS = 10.0  # a host that is silent for so long is asked, so that nothing on the way forgets us
ABREAST = 16  # files under way on one connection
FAULTS = (OSError, ValueError, asyncssh.Error, FlowError, WarehouseError)
NOT_THERE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
EVERYONE, EVERYONE_ENTERS = asyncssh.SFTPAttrs(permissions=0o644), asyncssh.SFTPAttrs(permissions=0o755)


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
    must_be_there(login)
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
