"""A mistake in `zwerm.toml` that only several of its parts show together, and names that were likely meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """What cannot be so: the key that says it, what is wrong, what was found, and what would do."""

    key: Key
    says: str
    found: str | float
    allowed: str


def near(name: str, known: Iterable[str]) -> str | None:
    """The one of the known names that was likely meant."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def listed(name: str, known: Iterable[str]) -> str:
    """The known names, and the one that was likely meant."""
    known = list(known)
    meant = near(name, known)
    return ", ".join(known) + (f". Did you mean '{meant}'?" if meant else "")
