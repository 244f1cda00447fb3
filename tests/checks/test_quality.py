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
    frame = public([result("score_in_range", failed, base, "failed")], counted=base - failed, min_respondents=10)
    assert frame["failed_count"].isna().tolist() == [shown is None]
    assert frame["failed_count"].dropna().tolist() == ([] if shown is None else [shown])
    assert frame["outcome"].tolist() == ["failed"]


def test_a_hidden_count_cannot_be_subtracted_from_the_total() -> None:
    results = [
        result("score_in_range", 30, 1000),
        result("wave_is_known", 2, 1000),
        result("quarantine_is_small", 32, 1000),
    ]
    assert public(results, counted=968, min_respondents=10)["failed_count"].isna().tolist() == [False, True, True]


def test_a_hidden_count_cannot_be_computed_from_a_base() -> None:
    results = [
        result("score_in_range", 30, 1032),
        result("wave_is_known", 2, 1032),
        result("quarantine_is_small", 30, 1030),
        result("scores_are_given", 100, 1000),
    ]
    bases = public(results, counted=1000, min_respondents=10).set_index("rule")["base_count"]
    assert bases.dropna().to_dict() == {"scores_are_given": 1000}


@pytest.mark.parametrize(("rejected", "shown"), [(0, 1030), (4, None), (12, 1042)])
def test_lines_that_cannot_be_read_are_set_aside_too(rejected: int, shown: int | None) -> None:
    results = [result("record_is_readable", rejected, 5000), result("score_in_range", 30, 1030 + rejected)]
    frame = public(results, counted=1000, min_respondents=10).set_index("rule")
    assert frame.loc["record_is_readable", ["failed_count", "base_count"]].isna().all()
    assert frame["base_count"].dropna().tolist() == ([] if shown is None else [shown])


@pytest.mark.parametrize(("failed", "shown"), [(30, 30), (31, None), (21, None), (40, 40)])
def test_what_a_revision_says_gives_no_few_away_against_the_one_before(failed: int, shown: int | None) -> None:
    first, second = (
        [result("score_in_range", count, 1000 + count), result("scores_are_given", 100, 1000)] for count in (30, failed)
    )
    before = public(first, counted=1000, min_respondents=10)
    after = public(second, counted=1000, min_respondents=10, earlier=[before]).set_index("rule")
    assert after["failed_count"].dropna().tolist() == ([100] if shown is None else [shown, 100])
    assert after["base_count"].dropna().tolist() == ([1000] if shown is None else [1000 + shown, 1000])


def test_the_frame_is_the_contracts_and_speaks_the_language() -> None:
    frame = public([result("response_volume", None, 1)], counted=1, min_respondents=10, language="nl")
    assert list(frame.columns) == ["rule", "kind", "says", "severity", "outcome", "failed_count", "base_count"]
    assert frame.loc[0, "says"] == "Er antwoordden ongeveer zoveel mensen als bij eerdere metingen."
    assert frame["failed_count"].isna().all()


def test_row_rules_that_ran_file_by_file_are_told_over_the_wave() -> None:
    found = {r.rule.name: r for r in told(ROWS, {"score_in_range": 21, "wave_is_known": 20}, base_count=1000)}
    assert (found["score_in_range"].outcome, found["wave_is_known"].outcome) == ("failed", "passed")
    assert found["weight_in_range"].failed_count == 0
