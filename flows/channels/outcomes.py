"""What is known of each delivery at a moment: only an answer counts as delivered, and it counts for ever."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from flows.channels import Outcome


class Outcomes:
    """The newest outcome per delivery; several threads may note, each for deliveries of its own."""

    def __init__(self) -> None:
        self._known: dict[str, Outcome] = {}
        self.note_again: Callable[[Sequence[str]], None] = lambda names: None  # called before each sending after T

    def note(
        self,
        name: str,
        *,
        is_yes: bool,
        is_answered: bool,
        is_sent: bool,
        detail: str,
        is_first: bool = False,
        sent_at: datetime | None = None,
    ) -> None:
        """Keep how an attempt ended; one that never left the host changes nothing about one that did.

        The first is the one at T, which counts whatever became of it; `sent_at` is when it was whole, if not at T.
        """
        before = self._known.get(name)
        if before is not None and before.status == "delivered":
            return
        attempts = (before.attempts if before else 0) + (is_first or is_sent)
        status: Literal["delivered", "failed", "unknown"] = "failed"
        if is_yes:
            status = "delivered"
        elif not is_answered and (is_sent or (before is not None and before.status == "unknown")):
            status = "unknown"
        self._known[name] = Outcome(name, status, datetime.now(UTC), detail, attempts, sent_at)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those that are not known to be delivered."""
        return [name for name in names if name not in self._known or self._known[name].status != "delivered"]

    def of(self, names: Iterable[str]) -> list[Outcome]:
        """The outcome of each; one that was never tried has failed."""
        nothing = datetime.now(UTC)
        missed = "was not reached in time"
        return [self._known.get(name) or Outcome(name, "failed", nothing, missed, attempts=0) for name in names]
