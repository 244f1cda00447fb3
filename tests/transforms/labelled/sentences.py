"""Sentences with their personal data marked: {kind|text}, one a line, in Dutch and in English."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from transforms.personal.plain import alike, plain

MARKED = re.compile(r"\{(\w+)\|([^}]*)\}")


@dataclass(frozen=True)
class Sentence:
    """A sentence in its plain form, and what in it is personal data: from, to, kind."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def sentences(name: str) -> list[Sentence]:
    """The sentences of `<name>.txt`."""
    lines = (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [_sentence(line) for line in lines if not line.startswith("#")]


def _sentence(line: str) -> Sentence:
    spans = tuple(_spans(line))
    return Sentence(alike(plain(MARKED.sub(r"\2", line))), spans)


def _spans(line: str) -> Iterator[tuple[int, int, str]]:
    """Places in the plain form, in which some characters are gone."""
    for match in MARKED.finditer(line):
        before = MARKED.sub(r"\2", line[: match.start()])
        start, end = (len(plain(f"{text}|")) - 1 for text in (before, before + match.group(2)))
        yield start, end, match.group(1)
