"""The tree of departments of one wave: a node for each path that answers hang on, and for every path above it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import pandas as pd

ROOT_ID = "all"
SEPARATOR = chr(31)
SLUG_LENGTH = 60

Path = tuple[str, ...]


class Entry(Protocol):
    """What a person configured of a department: its names, one for all languages or per language, and its time."""

    @property
    def path(self) -> Path:
        """The department's path, top first."""

    @property
    def name(self) -> str | Mapping[str, str] | None:
        """How the department is called; None: by the last element of its path."""

    @property
    def valid_from(self) -> str | None:
        """The first wave that it is a department of; None: since ever."""

    @property
    def valid_until(self) -> str | None:
        """The last one; None: until further notice."""


def departments(
    keys: Iterable[str], entries: Sequence[Entry] = (), *, organisation: str, languages: Sequence[str] = ("en",)
) -> pd.DataFrame:
    """One row per department in tree order: siblings that are configured in order of writing, then by the alphabet.

    Columns: department_id, parent_id (None for the organisation), level (0 for it), department_key, path, position,
    name (in the first language), names (per language), valid_from and valid_until. Configured departments without
    answers make no row; of several entries of one path the last counts.
    """
    paths = _with_ancestors(path_of(key) for key in keys)
    configured = {entry.path: entry.name for entry in entries} | {(): organisation or ROOT_ID}
    names = {path: _names(path, configured.get(path), languages) for path in paths}
    periods = {entry.path: (entry.valid_from, entry.valid_until) for entry in entries}
    ordered = _in_tree_order({path: name[languages[0]] for path, name in names.items()}, [e.path for e in entries])
    return pd.DataFrame(
        {
            "department_id": [department_id(path) for path in ordered],
            "parent_id": pd.Series([department_id(path[:-1]) if path else None for path in ordered], dtype=object),
            "level": [len(path) for path in ordered],
            "department_key": [SEPARATOR.join(path) for path in ordered],
            "path": pd.Series(ordered, dtype=object),
            "position": range(len(ordered)),
            "name": [names[path][languages[0]] for path in ordered],
            "names": pd.Series([names[path] for path in ordered], dtype=object),
            **{
                name: pd.Series([periods.get(path, (None, None))[side] for path in ordered], dtype=object)
                for side, name in enumerate(("valid_from", "valid_until"))
            },
        }
    )


def department_id(path: Path) -> str:
    """`all` for the organisation, else a readable slug that is safe in paths, and 8 hex digits that keep it unique."""
    if not path:
        return ROOT_ID
    slug = re.sub(r"[^a-z0-9]+", "-", _plain("-".join(path)).casefold()).strip("-")
    digits = sha256(SEPARATOR.join(path).encode("utf-8")).hexdigest()[:8]
    return f"{slug[:SLUG_LENGTH].rstrip('-') or 'department'}-{digits}"


def path_of(key: str) -> Path:
    """The path that a `department_key` stands for; the empty key is the organisation itself."""
    return tuple(key.split(SEPARATOR)) if key else ()


def _with_ancestors(paths: Iterable[Path]) -> set[Path]:
    return {()} | {path[:depth] for path in paths for depth in range(1, len(path) + 1)}


def _in_tree_order(names: Mapping[Path, str], written: Sequence[Path]) -> list[Path]:
    """Parents before children; siblings as they were written down, then by their letters alone: the same everywhere."""
    first = {path: order for order, path in reversed(list(enumerate(written)))}
    place = {
        path: (first.get(path, len(written)), _plain(name).casefold(), path[-1]) for path, name in names.items() if path
    }
    return sorted(names, key=lambda path: [place[path[:depth]] for depth in range(1, len(path) + 1)])


def _names(path: Path, name: str | Mapping[str, str] | None, languages: Sequence[str]) -> dict[str, str]:
    """A name in every language: where one has none, the first language's stands in, then any, then the path's."""
    if not isinstance(name, Mapping):
        return dict.fromkeys(languages, name or path[-1])
    stand_in = name.get(languages[0]) or next(iter(name.values()), path[-1])
    return {language: name.get(language, stand_in) for language in languages}


def _plain(text: str) -> str:
    """Letters without their marks, so that É files under E in every locale."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
