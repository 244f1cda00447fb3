"""Object stores (S3 and what speaks like it): the closed envelope lies there before T, and one PUT opens it.

The key is an object of 32 bytes that is put by one request. A store shows an object whole or not at all, so no reader
sees half of it; and until that request leaves at T, nobody but us has a byte of it. Completing an upload whose parts
were sent before (CompleteMultipartUpload) would be as atomic, but then a part with the key would lie with whoever runs
the store before T, and he could read everything. For the same reason nothing is asked before T under a name that tells
survey or wave.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Literal

from flows.channels import Delivery, Open, Outcome, Refusal, Stop, Target
from flows.channels.connections import MOST_AT_ONCE, TIME_UP, together
from flows.channels.leftovers import PREFIX
from flows.channels.notices import NAMES, notice
from flows.channels.object_store_bucket import Bucket, BucketError, Buckets, place_of
from flows.channels.object_store_keys import Keys
from flows.channels.parcels import Contents, Parcel
from flows.channels.round import Round
from flows.channels.tries import PAUSES, tries
from flows.errors import FlowError
from flows.recipients import ObjectStore
from flows.settings import Settings
from warehouse import WarehouseError

STAGE_SECONDS = 60.0
STOP_SECONDS = 5.0
COMPLETE_SECONDS = 30.0
PUT_SECONDS = 10.0  # for the acknowledgement of a key; then it is asked whether it is there
AGAIN_SECONDS = (0.05, 0.15, None)  # before T: pauses before what failed is tried again; None: no more
LARGE_AT_ONCE = 8
LAST = "release.json"  # whoever sees it has all the others
FAULTS = (OSError, WarehouseError, FlowError)


@dataclass
class Progress:
    """What became of one parcel after T."""

    sent: int = 0  # how often it was opened for the recipient, or tried
    opened_at: datetime | None = None
    is_unanswered: bool = False
    is_clear: bool = False  # nothing but the release is there
    fault: str = TIME_UP
    right: set[str] = field(default_factory=set)  # the plain copies that were read back
    turn: Lock = field(default_factory=Lock)  # of one thread at a time


class ObjectStoreChannel:
    """The object stores of one moment; how slow one is, no other notices."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._settings = settings
        self._round = Round(deliveries, releases, called="the object store", root=_root)
        self._contents = Contents(settings.home)
        self._buckets = Buckets()
        self._large = BoundedSemaphore(LARGE_AT_ONCE)  # each is in memory, more than once
        self._marks: dict[Parcel, str] = {}  # of what is held
        self._keys: Keys | None = None
        self._progress = {parcel: Progress() for parcel in self._round.parcels}

    def stage(self) -> list[Refusal]:
        """Put the closed envelopes, and read them back."""
        return self._round.staged(self._each(self._round.parcels, self._put_envelope, seconds=STAGE_SECONDS))

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Read the envelopes back again, and put what is not there."""
        self._round.hold_until(until)
        return self._round.refusals(self._hold(self._round.parcels, seconds=STAGE_SECONDS))

    def still_ready(self) -> list[Refusal]:
        """See that all that was put is there, over the connections that the keys will take."""
        refused = self._each(self._round.parcels, self._look, seconds=self._round.seconds_to_look)
        if refused and not self._round.is_near:
            refused = self._hold(tuple(refused), seconds=self._round.seconds_to_look)
        return self._round.refusals(refused)

    def opens(self) -> list[Open]:
        """One call that wakes the threads which put all the keys side by side."""
        held = [parcel for parcel in self._round.parcels if parcel in self._marks]
        if not held:
            return []
        self._keys = Keys({parcel: self._put_key(parcel) for parcel in held})
        return [Open(tuple(chain.from_iterable(parcel.delivery_ids for parcel in held)), self._keys.wake)]

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """Hear that the keys are there, put the plain copies and read them back, take envelope and key away."""
        return self._round.outcomes(self._finish(self._round.parcels, deadline=deadline))

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Ask what is there, and put the plain copies that are missing."""
        ends = min(deadline, time.monotonic() + COMPLETE_SECONDS)
        return self._round.outcomes(self._finish(self._round.of(delivery_ids), deadline=ends), wanted=delivery_ids)

    def abandon(self) -> None:
        """Take away all that was put; the key was never there."""
        if self._keys is not None:
            self._keys.call_off()
            self._keys = None
        self._marks = {}
        self._each(self._round.parcels, self._clear, seconds=STOP_SECONDS)

    def tidy(self, *, delivered: Collection[str]) -> list[str]:
        """Take away what was left there, because the store kept it or the process ended."""
        tidied = partial(self._tidied, delivered=delivered)
        return self._round.all_but(self._each(self._round.parcels, tidied, seconds=STOP_SECONDS))

    def announce(self, event: Stop, reason: str) -> None:
        """Say in the folder of each wave that its results are held or withdrawn, and why, to those who were ready."""

        def say(parcel: Parcel) -> None:
            bucket = self._bucket(parcel)
            if bucket.get(f"{parcel.plain_name}/{LAST}") == self._contents.plain(parcel)[LAST]:
                return
            sealed, language = parcel.release.folder, parcel.language
            text = notice(event, reason, sealed=sealed, language=language, settings=self._settings)
            bucket.put(f"{parcel.wave_name}/{NAMES[event]}", text)
            bucket.take_away(*(f"{parcel.wave_name}/{name}" for other, name in NAMES.items() if other != event))

        with suppress(Exception):  # whatever it meets, the hold stands
            self._each(self._round.told(), say, seconds=STOP_SECONDS)

    def _put_envelope(self, parcel: Parcel) -> None:
        bucket = self._bucket(parcel)
        with self._large:
            if self._contents.is_closed(parcel, bucket.get(parcel.envelope_name)):
                return
            bucket.put(parcel.envelope_name, self._contents.envelope(parcel))
            if not self._contents.is_closed(parcel, bucket.get(parcel.envelope_name)):
                raise BucketError(f"{bucket.place}: what was read back is not what was put")

    def _hold(self, some: Sequence[Parcel], *, seconds: float) -> dict[Parcel, str]:
        for parcel in some:
            self._marks.pop(parcel, None)
        return self._each(some, self._held, seconds=seconds)

    def _held(self, parcel: Parcel) -> None:
        self._put_envelope(parcel)
        self._marks[parcel] = self._bucket(parcel).mark(parcel.envelope_name)

    def _look(self, parcel: Parcel) -> None:
        bucket = self._bucket(parcel)
        if bucket.mark(parcel.envelope_name) != self._marks.get(parcel):
            raise BucketError(f"{bucket.place}: what was put there for the moment is gone")

    def _put_key(self, parcel: Parcel) -> Callable[[], None]:
        return partial(self._bucket(parcel).put_at_once, parcel.key_name, self._contents.key(parcel))

    def _finish(self, some: Sequence[Parcel], *, deadline: float) -> list[Outcome]:
        together(partial(self._finished, deadline=deadline), some, seconds=deadline - time.monotonic())
        return [outcome for parcel in some for outcome in self._outcomes(parcel)]

    def _finished(self, parcel: Parcel, *, deadline: float) -> None:
        """Try until the plain copies are right; a key that is there counts as opened, and only once."""
        progress = self._progress[parcel]
        with progress.turn:
            if self._keys is not None and not progress.sent and parcel in self._keys.answers:
                _hear(self._keys.answers[parcel], progress, seconds=min(PUT_SECONDS, deadline - time.monotonic()))
            for _ in tries((0.0, *PAUSES), deadline=deadline):
                try:
                    self._try_to_finish(parcel, progress)
                    return
                except FAULTS as error:
                    progress.fault = str(error)

    def _try_to_finish(self, parcel: Parcel, progress: Progress) -> None:
        if progress.opened_at is None and self._is_open(parcel):
            progress.opened_at, progress.sent = datetime.now(UTC), max(progress.sent, 1)
        progress.is_unanswered = False
        progress.sent += progress.opened_at is None
        self._put_plain(parcel, progress.right)
        progress.opened_at, progress.fault = progress.opened_at or datetime.now(UTC), ""
        self._clear(parcel)

    def _is_open(self, parcel: Parcel) -> bool:
        """Whether it can be read already: by the key to the envelope, or by plain copies, of which this one is last."""
        bucket = self._bucket(parcel)
        if bucket.get(parcel.key_name) == self._contents.key(parcel):
            return bool(bucket.mark(parcel.envelope_name))
        return bucket.get(f"{parcel.plain_name}/{LAST}") == self._contents.plain(parcel)[LAST]

    def _put_plain(self, parcel: Parcel, right: set[str]) -> None:
        """Put what is not there as it was sealed, read each back, and `release.json` after all others."""
        bucket, plain = self._bucket(parcel), self._contents.plain(parcel)
        is_begun = bucket.get(f"{parcel.plain_name}/{LAST}") is not None

        def put(name: str) -> str:
            fault = _put_right(bucket, f"{parcel.plain_name}/{name}", plain[name], is_begun=is_begun)
            right.update([] if fault else [name])
            return fault

        files_at_once = 1 if right else max(min(LARGE_AT_ONCE, MOST_AT_ONCE // len(self._round.parcels)), 1)
        for names in ([name for name in plain if name != LAST], [LAST]):
            with ThreadPoolExecutor(files_at_once, thread_name_prefix="zwerm-object-store") as pool:
                faults = list(pool.map(put, [name for name in names if name not in right]))
            if any(faults):
                raise BucketError(next(filter(None, faults)))

    def _clear(self, parcel: Parcel) -> None:
        progress = self._progress[parcel]
        notices = _notices(parcel) if progress.opened_at is not None else []
        progress.is_clear = self._bucket(parcel).take_away(parcel.envelope_name, parcel.key_name, *notices)

    def _tidied(self, parcel: Parcel, *, delivered: Collection[str]) -> None:
        bucket, own = self._bucket(parcel), [f"{PREFIX}{name}" for name in parcel.delivery_ids]
        names = [f"{name}.{what}" for name in own for what in ("sealed", "key")]
        if not bucket.take_away(*names, *(_notices(parcel) if parcel.is_among(delivered) else [])):
            raise BucketError(f"{bucket.place} keeps what was put there for the moment")

    def _outcomes(self, parcel: Parcel) -> list[Outcome]:
        now, progress = datetime.now(UTC), self._progress[parcel]
        status: Literal["delivered", "failed", "unknown"] = "delivered"
        detail = progress.fault
        if progress.opened_at is not None and progress.fault:
            status, detail = "unknown", f"has the key to the closed envelope, and no plain copies: {progress.fault}"
        elif progress.opened_at is None:
            status = "unknown" if progress.is_unanswered else "failed"
        said = (progress.opened_at, not progress.is_clear) if status == "delivered" else ()
        return [Outcome(name, status, now, detail, progress.sent, *said) for name in parcel.delivery_ids]

    def _each(self, some: Sequence[Parcel], do: Callable[[Parcel], None], *, seconds: float) -> dict[Parcel, str]:
        """Why it did not work, for each with which it did not; what failed is tried again once or twice."""
        said = together(partial(_tried, do), some, seconds=seconds)
        return {
            parcel: f"{place_of(_target(parcel.target))} {TIME_UP}" if fault is None else fault
            for parcel, fault in zip(some, said, strict=True)
            if fault != ""
        }

    def _bucket(self, parcel: Parcel) -> Bucket:
        return self._buckets.of(_target(parcel.target))


def _tried(do: Callable[[Parcel], None], parcel: Parcel) -> str:
    """Empty where it worked; else why not, after some more tries: a server that is busy now may not be at once."""
    for pause in AGAIN_SECONDS:
        try:
            do(parcel)
            return ""
        except FAULTS as error:
            fault = str(error)
        if pause is not None:
            time.sleep(pause)
    return fault


def _hear(answer: Future[datetime], progress: Progress, *, seconds: float) -> None:
    """What the store said to the key; only what it acknowledged is known."""
    progress.sent, progress.is_unanswered = 1, True
    try:
        progress.opened_at = answer.result(timeout=max(seconds, 0))
        progress.is_unanswered = False
    except FAULTS as error:  # a time-out is an OSError
        progress.fault = str(error) or TIME_UP


def _put_right(bucket: Bucket, name: str, content: bytes, *, is_begun: bool) -> str:
    """Put one file unless it is there as it should be; empty, or why it is not."""
    try:
        if is_begun and bucket.get(name) == content:
            return ""
        bucket.put(name, content)
        is_right = bucket.get(name) == content
        return "" if is_right else f"{bucket.place}: what was read back is not what was put"
    except BucketError as error:
        return str(error)


def _notices(parcel: Parcel) -> list[str]:
    return [f"{parcel.wave_name}/{name}" for name in NAMES.values()]


def _root(delivery: Delivery) -> tuple[str, str | None]:
    target = _target(delivery.target)
    return target.url.rstrip("/"), target.endpoint


def _target(target: Target) -> ObjectStore:
    assert isinstance(target, ObjectStore)
    return target
