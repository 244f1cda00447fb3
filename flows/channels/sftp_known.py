"""What is known of a parcel after T: only what its host answered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from flows.channels import Outcome
from flows.channels.connections import TIME_UP
from flows.channels.parcels import Parcel


@dataclass(eq=False)
class Known:
    """What is known of a parcel after T."""

    was_sent: bool = False  # at T, whatever became of it
    opened_at: datetime | None = None
    is_late: bool = False  # not the key opened it, but the plain copies
    delivered_at: datetime | None = None
    is_clear: bool = False  # nothing but the release is there
    fault: str = ""
    is_answered: bool = True  # by the host, or it never left; else nobody knows

    def outcomes(self, parcel: Parcel) -> list[Outcome]:
        """As it is told of each delivery in the parcel."""
        if self.delivered_at is not None:
            sent_at = self.delivered_at if self.is_late else self.opened_at
            attempts = 1 + (self.is_late and self.was_sent)
            return [
                Outcome(name, "delivered", self.delivered_at, "", attempts, sent_at, not self.is_clear)
                for name in parcel.delivery_ids
            ]
        now, detail = datetime.now(UTC), self.fault or TIME_UP
        status: Literal["unknown", "failed"] = "unknown" if self.opened_at or not self.is_answered else "failed"
        if self.opened_at is not None:
            detail = f"has the key to the closed envelope, and no plain copies: {detail}"
        return [Outcome(name, status, now, detail, sent_at=self.opened_at) for name in parcel.delivery_ids]
