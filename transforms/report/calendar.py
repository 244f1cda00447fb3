"""The calendar of planned moments as a feed that calendar programs read (RFC 5545)."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from transforms.report.moments import Moment
from transforms.report.words import Words

_LINE = 75  # octets, without the line break


def calendar_file(organisation: str, moments: Sequence[Moment], words: Words) -> bytes:
    """One event per planned moment, in UTC, which every program shows in its own zone."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Zwerm//Releases//EN", "CALSCALE:GREGORIAN"]
    name = words.say("Releases of %(organisation)s", organisation=organisation)
    lines.append(f"X-WR-CALNAME:{_text(name)}")
    for moment in sorted(moments, key=lambda item: (item.at, item.survey, item.wave)):
        lines += _event(moment, words)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line)).encode()


def _event(moment: Moment, words: Words) -> list[str]:
    key = hashlib.sha256(f"{moment.survey}\0{moment.wave}".encode()).hexdigest()[:32]
    title = moment.titles.get(words.language) or moment.survey
    description = words.say("Received by everyone at the same moment.")
    if moment.meeting is not None:
        description += " " + words.say("Discussed on %(day)s.", day=words.day(moment.meeting))
    if moment.reason is not None:
        description += " " + words.say("This moment was moved: %(reason)s", reason=moment.reason)
    return [
        "BEGIN:VEVENT",
        f"UID:{key}@zwerm",
        f"DTSTAMP:{_instant(moment.announced_at)}",
        f"DTSTART:{_instant(moment.at)}",
        "DURATION:PT0S",
        f"SUMMARY:{_text(f'{title}, {words.wave(moment.wave)}')}",
        f"DESCRIPTION:{_text(description)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        value = value.replace(sign, written)
    return "".join(sign for sign in value if sign >= " ")


def _folded(line: str) -> Iterator[str]:
    part, size = "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > _LINE:
            yield part
            part, size = " ", 1  # a line that goes on begins with a space
        part, size = part + sign, size + octets
    yield part
