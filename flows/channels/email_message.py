"""The message: plain text with a link and no figures, the same for everyone who reads a language."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from flows.model import Language

Stop = Literal["held", "withdrawn"]  # what may become of results before their moment

LINE_WITH_DOT = re.compile(rb"^\.", re.MULTILINE)
ADDRESS = r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+"
MAILBOX = re.compile(rf"[^<>@\x00-\x1f\x7f]*<(?P<named>{ADDRESS})>|(?P<bare>{ADDRESS})")


@dataclass(frozen=True)
class News:
    """What a release's message tells: where the results stand, and no figure of them."""

    organisation: str
    title: str
    wave: str
    revision: int
    reason: str  # of a revision
    link: str


SUBJECTS: dict[Language, tuple[str, str, str]] = {
    "en": ("{organisation}: {title}, {wave}", ", revision {revision}", "{organisation}: {titles}, {count} waves"),
    "nl": ("{organisation}: {title}, {wave}", ", herziening {revision}", "{organisation}: {titles}, {count} metingen"),
}
OPENINGS: dict[Language, tuple[str, str]] = {
    "en": ("The results of {title}, wave {wave}, are open:\n\n", "The results of {count} waves are open:\n\n"),
    "nl": (
        "De resultaten van {title}, meting {wave}, staan open:\n\n",
        "De resultaten van {count} metingen staan open:\n\n",
    ),
}
REVISIONS: dict[Language, str] = {
    "en": "This is revision {revision} of this wave: {reason}\n\n",
    "nl": "Dit is herziening {revision} van deze meting: {reason}\n\n",
}
ENDINGS: dict[Language, str] = {
    "en": (
        "Everyone in every department received this message at the same moment. Nobody saw the results before.\n\n"
        "To answer, reply to this message: with a question, a remark, or what your department is going to do.\n\n"
        "{organisation}\n"
    ),
    "nl": (
        "Iedereen in elke afdeling ontving dit bericht op hetzelfde moment. Niemand kon de resultaten eerder zien.\n\n"
        "Antwoorden kan door dit bericht te beantwoorden: met een vraag, een reactie, of wat jullie afdeling gaat doen."
        "\n\n{organisation}\n"
    ),
}

STOPS: dict[Language, dict[Stop, tuple[str, str]]] = {
    "en": {
        "held": (
            "{subject}: held",
            "These results are held. Nobody has them; everyone will receive them at one later moment.\n\n",
        ),
        "withdrawn": ("{subject}: withdrawn", "These results are withdrawn before their moment. Nobody has them.\n\n"),
    },
    "nl": {
        "held": (
            "{subject}: aangehouden",
            "Deze resultaten zijn aangehouden. Niemand heeft ze; iedereen krijgt ze op één later moment.\n\n",
        ),
        "withdrawn": (
            "{subject}: ingetrokken",
            "Deze resultaten zijn voor hun moment ingetrokken. Niemand heeft ze.\n\n",
        ),
    },
}
REASONS: dict[Language, str] = {"en": "The reason: {reason}\n\n", "nl": "De reden: {reason}\n\n"}


def write(news: Sequence[News], *, language: Language, sender: str, message_id: str, at: datetime) -> bytes:
    """Write one message of all that opens at a moment, as it goes over the line after DATA."""
    subject, body = telling(news, language)
    body += ENDINGS[language].format_map(_words(news))
    return _message(subject, body, language=language, sender=sender, message_id=message_id, at=at)


def telling(news: Sequence[News], language: Language) -> tuple[str, str]:
    """The subject, and which results stand open where; of a revision also why it was made."""
    shared, each = _words(news), [_words([one]) for one in news]
    opening, openings = OPENINGS[language]
    told = [
        ("{title}, {wave}:\n" if len(news) > 1 else "")
        + "{link}\n\n"
        + (REVISIONS[language] if one.revision > 1 else "")
        for one in news
    ]
    parts = [
        (openings if len(news) > 1 else opening).format_map(shared),
        *(text.format_map(words) for text, words in zip(told, each, strict=True)),
    ]
    return _subject(news, language).format_map(shared), "".join(parts)


def notice(
    news: Sequence[News], event: Stop, reason: str, *, language: Language, sender: str, message_id: str, at: datetime
) -> bytes:
    """Write that results are held or withdrawn, and why: which waves, no link and no figure."""
    subject, body = stopping(news, event, reason, language=language)
    return _message(subject, body, language=language, sender=sender, message_id=message_id, at=at)


def stopping(news: Sequence[News], event: Stop, reason: str, *, language: Language) -> tuple[str, str]:
    """The subject and the text of what became of results before their moment."""
    shared = {**_words(news), "reason": one_line(reason)}
    subject, opening = STOPS[language][event]
    named = _subject(news, language).format_map(shared)
    listed = "".join(f"- {one_line(one.title)}, {one_line(one.wave)}\n" for one in news) + "\n"
    body = opening + "{listed}" + REASONS[language] + "{organisation}\n"
    return subject.format_map({"subject": named}), body.format_map({**shared, "listed": listed})


def _subject(news: Sequence[News], language: Language) -> str:
    single, revised, several = SUBJECTS[language]
    return several if len(news) > 1 else single + (revised if news[0].revision > 1 else "")


def _words(news: Sequence[News]) -> dict[str, str]:
    first = news[0]
    return {
        "organisation": one_line(first.organisation),
        "title": one_line(first.title),
        "titles": ", ".join(dict.fromkeys(one_line(one.title) for one in news)),
        "count": str(len(news)),
        "wave": one_line(first.wave),
        "link": one_line(first.link),
        "revision": str(first.revision),
        "reason": one_line(first.reason),
    }


def _message(subject: str, body: str, *, language: Language, sender: str, message_id: str, at: datetime) -> bytes:
    """The message with dots stuffed, and the end of data behind it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender_of(sender)
    message["To"] = "undisclosed-recipients:;"
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Content-Language"] = language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body, cte="quoted-printable")
    return LINE_WITH_DOT.sub(b"..", message.as_bytes()) + b".\r\n"


def one_line(text: str) -> str:
    """Make one line of a text, without control or direction characters: nothing of it can become a header."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def message_id(secret: bytes, *, release_ids: Sequence[str], language: Language, sender: str) -> str:
    """Name a message: the same whenever and to whomever it is sent again, and meaningless without the home's secret."""
    digest = hmac.new(secret, "\n".join(("message-id", *release_ids, language)).encode(), hashlib.sha256).hexdigest()[
        :32
    ]
    return f"<{digest}@{mailbox(sender).rpartition('@')[2]}>"


def random_id(sender: str) -> str:
    """Name a message that is sent once."""
    return f"<{secrets.token_hex(16)}@{mailbox(sender).rpartition('@')[2]}>"


def sender_of(text: str) -> Address:
    """The sender as a header shows him, his name as one text whatever signs it holds; ValueError where it is none."""
    name = one_line(text.partition("<")[0]).strip('"') if "<" in text else ""
    return Address(display_name=name, addr_spec=mailbox(text))


def mailbox(text: str) -> str:
    """The bare address of `Name <address>`, its domain in ASCII; ValueError, which quotes nothing, where it is none."""
    match = MAILBOX.fullmatch(text)
    if match is None:
        raise ValueError("not an e-mail address")
    name, _, domain = (match["named"] or match["bare"]).rpartition("@")
    try:
        return f"{name}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise ValueError("not an e-mail address") from None
