"""What holds of all rules, and what a survey may say about them."""

from dataclasses import FrozenInstanceError
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest

from checks import CheckError
from checks.book import TABLES, rules_by_table
from checks.conditions import Between, Parameter, Satisfies, Share, Value, literal, quoted
from checks.rules import Rule, configured

ALL = [rule for rules in TABLES.values() for rule in rules]


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.name for rule in ALL}) == len(ALL)


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_every_rule_says_one_sentence_in_each_language(rule: Rule) -> None:
    assert set(rule.says) == {"en", "nl"}
    assert all(sentence.endswith(".") and sentence.count(". ") == 0 for sentence in rule.says.values())


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_a_share_has_a_bound_and_a_row_rule_says_how_many_rows_may_break_it(rule: Rule) -> None:
    if rule.kind == "rows" or isinstance(rule.condition, Share):
        assert (rule.most is None) != (rule.lowest is None)


def test_a_rule_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        ALL[0].name = "other"  # type: ignore[misc]


def test_a_survey_sets_severity_and_bounds() -> None:
    ours = rules_by_table(
        {"response_volume": {"severity": "critical", "lowest": 0.8, "most": None}, "score_in_range": {"most": 0.5}}
    )
    volume = next(rule for rule in ours["waves"] if rule.name == "response_volume")
    score = next(rule for rule in ours["responses"] if rule.name == "score_in_range")
    assert (volume.severity, volume.lowest, score.severity, score.most) == ("critical", 0.8, "critical", 0.5)
    assert [rule.name for rules in ours.values() for rule in rules] == [rule.name for rule in ALL]


def test_a_mistyped_check_is_an_error_that_lists_the_checks() -> None:
    with pytest.raises(CheckError, match=r"no check 'score_in_rang'; the checks are: .*score_in_range"):
        rules_by_table({"score_in_rang": {"most": 0.5}})


def test_a_bound_that_a_check_does_not_have_is_an_error() -> None:
    with pytest.raises(CheckError, match="'score_in_range' has no 'lowest'; it has: most, severity"):
        configured(TABLES["responses"], {"score_in_range": {"lowest": 0.5}})


@pytest.mark.parametrize("condition", [Between("score", Parameter("low"), 1), Satisfies("score > $low")])
def test_a_parameter_without_a_value_is_named(condition: Between | Satisfies) -> None:
    with pytest.raises(CheckError, match=r"'low' has no value; known here: high"):
        condition.breaks({"high": 3})


@pytest.mark.parametrize(
    "value",
    [
        True,
        3,
        -2.5,
        1e-300,
        float("inf"),
        Decimal("0.02"),
        "it's :x",
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5, 6),
    ],
)
def test_a_value_is_the_same_in_sql(connection: duckdb.DuckDBPyConnection, value: Value) -> None:
    assert connection.execute(f"select {literal(value)}").fetchone() == (value,)


def test_a_time_with_a_zone_is_meant_in_utc(connection: duckdb.DuckDBPyConnection) -> None:
    given = datetime(2026, 1, 2, 3, tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert connection.execute(f"select {literal(given)}").fetchone() == (datetime(2026, 1, 2, 2),)


def test_a_name_is_quoted(connection: duckdb.DuckDBPyConnection) -> None:
    name = 'a"; drop table x; --'
    assert connection.execute(f"select 1 as {quoted(name)}").description[0][0] == name
