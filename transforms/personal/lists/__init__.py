"""Lists of words that recognisers go by: one file each, words parted by spaces, or one entry a line."""

from functools import cache
from importlib.resources import files


@cache
def words(name: str) -> frozenset[str]:
    """The words of `lists/<name>.txt`."""
    return frozenset(word for line in _lines(name) for word in line.split())


@cache
def entries(name: str) -> tuple[str, ...]:
    """The lines of `lists/<name>.txt`, each of which may have spaces."""
    return tuple(_lines(name))


def _lines(name: str) -> list[str]:
    text = (files("transforms.personal.lists") / f"{name}.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
