"""What is published: warehouse, site, Parquet and downloads; complete in private, opened by one rename of one link."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.channels import Delivery, Open, Outcome, Refusal, Stop
from flows.home import Home
from flows.releasing.publication import assemble
from flows.settings import Settings
from warehouse import WarehouseError, publish
from warehouse.ledger import Ledger
from warehouse.marts import check
from warehouse.publish import Publication
from warehouse.records import Release


class PublishedChannel:
    """One publication for all releases of a moment; built and opened by the holder of the moment's lease."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._deliveries = tuple(deliveries)
        self._home = Home(next(iter(releases.values())).parent.parent)  # sealed folders lie in <home>/releases
        self._settings = settings
        self._made: Publication | None = None
        self._swing: Callable[[], None] | None = None

    def stage(self) -> list[Refusal]:
        """Make the folders and fixed links."""
        try:
            publish.prepare(self._home.published)
        except (OSError, WarehouseError) as error:
            return self._refuse(error)
        return []

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Assemble the publication from what is released now and what opens at this moment."""
        try:
            with Ledger.open(self._home.ledger) as ledger:
                self._made = assemble(ledger, self._home, self._settings, adding=self._releases(ledger))
        except (OSError, WarehouseError) as error:
            return self._refuse(error)
        self._swing = _swing(self._made)
        return []

    def still_ready(self) -> list[Refusal]:
        """Whether the folder is there, and nothing went out of it."""
        if self._made is not None and self._made.private.is_dir() and self._made.link.is_symlink():
            return []
        return [Refusal(delivery.delivery_id, "its publication is not there any more") for delivery in self._deliveries]

    def opens(self) -> list[Open]:
        """Two renames: the folder to where it can be reached, the link to it."""
        return [Open(self._ids, self._swing)] if self._swing is not None else []

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """See that the link points at it, finish the renames if not, and read back what everyone now reads."""
        return self.complete(self._ids, deadline=deadline)

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Publish what is released and not published yet; the caller holds the moment's lease."""
        try:
            with Ledger.open(self._home.ledger) as ledger:
                if self._made is None:
                    self._made = assemble(ledger, self._home, self._settings)
                is_late = not publish.is_current(self._made)
                if is_late:
                    _must_be_in_time(deadline)
                    publish.swap(self._made)
                at = datetime.now(UTC)
                publish.settle(self._home.published)
                known = {release.release_id for release in (*ledger.released(), *self._releases(ledger))}
            check(self._home.published / "warehouse.duckdb", known)
        except (OSError, WarehouseError) as error:
            at = datetime.now(UTC)
            return [Outcome(name, "failed", at, str(_says(error))) for name in delivery_ids]
        attempts = 2 if is_late and self._swing is not None else 1
        sent_at = at if is_late else None
        return [Outcome(name, "delivered", at, attempts=attempts, sent_at=sent_at) for name in delivery_ids]

    def abandon(self) -> None:
        """Remove what was assembled; nobody has seen it."""
        if self._made is not None and not publish.is_current(self._made):
            publish.discard(self._made)
        self._made = self._swing = None

    def announce(self, event: Stop, reason: str) -> None:
        """Nothing here: the site tells everyone from the ledger, when it is renewed."""

    @property
    def _ids(self) -> tuple[str, ...]:
        return tuple(delivery.delivery_id for delivery in self._deliveries)

    def _releases(self, ledger: Ledger) -> list[Release]:
        found = (ledger.release(name) for name in dict.fromkeys(d.release_id for d in self._deliveries))
        return [release for release in found if release is not None]

    def _refuse(self, error: Exception) -> list[Refusal]:
        return [Refusal(name, f"what is published could not be made: {_says(error)}") for name in self._ids]


def _swing(made: Publication) -> Callable[[], None]:
    """The two system calls with their arguments at hand."""
    private, shown = os.fsencode(made.private), os.fsencode(made.shown)
    link, current = os.fsencode(made.link), os.fsencode(made.published / "current")

    def swing() -> None:
        os.rename(private, shown)  # noqa: PTH104 - nothing but the call itself at T
        os.rename(link, current)  # noqa: PTH104

    return swing


def _must_be_in_time(deadline: float) -> None:
    """Who stood still while it was made brings no old state back."""
    if time.monotonic() >= deadline:
        raise WarehouseError("it was not made in time")


def _says(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
