"""The register of a release: who received it, through which channel, when, and what went wrong."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from transforms.report.environment import LANGUAGE_NAMES, rendered
from transforms.report.words import Words


@dataclass(frozen=True)
class Delivered:
    """One delivery; the recipient is a department and a serial number, never an address."""

    recipient: str
    channel: str  # published, folder, webhook, email
    at: datetime | None
    outcome: str  # delivered, failed, unknown, left_out
    attempts: int = 1  # how often it was sent
    language: str = ""
    answered_at: datetime | None = None
    is_late: bool = False


@dataclass(frozen=True)
class Breach:
    """What was promised and not kept; `says` is for kinds that have no words of their own."""

    kind: str  # skew, late, missing, punctuality, ended, early_read, left_out
    recipient: str = ""
    milliseconds: float | None = None
    says: str = ""


@dataclass(frozen=True)
class Remark:
    """What everyone should know though nothing was promised of it; `says` is for kinds without words of their own."""

    kind: str  # clock, tries, access
    number: int = 0
    says: str = ""


@dataclass(frozen=True)
class Register:
    """One release's deliveries; until they are confirmed there is no skew."""

    organisation: str
    survey: str
    languages: tuple[str, ...]
    titles: Mapping[str, str]
    wave: str
    revision: int
    timezone: str
    release_id: str
    planned_at: datetime | None
    released_at: datetime | None
    skew_ms: float | None
    tolerance_ms: float
    deliveries: Sequence[Delivered]
    breaches: Sequence[Breach]
    remarks: Sequence[Remark]
    ledger_head: str  # the newest hash of the ledger when this was made


def register(facts: Register) -> dict[str, bytes]:
    """The register by its path in the release's folder: <language>/register.html, and register.json."""
    pages = {f"{language}/register.html": _page(facts, Words(language)) for language in facts.languages}
    text = json.dumps(_document(facts), ensure_ascii=False, indent=1, default=_iso)
    return {**pages, "register.json": text.encode() + b"\n"}


def rows(facts: Register) -> list[dict[str, Any]]:
    """One row per delivery, with what holds for the whole release in each: for tables such as Parquet."""
    said = _document(facts)
    whole = {name: value for name, value in said.items() if name not in ("title", "ledger_head_says", "deliveries")}
    told = {
        "breaches": [breach["says"] for breach in said["breaches"]],
        "remarks": [remark["says"] for remark in said["remarks"]],
    }
    return [{**whole, **delivery, **told} for delivery in said["deliveries"]]


