"""Comments that give nobody away: personal data removed before anything else reads them.

What is left may still point at somebody for those who know him: it is called cleaned, never anonymous.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version as installed
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

from transforms.personal import PLACEHOLDERS, names, numbers, places, records, web
from transforms.personal.engine import Found, analyzer, spans
from transforms.personal.language import language
from transforms.personal.plain import MOST, RAW_MOST, alike, plain

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

__all__ = ["MOST", "RAW_MOST", "Cleaned", "Cleaner"]

LIBRARIES = ("phonenumbers", "python-stdnum")  # a newer one may know other numbers


@dataclass(frozen=True)
class Cleaned:
    """One comment without personal data: in which language, and how often each kind was removed."""

    language: str
    comment: str
    removed: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Cleaner:
    """Removes personal data from comments, as one survey wants it: its names, its numbers, its first language."""

    names: tuple[str, ...] = ()
    order_numbers: tuple[str, ...] = ()
    otherwise: str = "en"  # the language where nothing tells it

    @cached_property
    def version(self) -> str:
        """A hash of all that decides what is removed: the recognisers, their lists and libraries, and the settings."""
        room = files("transforms")
        parts = [part for part in (room / "personal").iterdir() if part.name.endswith((".py", ".txt"))]
        ordered = [room / "comments.py", *sorted(parts, key=lambda part: part.name)]
        said = [part.read_text("utf-8") for part in ordered]
        known = [installed(name) for name in LIBRARIES]
        made = json.dumps([said, known, self.names, self.order_numbers, self.otherwise], ensure_ascii=False)
        return hashlib.sha256(made.encode()).hexdigest()[:16]

    def clean(self, raw: str, *, said: str | None = None) -> Cleaned:
        """`raw` in its plain form, each piece of personal data replaced by a word for its kind; cut after MOST.

        `said` is its language as the data tell it. Bounded in time whatever `raw` holds, and however long it is.
        """
        text = plain(raw)
        spoken = language(text, said=said, otherwise=self.otherwise)
        found = [one for one in spans(self._engine, alike(text), spoken) if one[0] < MOST]
        counts = Counter(kind for _, _, kind in found)
        return Cleaned(spoken, "".join(_replaced(text, found, spoken)).strip(), tuple(sorted(counts.items())))

    def frame(self, comments: pd.DataFrame) -> pd.DataFrame:
        """Per row of `comments` (comment, comment_language) its language, comment, kinds and counts; the same index."""
        languages = [value if isinstance(value, str) else None for value in comments["comment_language"]]
        made = [self.clean(raw, said=said) for raw, said in zip(comments["comment"], languages, strict=True)]
        return pd.DataFrame(
            {
                "language": [one.language for one in made],
                "comment": [one.comment for one in made],
                "kinds": [[kind for kind, _ in one.removed] for one in made],
                "counts": [[count for _, count in one.removed] for one in made],
            },
            index=comments.index,
        )

    @cached_property
    def _engine(self) -> "AnalyzerEngine":
        ours = [*web.RECOGNISERS, *numbers.RECOGNISERS, *places.RECOGNISERS, *records.RECOGNISERS]
        if self.order_numbers:
            ours.append(records.configured(self.order_numbers))
        return analyzer([*ours, names.recogniser(self.names)])


def _replaced(text: str, found: Sequence[Found], spoken: str) -> Iterator[str]:
    """The pieces of the cleaned text: what was written, and a word in the place of each span."""
    position = 0
    for start, end, kind in found:
        yield text[position:start]
        yield PLACEHOLDERS[kind][spoken]
        position = end
    if position < MOST:
        yield text[position:MOST]
    if len(text) > MOST:
        yield "…"
