"""The words of an announcement: those of the e-mail, with a link and no figures, and nobody called by name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows.channels import Stop
from flows.channels.email_message import News, stopping, telling
from flows.model import Language

ENDINGS: dict[Language, str] = {
    "en": "Everyone in every department gets these results at the same moment. Nobody saw them before.",
    "nl": "Iedereen in elke afdeling krijgt deze resultaten op hetzelfde moment. Niemand kon ze eerder zien.",
}
CALL = re.compile(r"(?<!\w)@(?=\w)|<(?=[!@#&])")  # @everyone, <!channel>: what makes chat services ring at people


@dataclass(frozen=True)
class Post:
    """What a chat shows; a service without titles puts the title before the text."""

    title: str
    text: str


def post(news: Sequence[News], language: Language) -> Post:
    """Tell which results stand open, and where."""
    title, text = telling([_harmless(one) for one in news], language)
    return Post(title, text + ENDINGS[language])


def stop_post(news: Sequence[News], event: Stop, reason: str, *, language: Language) -> Post:
    """Tell that results are held or withdrawn, and why."""
    title, text = stopping([_harmless(one) for one in news], event, _calling_nobody(reason), language=language)
    return Post(title, text.rstrip())


def _harmless(one: News) -> News:
    return replace(
        one,
        organisation=_calling_nobody(one.organisation),
        title=_calling_nobody(one.title),
        wave=_calling_nobody(one.wave),
        reason=_calling_nobody(one.reason),
    )


def _calling_nobody(text: str) -> str:
    return CALL.sub(r"\g<0> ", text)
