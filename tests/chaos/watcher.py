"""A reader of folders in a process of his own: looks every few milliseconds, and writes down what he could read.

He is told on his input which homes to watch and which no more, and when to look once more, which he writes down when he
has. What he sees of a folder is the hash of every release.json; of what is published also the release ids
in every table of the warehouse that it holds.
"""

import hashlib
import json
import os
import selectors
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

PACE_SECONDS = 0.01
LOOKED = "looked"
PRIVATE = ".zwerm-"  # what is held, and the keys, are called so
OTHERS = ("three", "sftp")  # shares that others' servers hold


@dataclass(frozen=True)
class Sighting:
    """What could be read at one time."""

    at: int  # nanoseconds of the monotonic clock
    wall: int  # nanoseconds since 1970
    home: str
    where: str  # the share's name, or published
    documents: dict[str, str]  # survey/wave/revision: sha256 of release.json
    tables: dict[str, list[str]] = field(default_factory=dict)  # the release ids in each
    error: str = ""


def documents(folder: Path, *, is_others: bool = False) -> dict[str, str]:
    """Every release.json that can be read below a folder, with its hash.

    Where the folder is on others' servers, which read private folders too, also what lies in those, and every key to an
    envelope that has anything in it.
    """
    places = [
        folder / survey / wave / revision
        for survey in _names(folder)
        for wave in _names(folder / survey)
        for revision in _names(folder / survey / wave)
        if not survey.startswith(".")
    ]
    private = [folder / name for name in _names(folder) if name.startswith(PRIVATE)] if is_others else []
    found = {str(place.relative_to(folder)): _hash(place / "release.json") for place in places}
    found |= {path.name: _hash(path) for path in private if ".key" in path.name}
    found |= {path.name: _hash(path / "release.json") for path in private if path.is_dir()}
    return {name: known for name, known in found.items() if known}


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing where it is gone."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - thousands of times
    except OSError:
        return []


def _hash(path: Path) -> str:
    """The SHA-256 of a file; empty where there is none, or nothing in it."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    return hashlib.sha256(content).hexdigest() if content else ""


def tables(warehouse: Path) -> dict[str, list[str]]:
    """The release ids of each table of a published warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.columns "
            "where table_schema = 'mart' and column_name = 'release_id' order by all"
        ).fetchall()
        return {
            name: [row[0] for row in connection.execute(f"select distinct release_id from mart.{name}").fetchall()]
            for (name,) in names
        }


class Watcher:
    """What is watched, and how it looked last."""

    def __init__(self, log: Path) -> None:
        self.log = log.open("a")
        self.homes: dict[Path, dict[str, object]] = {}

    def look(self) -> None:
        """Look once at everything, and note what changed."""
        for home, before in self.homes.items():
            self._look_at_shares(home, before)
            self._look_at_published(home, before)

    def _look_at_shares(self, home: Path, before: dict[str, object]) -> None:
        for share in (home / "shares").glob("*"):
            if (found := documents(share, is_others=share.name in OTHERS)) != before.get(share.name, {}):
                before[share.name] = found
                self.note(Sighting(time.monotonic_ns(), time.time_ns(), str(home), share.name, found))

    def _look_at_published(self, home: Path, before: dict[str, object]) -> None:
        try:
            shown = (home / "published" / "current").resolve(strict=True)
        except OSError:
            return
        if shown == before.get("published"):
            return
        at, wall, found, held, error = time.monotonic_ns(), time.time_ns(), {}, {}, ""
        try:
            found, held = documents(shown / "site"), tables(shown / "warehouse.duckdb")
        except (duckdb.Error, OSError) as fault:
            error = "" if not shown.exists() else f"{type(fault).__name__}: {fault}"
        before["published"] = shown
        self.note(Sighting(at, wall, str(home), "published", found, held, error))

    def note(self, sighting: Sighting) -> None:
        """Write it down."""
        self.log.write(json.dumps(asdict(sighting)) + "\n")
        self.log.flush()


def main(log: Path) -> None:
    """Watch until the input ends."""
    watcher = Watcher(log)
    print(json.dumps({"pid": os.getpid()}), flush=True)
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            if selector.select(PACE_SECONDS):
                line = os.read(0, 65_536).decode()
                if not line:
                    return
                for said in line.splitlines():
                    word, _, home = said.partition(" ")
                    if word == "watch":
                        watcher.homes[Path(home)] = {}
                    elif word == "forget":
                        watcher.homes.pop(Path(home), None)
                    elif word == "look":
                        watcher.look()
                        watcher.note(Sighting(time.monotonic_ns(), time.time_ns(), home, LOOKED, {}))
            watcher.look()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
