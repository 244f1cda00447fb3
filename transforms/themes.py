"""Which words are shown: those that set a group's comments apart, and tell of nobody, alone or by subtraction.

Their figures come from `themes.sql`. A respondent counts once per word: who repeats it weighs no more, the figures are
those of people, and y is what is shown as `respondents`.

What an outsider may do is subtract. Within a department, a shown word is said by at least `min_respondents` of the
group and left unsaid by as many, or by all but a few would tell of those few. Between departments, what is left of a
word's speakers after those of the topmost departments below that show it is nobody, or at least `min_respondents`,
and so are those left who do not say it; both stay so where only some of these rows are shown, for then what is left
is a sum of such remainders. Within a list, two that share a word and have nearly as many speakers are not both shown:
their difference would be few. Log-odds and z tell of the others too, who are not counted here: they are rounded, as
nobody reads more.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pandas as pd

PRIOR = 500.0  # the weight of the prior, in terms
LEAST = 1.96  # of z
MOST = 10  # words per department, language and kind
NEARLY = 0.2  # of the speakers: two words with fewer than this apart say the same
LOG_ODDS_DIGITS, Z_DIGITS = 2, 1
LANGUAGES = ("en", "nl")
KINDS = ("promoters", "passives", "detractors")  # in the order of the pages
COLUMNS = ("department_id", "language", "kind", "theme", "position", "respondents", "log_odds", "z_score")

Row = Mapping[Hashable, Any]  # of `themes.sql`


@dataclass(frozen=True)
class _Said:
    """A term in a department: how many say it, and how many of the group do not."""

    department: str
    respondents: int
    silent: int


def stop_words() -> pd.DataFrame:
    """One row per language × word that is no theme; a coarse one keeps a comment from being quoted too."""
    coarse = {word.removesuffix("+") for word in _listed("coarse")}
    rows = []
    for language in LANGUAGES:
        marked = {word.removesuffix("+"): word.endswith("+") for word in _listed(language)}
        words = sorted({*marked, *coarse})
        rows += [(language, word, marked.get(word, False), word in coarse) for word in words]
    return pd.DataFrame(rows, columns=["language", "word", "may_open", "is_coarse"])


def themes(candidates: pd.DataFrame, tree: pd.DataFrame, *, min_respondents: int) -> pd.DataFrame:
    """The rows of `themes.sql` that are shown, at most MOST per department, language and kind, in tree order."""
    parents = dict(zip(tree["department_id"], tree["parent_id"], strict=True))
    places = {name: place for place, name in enumerate(parents)}
    safe = candidates[_is_safe(candidates, parents, places, min_respondents=min_respondents)]
    ranked = safe.sort_values(["language", "kind", "z_score", "theme"], ascending=[True, True, False, True])
    rows = [
        row
        for _, group in sorted(
            ranked.groupby(["department_id", "language", "kind"], sort=False), key=lambda one: _order(one[0], places)
        )
        for row in _shown(group, min_respondents=min_respondents)
    ]
    made = pd.DataFrame(rows, columns=list(COLUMNS))
    whole = {"position": "int64", "respondents": "int64", "log_odds": "float64", "z_score": "float64"}
    return made.astype(whole).round({"log_odds": LOG_ODDS_DIGITS, "z_score": Z_DIGITS})


def _listed(name: str) -> Iterator[str]:
    for line in (files("transforms") / "stop_words" / f"{name}.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield from line.split()


def _order(group: tuple[Hashable, ...], places: Mapping[str, int]) -> tuple[int, str, int]:
    department, language, kind = map(str, group)
    return places[department], language, KINDS.index(kind)


def _is_safe(
    candidates: pd.DataFrame, parents: Mapping[str, str | None], places: Mapping[str, int], *, min_respondents: int
) -> "pd.Series[bool]":
    """Whether a row may be shown beside the same term's rows of other departments."""
    by_term: dict[tuple[str, str, str], list[_Said]] = {}
    names = [candidates[name].tolist() for name in ("language", "kind", "theme", "department_id")]
    counts = [candidates[name].astype(int).tolist() for name in ("respondents", "silent")]
    for language, kind, theme, department, respondents, silent in zip(*names, *counts, strict=True):
        by_term.setdefault((language, kind, theme), []).append(_Said(department, respondents, silent))
    kept = {
        (*term, department)
        for term, said in by_term.items()
        for department in _unsubtractable(said, parents, places, min_respondents=min_respondents)
    }
    return pd.Series([row in kept for row in zip(*names, strict=True)], index=candidates.index, dtype=bool)


def _unsubtractable(
    said: Sequence[_Said], parents: Mapping[str, str | None], places: Mapping[str, int], *, min_respondents: int
) -> set[str]:
    """The departments that may show the term: where too few would be left, the smallest below gives way."""
    rows = {one.department: one for one in said}
    kept = set(rows)
    below: dict[str, list[_Said]] = {name: [] for name in rows}  # the topmost that show it under a department
    for name in sorted(rows, key=places.__getitem__, reverse=True):  # children stand after their parents
        parts = below[name]
        while parts and _leaves_few(rows[name], parts, min_respondents=min_respondents):
            smallest = min(parts, key=lambda part: (part.respondents, part.department))
            kept.discard(smallest.department)
            parts.remove(smallest)
            parts += below[smallest.department]
        above = parents[name]
        while isinstance(above, str) and above not in rows:
            above = parents[above]
        if isinstance(above, str):
            below[above].append(rows[name])
    return kept


def _leaves_few(whole: _Said, parts: Sequence[_Said], *, min_respondents: int) -> bool:
    left = (
        whole.respondents - sum(part.respondents for part in parts),
        whole.silent - sum(part.silent for part in parts),
    )
    return any(0 < count < min_respondents for count in left)


def _shown(group: pd.DataFrame, *, min_respondents: int) -> list[tuple[object, ...]]:
    """The first MOST of a group's terms, best first, without those that another of them says already."""
    rows = group[[name for name in COLUMNS if name != "position"] + ["speakers_hash"]].to_dict("records")
    while doubles := _doubles(rows[:MOST], min_respondents=min_respondents):
        rows = [row for row in rows if row["theme"] not in doubles]
    return [
        tuple({**row, "position": position}[name] for name in COLUMNS)
        for position, row in enumerate(rows[:MOST], start=1)
    ]


def _doubles(rows: Sequence[Row], *, min_respondents: int) -> set[str]:
    """Terms that another says already: pairs stand for their words, and the best for those of the very same people."""
    doubles: set[str] = set()
    kept: list[Row] = []
    for row in sorted(rows, key=lambda row: -len(str(row["theme"]).split())):  # stable: pairs first, each best first
        if any(_says_the_same(row, other, min_respondents=min_respondents) for other in kept):
            doubles.add(str(row["theme"]))
        else:
            kept.append(row)
    return doubles


def _says_the_same(row: Row, other: Row, *, min_respondents: int) -> bool:
    """Whether two terms share a word and have nearly as many speakers, or have the same ones."""
    if row["speakers_hash"] == other["speakers_hash"]:
        return True
    share_a_word = bool(set(str(row["theme"]).split()) & set(str(other["theme"]).split()))
    counts = [int(str(one["respondents"])) for one in (row, other)]
    return share_a_word and max(counts) - min(counts) < max(min_respondents, NEARLY * max(counts))
