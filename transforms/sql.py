"""SQL as text: the selects of this room by name, and the only places that quote what goes into generated SQL."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from transforms import TransformError


@cache
def text(name: str) -> str:
    """The select in `transforms/<name>.sql`, which the warehouse executes: SQL is read, never assembled elsewhere."""
    file = files("transforms") / f"{name}.sql"
    if not file.is_file():
        raise TransformError(f"there is no transforms/{name}.sql; a select has a file of its table's name")
    return file.read_text(encoding="utf-8")


def filled(name: str, parts: Mapping[str, str]) -> str:
    """The select in `transforms/<name>.sql` without its comments, and with its {places} filled."""
    bare = re.sub(r"^\s*--.*\n", "", text(name), flags=re.MULTILINE)
    return re.sub(r"\{(\w+)\}", lambda place: parts[place.group(1)], bare)


def quote(identifier: str) -> str:
    """An identifier as SQL takes it, whatever characters a survey's column name has; empty and NUL are errors."""
    if not identifier:
        raise TransformError("an empty name cannot be a column; name the column in the file's header")
    return _enclosed(identifier, '"')


def literal(value: str) -> str:
    """A text constant for generated expressions, where no parameter can stand; NUL is an error."""
    return _enclosed(value, "'")


def _enclosed(value: str, mark: str) -> str:
    if "\0" in value:
        raise TransformError(f"{value!r} contains a NUL character, which SQL cannot carry; remove it")
    return f"{mark}{value.replace(mark, mark * 2)}{mark}"