def _document(facts: Register) -> dict[str, Any]:
    words = Words("en")
    return {
        "release_id": facts.release_id,
        "survey": facts.survey,
        "title": dict(facts.titles),
        "wave": facts.wave,
        "revision": facts.revision,
        "planned_at": facts.planned_at,
        "released_at": facts.released_at,
        "skew_ms": facts.skew_ms,
        "tolerance_ms": facts.tolerance_ms,
        "deliveries": [
            {
                "recipient": item.recipient,
                "channel": item.channel,
                "language": item.language,
                "opened_at": item.at,
                "answered_at": item.answered_at,
                "outcome": item.outcome or None,
                "attempts": item.attempts,
                "is_late": item.is_late,
            }
            for item in sorted(facts.deliveries, key=_order)
        ],
        "breaches": [
            {
                "what": breach.kind,
                "recipient": breach.recipient or None,
                "milliseconds": breach.milliseconds,
                "says": _breach(breach, facts, words),
            }
            for breach in facts.breaches
        ],
        "remarks": [{"what": remark.kind, "says": _remark(remark, words)} for remark in facts.remarks],
        "ledger_head": facts.ledger_head,
        "ledger_head_says": _head_says(words),
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _page(facts: Register, words: Words) -> bytes:
    zone = ZoneInfo(facts.timezone)
    others = [
        {"href": f"../{language}/register.html", "language": language, "name": LANGUAGE_NAMES[language]}
        for language in facts.languages
        if language != words.language
    ]
    return rendered(
        "register.html.jinja",
        words,
        style="../style.css",
        others=others,
        organisation=facts.organisation,
        title=facts.titles[words.language],
        wave=facts.wave,
        revision=facts.revision,
        release_id=facts.release_id,
        headline=_headline(facts, words, zone),
        moments=_moments(facts, words, zone),
        rows=[_row(item, words, zone) for item in sorted(facts.deliveries, key=_order)],
        recipients=len({item.recipient for item in facts.deliveries if item.channel != "published"}),
        breaches=[_breach(breach, facts, words) for breach in facts.breaches],
        remarks=[_remark(remark, words) for remark in facts.remarks],
        ledger_head=facts.ledger_head,
        ledger_head_says=_head_says(words),
        is_confirmed=facts.skew_ms is not None,
        here=words.say("The register"),
        trail=[{"name": words.say("The register"), "href": None}],
    )


def _headline(facts: Register, words: Words, zone: ZoneInfo) -> str:
    at = facts.released_at or facts.planned_at
    time = words.time(at.astimezone(zone)) if at is not None else ""
    if facts.breaches:
        return words.say("Not everything went as promised.")
    if facts.skew_ms is None:
        return words.say("Opened for everyone at the same moment.")
    return words.say(
        "Received by everyone at the same moment: %(time)s, within %(skew)s ms.",
        time=time,
        skew=words.decimal(facts.skew_ms, 0 if facts.skew_ms >= 10 else 1),
    )


def _moments(facts: Register, words: Words, zone: ZoneInfo) -> list[tuple[str, str, str]]:
    named = [(words.say("Planned"), facts.planned_at), (words.say("Released"), facts.released_at)]
    return [
        (
            label,
            at.astimezone(zone).isoformat(),
            f"{words.day(at.astimezone(zone).date())}, {_precise(at, words, zone)}",
        )
        for label, at in named
        if at is not None
    ]


def _precise(at: datetime, words: Words, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    decimal = "," if words.language == "nl" else "."
    return f"{words.time(local)}{decimal}{local.microsecond // 1000:03d}"


def _order(item: Delivered) -> tuple[bool, str, str]:
    return item.channel != "published", item.recipient, item.channel


def _row(item: Delivered, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    channels = {
        "published": words.say("the published pages and data"),
        "folder": words.say("a folder"),
        "webhook": words.say("a system (webhook)"),
        "email": words.say("e-mail"),
    }
    outcomes = {
        "delivered": words.say("received"),
        "failed": words.say("not received"),
        "unknown": words.say("sent, without an answer"),
        "left_out": words.say("left out"),
    }
    return {
        "recipient": words.say("everyone") if item.channel == "published" else item.recipient,
        "channel": channels.get(item.channel, item.channel),
        "at": "·" if item.at is None else _precise(item.at, words, zone),
        "outcome": _with_attempts(outcomes.get(item.outcome, item.outcome), item, words),
        "is_kept": item.outcome == "delivered",
    }


def _with_attempts(outcome: str, item: Delivered, words: Words) -> str:
    if item.attempts < 2:
        return outcome
    often = words.say("sent %(number)s times", number=words.number(item.attempts))
    return f"{outcome}; {often}"


def _head_says(words: Words) -> str:
    return words.say(
        "Keep this number, the head of the ledger: with it anyone can prove that what is recorded here, or was before, "
        "was edited afterwards."
    )


def _remark(remark: Remark, words: Words) -> str:
    if remark.kind == "tries":
        return words.count(
            "%(number)s try to read it at its address before the moment found nothing.",
            "%(number)s tries to read it at its address before the moment found nothing.",
            remark.number,
        )
    if remark.kind == "clock":
        return words.say("About the clock: %(text)s", text=remark.says)
    return remark.says


def _breach(breach: Breach, facts: Register, words: Words) -> str:
    milliseconds = words.decimal(breach.milliseconds or 0, 0)
    named = {"recipient": breach.recipient, "number": milliseconds, "tolerance": words.decimal(facts.tolerance_ms, 0)}
    if breach.kind == "skew":
        return words.say(
            "Between the first and the last lay %(number)s ms; at most %(tolerance)s ms was promised.", **named
        )
    if breach.kind == "late" and breach.milliseconds is not None:
        return words.say("%(recipient)s received it %(number)s ms late.", **named)
    if breach.kind == "late":
        return words.say("%(recipient)s received it late.", **named)
    if breach.kind == "missing":
        return words.say("%(recipient)s has not received it yet.", **named)
    if breach.kind == "punctuality":
        return words.say("It opened %(number)s ms after the time that was announced.", **named)
    if breach.kind == "ended":
        return words.say("The opening was cut short and completed %(number)s ms after it was decided.", **named)
    if breach.kind == "early_read" and not breach.recipient:
        return words.say("Somebody read it %(number)s ms before the moment.", **named)
    if breach.kind == "early_read":
        return words.say("%(recipient)s could read it too early.", **named)
    if breach.kind == "left_out":
        return words.say(
            "%(recipient)s was left out of this channel, which had held up two moments in a row; the published pages "
            "were open as for everyone.",
            **named,
        )
    return breach.says
