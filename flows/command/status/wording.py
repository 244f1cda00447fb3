"""The words of a status: times in the organisation's zone, states and outcomes, columns that line up when piped."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

WIDTH = 100  # columns
STATES: Mapping[str, str] = {
    "drafted": "being sealed",
    "sealed": "sealed; not staged yet",
    "staged": "ready; waits for its moment",
    "armed": "armed: opens at any moment",
    "released": "out; answers are being read",
    "confirmed": "out",
    "held": "held: nobody has it",
    "withdrawn": "withdrawn",
}
OUTCOMES: Mapping[str | None, str] = {
    "delivered": "delivered",
    "failed": "failed",
    "unknown": "not known: no answer came",
    "left_out": "left out",
    None: "to come",
}


def at(time: datetime | None, zone: ZoneInfo, *, to: str = "minutes") -> str:
    """A time where the organisation is, to the minute, the second or the millisecond."""
    if time is None:
        return ""
    local = time.astimezone(zone)
    return f"{local.replace(tzinfo=None).isoformat(' ', timespec=to)} {local:%Z}"


def table(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> Iterator[str]:
    """Rows whose columns begin at the same place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()


def printable(line: str) -> str:
    """A line without what a terminal would obey: labels of waves and departments come from data."""
    return "".join(letter if letter.isprintable() else "�" for letter in line)


def cut(text: str, *, width: int = WIDTH) -> str:
    """A text that fits; what is longer ends with dots, and is whole in --json."""
    return text if len(text) <= width else text[: width - 1] + "…"
