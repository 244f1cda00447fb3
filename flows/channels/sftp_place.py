"""What lies in one folder of another host: asked first, put where it is not, read back, and taken away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncssh

from flows.channels import Stop
from flows.channels.leftovers import is_leftover
from flows.channels.notices import NAMES
from flows.channels.parcels import Contents, Parcel
from flows.channels.sftp_line import EVERYONE, Line, abreast, answered
from warehouse import WarehouseError

OTHER_BYTES = "gave back other bytes than it was given"
PLAIN_DRAFT = ".plain"


@dataclass(eq=False)
class Held:
    """An empty file that is open on a host, and what makes it the key."""

    line: Line
    file: asyncssh.SFTPClientFile
    key: bytes
    draft: str
    final: str
    put: "asyncio.Task[datetime] | None" = None  # from T on

    async def put_key(self) -> datetime:
        """Write and rename, each acknowledged; when the second was."""
        await self.file.write(self.key)
        await self.line.sftp.posix_rename(self.draft, self.final)
        return datetime.now(UTC)

    async def look(self) -> None:
        """Raise where the connection is lost, or the file is not as it was made."""
        await self.line.ask()
        if await answered(self.line.sftp.getsize(self.draft)) != 0:
            raise WarehouseError("has something in the file that was made for the key")


@dataclass(frozen=True)
class SftpPlace:
    """One parcel in one folder, over a connection that is logged in."""

    line: Line
    root: str
    parcel: Parcel
    contents: Contents

    def below(self, name: str) -> str:
        """A path on the host."""
        return f"{self.root.rstrip('/')}/{name}"

    @property
    def final(self) -> str:
        """The folder for people."""
        return self.below(self.parcel.plain_name)

    async def put_envelope(self) -> None:
        """Have the closed envelope there; one that is there and opens is left."""
        await self.line.make(self.root)
        if await self.is_there() or await self._is_closed():
            return
        envelope = self.below(self.parcel.envelope_name)
        await self.line.write(f"{envelope}.part", self.contents.envelope(self.parcel))
        await self.line.rename(f"{envelope}.part", envelope)
        if not await self._is_closed():
            raise WarehouseError(OTHER_BYTES)

    async def hold_key(self) -> Held:
        """Open an empty file, under a name that is not yet the key's."""
        final = self.below(self.parcel.key_name)
        file = await answered(self.line.sftp.open(f"{final}.part", "wb", attrs=EVERYONE))
        return Held(self.line, file, self.contents.key(self.parcel), f"{final}.part", final)

    async def is_there(self) -> bool:
        """Whether the plain copies are there, byte for byte; refuses where something else is in their place.

        No name is asked for that is not there: before T the host would learn of a survey's wave by the question.
        """
        folder = self.root
        for name in self.parcel.plain_name.split("/"):
            if name not in await self.line.names(folder):
                return False
            folder = f"{folder.rstrip('/')}/{name}"
        for name, content in self.contents.plain(self.parcel).items():
            if not await self.line.has_content(f"{self.final}/{name}", content):
                raise WarehouseError(
                    f"has {self.parcel.plain_name} in that folder, which is not this release; have it moved elsewhere"
                )
        return True

    async def is_open(self) -> bool:
        """Whether key and envelope lie there."""
        has_key = await self.line.has_content(self.below(self.parcel.key_name), self.contents.key(self.parcel))
        return has_key and await self.line.has(self.below(self.parcel.envelope_name))

    async def put_plain(self) -> None:
        """Fill a folder that shows no name yet, with what it does not hold already, read it back, and rename it.

        Where something else has the place meanwhile, a rename fails or, if that was empty, takes it.
        """
        draft, files = self.below(f"{self.parcel.name}{PLAIN_DRAFT}"), self.contents.plain(self.parcel)
        is_begun = await self.line.has(draft)
        for folder in sorted({draft, *(f"{draft}/{name}".rpartition("/")[0] for name in files)}):
            await self.line.make(folder)
        await abreast(self._putting(f"{draft}/{name}", files[name], is_begun=is_begun) for name in files)
        await self.line.make(self.below(self.parcel.wave_name))
        await self.line.rename(draft, self.final)

    async def clear(self, *, is_delivered: bool) -> bool:
        """Take away envelope and key, and the notices where the release has come; whether nothing of it is left.

        All at once, for little time may be left, and not by a list, which may be long.
        """
        names = (self.parcel.envelope_name, self.parcel.key_name)
        drafts = (*(f"{name}.part" for name in names), self._notice_draft)
        return await self._removed([*names, *drafts], is_delivered=is_delivered)

    async def tidy(self, *, is_delivered: bool) -> bool:
        """Take away all that is named after one of its deliveries, as `clear` does what it knows of."""
        found = [name for name in await self.line.names(self.root) if is_leftover(name, self.parcel.delivery_ids)]
        return await self._removed(found, is_delivered=is_delivered)

    async def tell(self, event: Stop, text: bytes) -> None:
        """Put the notice of a hold or withdrawal, in the place of an earlier one."""
        await self.line.make(self.root)
        if await self.is_there():
            return
        wave = self.below(self.parcel.wave_name)
        await self.line.make(wave)
        draft = self.below(self._notice_draft)
        await self.line.write(draft, text)
        await self.line.rename(draft, f"{wave}/{NAMES[event]}")
        for name in NAMES.values():
            if name != NAMES[event]:
                await self.line.remove(f"{wave}/{name}")

    @property
    def _notice_draft(self) -> str:
        return f"{self.parcel.name}.notice"

    async def _removed(self, names: Iterable[str], *, is_delivered: bool) -> bool:
        notices = [f"{self.parcel.wave_name}/{name}" for name in NAMES.values()] if is_delivered else []
        kept: list[str] = []

        def removing(name: str) -> Callable[[], Awaitable[None]]:
            async def remove() -> None:
                take_away = self.line.remove_tree if name.endswith(PLAIN_DRAFT) else self.line.remove
                if not await take_away(self.below(name)):
                    kept.append(name)

            return remove

        await abreast(removing(name) for name in (*names, *notices))
        return not kept

    def _putting(self, path: str, content: bytes, *, is_begun: bool) -> Callable[[], Awaitable[None]]:
        async def put() -> None:
            if is_begun and await self.line.has_content(path, content):
                return
            await self.line.write(path, content)
            if not await self.line.has_content(path, content):
                raise WarehouseError(OTHER_BYTES)

        return put

    async def _is_closed(self) -> bool:
        most = self.contents.most_bytes(self.parcel)
        path = self.below(self.parcel.envelope_name)
        return self.contents.is_closed(self.parcel, await self.line.read(path, most=most))
