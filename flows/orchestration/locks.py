"""Locks that end with the process that holds them, however it ends: the kernel frees them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.home import PRIVATE_FILE


class Lock:
    """One process's hold on a file; shared with others, or its own alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)

    def take(self) -> bool:
        """Take it alone, at once or not at all."""
        with suppress(BlockingIOError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def wait(self) -> None:
        """Take it alone as soon as it is free."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def share(self) -> None:
        """Take it together with others who share it."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def write_pid(self) -> None:
        """Tell those who find it taken by whom."""
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def read_pid(self) -> str:
        """Who took it."""
        return os.pread(self._descriptor, 20, 0).decode() or "?"

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else is in a block with the same path."""
    lock = Lock(path)
    try:
        lock.wait()
        yield
    finally:
        lock.close()
