"""The message: plain text with a link and no figures, the same for everyone who reads a language."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from flows.settings import Language

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


SUBJECTS: dict[Language, tuple[str, str]] = {
    "en": ("{organisation}: {title}, {wave}", ", revision {revision}"),
    "nl": ("{organisation}: {title}, {wave}", ", herziening {revision}"),
}
REVISIONS: dict[Language, str] = {
    "en": "This is revision {revision} of this wave: {reason}\n\n",
    "nl": "Dit is herziening {revision} van deze meting: {reason}\n\n",
}
BODIES: dict[Language, str] = {
    "en": (
        "The results of {title}, wave {wave}, are open:\n\n{link}\n\n{revised}"
        "Everyone in every department received this message at the same moment. Nobody saw the results before.\n\n"
        "To answer, reply to this message: with a question, a remark, or what your department is going to do.\n\n"
        "{organisation}\n"
    ),
    "nl": (
        "De resultaten van {title}, meting {wave}, staan open:\n\n{link}\n\n{revised}"
        "Iedereen in elke afdeling ontving dit bericht op hetzelfde moment. Niemand kon de resultaten eerder zien.\n\n"
        "Antwoorden kan door dit bericht te beantwoorden: met een vraag, een reactie, of wat jullie afdeling gaat doen."
        "\n\n{organisation}\n"
    ),
}


def write(news: News, *, language: Language, sender: str, message_id: str, at: datetime) -> bytes:
    """Write the message as it goes over the line after DATA: dots stuffed, and the end of data behind it."""
    words = {
        "organisation": one_line(news.organisation),
        "title": one_line(news.title),
        "wave": one_line(news.wave),
        "link": one_line(news.link),
        "revision": str(news.revision),
        "reason": one_line(news.reason),
    }
    subject, revised = SUBJECTS[language]
    message = EmailMessage(policy=SMTP)
    message["From"] = sender_of(sender)
    message["To"] = "undisclosed-recipients:;"
    message["Subject"] = (subject + (revised if news.revision > 1 else "")).format_map(words)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    message["Content-Language"] = language
    message["Auto-Submitted"] = "auto-generated"
    words["revised"] = REVISIONS[language].format_map(words) if news.revision > 1 else ""
    message.set_content(BODIES[language].format_map(words), cte="quoted-printable")
    return LINE_WITH_DOT.sub(b"..", message.as_bytes()) + b".\r\n"


def one_line(text: str) -> str:
    """Make one line of a text, without control or direction characters: nothing of it can become a header."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def message_id(secret: bytes, *, release_id: str, language: Language, sender: str) -> str:
    """Name a message: the same whenever and to whomever it is sent again, and meaningless without the home's secret."""
    digest = hmac.new(secret, f"message-id\n{release_id}\n{language}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"<{digest}@{mailbox(sender).rpartition('@')[2]}>"


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
