"""A rule is one object: expectation and quarantine predicate are both made from its condition, so they cannot drift."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from checks import CheckError
from checks.conditions import Condition, Parameters, literal

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Severity = Literal["critical", "warning"]
Kind = Literal["contract", "rows", "batch"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One check: its name, what it says to readers, how grave it is, its bound, and its condition."""

    name: str
    kind: Kind
    says: Mapping[str, str] = field(hash=False)  # language: sentence
    condition: Condition
    severity: Severity = "critical"
    most: float | None = None  # share that may fail before the check fails; None: nothing may, or another bound counts
    lowest: float | None = None  # share that must be reached

    def bound(self, parameters: Parameters) -> Parameters:
        """The parameters of this run with the rule's own bounds among them."""
        own = {"most": self.most, "lowest": self.lowest}
        return {**parameters, **{name: Decimal(str(value)) for name, value in own.items() if value is not None}}

    def breaks(self, parameters: Parameters) -> str:
        """The quarantine predicate: true for exactly the rows that break the rule."""
        return self.condition.breaks(self.bound(parameters))

    def expectation(self, parameters: Parameters) -> "Expectation":
        """The expectation of the same condition, with the rule's name, sentence and severity for the private report."""
        made = self.condition.expectation(self.bound(parameters))
        told = {"meta": {"rule": self.name}, "description": self.says["en"], "severity": self.severity}
        return made.copy(update=told)


def configured(rules: Iterable[Rule], settings: Mapping[str, Mapping[str, object]]) -> tuple[Rule, ...]:
    """Give the rules with the severities and bounds that the survey sets; a setting that fits no rule is an error."""
    known = {rule.name: rule for rule in rules}
    for name, setting in settings.items():
        if name not in known:
            raise CheckError(f"there is no check '{name}'; the checks are: {', '.join(sorted(known))}")
        known[name] = _with_setting(known[name], {key: value for key, value in setting.items() if value is not None})
    return tuple(known.values())


def _with_setting(rule: Rule, setting: Mapping[str, object]) -> Rule:
    allowed = {"severity"} | {name for name in ("most", "lowest") if getattr(rule, name) is not None}
    if unfit := sorted(set(setting) - allowed):
        raise CheckError(f"the check '{rule.name}' has no '{unfit[0]}'", allowed=", ".join(sorted(allowed)))
    return replace(rule, **setting)  # type: ignore[arg-type]  # the keys were just compared with the fields


def broken_sql(rules: Iterable[Rule], parameters: Parameters) -> str:
    """The predicate that is true for exactly the rows that break a rule, and never NULL."""
    return " or ".join(rule.breaks(parameters) for rule in rules)


def quarantine_sql(
    rules: Sequence[Rule], parameters: Parameters, *, table: str = "core.incoming", broken: str | None = None
) -> str:
    """One row per record of the table that breaks a rule: its number, and the names of all rules that it breaks.

    `broken` is for a table that has kept which of its rows these are.
    """
    names = ", ".join(f"case when {rule.breaks(parameters)} then {literal(rule.name)} end" for rule in rules)
    return (
        f"select rowid + 1 as record_number, list_filter([{names}], lambda name: name is not null) as rules"
        f" from {table} where {broken or broken_sql(rules, parameters)}"
    )
