"""What everyone reads, made from the ledger: sealed content of all that is released, its index and its register."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from flows.home import Home
from flows.preparing.seal import safe_name
from flows.releasing.site import site_pages
from flows.settings import Settings
from warehouse import WarehouseError, publish
from warehouse.leases import Lease, LeaseLostError, as_holder, give_back, take
from warehouse.ledger import Ledger
from warehouse.marts import Edition, check
from warehouse.publish import Publication
from warehouse.records import Release

LEASE = "moment"  # whoever swings the link holds it, so that nobody brings an old state back
TELLING = (
    *("released", "confirmed", "held", "withheld", "withdrawn", "moved"),
    *("delivered", "failed", "unknown", "left_out", "breach", "access"),
)


def place_of(release: Release) -> str:
    """Where a release lies below a site or a shared folder."""
    return str(PurePosixPath(safe_name(release.survey), safe_name(release.wave), f"r{release.revision}"))


def assemble(ledger: Ledger, home: Home, settings: Settings, *, adding: Sequence[Release] = ()) -> Publication:
    """Make the publication of everything that is released, and of what is about to be; nobody can read it yet."""
    known = {release.release_id: release for release in (*ledger.released(), *adding)}
    releases = sorted(known.values(), key=lambda release: (release.survey, release.wave, release.revision))
    newest = {(release.survey, release.wave): release.release_id for release in releases}
    editions = [
        Edition(
            release=release,
            sealed=home.releases / release.release_id,
            place=place_of(release),
            is_latest=newest[release.survey, release.wave] == release.release_id,
        )
        for release in releases
    ]
    deliveries = ledger.deliveries(*known)
    touched = ledger.touched_since(_seen(ledger))
    renewed = [
        edition
        for edition in editions
        if edition.release.release_id in touched or not publish.has(home.published, f"{edition.place}/register.json")
    ]
    pages = site_pages(ledger, home, settings, editions, deliveries, registers=renewed)
    return publish.assemble(home.published, editions, deliveries, pages=pages)


def renew(ledger: Ledger, home: Home, settings: Settings, *, lease: Lease) -> None:
    """Publish again what is released, with the register as it is now; `lease` is the moment's, held by the caller.

    LeaseLostError where that was taken over while this was made: who has it has published something newer.
    """
    seen = ledger.newest_event()
    try:
        made = assemble(ledger, home, settings)
        _show(ledger, made, lease)
        publish.settle(home.published)
        check(home.published / "warehouse.duckdb", {release.release_id for release in ledger.released()})
    except LeaseLostError:
        raise
    except (OSError, WarehouseError) as error:
        raise WarehouseError(
            f"what is published in {home.published} could not be renewed: {_says(error)}. "
            "Everyone reads it as it was; when that is mended: zwerm recover"
        ) from error
    with ledger.transaction():
        ledger.add("renewed", publication=made.name, seen=seen)


def _show(ledger: Ledger, made: Publication, lease: Lease) -> None:
    try:
        with as_holder(ledger, lease):  # who stood still while it was made brings no old state back
            publish.swap(made)
    except LeaseLostError:
        publish.discard(made)
        raise


def _says(error: Exception) -> str:
    if not isinstance(error, OSError):
        return str(error)
    why = error.strerror or type(error).__name__
    return f"{error.filename}: {why}" if error.filename else why


def is_behind(ledger: Ledger, *also: str) -> bool:
    """Whether the ledger knows something, of `also` too, that the published folder does not tell yet."""
    return ledger.newest_event(*TELLING, *also) > _seen(ledger)


def _seen(ledger: Ledger) -> int:
    """The newest event that the published folder tells."""
    renewed = ledger.events(kinds=("renewed",))
    return int(renewed[-1].detail["seen"]) if renewed else 0


def renew_if_free(ledger: Ledger, home: Home, settings: Settings) -> bool:
    """Renew what is published, unless a moment is under way: its own confirm tells it all."""
    lease: Lease | None = take(ledger, LEASE)
    if lease is None:
        return False
    try:
        renew(ledger, home, settings, lease=lease)
    finally:
        give_back(ledger, lease)
    return True
