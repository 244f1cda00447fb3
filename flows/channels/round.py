"""One moment's round with parcels: whose they are, until when they are held, and what is said of each in the end.

Share, SFTP and object store differ in how a parcel is put, looked at, opened and taken away; this they have in common.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.channels import GONE, Delivery, Outcome, Refusal
from flows.channels.parcels import Parcel, parcels

LOOK_SECONDS = 5.0
LAST_LOOK_SECONDS = 0.4  # the last look is half a second before T
SPARE_SECONDS = 0.1
REMAKE_SECONDS = 1.0  # so long before T what was lost may still be made anew


class Round:
    """The parcels of one moment, and those deliveries whose address stands in the configuration no more."""

    def __init__(
        self,
        deliveries: Sequence[Delivery],
        releases: Mapping[str, Path],
        *,
        called: str,
        root: Callable[[Delivery], Hashable],
    ) -> None:
        self.parcels = parcels([each for each in deliveries if each.target is not None], releases, root=root)
        self.until: datetime | None = None  # None: as soon as all are ready
        self._gone = [each.delivery_id for each in deliveries if each.target is None]
        self._why_gone = f"{called} {GONE}"
        self._ready: frozenset[Parcel] | None = None  # None: another process asked, and all were ready

    @property
    def is_near(self) -> bool:
        """Whether so little is left until T that nothing can be made anew."""
        return self.until is not None and (self.until - datetime.now(UTC)).total_seconds() <= REMAKE_SECONDS

    @property
    def seconds_to_look(self) -> float:
        """How long a look at what is held may take: T comes, and nobody is to wait for one who does not answer."""
        left = (self.until - datetime.now(UTC)).total_seconds() if self.until else LOOK_SECONDS
        return max(min(left - SPARE_SECONDS, LOOK_SECONDS), LAST_LOOK_SECONDS)

    def hold_until(self, until: datetime) -> None:
        """Until T, or a time that has passed where none is planned."""
        self.until = until if until > datetime.now(UTC) else None

    def staged(self, refused: Mapping[Parcel, str]) -> list[Refusal]:
        """Who was not ready when all were asked; he is told of nothing that follows."""
        self._ready = frozenset(self.parcels) - refused.keys()
        return self.refusals(refused)

    def refusals(self, refused: Mapping[Parcel, str]) -> list[Refusal]:
        """The deliveries of these parcels, and of those that have no address."""
        gone = [Refusal(name, self._why_gone) for name in self._gone]
        return gone + [Refusal(name, fault) for parcel, fault in refused.items() for name in parcel.delivery_ids]

    def of(self, delivery_ids: Collection[str]) -> list[Parcel]:
        """The parcels to which one of these deliveries belongs."""
        return [parcel for parcel in self.parcels if parcel.is_among(delivery_ids)]

    def told(self) -> list[Parcel]:
        """Those whose recipients are told of a hold or a withdrawal: they were ready."""
        return [parcel for parcel in self.parcels if self._ready is None or parcel in self._ready]

    def all_but(self, left: Collection[Parcel]) -> list[str]:
        """The deliveries of all parcels but these."""
        return [name for parcel in self.parcels if parcel not in left for name in parcel.delivery_ids]

    def outcomes(self, found: Iterable[Outcome], *, wanted: Collection[str] | None = None) -> list[Outcome]:
        """What was found, and that nothing reaches those that have no address; of all or of the wanted deliveries."""
        now = datetime.now(UTC)
        gone = (Outcome(name, "failed", now, self._why_gone, attempts=0) for name in self._gone)
        return [outcome for outcome in (*found, *gone) if wanted is None or outcome.delivery_id in wanted]
