"""The site's access record: what was asked for, when, and what was answered; of who asked it holds nothing.

One JSON object a line, in `working`, for the pipeline's account alone; two files of bounded size are kept.
"""

import json
import os
import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

BYTES_AT_MOST = 16 * 2**20  # of one file
PATH_AT_MOST = 300  # characters; where releases lie is far shorter
LINE_AT_MOST = 8192
PRIVATE = 0o600


@dataclass(frozen=True)
class Access:
    """One answer of the site."""

    at: str  # UTC, when the answer began
    path: str  # as it was followed: without dots, and decoded
    status: int
    bytes: int


class AccessRecord:
    """Where accesses are added; whatever is asked for, a line stays a line, and the site is served without it too."""

    def __init__(self, path: Path, *, bytes_at_most: int = BYTES_AT_MOST) -> None:
        self.path = path
        self._most = bytes_at_most

    def add(self, *, path: str, status: int, size: int, at: datetime) -> None:
        """Write one line at once: who looks for early reads a moment later finds it."""
        said = Access(
            at.astimezone(UTC).isoformat(timespec="microseconds"), followed(path)[:PATH_AT_MOST], status, size
        )
        line = json.dumps(asdict(said)).encode("ascii") + b"\n"  # control characters and line ends are escaped
        with suppress(OSError):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, PRIVATE)
            try:
                os.write(descriptor, line)
                is_full = os.fstat(descriptor).st_size >= self._most
            finally:
                os.close(descriptor)
            if is_full:
                self.path.replace(_earlier(self.path))


def followed(path: str) -> str:
    """A path as a file system follows it: detours cannot hide where it ends."""
    return "/" + posixpath.normpath(f"/{path}").lstrip("/")


def accesses(path: Path, *, naming: str = "") -> Iterator[Access]:
    """What was recorded, the oldest first, where a line has this pattern; what is no line of ours is passed over."""
    wanted = re.compile(naming.encode())
    for line in _lines(path):
        if wanted.search(line):
            with suppress(ValueError, TypeError, KeyError):
                said = json.loads(line)
                yield Access(str(said["at"]), str(said["path"]), int(said["status"]), int(said["bytes"]))


def time_of(access: Access) -> datetime | None:
    """When an answer began; None where the line says no time."""
    try:
        at = datetime.fromisoformat(access.at)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _lines(path: Path) -> Iterator[bytes]:
    """Both files are opened before the first is read: one that is put aside meanwhile is not read twice."""
    opened = []
    try:
        for one in (path, _earlier(path)):
            with suppress(FileNotFoundError):
                opened.append(one.open("rb"))
        if len(opened) == 2 and os.path.samestat(*(os.fstat(file.fileno()) for file in opened)):
            opened.pop().close()
        for file in reversed(opened):
            while line := file.readline(LINE_AT_MOST):
                yield line
    finally:
        for file in opened:
            file.close()


def _earlier(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")
