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
    said: list[set[str]] = []
    for row in rows:
        words = set(WORD.findall(str(row["quote"]).casefold()))
        if all(len(words & others) < ALIKE * len(words | others) for others in said):
            said.append(words)
            yield row
