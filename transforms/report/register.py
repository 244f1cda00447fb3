"""The register of a release: who received it, through which channel, when, and what went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


@dataclass(frozen=True)
class Breach:
    """What was promised and not kept; `says` is for kinds that have no words of their own."""

    kind: str  # skew, late, missing, punctuality, ended, early_read, left_out
    recipient: str = ""
    milliseconds: float | None = None
    says: str = ""


@dataclass(frozen=True)
class Register:
    """One release's deliveries; until they are confirmed there is no skew."""

    organisation: str
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


def register(facts: Register) -> dict[str, bytes]:
    """The register by its path in the release's folder, <language>/register.html."""
    return {f"{language}/register.html": _page(facts, Words(language)) for language in facts.languages}


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
        recipients=len({item.recipient for item in facts.deliveries}),
        breaches=[_breach(breach, facts, words) for breach in facts.breaches],
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
    if breach.kind == "early_read":
        return words.say("%(recipient)s could read it too early.", **named)
    if breach.kind == "left_out":
        return words.say(
            "%(recipient)s was left out of this channel, which had held up two moments in a row; the published pages "
            "were open as for everyone.",
            **named,
        )
    return breach.says
