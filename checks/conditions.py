"""What may be demanded of a row: each condition gives its expectation and its predicate, which agree on every value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from string import Template
from typing import TYPE_CHECKING, Protocol

from checks import CheckError

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Value = bool | int | float | Decimal | date | datetime | str
Bound = int | float | date | datetime
BIND_MARK = re.compile(r"(?<![:\w]):(?=\w)")
Parameters = Mapping[str, Value]


@dataclass(frozen=True)
class Parameter:
    """A value that is only known when the rule runs, such as the declared score scale."""

    name: str


def literal(value: Value) -> str:
    """Write a value as an SQL literal; text is quoted, times are timestamps without a zone (UTC)."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return f"'{value}'::double" if isinstance(value, float) and value - value != 0 else str(value)
        case datetime():
            clock = value.astimezone(UTC) if value.tzinfo else value
            return f"timestamp '{clock.replace(tzinfo=None).isoformat(sep=' ')}'"
        case date():
            return f"date '{value.isoformat()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def substituted(sql: str, parameters: Parameters) -> str:
    """Put each parameter's literal in the place of its `$name`; a name without a value is an error."""
    try:
        return Template(sql).substitute({name: literal(value) for name, value in parameters.items()})
    except KeyError as error:
        raise CheckError(f"the parameter {error} has no value; known here: {', '.join(sorted(parameters))}") from None


def verbatim(sql: str) -> str:
    """Write SQL so that SQLAlchemy takes no colon in it for the mark of a parameter."""
    return BIND_MARK.sub(r"\\:", sql)


def resolved(value: Value | Parameter | None, parameters: Parameters) -> Value | None:
    """Give the value that a parameter has in this run; an unknown one is an error that names it."""
    if not isinstance(value, Parameter):
        return value
    if value.name not in parameters:
        raise CheckError(f"the parameter '{value.name}' has no value; known here: {', '.join(sorted(parameters))}")
    return parameters[value.name]


class Condition(Protocol):
    """What must hold of each row; NULL holds, except for NotNull."""

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows that break the condition, and never NULL."""
        ...

    def expectation(self, parameters: Parameters) -> "Expectation":
        """The Great Expectations expectation of the same condition."""
        ...


@dataclass(frozen=True)
class Between:
    """The column lies between two bounds, both included; None leaves a side open."""

    column: str
    low: Bound | Parameter | None
    high: Bound | Parameter | None

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows outside the bounds."""
        bounds = ((">=", resolved(self.low, parameters)), ("<=", resolved(self.high, parameters)))
        holds = " and ".join(
            f"{quoted(self.column)} {sign} {literal(bound)}" for sign, bound in bounds if bound is not None
        )
        return f"({holds}) is false"

    def expectation(self, parameters: Parameters) -> "Expectation":
        """ExpectColumnValuesToBeBetween with the bounds of this run."""
        from checks.engine import gxe

        low, high = resolved(self.low, parameters), resolved(self.high, parameters)
        made: Expectation = gxe.ExpectColumnValuesToBeBetween(column=self.column, min_value=low, max_value=high)
        return made


@dataclass(frozen=True)
class Among:
    """The column holds one of these values."""

    column: str
    values: tuple[Value, ...]

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows with any other value."""
        return f"({quoted(self.column)} in ({', '.join(map(literal, self.values))})) is false"

    def expectation(self, parameters: Parameters) -> "Expectation":
        """ExpectColumnValuesToBeInSet with the same values."""
        from checks.engine import gxe

        made: Expectation = gxe.ExpectColumnValuesToBeInSet(column=self.column, value_set=list(self.values))
        return made


@dataclass(frozen=True)
class IsTrue:
    """The boolean column is true."""

    column: str

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows with a false."""
        return f"{quoted(self.column)} is false"

    def expectation(self, parameters: Parameters) -> "Expectation":
        """ExpectColumnValuesToBeInSet with true alone in it."""
        from checks.engine import gxe

        made: Expectation = gxe.ExpectColumnValuesToBeInSet(column=self.column, value_set=[True])
        return made


@dataclass(frozen=True)
class NotNull:
    """The column has a value."""

    column: str

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows without a value."""
        return f"{quoted(self.column)} is null"

    def expectation(self, parameters: Parameters) -> "Expectation":
        """ExpectColumnValuesToNotBeNull for the same column."""
        from checks.engine import gxe

        made: Expectation = gxe.ExpectColumnValuesToNotBeNull(column=self.column)
        return made


@dataclass(frozen=True)
class Satisfies:
    """The SQL condition holds; `$name` in it is a parameter of the run."""

    sql: str

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows of which the condition is false."""
        condition = substituted(self.sql, parameters)
        return f"({condition}) is false"

    def expectation(self, parameters: Parameters) -> "Expectation":
        """ExpectNoRowToBreak over the rows that break it; its query is a format string: braces are doubled."""
        from checks.engine import ExpectNoRowToBreak

        broken = verbatim(self.breaks(parameters)).replace("{", "{{").replace("}", "}}")
        made: Expectation = ExpectNoRowToBreak(
            unexpected_rows_query=f"select 1 as broken from {{batch}} where {broken}"
        )
        return made


@dataclass(frozen=True)
class Share:
    """`part` is at most `$most` of `whole` and at least `$lowest` of it, whichever of the two the rule bounds."""

    part: str
    whole: str
    is_count: bool = True  # the part counts what failed, so that it may be printed as such

    def breaks(self, parameters: Parameters) -> str:
        """SQL that is true for exactly the rows whose share is out of bounds; no whole, no share."""
        return self._satisfies(parameters).breaks(parameters)

    def expectation(self, parameters: Parameters) -> "Expectation":
        """ExpectNoRowToBreak over the rows whose share is out of bounds."""
        return self._satisfies(parameters).expectation(parameters)

    def _satisfies(self, parameters: Parameters) -> Satisfies:
        signs = {"most": "<=", "lowest": ">="}
        bounds = (
            f"{quoted(self.part)} {sign} ${name} * {quoted(self.whole)}"
            for name, sign in signs.items()
            if name in parameters
        )
        return Satisfies(" and ".join(bounds))
