"""What a mapping says in SQL or as a format, each alone, so that a mistake is told of the role in which it stands."""

from collections.abc import Collection, Iterator

from transforms.answers import role_text, unlike
from transforms.roles import Roles, mapped
from transforms.sql import literal, quote


def alone(roles: Roles, columns: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Per role with an expression or a format: its name, which of the two, and a select of no rows that reads it.

    Nothing but a mistake in the mapping makes such a select fail, and no answer can stand in what is said of it.
    """
    row = quote(unlike(columns))
    texts = ", ".join(f"null::varchar as {quote(column)}" for column in columns)
    for name, role in mapped(roles):
        if role.sql is not None:
            yield name, "sql", f"select {role_text(name, role, columns)} from (select {texts} where false) as {row}"
        if role.format is not None:
            told = f"try_strptime(told, {literal(role.format)})"
            yield name, "format", f"select {told} from (select null::varchar as told where false)"
