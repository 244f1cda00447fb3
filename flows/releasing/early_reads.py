"""Early reads: what the records of the site's accesses show of a release before its moment: breaches and remarks.

A budget once leaked because its address could be guessed; 44 tries came before it was there. A read that found
something is a breach, recorded once; tries that found nothing are counted, for the register to print.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.home import Home
from flows.releasing.access_record import Access, accesses, time_of
from flows.releasing.publication import place_of
from flows.releasing.server_log import logged
from flows.settings import Settings
from warehouse.confirming import Breach
from warehouse.ledger import Ledger
from warehouse.records import Release

RECENT = timedelta(days=1)
UNREADABLE = "The record of the site's accesses could not be read: whether anybody read it early is not known."


@dataclass(frozen=True)
class Found:
    """What was asked for of one release before it was decided."""

    reads: int = 0
    tries: int = 0
    earliest: timedelta = timedelta()  # how long before the moment the first read was


def record(ledger: Ledger, home: Home, settings: Settings, release_ids: Sequence[str]) -> list[str]:
    """Look once for each release that is out; what was found is recorded, and said. The caller holds the lease.

    Nothing that the record holds, or that keeps it from being read, stands in the way of a release.
    """
    looked = {name for event in ledger.events(kinds=("access",)) for name in event.release_ids}
    releases = [r for r in ledger.known(release_ids) if r.is_out and r.release_id not in looked]
    said = []
    for release, found in _found(home, settings, releases):
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


def _found(home: Home, settings: Settings, releases: Sequence[Release]) -> Iterator[tuple[Release, Found | None]]:
    """What was found of each; nothing of those from before the records began, None where one cannot be read."""
    if not releases:
        return
    early: dict[str, list[tuple[datetime, int]]] = {}
    try:
        places = _places(home, releases)
        for look in _records(home, settings):
            for release_id, found in _early(look, places).items():
                early.setdefault(release_id, []).extend(found)
    except OSError:
        since = datetime.now(UTC) - RECENT  # of what came out long ago nobody expects it to be known
        yield from ((release, None) for release in releases if release.released_at and release.released_at > since)
    else:
        yield from ((r, _counted(r, early[r.release_id])) for r in releases if r.release_id in early)


def _records(home: Home, settings: Settings) -> Iterator[Callable[[str], Iterator[Access]]]:
    """Where accesses stand: the site's own record, and the log of the web server that is named."""
    yield lambda naming: accesses(home.access_record, naming=naming)
    if (log := settings.release.access_log) is not None:
        yield lambda naming: logged(home.path / log, naming=naming)


def _early(
    look: Callable[[str], Iterator[Access]], places: Mapping[str, Sequence[Release]]
) -> dict[str, list[tuple[datetime, int]]]:
    """When each release that the record covers was asked for before it was decided, and the answer's status."""
    first = next(look(""), None)
    began = None if first is None else time_of(first)
    releases = [release for some in places.values() for release in some]
    early: dict[str, list[tuple[datetime, int]]] = {
        r.release_id: [] for r in releases if began and r.released_at and r.released_at >= began
    }
    named = "|".join(map(re.escape, places))
    below = re.compile(f"/({named})(?=/|$)")
    for access in look(named) if early else ():
        at = time_of(access)
        for place in below.findall(access.path):
            for release in places[place]:
                if at and release.released_at and at < release.released_at and release.release_id in early:
                    early[release.release_id].append((at, access.status))
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
