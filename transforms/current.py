"""Which accepted responses stand: those of the newest version of each file, with duplicates as wanted."""

from collections.abc import Sequence
from typing import Literal

from transforms.sql import literal

Duplicates = Literal["keep", "drop", "latest"]

READ = (
    "response_key, respondent_key, wave, responded_at, department_key, score, weight, told_count, told_count_most,"
    " acted_count, is_copied, warned_count, warned_count_most, warned_acted_count"
)


def current(batches: Sequence[int], *, duplicates: Duplicates, wave: str | None = None) -> str:
    """One row per response that stands, with core.responses' columns; `batches` in the order in which files came.

    `drop` keeps the first of rows that are the same in all that is read; `latest` keeps, per response id, the one
    that came last. Duplicates are looked for in all waves together: an answer that moved to another wave is one.
    """
    numbers = ", ".join(str(int(batch)) for batch in batches) or "null"
    rows = f"select * from core.responses where batch in ({numbers})"
    if duplicates == "drop":
        rows += f" qualify row_number() over (partition by {READ} order by {_order(batches)}, record_number) = 1"
    if duplicates == "latest":
        newest = f"order by {_order(batches)} desc, record_number desc"
        rows += f" qualify row_number() over (partition by response_key {newest}) = 1"
    return rows if wave is None else f"select * from ({rows}) where wave = {literal(wave)}"


def dropped(relation: str, *, duplicates: Duplicates) -> str:
    """One number: how many of the accepted responses in `relation` do not stand, as others are the same or newer."""
    if duplicates == "keep":
        return "select 0"
    same = READ if duplicates == "drop" else "response_key"
    return f"select (select count(*) from {relation}) - (select count(*) from (select distinct {same} from {relation}))"


def _order(batches: Sequence[int]) -> str:
    """The place of a batch among those given."""
    return f"list_position({[int(batch) for batch in batches]}, batch)"
