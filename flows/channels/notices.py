"""What a folder or bucket says of a release that did not come: held or withdrawn and why, as an e-mail words it."""

from pathlib import Path

from flows.channels import Stop
from flows.channels.email_message import stopping
from flows.channels.news import news_of
from flows.model import Language
from flows.settings import Settings

NAMES: dict[Stop, str] = {"held": "held.txt", "withdrawn": "withdrawn.txt"}  # below <root>/<survey>/<wave>/


def notice(event: Stop, reason: str, *, sealed: Path, language: Language, settings: Settings) -> bytes:
    """The text of a notice: which results, what became of them and why; no link and no figure."""
    news = news_of([sealed], language=language, settings=settings)
    subject, text = stopping(news, event, reason, language=language)
    return f"{subject}\n\n{text}".encode()
