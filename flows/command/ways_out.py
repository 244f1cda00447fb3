"""`zwerm channels`: every way out, what it holds before T and how it opens, and which of them this zwerm.toml uses."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from flows.channels.ways import WAYS, Way
from flows.recipients import Recipient

HEADS = ("", "before T", "opens with", "used by")
WIDEST = 120
NARROWEST = 76
GAP = "  "


def ways_out(config: Path) -> dict[str, Any]:
    """All ways out; where there is a configuration, also for how many of its recipients each is used."""
    used = _used(config) if config.exists() else None
    channels = [
        {
            "name": way.name,
            "channel": way.channel,
            "before": way.holds,
            "opens": way.opens,
            "written": way.written or None,
            "recipients": None if used is None else used[way.name],
            "is_used": None if used is None else way.channel == "published" or bool(used[way.name]),
        }
        for way in WAYS
    ]
    return {"config": str(config) if used is not None else None, "channels": channels, "lines": _lines(config, used)}


def _used(config: Path) -> dict[str, int | None]:
    from flows.configuration import load  # only here: without a configuration there is nothing to read

    audience = load(config).audience
    return {way.name: sum(_takes(recipient, way) for recipient in audience) if way.written else None for way in WAYS}


def _takes(recipient: Recipient, way: Way) -> bool:
    if way.channel == "webhook":
        return recipient.webhook is not None and recipient.webhook.sealed == (way.name != "webhook")
    return bool(getattr(recipient, way.written.partition(" ")[0]))


def _lines(config: Path, used: Mapping[str, int | None] | None) -> list[str]:
    columns = len(HEADS) - (used is None)
    rows = [each[:columns] for each in (HEADS, *((way.name, way.holds, way.opens, _by(way, used)) for way in WAYS))]
    lines = [line for row in rows for line in (*_row(row, _widths(rows)), *([] if row is rows[-1] else [""]))]
    written = [f"  {way.name:<15}  {way.written}" for way in WAYS if way.written]
    return [*lines, "", *wrap(_foot(config, used), _total()), "", "In an entry of [[audience]]:", *written]


def _by(way: Way, used: Mapping[str, int | None] | None) -> str:
    count = used[way.name] if used else None
    return "everyone" if count is None else f"{count}" if count else "–"


def _foot(config: Path, used: Mapping[str, int | None] | None) -> str:
    if used is None:
        return f"{config} is not here: it would tell who gets results by which of these. To begin: zwerm init"
    if not any(used.values()):
        return f"{config} names no [[audience]]: a release goes to what is published, and to nobody besides."
    return f"Used by: entries of [[audience]] in {config}. Whoever is named there gets every release, whole, at T."


def _total() -> int:
    return min(max(shutil.get_terminal_size((WIDEST, 24)).columns, NARROWEST), WIDEST)


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The first and last column as wide as they need, the others share the rest, as they have to say."""
    first = max(len(row[0]) for row in rows)
    last = [max(len(row[3]) for row in rows)] if len(rows[0]) > 3 else []
    rest = _total() - first - sum(last) - len(GAP) * (len(rows[0]) - 1)
    return [first, rest * 3 // 5, rest - rest * 3 // 5, *last]


def _row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """One row as lines of text, each cell wrapped within its width."""
    cells = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, cells))
    padded = [[*cell, *[""] * (height - len(cell))] for cell in cells]
    return [
        GAP.join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip(*padded, strict=True)
    ]
