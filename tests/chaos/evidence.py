"""What is known of one release when all is over: what its receivers wrote down, and what was done to its senders."""

from dataclasses import dataclass, field
from typing import Literal

from tests.chaos.fate import Fate
from tests.chaos.watcher import Sighting

What = Literal["early", "lost", "mixed", "again", "uncounted", "unsaid", "unfinished"]
WHATS: tuple[What, ...] = ("early", "lost", "mixed", "again", "uncounted", "unsaid", "unfinished")


@dataclass(frozen=True)
class Start:
    """One process of the pipeline; times are nanoseconds of the monotonic clock."""

    began: int
    ended: int
    is_killed: bool
    steps: dict[str, int]  # when it came to each
    recovered: tuple[str, ...] | None  # what its recovery said; None where it did not live so long
    end: str  # confirmed, held, nothing, or killed
    reason: str
    phase: str  # of the release's moment, when the process was gone
    is_out: bool  # the ledger had the commit when the process was gone
    acknowledged: frozenset[str]  # the recipients that the ledger had as delivered when the process was gone
    lacked: int  # deliveries that nobody knew to be delivered, of a release that was out
    untidy: int = 0  # deliveries of which something is still to be taken away


@dataclass(frozen=True)
class Send:
    """One sending to one recipient, as its receiver saw it."""

    recipient: str
    at: int  # when its first byte came
    wall: int  # the same by the receiver's time of day
    key: str
    content: bytes
    is_whole: bool
    is_yes: bool  # the receiver took it
    is_read: bool  # and the sender had read that


@dataclass(frozen=True)
class Evidence:
    """All of one release."""

    fate: Fate
    release_id: str
    place: str  # survey/wave/revision
    document: bytes  # release.json as it was sealed
    canary: bytes
    planned_wall: int | None  # T, nanoseconds since 1970
    starts: tuple[Start, ...]
    sends: tuple[Send, ...]
    traffic: tuple[tuple[int, bytes], ...]  # all that came anywhere for this release, with when
    sightings: tuple[Sighting, ...]
    state: str  # of the release at the end
    statuses: dict[str, str]  # what the ledger says at the end, by recipient
    attempts: dict[str, int]
    recipients: tuple[str, ...]  # by webhook or e-mail
    shares: tuple[str, ...]
    left_behind: tuple[str, ...] = ()  # private folders, envelopes and keys at the end
    strays: tuple[str, ...] = ()  # earlier releases of which something came meanwhile
    at_the_end: dict[str, bytes] = field(default_factory=dict)  # release.json in each share, and as published


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept."""

    what: What
    number: int
    says: str
