"""The key of a share: an empty file that is open from arm on, and a thread that fills and renames it when it is woken.

A call into a network file system may take as long as its server likes. So whoever opens the moment only wakes threads,
and waits for none; when each key was there, its thread notes.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

from flows.channels.connections import MOST_AT_ONCE


@dataclass(eq=False)
class Held:
    """An empty file that is open, and all that makes it the key."""

    descriptor: int
    key: bytes
    draft: bytes
    final: bytes
    is_woken: bool = False
    is_closed: bool = False
    opened_at: datetime | None = None  # UTC; when the key had its name
    done: Event = field(default_factory=Event)

    def put_key(self) -> None:
        """Write, close, rename: what a network file system has not taken at the close never gets the name."""
        try:
            os.write(self.descriptor, self.key)
            self.is_closed = True
            os.close(self.descriptor)
            os.rename(self.draft, self.final)  # noqa: PTH104 - nothing but the call itself at T
            self.opened_at = datetime.now(UTC)
        except OSError:
            return  # what is there afterwards is asked for
        finally:
            self.done.set()

    def is_there(self) -> bool:
        """Whether the file still has its name, and is empty."""
        own, found = os.fstat(self.descriptor), os.stat(self.draft, follow_symlinks=False)  # noqa: PTH116
        return (own.st_dev, own.st_ino) == (found.st_dev, found.st_ino) and found.st_size == 0

    def close(self) -> None:
        """Let go of it, unless a thread is at it."""
        if not self.is_closed and (self.done.is_set() or not self.is_woken):
            self.is_closed = True
            with suppress(OSError):
                os.close(self.descriptor)


def hold(path: Path, key: bytes) -> Held:
    """Make the empty file, new and nobody's link, that becomes the key at T."""
    draft = draft_of(path)
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.fchmod(descriptor, 0o644)
    return Held(descriptor, key, os.fsencode(draft), os.fsencode(path))


def draft_of(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(f"{path.name}.part")


class Openers:
    """Threads that wait for keys to put: one for each, as far as so many may be."""

    def __init__(self, most: int) -> None:
        self._woken: SimpleQueue[Held | None] = SimpleQueue()
        self._threads = [
            Thread(target=self._work, name="zwerm-share", daemon=True) for _ in range(min(most, MOST_AT_ONCE))
        ]
        for thread in self._threads:
            thread.start()

    def waking(self, held: Held) -> Callable[[], None]:
        """The send: it wakes a thread, and comes back."""
        wake = self._woken.put

        def send() -> None:
            held.is_woken = True
            wake(held)

        return send

    def close(self) -> None:
        """Let the threads end once they have put what they were woken for; one that hangs is not waited for."""
        for _ in self._threads:
            self._woken.put(None)

    def _work(self) -> None:
        while (held := self._woken.get()) is not None:
            held.put_key()
