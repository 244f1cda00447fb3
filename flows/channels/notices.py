"""What a folder or bucket says of a release that did not come: held or withdrawn and why, as an e-mail words it."""

from pathlib import Path

from flows.channels import Stop
from flows.channels.email_message import REASONS, STOPS, SUBJECTS, one_line
from flows.channels.news import news_of
from flows.model import Language
from flows.settings import Settings

NAMES: dict[Stop, str] = {"held": "held.txt", "withdrawn": "withdrawn.txt"}  # below <root>/<survey>/<wave>/


def notice(event: Stop, reason: str, *, sealed: Path, language: Language, settings: Settings) -> bytes:
    """The text of a notice: which results, what became of them and why; no link and no figure."""
    (news,) = news_of([sealed], language=language, settings=settings)
    single, revised, _ = SUBJECTS[language]
    words = {
        "organisation": one_line(news.organisation),
        "title": one_line(news.title),
        "wave": one_line(news.wave),
        "revision": str(news.revision),
        "reason": one_line(reason),
    }
    subject, opening = STOPS[language][event]
    named = (single + (revised if news.revision > 1 else "")).format_map(words)
    text = f"{subject.format_map({'subject': named})}\n\n{opening}{REASONS[language].format_map(words)}"
    return f"{text}{words['organisation']}\n".encode()
