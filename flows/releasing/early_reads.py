"""Early reads: what the site's access record shows of a release before its moment, as breaches and remarks.

A budget once leaked because its address could be guessed; 44 tries came before it was there. A read that found
something is a breach, recorded once; tries that found nothing are counted, for the register to print.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from flows.home import Home
from flows.releasing.access_record import accesses, begins, time_of
from flows.releasing.publication import place_of
from warehouse.decisions import Breach
from warehouse.ledger import Ledger
from warehouse.records import Release

UNREADABLE = "The site's access record could not be read: whether anybody read it early is not known."


@dataclass(frozen=True)
class Found:
    """What was asked for of one release before it was decided."""

    reads: int = 0
    tries: int = 0
    earliest: timedelta = timedelta()  # how long before the moment the first read was


def record(ledger: Ledger, home: Home, release_ids: Sequence[str]) -> list[str]:
    """Look once for each release that is out; what was found is recorded, and said. The caller holds the lease.

    Nothing that the record holds, or that keeps it from being read, stands in the way of a release.
    """
    looked = {name for event in ledger.events(kinds=("access",)) for name in event.release_ids}
    releases = [r for r in ledger.known(release_ids) if r.is_out and r.release_id not in looked]
    said = []
    for release, found in _found(home, releases):
        says = _says(found)
        with ledger.transaction():
            if found is None:
                _add(ledger, release, says=UNREADABLE)
                continue
            if found.reads:
                breach = Breach("early_read", round(found.earliest.total_seconds() * 1e3, 1), says)
                ids = [release.release_id]
                ledger.add("breach", release_ids=ids, moment_id=release.moment_id, **asdict(breach))
            _add(ledger, release, reads=found.reads, tries=found.tries)
        if found.reads:
            said.append(f"{release.survey} {release.wave}: {says}")
    return said


def _found(home: Home, releases: Sequence[Release]) -> Iterator[tuple[Release, Found | None]]:
    """What was found of each; nothing of those from before the record began, None where it cannot be read."""
    try:
        began = begins(home.access_record) if releases else None
        covered = [r for r in releases if began is not None and r.released_at is not None and r.released_at >= began]
        early = _early(home, covered) if covered else {}
    except OSError:
        yield from ((release, None) for release in releases)
    else:
        yield from ((release, _counted(release, early.get(release.release_id, []))) for release in covered)


def _early(home: Home, releases: Sequence[Release]) -> dict[str, list[tuple[datetime, int]]]:
    """When each release was asked for before it was decided, with the answer's status; one pass through the record."""
    places = _places(home, releases)
    named = "|".join(map(re.escape, places))
    below = re.compile(f"/({named})(?=/|$)")
    early: dict[str, list[tuple[datetime, int]]] = {}
    for access in accesses(home.access_record, naming=named):
        at = time_of(access)
        for place in below.findall(access.path) if at is not None else ():
            for release in places[place]:
                if at is not None and release.released_at is not None and at < release.released_at:
                    early.setdefault(release.release_id, []).append((at, access.status))
    return early


def _counted(release: Release, early: Sequence[tuple[datetime, int]]) -> Found:
    reads = [at for at, status in early if 200 <= status < 300 or status == 304]
    tries = sum(400 <= status < 500 for _, status in early)
    if not reads or release.released_at is None:
        return Found(tries=tries)
    return Found(len(reads), tries, release.released_at - min(reads))


def _places(home: Home, releases: Sequence[Release]) -> dict[str, list[Release]]:
    """Where they lie below the site, and the random names of the folders in which they are published."""
    places = {place_of(release): [release] for release in releases}
    shown = home.published / ".r"
    for folder in shown.iterdir() if shown.is_dir() else ():
        own = [release for release in releases if (folder / "site" / place_of(release)).is_dir()]
        if own and re.fullmatch("[0-9a-f]{32}", folder.name):
            places[folder.name] = own
    return places


def _says(found: Found | None) -> str:
    if found is None or not found.reads:
        return ""
    often = "once" if found.reads == 1 else f"{found.reads} times"
    return f"it was read {often} before its moment, first {found.earliest.total_seconds():.3f} s before it"


def _add(ledger: Ledger, release: Release, **detail: Any) -> None:
    ledger.add("access", release_ids=[release.release_id], moment_id=release.moment_id, **detail)
