"""What a release says of its checks, in mart.quality: about the whole survey and wave only, and of no small group."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from checks.gate import CheckResult
from checks.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("rule", "kind", "says", "severity", "outcome", "failed_count", "base_count")
TOTAL = "quarantine_is_small"  # the check that counts what all row rules set aside


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


def public(results: Sequence[CheckResult], *, min_respondents: int, language: str = "en") -> "pd.DataFrame":
    """One row per check as everyone may read it; a count that gives a small group away is NULL, the outcome stays."""
    import pandas as pd

    hidden = {r.rule.name for r in results if _is_small(r, min_respondents)}
    if any(r.rule.kind == "rows" and r.rule.name in hidden for r in results):
        hidden.add(TOTAL)  # less the counts that are shown, it would give the hidden ones
    rows = [
        (
            result.rule.name,
            result.rule.kind,
            result.rule.says[language],
            result.rule.severity,
            result.outcome,
            None if result.rule.name in hidden else result.failed_count,
            result.base_count,
        )
        for result in results
    ]
    counts = dict.fromkeys(("failed_count", "base_count"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(counts)


def _is_small(result: CheckResult, min_respondents: int) -> bool:
    """A few that failed, or a few that did not."""
    failed = result.failed_count or 0
    return 0 < failed < min_respondents or (failed > 0 and 0 < result.base_count - failed < min_respondents)
