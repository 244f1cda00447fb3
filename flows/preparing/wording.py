"""What respondents wrote, without personal data: cleaned once per response, before anything else reads it."""

import time
from pathlib import Path

from flows.errors import ConfigurationError
from flows.progress import tell
from flows.run import Run
from transforms.comments import RAW_MOST, Cleaner
from warehouse.store import Store

AT_ONCE = 5_000  # texts that are cleaned and kept together; a run that is ended goes on from there
TELLS_EVERY = 10.0  # seconds
LOOKED_AT = 2_000  # texts of a file that the rehearsal looks through


def is_read(run: Run, survey: str) -> bool:
    """Whether comments are mapped and may be shown: else nothing of them is read, and it costs nothing."""
    settings = run.survey(survey)
    return settings.roles.comment is not None and settings.comments.show


def cleaner(run: Run, survey: str) -> Cleaner:
    """The cleaner of a survey's comments; a list of names that cannot be read is an error."""
    said = run.survey(survey).comments
    names = said.names if isinstance(said.names, tuple) else _names(survey, run.settings.file.parent / said.names)
    return Cleaner(names, said.order_numbers, run.settings.organisation.languages[0])


def clean(store: Store, run: Run, survey: str) -> int:
    """Clean the comments of the responses in `counted` that are not yet, under this version; returns how many.

    A response keeps its newest cleaning only: what an older one left in would stay otherwise.
    """
    if not is_read(run, survey):
        return 0
    ours = cleaner(run, survey)
    _wait(store, ours.version)
    texts = int(store.rows("select coalesce(max(text), 0) from comments_waiting")[0][0])
    told = time.monotonic()
    for first in range(1, texts + 1, AT_ONCE):
        _some(store, ours, first=first)
        if time.monotonic() - told > TELLS_EVERY:
            told = time.monotonic()
            tell(f"{min(first + AT_ONCE - 1, texts):,} of {texts:,} comments cleaned")
    waited = int(store.rows("select count(*) from comments_waiting")[0][0])
    store.run("drop table comments_waiting")
    return waited


def personal(store: Store, run: Run, survey: str) -> list[str]:
    """For the rehearsal: the kinds of personal data in the first comments of `incoming`, and in how many."""
    if not is_read(run, survey):
        return []
    texts = store.frame(
        f"select left(comment, {RAW_MOST}) as comment, comment_language from incoming where comment is not null"
        f" order by rowid limit {LOOKED_AT}"
    )
    counts = cleaner(run, survey).frame(texts)["kinds"].explode().dropna().value_counts()
    found = ", ".join(f"{kind} in {counts[kind]:,}" for kind in sorted(counts.index)) or "none"
    return [f"personal data in the first {len(texts):,} comments, which is removed: {found}"]


def _wait(store: Store, version: str) -> None:
    """The comments to clean, equal texts under one number: many write the same."""
    store.run(
        "create or replace temporary table comments_waiting as select batch, record_number, comment, comment_language,"
        " dense_rank() over (order by comment, comment_language nulls first) as text"
        f" from (select batch, record_number, left(comment, {RAW_MOST}) as comment, comment_language from counted"
        " where comment is not null)"
        " anti join (select batch, record_number from core.comments where version = $version)"
        " using (batch, record_number)",
        {"version": version},
    )


def _some(store: Store, ours: Cleaner, *, first: int) -> None:
    """Clean the texts from `first` on, and keep them for every response that wrote them."""
    between = f"text between {first} and {first + AT_ONCE - 1}"
    texts = store.frame(
        "select text, any_value(comment) as comment, any_value(comment_language) as comment_language"
        f" from comments_waiting where {between} group by text order by text"
    )
    store.register("comments_cleaned", ours.frame(texts).assign(text=texts["text"]))
    with store.transaction():
        store.run(
            "delete from core.comments using comments_waiting as waiting where waiting.batch = comments.batch"
            f" and waiting.record_number = comments.record_number and {between}"
        )
        store.run(
            "insert into core.comments select batch, record_number, $version, language, cleaned.comment,"
            " map(kinds::varchar[], counts::integer[])"
            " from comments_waiting join comments_cleaned as cleaned using (text)"
            " order by batch, record_number",
            {"version": ours.version},
        )


def _names(survey: str, path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"[surveys.{survey}.comments]: the list of names {path} cannot be read; it is UTF-8 text, one name a line"
        ) from None
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
