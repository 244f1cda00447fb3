"""What a release says of its checks, in mart.quality: about the whole survey and wave only, and of no small group."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from checks import comments, files
from checks.gate import CheckResult
from checks.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("rule", "kind", "says", "severity", "outcome", "failed_count", "base_count")
TOTAL = "quarantine_is_small"  # the check that counts what all row rules set aside
COUNTED = "scores_are_given"  # its base is how many answers the release counts
UNREAD = "record_is_readable"  # such records are set aside too, but are of no wave
OF_FILES = frozenset(rule.name for rule in (*files.RULES, *comments.RULES))  # who wrote is not told either


def told(rules: Iterable[Rule], failed: Mapping[str, int], *, base_count: int) -> tuple[CheckResult, ...]:
    """The results of row rules over a wave, from what its files left in quarantine: they ran file by file."""
    return tuple(
        CheckResult(
            rule,
            failed.get(rule.name, 0),
            base_count,
            "failed" if failed.get(rule.name, 0) > Decimal(str(rule.most or 0)) * base_count else "passed",
        )
        for rule in rules
    )


def public(
    results: Sequence[CheckResult],
    *,
    counted: int,
    min_respondents: int,
    earlier: Sequence["pd.DataFrame"] = (),
    language: str = "en",
) -> "pd.DataFrame":
    """One row per check as everyone may read it; a count that gives a small group away is NULL, the outcome stays.

    `counted` is how many answers the release counts, which everyone reads in it; `earlier` is what this wave's earlier
    revisions said: a count that differs from theirs by a few gives those few away. Files hold answers that wait or
    belong to other waves, so what is counted in files is never told.
    """
    import pandas as pd

    own = [result for result in results if result.rule.name not in OF_FILES]
    hidden = {r.rule.name for r in own if _is_small(r, min_respondents) or _is_near(r, earlier, min_respondents)}
    if _gives_quarantine_away(results, hidden, counted, earlier=earlier, min_respondents=min_respondents):
        hidden.add(TOTAL)
    rows = []
    for result in results:
        name = result.rule.name
        is_bare = name in OF_FILES or (TOTAL in hidden and (name == TOTAL or result.rule.kind == "rows"))
        rows.append(
            (
                name,
                result.rule.kind,
                result.rule.says[language],
                result.rule.severity,
                result.outcome,
                None if name in hidden or name in OF_FILES else result.failed_count,
                None if is_bare else result.base_count,
            )
        )
    counts = dict.fromkeys(("failed_count", "base_count"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(counts)


def _gives_quarantine_away(
    results: Sequence[CheckResult],
    hidden: set[str],
    counted: int,
    *,
    earlier: Sequence["pd.DataFrame"],
    min_respondents: int,
) -> bool:
    """Whether the bases would tell a count that is hidden: less what is counted they are all that was set aside."""
    of_rows = [result for result in results if result.rule.kind == "rows"]
    if hidden & {TOTAL, *(result.rule.name for result in of_rows)}:
        return True
    set_aside = {result.base_count - counted for result in of_rows}
    before = {aside for frame in earlier for aside in _set_aside(frame)}
    unread = {result.failed_count or 0 for result in results if result.rule.name == UNREAD}
    apart = {abs(now - then) for now in set_aside for then in before}
    return any(0 < few < min_respondents for few in set_aside | unread | apart)


def _set_aside(frame: "pd.DataFrame") -> Iterable[int]:
    """What an earlier revision's bases tell of all that was set aside."""
    bases = frame.set_index("rule")["base_count"]
    counted = bases.get(COUNTED)
    of_rows = frame.loc[frame["kind"] == "rows", "base_count"].dropna()
    return [] if counted is None else [int(base) - int(counted) for base in of_rows]


def _is_small(result: CheckResult, min_respondents: int) -> bool:
    """A few that failed, or a few that did not."""
    failed = result.failed_count or 0
    return 0 < failed < min_respondents or (failed > 0 and 0 < result.base_count - failed < min_respondents)


def _is_near(result: CheckResult, earlier: Sequence["pd.DataFrame"], min_respondents: int) -> bool:
    """Whether it differs by a few from what an earlier revision said."""
    said = [
        count for frame in earlier for count in frame.loc[frame["rule"] == result.rule.name, "failed_count"].dropna()
    ]
    return any(0 < abs((result.failed_count or 0) - int(count)) < min_respondents for count in said)
