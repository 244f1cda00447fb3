"""What everyone may read of the checks: outcomes always, counts only where they give nobody away."""

import pytest

from checks.book import TABLES
from checks.gate import CheckResult
from checks.quality import public, told
from checks.rules import Rule

ROWS = TABLES["responses"]
RULES: dict[str, Rule] = {rule.name: rule for rules in TABLES.values() for rule in rules}


def result(name: str, failed: int | None, base: int, outcome: str = "passed") -> CheckResult:
    return CheckResult(RULES[name], failed, base, outcome)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failed", "base", "shown"),
    [(0, 1000, 0), (9, 1000, None), (10, 1000, 10), (990, 1000, 990), (991, 1000, None), (1000, 1000, 1000), (0, 3, 0)],
)
def test_a_count_of_a_few_or_of_all_but_a_few_is_not_shown(failed: int, base: int, shown: int | None) -> None:
    frame = public([result("score_in_range", failed, base, "failed")], min_respondents=10)
    assert frame["failed_count"].isna().tolist() == [shown is None]
    assert frame["failed_count"].dropna().tolist() == ([] if shown is None else [shown])
    assert frame["outcome"].tolist() == ["failed"]


def test_a_hidden_count_cannot_be_subtracted_from_the_total() -> None:
    results = [
        result("score_in_range", 30, 1000),
        result("wave_is_known", 2, 1000),
        result("quarantine_is_small", 32, 1000),
    ]
    assert public(results, min_respondents=10)["failed_count"].isna().tolist() == [False, True, True]


def test_the_frame_is_the_contracts_and_speaks_the_language() -> None:
    frame = public([result("response_volume", None, 1)], min_respondents=10, language="nl")
    assert list(frame.columns) == ["rule", "kind", "says", "severity", "outcome", "failed_count", "base_count"]
    assert frame.loc[0, "says"] == "Er antwoordden ongeveer zoveel mensen als bij eerdere metingen."
    assert frame["failed_count"].isna().all()


def test_row_rules_that_ran_file_by_file_are_told_over_the_wave() -> None:
    found = {r.rule.name: r for r in told(ROWS, {"score_in_range": 21, "wave_is_known": 20}, base_count=1000)}
    assert (found["score_in_range"].outcome, found["wave_is_known"].outcome) == ("failed", "passed")
    assert found["weight_is_positive"].failed_count == 0
