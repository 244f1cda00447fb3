"""The gate: rules run on the pipeline's own connection; a verdict with counts comes out, and nothing observed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from checks import CheckError
from checks.conditions import Parameters, Share, quoted
from checks.rules import Rule

if TYPE_CHECKING:
    import duckdb

TABLE_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
Outcome = Literal["passed", "failed"]


@dataclass(frozen=True)
class CheckResult:
    """What one rule found: how many of how many failed it, and whether that is more than it allows."""

    rule: Rule
    failed_count: int | None  # None where what failed is not a number of things
    base_count: int
    outcome: Outcome


@dataclass(frozen=True)
class Verdict:
    """May it go on? With the result of each rule, and the predicate that finds the rows which broke it."""

    results: tuple[CheckResult, ...]
    breaks: Mapping[str, str]  # rule: SQL predicate

    @property
    def stopped_by(self) -> tuple[str, ...]:
        """The names of the critical rules that failed."""
        return tuple(r.rule.name for r in self.results if r.outcome == "failed" and r.rule.severity == "critical")

    @property
    def stops(self) -> bool:
        """Whether a critical rule failed, so that nothing may be sealed."""
        return bool(self.stopped_by)


def gate(
    connection: "duckdb.DuckDBPyConnection",
    *,
    table: str,
    rules: Sequence[Rule],
    parameters: Parameters,
    report: Path | None = None,
) -> Verdict:
    """Run the rules on a table; where one is broken and a folder is given, a private report there tells more.

    Raises CheckError, which names rule and table and no figure, where a rule cannot be evaluated.
    """
    if not TABLE_NAME.fullmatch(table):
        raise CheckError(f"'{table}' is not the name of a table")
    relation = f"select * from {table}"
    breaks = {rule.name: rule.breaks(parameters) for rule in rules}
    counted = _counted(connection, rules, breaks=breaks, relation=relation, table=table)
    told = report if any(broken for broken, _, _ in counted.values()) else None
    unexpected = _unexpected(connection, rules, parameters=parameters, relation=relation, table=table, report=told)
    for rule in rules:
        if unexpected.get(rule.name) != counted[rule.name][0]:
            raise CheckError(f"{rule.name} on {table}: expectation and predicate disagree; mend the rule's condition")
    return Verdict(tuple(_result(rule, *counted[rule.name]) for rule in rules), breaks)


def _result(rule: Rule, broken: int, failed: int | None, base: int) -> CheckResult:
    # a share's bound is part of its condition; a row rule's is the share of rows that may break it
    allowed = 0 if isinstance(rule.condition, Share) else Decimal(str(rule.most or 0)) * base
    return CheckResult(rule, failed, base, "failed" if broken > allowed else "passed")


def _counted(
    connection: "duckdb.DuckDBPyConnection",
    rules: Sequence[Rule],
    *,
    breaks: Mapping[str, str],
    relation: str,
    table: str,
) -> dict[str, tuple[int, int | None, int]]:
    """Per rule the rows that break its predicate, what is told as failed, and out of how many: one query for all."""
    columns = [f"count(*) filter ({breaks[rule.name]}), {_told(rule, breaks[rule.name])}" for rule in rules]
    try:
        row = connection.execute(f"select {', '.join(columns)} from ({relation})").fetchone()
    except Exception as error:  # the engine's message may quote a value
        culprit = rules[0].name if len(rules) == 1 else _culprit(connection, columns, rules=rules, relation=relation)
        raise CheckError(f"{culprit} on {table}: cannot be evaluated ({type(error).__name__})") from None
    assert row is not None
    return {rule.name: row[3 * place : 3 * place + 3] for place, rule in enumerate(rules)}


def _told(rule: Rule, breaks: str) -> str:
    match rule.condition:
        case Share(part=part, whole=whole, is_count=True) if rule.most is not None:
            return f"coalesce(sum({quoted(part)}), 0)::bigint, coalesce(sum({quoted(whole)}), 0)::bigint"
        case Share():
            return "null, count(*)"
    return f"count(*) filter ({breaks}), count(*)"


def _culprit(
    connection: "duckdb.DuckDBPyConnection", columns: Sequence[str], *, rules: Sequence[Rule], relation: str
) -> str:
    for rule, column in zip(rules, columns, strict=True):
        try:
            connection.execute(f"select {column} from ({relation})")
        except Exception:
            return rule.name
    return "the rules together"


def _unexpected(
    connection: "duckdb.DuckDBPyConnection",
    rules: Sequence[Rule],
    *,
    parameters: Parameters,
    relation: str,
    table: str,
    report: Path | None,
) -> dict[str, int]:
    from checks.expectations import unexpected_counts

    try:
        found = unexpected_counts(connection, rules, relation=relation, parameters=parameters, report=report)
    except Exception as error:  # what Great Expectations says may quote a value
        raise CheckError(f"the rules on {table} cannot be evaluated ({type(error).__name__})") from None
    if silent := sorted(name for name, count in found.items() if count is None):
        raise CheckError(f"{', '.join(silent)} on {table}: the expectation cannot be evaluated")
    return {name: count for name, count in found.items() if count is not None}
