"""What a killed run left behind, who holds the lease, what is held, and who still lacks a release."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flows.command.doctor.findings import Finding, ok, remark
from flows.home import Home
from flows.progress import counted
from flows.releasing.publication import LEASE, is_behind
from warehouse.leases import held_by
from warehouse.ledger import Ledger

ABOUT = "releases"
LATE = timedelta(minutes=1)
UNDER_WAY = ("arming", "armed", "released")


def leftovers(home: Home, *, now: datetime) -> Iterator[Finding]:
    """Tell from the ledger what is unfinished; nothing is touched."""
    if not home.ledger.exists():
        yield ok(ABOUT, "nothing was run yet")
        return
    with Ledger.open(home.ledger) as ledger:
        holder = held_by(ledger, LEASE)
        if holder is not None and not holder.is_stale:
            yield ok(ABOUT, f"process {holder.pid} is opening a moment now")
            return
        found = [*_unfinished(ledger, now), *_held(ledger), *_lacking(ledger)]
        yield from found or [
            ok(ABOUT, f"{counted(len(ledger.released()), 'release')} out, and nothing is left to finish")
        ]


def _unfinished(ledger: Ledger, now: datetime) -> Iterator[Finding]:
    do = "zwerm recover finishes or undoes it, and tells which; zwerm run does it too"
    for moment in ledger.moments():
        names = ", ".join(f"{release.survey} {release.wave}" for release in ledger.releases_of(moment.moment_id))
        if moment.phase in UNDER_WAY:
            yield remark(ABOUT, f"{names}: the process that was opening it ended half-way", do)
    for moment in ledger.open_moments():
        if moment.phase == "open" and moment.planned_at is not None and now - moment.planned_at > LATE:
            names = ", ".join(f"{release.survey} {release.wave}" for release in ledger.releases_of(moment.moment_id))
            yield remark(ABOUT, f"{names}: its time passed while nothing ran", do)
    if is_behind(ledger):
        yield remark(ABOUT, "what is published does not tell yet all that the ledger knows", do)


def _held(ledger: Ledger) -> Iterator[Finding]:
    for release in ledger.pending():
        if release.state == "held":
            yield remark(
                ABOUT,
                f"{release.survey} {release.wave} is held: {release.stated_reason}",
                f"when that is mended: zwerm release {release.release_id} --retry",
            )


def _lacking(ledger: Ledger) -> Iterator[Finding]:
    for release in ledger.released():
        late = [d for d in ledger.deliveries(release.release_id) if d.status not in ("delivered", "left_out")]
        if late and release.state == "confirmed":
            yield remark(
                ABOUT,
                f"{release.survey} {release.wave} is out, and {len(late)} of its recipients lack it",
                f"zwerm status {release.release_id} names them; zwerm release {release.release_id} --retry sends again",
            )
