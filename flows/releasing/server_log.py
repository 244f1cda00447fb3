"""The access log of the organisation's own web server, in the combined format, where that serves the site."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from flows.releasing.access_record import LINE_AT_MOST, Access, followed

BYTES_AT_MOST = 64 * 2**20  # of its end: what was asked for around a moment
LINE = re.compile(rb'\[([^\]]{20,40})\] "\S+ ((?:[^"\\ ]|\\.)*)[^"]*" (\d{3}) (\d+|-)')
PRECISION = timedelta(seconds=1) - timedelta(microseconds=1)  # such a log tells the second: at its end, at the latest


def logged(path: Path, *, naming: str = "") -> Iterator[Access]:
    """What its end tells, the oldest first, of lines with this pattern or an encoded character; not who asked."""
    wanted = re.compile(f"%|{naming}".encode() if naming else b"")
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - BYTES_AT_MOST, 0))
        while line := file.readline(LINE_AT_MOST):
            found = LINE.search(line) if wanted.search(line) else None
            at = _time(found[1]) if found else None
            if found and at:
                target = unquote(found[2].decode("utf-8", "replace").partition("?")[0])
                size = 0 if found[4] == b"-" else int(found[4])
                yield Access((at + PRECISION).isoformat(timespec="microseconds"), followed(target), int(found[3]), size)


def _time(said: bytes) -> datetime | None:
    try:
        return datetime.strptime(said.decode("ascii"), "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None
