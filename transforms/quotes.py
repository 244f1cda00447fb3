"""Which of the comments that may be quoted are: by what they say, never by a score, and in an order that tells nothing.

Whether one may be quoted at all, `quotes.sql` decides. They are called quotes of superpromoters, never anonymous.
"""

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

MOST = 3  # per department and language
CANDIDATES = 200  # of a department and language, among which they are chosen
ALIKE = 0.5  # of all words of two quotes: who share as many say the same
RUN = 4  # words in a row: who share as many say the same too
COLUMNS = ("department_id", "language", "position", "quote")
WORD = re.compile(r"[^\W\d_]+")
Row = Mapping[Hashable, Any]  # of `quotes.sql`


def quotes(candidates: pd.DataFrame) -> pd.DataFrame:
    """At most MOST of the rows of `quotes.sql` per department and language: with most themes, none like another."""
    rows = [
        (department, language, position, row["quote"])
        for (department, language), group in candidates.groupby(["department_id", "language"], sort=False)
        for position, row in enumerate(_chosen(group.to_dict("records")), start=1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"position": "int64"})


def _chosen(rows: Sequence[Row]) -> list[Row]:
    return sorted(list(_different(rows))[:MOST], key=lambda row: str(row["draw"]))


def _different(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows that are not alike to one before them."""
    said: list[list[str]] = []
    for row in rows:
        words = WORD.findall(str(row["quote"]).casefold())
        if not any(_are_alike(words, others) for others in said):
            said.append(words)
            yield row


def _are_alike(words: Sequence[str], others: Sequence[str]) -> bool:
    one, other = set(words), set(others)
    return len(one & other) >= ALIKE * len(one | other) or not _runs(words).isdisjoint(_runs(others))


def _runs(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}
