"""What to write into `zwerm.toml` where a role's values cannot be read. Shown in the rehearsal, and in no log."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from flows.command.guesses import date_format
from flows.roles import Role, Roles

DAYS = re.compile(r"[1-9]\d{4}(\.\d+)?")
COMMA = re.compile(r"[+-]?\d+,\d+")


def remedies(survey: str, roles: Roles, rule: str, values: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Per role of which a rule says that its values are not readable: its column, one of them, and what to write.

    `values` are those that cannot be read, by the role as the rehearsal calls it.
    """
    if rule == "drivers_are_readable":
        for name, driver in roles.drivers.items():
            if found := values.get(f"driver {name}"):
                yield _remedy(name, driver, found, table=f"[surveys.{survey}.roles.drivers]")
    name = rule.removesuffix("_is_readable")
    role = getattr(roles, name, None)
    if isinstance(role, Role) and (found := values.get(name)):
        yield _remedy(name, role, found, table=f"[surveys.{survey}.roles]")


def _remedy(name: str, role: Role, values: Sequence[str], *, table: str) -> str:
    example = _text(values[0])
    if role.sql is not None:
        return f"its sql fails, or gives texts such as {example}: mend the expression in {table}"
    if name == "responded_at":
        advice = _of_times(role, values)
    elif COMMA.fullmatch(values[0]):
        points = f"replace({_quoted(role)}, ',', '.')"
        advice = f"write {_with_sql(name, points)}"
    elif role.values is not None:
        advice = f"give it a meaning in the values of {name}; if it is no answer: missing = [{example}]"
    else:
        advice = f"if it is no answer, write {_with(name, role, f'missing = [{example}]')}; else map it with values"
    return f"column '{role.column}' has {example}; in {table}, {advice}"


def _of_times(role: Role, values: Sequence[str]) -> str:
    if DAYS.fullmatch(values[0]):
        days = f"date '1899-12-30' + floor({_quoted(role)}::double)::int"
        return f"if it is a workbook's count of days, write {_with_sql('responded_at', days)}"
    form = _text(date_format(values) or "%d/%m/%Y")
    if role.format is not None:
        return f"mend format = {_text(role.format)}, for instance to {form}"
    return f"tell how it is written: {_with('responded_at', role, f'format = {form}')}"


def _with(name: str, role: Role, more: str) -> str:
    return f"{name} = {{ column = {_text(str(role.column))}, {more} }}"


def _with_sql(name: str, sql: str) -> str:
    return f"{name} = {{ sql = '''{sql}''' }}"


def _quoted(role: Role) -> str:
    return '"' + str(role.column).replace('"', '""') + '"'


def _text(text: str, most: int = 60) -> str:
    """A text as TOML has it, on one line."""
    plain = "".join(letter if letter.isprintable() else "�" for letter in text)
    return json.dumps(plain if len(plain) <= most else plain[: most - 1] + "…", ensure_ascii=False)
