"""The edges outward: one file per way out, all with the same five steps."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from flows.model import Language
from flows.recipients import Announcement, Email, ObjectStore, Sftp, Webhook

ChannelName = Literal["published", "folder", "webhook", "email", "share", "sftp", "object_store", "announcement"]
Stop = Literal["held", "withdrawn"]
Target = Email | Webhook | Sftp | ObjectStore | Announcement | str | None


@dataclass(frozen=True)
class Delivery:
    """One release × one recipient × one channel; its id is random, so that it tells nothing before T."""

    delivery_id: str
    release_id: str
    recipient: str  # department and serial number, never an address
    channel: ChannelName
    language: Language
    target: Target = None  # None: published, or an address that the configuration has no more


GONE = "stands in [[audience]] no more; put its entry back and run zwerm recover, or stage the release again"


@dataclass(frozen=True)
class Refusal:
    """A delivery that is not ready, and why; the reason shows no address with credentials and no figure."""

    delivery_id: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What was answered, which is the only thing that counts as delivered."""

    delivery_id: str
    status: Literal["delivered", "failed", "unknown"]
    at: datetime  # UTC
    detail: str = ""
    attempts: int = 1  # how often it was sent
    sent_at: datetime | None = None  # UTC; when what was answered had been sent whole, where that was not at T
    leaves: bool = False  # delivered, and what was put beside the release for the moment still lies there


@dataclass(frozen=True)
class Open:
    """A send that is ready: a call or two into the kernel, with everything prepared before."""

    delivery_ids: tuple[str, ...]
    send: Callable[[], None]


class Channel(Protocol):
    """One way out at one moment: nothing can be read before `opens()` are called, everything slow lies before."""

    def stage(self) -> list[Refusal]:
        """Do everything slow: ask for readiness, try log-ins, put what may already lie there."""
        ...

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Bring connections up and hold them until T; not a byte of content leaves."""
        ...

    def still_ready(self) -> list[Refusal]:
        """Tell which held connections were lost; asked right before T."""
        ...

    def opens(self) -> list[Open]:
        """Give the prepared sends, to be called back to back."""
        ...

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """Read answers until the monotonic deadline; what was not answered is sent again under the same key."""
        ...

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """After T, also in a new process: deliver what is still missing, under the same key.

        After the monotonic deadline, which may be far, another process may do it: nothing is sent to anyone any more.
        """
        ...

    def abandon(self) -> None:
        """Close what is held, and remove what was put; nothing readable was sent."""
        ...

    def announce(self, event: Stop, reason: str) -> None:
        """Tell everyone who was ready that the release is held or withdrawn, with the public reason; never raises."""
        ...


@runtime_checkable
class Tidies(Protocol):
    """A way out that puts more at a recipient's than the release itself, and takes that away again."""

    def tidy(self, *, delivered: Collection[str]) -> list[str]:
        """When all is over: take away what else was put; the deliveries of which nothing is left. May be repeated."""
        ...


@runtime_checkable
class SendsAgain(Protocol):
    """A way out whose recipients cannot be asked whether they have it: it is sent until they say so."""

    def note_again(self, note: Callable[[Sequence[str]], None]) -> None:
        """Have the deliveries written down right before each sending after the one at T: a kill leaves it counted."""
        ...


@runtime_checkable
class TellsTime(Protocol):
    """A way out whose recipients tell the time, so that ours can be compared with theirs."""

    def clocks(self) -> list[float]:
        """Ask everyone anew; of each who told, by how many seconds his clock is ahead of ours at least."""
        ...
