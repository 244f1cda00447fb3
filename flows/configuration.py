"""Reads `zwerm.toml` once, at the edge; an error tells file, line, key, what was found and what is allowed."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.departments import contradictions
from flows.errors import ConfigurationError
from flows.mistake import Key, Mistake, listed
from flows.names import misnamed
from flows.releasing.windows import unarmable
from flows.settings import Settings

VARIABLE = re.compile(r"\$\{(block:secret/)?([A-Za-z0-9_-]+)\}")
HIDDEN = {"password", "secret"}


def load(path: Path) -> Settings:
    """Read the configuration at `path`; `home` becomes absolute, beside the file where nothing else is said."""
    path = path.expanduser().resolve()
    text = _text(path)
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: this is not TOML: {error}") from None
    try:
        settings = Settings.model_validate(_expanded(written, (), path, text, written))
    except ValidationError as error:
        raise ConfigurationError("\n".join(_problems(error, written, path, text))) from None
    mistakes = [*misnamed(settings), *contradictions(settings.departments)]
    if mistakes := mistakes or [*unarmable(settings)]:  # who names a server that there is not cannot be asked about it
        raise ConfigurationError("\n".join(_cannot_be(mistake, path, text) for mistake in mistakes))
    settings = settings.model_copy(update={"home": (path.parent / settings.home.expanduser()).resolve()})
    settings._file = path
    return settings


def place(path: Path, key: Key) -> str:
    """The file, the line and the key, as errors name them."""
    return _place(path, _text(path), key)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no {path}. Write one with: zwerm init; or name it: zwerm --config FILE …"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: TOML is UTF-8; byte {error.start} is not") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def _expanded(value: Any, key: Key, path: Path, text: str, written: Mapping[str, Any]) -> Any:
    """`value` with `${VARIABLES}` taken from the environment or from a Prefect secret block."""
    if isinstance(value, dict):
        return {name: _expanded(item, (*key, name), path, text, value) for name, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, (*key, place), path, text, written) for place, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replacement(found: re.Match[str]) -> str:
        if found[1]:
            return _block(found[2], _place(path, text, key))
        if found[2] in os.environ:
            return os.environ[found[2]]
        where = f" The file is to be had at {written['download']}" if "download" in written else ""
        raise ConfigurationError(
            f"{_place(path, text, key)}: the variable {found[2]} is not set. Set it first: export {found[2]}=…{where}"
        )

    return VARIABLE.sub(replacement, value)


def _block(name: str, place: str) -> str:
    from prefect.blocks.system import Secret  # seconds to import, and few configurations use one

    try:
        return str(Secret.load(name).get())  # type: ignore[union-attr]
    except ValueError:
        raise ConfigurationError(f"{place}: Prefect knows no secret block '{name}'") from None


def _problems(error: ValidationError, written: Mapping[str, Any], path: Path, text: str) -> Iterator[str]:
    """One problem for each key: of a union only its first, of a list none where one of its items has its own."""
    details: dict[Key, ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        details.setdefault(_key(detail["loc"], written), detail)
    for key, detail in details.items():
        if detail["type"] != "too_short" or not any(other[: len(key)] == key for other in details if other != key):
            yield _problem(detail, key, _place(path, text, key), _found(key, written))


def _cannot_be(mistake: Mistake, path: Path, text: str) -> str:
    found = mistake.found if isinstance(mistake.found, str) else f"{mistake.found:g}"
    return f"{_place(path, text, mistake.key)}: {mistake.says}\n  found:   {found}\n  allowed: {mistake.allowed}"


def _problem(detail: ErrorDetails, key: Key, place: str, found: Any) -> str:
    lines = [f"{place}: {_says(detail, key)}"]
    if detail["type"] not in {"missing", "extra_forbidden"} and key:
        lines.append(f"  found:   {'(hidden)' if key[-1] in HIDDEN else _redacted(found)!r}")
    if allowed := _allowed(detail, key):
        lines.append(f"  allowed: {allowed}")
    return "\n".join(lines)


def _redacted(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: "(hidden)" if name in HIDDEN else _redacted(item) for name, item in found.items()}
    return [_redacted(item) for item in found] if isinstance(found, list) else found


def _says(detail: ErrorDetails, key: Key) -> str:
    if detail["type"] == "extra_forbidden":
        return f"unknown key '{key[-1]}'"
    if detail["type"] == "missing":
        return f"'{detail['loc'][-1]}' is needed here"
    return detail["msg"].removeprefix("Value error, ")


def _allowed(detail: ErrorDetails, key: Key) -> str | None:
    if detail["type"] == "literal_error":
        return str(detail["ctx"]["expected"])
    if detail["type"] != "extra_forbidden":
        return None
    return listed(str(key[-1]), sorted(_names(Settings, detail["loc"][:-1])))


def _names(model: type[BaseModel], loc: tuple[str | int, ...]) -> Iterator[str]:
    """The keys that the model at `loc` knows."""
    models = [model]
    for part in loc:
        fields = [m.model_fields[str(part)] for m in models if str(part) in m.model_fields]
        models = [m for field in fields for m in _models(field.annotation)] or models
    for found in models:
        yield from (field.alias or name for name, field in found.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _key(loc: tuple[str | int, ...], written: Any) -> Key:
    """`loc` without the parts that pydantic adds for unions: only what stands in the file, and the last name."""
    key: list[str | int] = []
    here = written
    for place, part in enumerate(loc):
        last = place == len(loc) - 1
        inside = (isinstance(here, dict) and part in here) or (isinstance(here, list) and isinstance(part, int))
        if inside:
            key.append(part)
            here = here[part]
        elif last and isinstance(here, dict) and isinstance(part, str):
            key.append(part)
    return tuple(key)


def _found(key: Key, written: Any) -> Any:
    here = written
    for part in key:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return None
    return here


def _place(path: Path, text: str, key: Key) -> str:
    line = _line(text, key)
    name = ".".join(str(part) for part in key)
    return f"{path}" + (f", line {line}" if line else "") + (f", {name}" if name else "")


def _line(text: str, key: Key) -> int | None:
    """The line on which the longest part of `key` stands; inline tables and arrays count as their first line."""
    best: tuple[int, int] | None = None
    table: Key = ()
    counts: dict[Key, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*(\[\[?)([^\]]+)\]", line)
        entry = re.match(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"))*)\s*=", line)
        if header:
            table = _numbered(_dotted(header[2]), counts, new=header[1] == "[[")
            here = table
        elif entry:
            here = (*table, *_dotted(entry[1]))
        else:
            continue
        if here == key[: len(here)] and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _dotted(name: str) -> Key:
    try:
        here: Any = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    parts: list[str | int] = []
    while isinstance(here, dict):
        part, here = next(iter(here.items()))
        parts.append(part)
    return tuple(parts)


def _numbered(name: Key, counts: dict[Key, int], *, new: bool) -> Key:
    """`name` with the places of arrays of tables put in, as tomllib's result has them."""
    if new:
        counts[name] = counts.get(name, -1) + 1
    numbered: list[str | int] = []
    for length, part in enumerate(name, start=1):
        numbered.append(part)
        if name[:length] in counts:
            numbered.append(counts[name[:length]])
    return tuple(numbered)
