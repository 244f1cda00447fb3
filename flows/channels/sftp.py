"""Folders on other hosts by SFTP: the closed envelope lies there before T, a posix-rename puts its key, copies follow.

The key's bytes leave at T and not before. The send only wakes the loop on which the connections live, so how late the
key was there is told by when its host acknowledged the rename.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncssh

from flows.channels import Delivery, Open, Outcome, Refusal, Stop
from flows.channels.notices import notice
from flows.channels.parcels import Contents, Parcel
from flows.channels.round import Round
from flows.channels.sftp_known import Known
from flows.channels.sftp_line import FAULTS, LOST, Line, answered, connect, line_of
from flows.channels.sftp_login import Login, folder_of, login_of, why
from flows.channels.sftp_loop import Loop
from flows.channels.sftp_place import Held, SftpPlace
from flows.channels.tries import PAUSES, pauses
from flows.recipients import Sftp
from flows.settings import Settings
from warehouse import WarehouseError

STAGE_SECONDS = 100.0
STOP_SECONDS = 5.0
COMPLETE_SECONDS = 30.0
KEYS_FIRST_SECONDS = 2.0  # no plain copy is begun before, while a key is still under way to anyone


class SftpChannel:
    """The SFTP folders of one moment, one connection per host and account."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._settings = settings
        self._round = Round(deliveries, releases, called="the SFTP folder", root=lambda each: self._place(each.target))
        self._places = {parcel: self._place(parcel.target) for parcel in self._round.parcels}
        self._contents = Contents(settings.home)
        self._loop = Loop()
        self._lines: dict[Login, asyncio.Task[Line]] = {}
        self._held: dict[Parcel, Held] = {}
        self._asked: dict[Line, asyncio.Future[None]] = {}
        self._known = {parcel: Known() for parcel in self._round.parcels}

    def stage(self) -> list[Refusal]:
        """Log in everywhere, put the closed envelopes, and read them back."""
        self._pack(self._round.parcels)
        refused = self._each(self._round.parcels, self._put_envelope, seconds=STAGE_SECONDS)
        self._close()
        return self._round.staged(refused)

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Connect, read the envelopes back again, open an empty file for each key, and hold all that until T."""
        self._round.hold_until(until)
        self._pack(self._round.parcels)
        return self._round.refusals(self._each(self._round.parcels, self._hold, seconds=STAGE_SECONDS))

    def still_ready(self) -> list[Refusal]:
        """Whether each connection lives and its files are there; long enough before T what was lost is made anew."""
        look = self._look_once if self._round.is_near else self._look
        self._asked = {}
        refused = self._each(self._round.parcels, look, seconds=self._round.seconds_to_look)
        if refused and not self._round.is_near:
            refused = self._each(tuple(refused), self._hold, seconds=self._round.seconds_to_look)
        return self._round.refusals(refused)

    def opens(self) -> list[Open]:
        """One per connection: wake the loop, which puts all keys that go over it."""
        together: dict[Login, list[Parcel]] = {}
        for parcel in self._held:
            together.setdefault(self._places[parcel][0], []).append(parcel)
        return [
            Open(tuple(name for parcel in some for name in parcel.delivery_ids), self._waking(some))
            for some in together.values()
        ]

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """Await what hosts answer to the keys, write the plain copies, and take envelopes and keys away."""
        return self._round.outcomes(self._finish(self._round.parcels, deadline=deadline))

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Write the plain copies that are missing; what is there already is delivered."""
        lacking, ends = self._round.of(delivery_ids), min(deadline, time.monotonic() + COMPLETE_SECONDS)
        self._pack(lacking)
        return self._round.outcomes(self._finish(lacking, deadline=ends), wanted=delivery_ids)

    def abandon(self) -> None:
        """Take away all that was put, and close what is held; the key was never there."""
        self._each(self._round.parcels, self._clear, seconds=STOP_SECONDS)
        self._held = {}
        self._close()

    def tidy(self, *, delivered: Collection[str]) -> list[str]:
        """Take away what was left there, because the host kept it, its time was over or the process ended."""

        async def tidied(parcel: Parcel) -> None:
            if not await (await self._at(parcel)).tidy(is_delivered=parcel.is_among(delivered)):
                raise WarehouseError("keeps what was put there for the moment")

        left = self._each(self._round.parcels, tidied, seconds=STOP_SECONDS)
        self._close()
        return self._round.all_but(left)

    def announce(self, event: Stop, reason: str) -> None:
        """Say on the host, in the folder of each wave, that its results are held or withdrawn, and why."""

        async def say(parcel: Parcel) -> None:
            sealed, language = parcel.release.folder, parcel.language
            text = notice(event, reason, sealed=sealed, language=language, settings=self._settings)
            await (await self._at(parcel)).tell(event, text)

        with suppress(Exception):  # whatever it meets, the hold stands
            self._each(self._round.told(), say, seconds=STOP_SECONDS)
            self._close()

    def _pack(self, some: Iterable[Parcel]) -> None:
        """Pack before connections are there, which would wait for it; what cannot be read is told by who needs it."""
        with suppress(*FAULTS):
            for parcel in some:
                self._contents.plain(parcel)

    async def _put_envelope(self, parcel: Parcel) -> None:
        await (await self._at(parcel)).put_envelope()

    async def _hold(self, parcel: Parcel) -> None:
        self._held.pop(parcel, None)
        place = await self._at(parcel)
        await place.put_envelope()
        if not await place.is_there():
            self._held[parcel] = await place.hold_key()

    async def _look(self, parcel: Parcel) -> None:
        if (held := self._held.get(parcel)) is not None:
            await held.look()
        elif not await (await self._at(parcel)).is_there():
            raise WarehouseError("had the release already, and has it no more")

    async def _look_once(self, parcel: Parcel) -> None:
        """Right before T only one question for each connection: many folders' answers would take too long."""
        if (held := self._held.get(parcel)) is not None:
            if held.line not in self._asked:
                self._asked[held.line] = asyncio.ensure_future(held.line.ask())
            await asyncio.shield(self._asked[held.line])

    async def _clear(self, parcel: Parcel) -> None:
        self._held.pop(parcel, None)
        known = self._known[parcel]
        known.is_clear = await (await self._at(parcel)).clear(is_delivered=known.delivered_at is not None)

    def _waking(self, some: Sequence[Parcel]) -> Callable[[], None]:
        held, known = [self._held[parcel] for parcel in some], [self._known[parcel] for parcel in some]
        wake = self._loop.own.call_soon_threadsafe

        def put_keys() -> None:
            for each in held:
                each.put = asyncio.ensure_future(each.put_key())

        def send() -> None:
            wake(put_keys)
            for each in known:
                each.was_sent = True

        return send

    def _finish(self, some: Sequence[Parcel], *, deadline: float) -> list[Outcome]:
        if not some:
            return []

        async def all_of_them() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                    if puts := [held.put for held in self._held.values() if held.put is not None]:
                        await asyncio.wait(puts, timeout=KEYS_FIRST_SECONDS)
                    await asyncio.gather(*(self._finished(parcel, deadline) for parcel in some))

        self._loop.run(all_of_them())
        self._close()
        return [outcome for parcel in some for outcome in self._known[parcel].outcomes(parcel)]

    async def _finished(self, parcel: Parcel, deadline: float) -> None:
        """Try until it is there and what it needs no more is away; what was acknowledged is never written again."""
        known = self._known[parcel]
        await self._await_key(parcel)
        for number, pause in enumerate(pauses((0.0, *PAUSES), deadline=deadline)):
            if known.delivered_at and number > 1:
                return
            await asyncio.sleep(pause)
            try:
                await self._deliver(parcel)
                await self._clear(parcel)
                return
            except FAULTS as error:
                known.fault = self._fault(parcel, error)

    async def _await_key(self, parcel: Parcel) -> None:
        """What the host said to the key, where it was sent to him at T by this process."""
        held, known = self._held.pop(parcel, None), self._known[parcel]
        if held is None or held.put is None:
            return
        known.is_answered = False
        try:
            known.opened_at = await answered(held.put)
            known.is_answered = True
            with suppress(*FAULTS):
                await answered(held.file.close())
        except FAULTS as error:
            known.is_answered = isinstance(error, asyncssh.SFTPError) and not isinstance(error, LOST)
            known.fault = self._fault(parcel, error)

    async def _deliver(self, parcel: Parcel) -> None:
        """Ask what is there; put the plain copies if they are not, and say what opened it."""
        known = self._known[parcel]
        if known.delivered_at is not None:
            return
        place = await self._at(parcel)
        if known.opened_at is None and await place.is_open():
            known.opened_at = datetime.now(UTC)
        known.is_answered = True
        if not await place.is_there():
            known.is_late |= known.opened_at is None
            await place.put_plain()
        known.delivered_at = datetime.now(UTC)

    def _fault(self, parcel: Parcel, error: BaseException) -> str:
        """What went wrong; a connection that does not answer is not asked again, the next one may."""
        login = self._places[parcel][0]
        if isinstance(error, TimeoutError) and (line := line_of(self._lines.get(login))) is not None:
            line.close()
        return why(error, login)

    async def _at(self, parcel: Parcel) -> SftpPlace:
        return SftpPlace(await self._line(parcel), self._places[parcel][1], parcel, self._contents)

    async def _line(self, parcel: Parcel) -> Line:
        """The connection to the parcel's host, made where there is none that lives."""
        login = self._places[parcel][0]
        task = self._lines.get(login)
        if task is None or (task.done() and ((line := line_of(task)) is None or line.is_closed)):
            task = self._lines[login] = asyncio.ensure_future(self._loop.in_turn(connect(login)))
            task.add_done_callback(line_of)  # that a fault was seen, be it that nobody waits any more
        return await asyncio.shield(task)

    def _each(
        self, some: Sequence[Parcel], do: Callable[[Parcel], Awaitable[None]], *, seconds: float
    ) -> dict[Parcel, str]:
        """Why it did not work, for each with which it did not."""
        if not some:
            return {}

        async def tried(parcel: Parcel) -> str:
            try:
                async with asyncio.timeout(seconds):
                    await do(parcel)
            except FAULTS as error:
                return self._fault(parcel, error)
            return ""

        async def all_of_them() -> list[str]:
            return await asyncio.gather(*map(tried, some))

        faults = self._loop.run(all_of_them())
        return {parcel: fault for parcel, fault in zip(some, faults, strict=True) if fault}

    def _close(self) -> None:
        """Close all connections, and end the loop."""

        async def closed() -> None:
            for task in self._lines.values():
                if (line := line_of(task)) is not None:
                    line.close()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(1):
                            await line.connection.wait_closed()

        if self._lines:
            self._loop.run(closed())
        self._lines = {}
        self._loop.close()

    def _place(self, target: object) -> tuple[Login, str]:
        assert isinstance(target, Sftp)
        return login_of(target, beside=self._settings.file.parent), folder_of(target)
