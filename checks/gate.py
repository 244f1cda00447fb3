"""The gate: rules run on the pipeline's own connection; a verdict with counts comes out, and nothing observed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

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
    """Run the rules on a table; where a bound is exceeded and a folder is given, a private report there tells more.

    Raises CheckError, which names rule and table and no figure, where a rule cannot be evaluated.
    """
    return gates(connection, {table: rules}, parameters=parameters, report=report)[table]


def gates(
    connection: "duckdb.DuckDBPyConnection",
    rules: Mapping[str, Sequence[Rule]],
    *,
    parameters: Parameters,
    report: Path | None = None,
) -> dict[str, Verdict]:
    """Run the rules of several tables, as `gate` does those of one; together they take less time."""
    counted = {table: _counted(connection, table, own, parameters) for table, own in rules.items()}
    verdicts = {
        table: Verdict(
            tuple(_result(rule, counted[table][rule.name]) for rule in own),
            {rule.name: rule.breaks(parameters) for rule in own},
        )
        for table, own in rules.items()
    }
    is_exceeded = any(one.outcome == "failed" for verdict in verdicts.values() for one in verdict.results)
    filled = {table: own for table, own in rules.items() if _has_rows(connection, table)}  # of no row nothing can fail
    whole = [table for table in filled if not any(one.broken for one in counted[table].values())]
    shown = report if is_exceeded else None
    unexpected = _unexpected(connection, filled, parameters=parameters, whole=whole, report=shown)
    for table, own in filled.items():
        for rule in own:
            if unexpected[table].get(rule.name) != counted[table][rule.name].broken:
                raise CheckError(
                    f"{rule.name} on {table}: expectation and predicate disagree; mend the rule's condition"
                )
    return verdicts


class _Count(NamedTuple):
    """Of one rule: the rows that break its predicate, what is told as failed, and out of how many."""

    broken: int
    failed: int | None
    base: int


def _result(rule: Rule, count: _Count) -> CheckResult:
    # a share's bound is part of its condition; a row rule's is the share of rows that may break it
    allowed = 0 if isinstance(rule.condition, Share) else Decimal(str(rule.most or 0)) * count.base
    return CheckResult(rule, count.failed, count.base, "failed" if count.broken > allowed else "passed")


def _counted(
    connection: "duckdb.DuckDBPyConnection", table: str, rules: Sequence[Rule], parameters: Parameters
) -> dict[str, _Count]:
    """The counts of each rule, in one query for all."""
    if not TABLE_NAME.fullmatch(table):
        raise CheckError(f"'{table}' is not the name of a table")
    columns = [_counts(rule, rule.breaks(parameters)) for rule in rules]
    try:
        (row,) = connection.execute(f"select {', '.join(columns)} from {table}").fetchall()
    except Exception as error:  # the engine's message may quote a value
        culprit = rules[0].name if len(rules) == 1 else _culprit(connection, columns, rules=rules, table=table)
        raise CheckError(f"{culprit} on {table}: cannot be evaluated ({type(error).__name__})") from None
    return {rule.name: _Count(*row[3 * place : 3 * place + 3]) for place, rule in enumerate(rules)}


def _has_rows(connection: "duckdb.DuckDBPyConnection", table: str) -> bool:
    return bool(connection.execute(f"select 1 from {table} limit 1").fetchall())


def _counts(rule: Rule, breaks: str) -> str:
    """The columns of a _Count."""
    broken = f"coalesce(count_if({breaks}), 0)"  # in half the time of a filter; NULL over no rows
    match rule.condition:
        case Share(part=part, whole=whole, is_count=True) if rule.most is not None:
            return f"{broken}, coalesce(sum({quoted(part)}), 0)::bigint, coalesce(sum({quoted(whole)}), 0)::bigint"
        case Share():
            return f"{broken}, null, count(*)"
    return f"{broken}, {broken}, count(*)"


def _culprit(
    connection: "duckdb.DuckDBPyConnection", columns: Sequence[str], *, rules: Sequence[Rule], table: str
) -> str:
    for rule, column in zip(rules, columns, strict=True):
        try:
            connection.execute(f"select {column} from {table}")
        except Exception:
            return rule.name
    return "the rules together"


def _unexpected(
    connection: "duckdb.DuckDBPyConnection",
    rules: Mapping[str, Sequence[Rule]],
    *,
    parameters: Parameters,
    whole: Sequence[str],
    report: Path | None,
) -> dict[str, dict[str, int | None]]:
    from checks.expectations import unexpected_counts

    if not rules:
        return {}
    try:
        found = unexpected_counts(connection, rules, parameters=parameters, whole=whole, report=report)
    except Exception as error:  # what Great Expectations says may quote a value
        tables = ", ".join(rules)
        raise CheckError(f"the rules on {tables} cannot be evaluated ({type(error).__name__})") from None
    for table, counts in found.items():
        if silent := sorted(name for name, count in counts.items() if count is None):
            raise CheckError(f"{', '.join(silent)} on {table}: the expectation cannot be evaluated")
    return found
