"""Whether this host's clock may be trusted with T: what the kernel says of it, and what the recipients' clocks say."""

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from flows.channels import Channel, TellsTime

UNSYNCHRONISED, STATUS_UNSYNCHRONISED = 5, 0x40  # TIME_ERROR and STA_UNSYNC of <sys/timex.h>
OFF_SECONDS = 2.0

UNKEPT = "nothing keeps this host's clock right (the kernel calls it unsynchronised)"
UNTOLD = "whether this host's clock is kept right cannot be told here"
KEEP = "turn on NTP, for instance: timedatectl set-ntp true; in a container: on its host"

Synchronisation = Literal["yes", "no", "unknown"]


class _Timex(ctypes.Structure):
    """The beginning of the kernel's `struct timex`, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "frequency", "most_error", "error")),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


@dataclass(frozen=True)
class Doubt:
    """Why the clock is in doubt; one that holds the moment also says what to do."""

    says: str
    do: str


def synchronised() -> tuple[Synchronisation, float]:
    """Whether the kernel says that its clock is kept right, and by how many milliseconds it may be wrong at most."""
    if sys.platform != "linux":
        return "unknown", 0.0
    asked = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(asked))
    except (OSError, AttributeError):
        return "unknown", 0.0
    if state < 0:
        return "unknown", 0.0
    is_wrong = state == UNSYNCHRONISED or asked.status & STATUS_UNSYNCHRONISED
    return "no" if is_wrong else "yes", asked.most_error / 1000


def doubted(state: Synchronisation) -> Doubt | None:
    """What is to be said of a clock that is not known to be kept right."""
    return None if state == "yes" else Doubt(UNKEPT if state == "no" else UNTOLD, KEEP)


def told(channel: Channel) -> list[float]:
    """How many seconds a channel's recipients' clocks are ahead of ours at least, of those that told theirs."""
    return channel.clocks() if isinstance(channel, TellsTime) else []


def is_off(offsets: Sequence[float]) -> Doubt | None:
    """What is to be said of a clock that is off by more than two seconds against most of those who told theirs."""
    ahead = [seconds for seconds in offsets if seconds > OFF_SECONDS]
    behind = [seconds for seconds in offsets if seconds < -OFF_SECONDS]
    most = max(ahead, behind, key=len)
    if 2 * len(most) <= len(offsets):
        return None
    seconds = abs(median(most))
    return Doubt(
        f"this host's clock is {seconds:,.0f} seconds {'behind' if most is ahead else 'ahead of'} the clocks of most "
        f"recipients ({len(most)} of the {len(offsets)} who told theirs)",
        f"set it right ({KEEP})",
    )
