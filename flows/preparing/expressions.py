"""What `zwerm.toml` says in SQL or as a format is read before any answer is: a mistake is told where it stands."""

import re
from collections.abc import Iterator, Sequence

from flows.configuration import place
from flows.errors import ConfigurationError
from flows.mistake import Key, near
from flows.roles import Roles
from flows.settings import Settings
from transforms.expressions import alone
from warehouse.store import Store

COLUMNS_SHOWN = 30
FORMATS = 'a format of strptime, such as "%d/%m/%Y" or "%Y-%m-%dT%H:%M:%S%z"'


def see_that_they_can_be_read(store: Store, settings: Settings, survey: str, columns: Sequence[str]) -> None:
    """An error that tells of each expression and format that no file with these columns can be read with."""
    if told := list(unreadable(store, settings, survey, columns)):
        raise ConfigurationError("\n".join(told))


def unreadable(store: Store, settings: Settings, survey: str, columns: Sequence[str]) -> Iterator[str]:
    """Per mistake: file, line and key, what is wrong, what was found and what is allowed."""
    roles = settings.surveys[survey].roles
    for name, kind, select in alone(roles, columns):
        if says := store.says_against(select):
            key = ("surveys", survey, "roles", *_key(name, roles))
            found = _role(key[3:], roles).get(kind)
            allowed = FORMATS if kind == "format" else _columns(says, columns)
            yield f"{place(settings.file, key)}: {says}\n  found:   {kind} = {found!r}\n  allowed: {allowed}"


def _key(name: str, roles: Roles) -> Key:
    """Where a role stands, from the name that it has in SQL."""
    kind, _, number = name.rpartition("_")
    if kind == "level":
        return ("department", int(number) - 1)
    if kind in ("driver", "segment"):
        return (f"{kind}s", list(getattr(roles, f"{kind}s"))[int(number) - 1])
    return (name,)


def _role(key: Key, roles: Roles) -> dict[str, object]:
    here = getattr(roles, str(key[0]))
    for part in key[1:]:
        here = here[part]
    return dict(here)


def _columns(says: str, columns: Sequence[str]) -> str:
    """The columns that an expression can read, and the one that was probably meant."""
    shown = ", ".join(f"'{column[:60]}'" for column in columns[:COLUMNS_SHOWN])
    more = f" and {len(columns) - COLUMNS_SHOWN} more" if len(columns) > COLUMNS_SHOWN else ""
    named = re.search(r'Referenced column "([^"]+)" not found', says)
    meant = near(named[1], columns) if named else None
    hint = f". Did you mean '{meant}'?" if meant else ""
    return f"one expression, without a select in it, over the record's text columns {shown}{more}{hint}"
