"""A mounted share, which others' servers hold: the closed envelope lies there before T, and a rename gives its key.

The key's 32 bytes are written at T and not before, not even into a private folder: whoever runs the server reads all
that lies on it. What they are written into, an empty file, is open from arm on. Nor is a name asked for that is not
there: the server would learn of a survey's wave by the question.
"""

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flows.channels import Delivery, Open, Outcome, Refusal, Stop
from flows.channels.connections import TIME_UP, together
from flows.channels.folder import Place, is_there, make, must_be_free, put, says, swept, tell, write
from flows.channels.parcels import Contents, Parcel
from flows.channels.round import Round
from flows.channels.share_key import Held, Openers, draft_of, hold
from flows.channels.tries import PAUSES, tries
from flows.errors import FlowError
from flows.settings import Settings
from warehouse import WarehouseError, publish

STAGE_SECONDS = 60.0
ANSWER_SECONDS = 10.0  # for the key to be taken
STOP_SECONDS = 5.0
COMPLETE_SECONDS = 30.0
FAULTS = (OSError, WarehouseError, FlowError)


class ShareChannel:
    """The shares of one moment; one that hangs is not waited for."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._settings = settings
        self._round = Round(deliveries, releases, called="the share", root=self._root)
        self._contents = Contents(settings.home)
        self._held: dict[Parcel, Held] = {}
        self._openers: Openers | None = None

    def stage(self) -> list[Refusal]:
        """Put the closed envelopes, and read them back."""
        return self._round.staged(self._each(self._round.parcels, self._put_envelope, seconds=STAGE_SECONDS))

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Read the envelopes back again, put what is not there, and open an empty file for each key."""
        self._round.hold_until(until)
        return self._round.refusals(self._each(self._round.parcels, self._hold, seconds=STAGE_SECONDS))

    def still_ready(self) -> list[Refusal]:
        """Whether all that was put is as it was; while T is more than a second away what was lost is made anew."""
        refused = self._each(self._round.parcels, self._look, seconds=self._round.seconds_to_look)
        if refused and not self._round.is_near:
            refused = self._each(tuple(refused), self._hold, seconds=self._round.seconds_to_look)
        return self._round.refusals(refused)

    def opens(self) -> list[Open]:
        """Per share: wake the thread that writes the key, closes and renames it."""
        self._openers = Openers(len(self._held))
        return [Open(parcel.delivery_ids, self._openers.waking(held)) for parcel, held in self._held.items()]

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """See that the keys were put, write the plain copies, read them back, and take envelope and key away."""
        return self._round.outcomes(self._finish(self._round.parcels, deadline=deadline))

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Write the plain copies that are missing; what is there with the same hashes is delivered."""
        ends = min(deadline, time.monotonic() + COMPLETE_SECONDS)
        return self._round.outcomes(self._finish(self._round.of(delivery_ids), deadline=ends), wanted=delivery_ids)

    def abandon(self) -> None:
        """Take away all that was put; the key was never there."""
        self._end_openers()
        self._each(self._round.parcels, self._cleared, seconds=STOP_SECONDS)

    def tidy(self, *, delivered: Collection[str]) -> list[str]:
        """Take away what was left there, because it stayed or the process ended."""
        must_clear = partial(self._must_clear, delivered=delivered)
        return self._round.all_but(self._each(self._round.parcels, must_clear, seconds=STOP_SECONDS))

    def announce(self, event: Stop, reason: str) -> None:
        """Say on the share, in the folder of each wave, that its results are held or withdrawn, and why."""

        def say(parcel: Parcel) -> None:
            place = self._place(parcel)
            if not is_there(place):
                tell(place, event, reason, settings=self._settings)

        with suppress(Exception):  # whatever it meets, the hold stands
            self._each(self._round.told(), say, seconds=STOP_SECONDS)

    def _put_envelope(self, parcel: Parcel) -> None:
        place = self._place(parcel)
        make(place.root)
        if _is_taken(place):
            return
        envelope = place.root / parcel.envelope_name
        if self._contents.is_closed(parcel, _read(envelope)):
            return
        draft = draft_of(envelope)
        draft.unlink(missing_ok=True)
        write(draft, self._contents.envelope(parcel))
        draft.rename(envelope)
        publish.sync(place.root)
        if not self._contents.is_closed(parcel, _read(envelope)):
            raise WarehouseError(f"{envelope}: what was read back is not what was written")

    def _hold(self, parcel: Parcel) -> None:
        self._let_go(parcel)
        self._put_envelope(parcel)
        place = self._place(parcel)
        if not _is_taken(place):
            self._held[parcel] = hold(place.root / parcel.key_name, self._contents.key(parcel))

    def _look(self, parcel: Parcel) -> None:
        place, held = self._place(parcel), self._held.get(parcel)
        if held is None:
            if not _is_taken(place):
                raise WarehouseError(f"{place.final} was there, and is not any more")
            return
        if _is_taken(place) or not held.is_there() or not (place.root / parcel.envelope_name).is_file():
            raise WarehouseError(f"{place.root}: what was put there for the moment is gone")

    def _finish(self, some: Sequence[Parcel], *, deadline: float) -> list[Outcome]:
        ends = deadline - time.monotonic()
        done = together(partial(self._finished, deadline=deadline), some, seconds=ends)
        self._end_openers()
        now = datetime.now(UTC)
        return [
            outcome
            for parcel, outcomes in zip(some, done, strict=True)
            for outcome in outcomes or [Outcome(name, "unknown", now, TIME_UP) for name in parcel.delivery_ids]
        ]

    def _finished(self, parcel: Parcel, *, deadline: float) -> list[Outcome]:
        """Try until the plain copies are right; a key that is there counts as opened, and only once."""
        held, is_late, fault = self._held.get(parcel), False, TIME_UP
        if held is not None and held.is_woken:
            held.done.wait(min(ANSWER_SECONDS, max(deadline - time.monotonic(), 0)))
        for _ in tries((0.0, *PAUSES), deadline=deadline):
            try:
                is_open = self._is_open(parcel)
                is_late |= put(self._place(parcel)) and not is_open
                publish.sync(self._place(parcel).final.parent)
                leaves = not self._cleared(parcel, is_delivered=True)
                now = datetime.now(UTC)
                attempts = 1 + (is_late and held is not None)
                sent_at = now if is_late else held.opened_at if held else None
                return [Outcome(name, "delivered", now, "", attempts, sent_at, leaves) for name in parcel.delivery_ids]
            except FAULTS as error:
                fault = says(error)
        now = datetime.now(UTC)
        if self._is_open(parcel):
            detail = f"has the key to the closed envelope, and no plain copies: {fault}"
            sent_at = held.opened_at if held else None
            return [Outcome(name, "unknown", now, detail, sent_at=sent_at) for name in parcel.delivery_ids]
        return [Outcome(name, "failed", now, fault) for name in parcel.delivery_ids]

    def _is_open(self, parcel: Parcel) -> bool:
        """Whether key and envelope lie there."""
        root = self._root_of(parcel)
        try:
            is_key = _read(root / parcel.key_name) == self._contents.key(parcel)
            return is_key and (root / parcel.envelope_name).is_file()
        except OSError:
            return False

    def _cleared(self, parcel: Parcel, *, is_delivered: bool = False) -> bool:
        self._let_go(parcel)
        return swept(self._place(parcel), is_delivered=is_delivered)

    def _must_clear(self, parcel: Parcel, *, delivered: Collection[str]) -> None:
        if not self._cleared(parcel, is_delivered=parcel.is_among(delivered)):
            raise WarehouseError(f"{self._root_of(parcel)} keeps what was put there for the moment")

    def _end_openers(self) -> None:
        if self._openers is not None:
            self._openers.close()
            self._openers = None

    def _let_go(self, parcel: Parcel) -> None:
        if (held := self._held.pop(parcel, None)) is not None:
            held.close()

    def _each(self, some: Sequence[Parcel], do: Callable[[Parcel], object], *, seconds: float) -> dict[Parcel, str]:
        """Why it did not work, for each with which it did not."""

        def tried(parcel: Parcel) -> str:
            try:
                do(parcel)
            except FAULTS as error:
                return says(error)
            return ""

        said = zip(some, together(tried, some, seconds=seconds), strict=True)
        return {
            parcel: f"{self._root_of(parcel)} {TIME_UP}" if fault is None else fault
            for parcel, fault in said
            if fault != ""
        }

    def _root(self, delivery: Delivery) -> Path:
        return self._settings.file.parent / str(delivery.target)

    def _root_of(self, parcel: Parcel) -> Path:
        return self._settings.file.parent / str(parcel.target)

    def _place(self, parcel: Parcel) -> Place:
        root = self._root_of(parcel)
        return Place(
            tuple(sorted(parcel.delivery_ids)), parcel.release.folder, root, root / parcel.plain_name, parcel.language
        )


def _is_taken(place: Place) -> bool:
    """Whether the release is there already, asked without a name that is not; refuses where something else is."""
    folder = place.root
    for name in place.final.relative_to(place.root).parts:
        if name not in os.listdir(folder):  # noqa: PTH208 - names, and no question for each
            return False
        folder /= name
    if not is_there(place):
        must_be_free(place)
    return True


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
