"""What a way out puts beside a release for a moment, and has to take away again: it is named after a delivery's id."""

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

PREFIX = ".zwerm-"


def is_leftover(name: str, delivery_ids: Collection[str]) -> bool:
    """Whether a name was given for one of these deliveries; what other homes and moments put is none of it."""
    own, _, _ = name.removeprefix(PREFIX).partition(".")
    return name.startswith(PREFIX) and own in delivery_ids


def sweep(folder: Path, delivery_ids: Collection[str], *, also: Iterable[Path] = ()) -> bool:
    """Take away what was put into a folder here for these deliveries, and `also` these; whether nothing is left."""
    try:
        found = [path for path in folder.iterdir() if is_leftover(path.name, delivery_ids)]
    except FileNotFoundError:
        found = []
    except OSError:
        return False
    return all([_is_gone(path) for path in (*found, *also)])  # noqa: C419 - each is tried


def _is_gone(path: Path) -> bool:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
