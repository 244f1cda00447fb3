"""Whether SFTP hosts are who they should be, let us in, and rename as a release needs it; nothing of one is sent."""

import asyncio
import secrets
from collections.abc import Iterator, Sequence

from flows.channels.sftp_line import FAULTS, Line, answered, connect
from flows.channels.sftp_login import Login, folder_of, login_of, why
from flows.channels.sftp_loop import Loop
from flows.command.doctor.findings import Finding, ok, problem
from flows.progress import counted
from flows.settings import Settings

ABOUT = "SFTP folders"
SECONDS = 8.0


def hosts(settings: Settings) -> Iterator[Finding]:
    """Log in where each folder lies, and make, rename and remove an empty file there."""
    targets = [recipient.sftp for recipient in settings.audience if recipient.sftp is not None]
    places = list(dict.fromkeys((login_of(each, beside=settings.file.parent), folder_of(each)) for each in targets))
    loop = Loop()
    try:
        faults = [fault for fault in loop.run(_tried(places)) if fault]
    finally:
        loop.close()
    for fault in dict.fromkeys(faults):
        yield problem(ABOUT, fault, "mend its sftp = { … }, or ask who runs it: one who is not ready holds all")
    if not faults:
        yield ok(ABOUT, f"{counted(len(places), 'folder')}: host keys known, writable, opened by posix-rename")


async def _tried(places: Sequence[tuple[Login, str]]) -> list[str]:
    return await asyncio.gather(*(_try(login, folder) for login, folder in places))


async def _try(login: Login, folder: str) -> str:
    """Empty where all of it worked; else what did not, without a word of the host's own."""
    try:
        async with asyncio.timeout(SECONDS):
            line = await connect(login)
            try:
                await _rename_something(line, folder)
            finally:
                line.close()
                await line.connection.wait_closed()
    except FAULTS as error:
        return why(error, login)
    return ""


async def _rename_something(line: Line, folder: str) -> None:
    while "/" in folder.rstrip("/") and not await answered(line.sftp.isdir(folder)):
        folder = folder.rpartition("/")[0]  # made when it is needed
    made, renamed = (f"{folder.rstrip('/')}/.zwerm-doctor-{secrets.token_hex(8)}" for _ in range(2))
    try:
        await line.write(made, b"")
        await line.rename(made, renamed)
    finally:
        await line.remove(made)
        await line.remove(renamed)
