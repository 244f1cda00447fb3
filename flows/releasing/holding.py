"""Stopping before the commit: for everyone, with a reason that everyone is told."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NoReturn, TypeVar

from flows.channels import Channel, ChannelName, Refusal, Stop
from flows.channels.by_name import Factory, channel_for, channels_for
from flows.errors import HeldError
from flows.home import Home
from flows.releasing.audience import restored
from flows.releasing.publication import renew, renew_if_free
from flows.settings import Settings
from warehouse import WarehouseError, decisions
from warehouse.decisions import BeingOpenedError
from warehouse.leases import Lease
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Moment, Release

Result = TypeVar("Result")
Channels = Mapping[ChannelName, Channel]
NAMED_AT_MOST = 10


class NotReadyError(HeldError):
    """Deliveries were not ready while the moment was armed."""

    public: str

    def __init__(self, states: Sequence[DeliveryState], refusals: Sequence[Refusal]) -> None:
        super().__init__(says(states, refusals))
        self.refused = refused_by(states, refusals)
        self.public = says(states, [Refusal(refusal.delivery_id, "") for refusal in refusals])


def hold(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    release_ids: Sequence[str],
    *,
    channels: Channels,
    reason: str,
    details: str | None = None,
    refused: Sequence[tuple[str, str]] = (),
    moment_id: str | None = None,
    lease: Lease | None = None,
) -> NoReturn:
    """Record the hold, tell everyone, and raise HeldError; what is published says it once no moment is under way.

    `reason` is for everyone, `details` (servers, paths) for the operator: the ledger and the error's message have both.
    """
    held = decisions.hold(
        ledger,
        release_ids,
        reason=reason,
        details=details or reason,
        moment_id=moment_id,
        refused=refused,
        lease=lease,
    )
    if not held and any(release.is_out for release in ledger.known(release_ids)):
        raise BeingOpenedError("another process has released it meanwhile; zwerm status tells who has it")
    if held:  # what was withdrawn meanwhile is told as that, by who did it
        announce(channels, "held", reason)
    with suppress(OSError, WarehouseError):  # the hold stands; what is published follows at the next start
        if lease is None:
            renew_if_free(ledger, home, settings)
        else:  # also of what was withdrawn: who did it could not publish anything while the lease was taken
            renew(ledger, home, settings, lease=lease)
    raise held_error(held, reason, details=details)


def hold_moment(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    moment: Moment,
    *,
    reason: str,
    factory: Factory = channel_for,
    lease: Lease | None = None,
) -> NoReturn:
    """Hold all that waits for a moment, where nothing of it was armed here; its recipients are told."""
    ids = [r.release_id for r in ledger.releases_of(moment.moment_id) if r.state in ("sealed", "staged", "armed")]
    channels = channels_for(restored(ledger.deliveries(*ids), settings), home=home, settings=settings, factory=factory)
    hold(ledger, home, settings, ids, channels=channels, reason=reason, moment_id=moment.moment_id, lease=lease)


def withhold(home: Home, settings: Settings, survey: str, wave: str, *, reason: str) -> None:
    """Tell everyone that a wave of which nothing could be sealed is held: results are not quietly kept back."""
    with Ledger.open(home.ledger) as ledger:
        decisions.withhold(ledger, survey, wave, reason=reason)
        with suppress(OSError, WarehouseError):  # what is published follows at the next start
            renew_if_free(ledger, home, settings)


def excused(
    ledger: Ledger, states: Sequence[DeliveryState], refusals: Sequence[Refusal], *, moment_id: str | None = None
) -> list[Refusal]:
    """Record who is not ready; what is returned holds the release for all.

    Nobody may block the others for ever: whom the last two holds in a row name is left out, and the register says so.
    Only what is published is never left out: it is what everyone has who was.
    """
    vain = decisions.tried_in_vain(ledger) if refusals else frozenset()
    who = _who(states)
    left_out = [r for r in refusals if (asked := who[r.delivery_id]) in vain and asked[1] != "published"]
    decisions.refuse(ledger, {r.delivery_id: r.reason for r in refusals}, moment_id=moment_id)
    decisions.leave_out(ledger, {r.delivery_id: r.reason for r in left_out})
    return [refusal for refusal in refusals if refusal not in left_out]


def refused_by(states: Sequence[DeliveryState], refusals: Sequence[Refusal]) -> list[tuple[str, str]]:
    """Recipient and channel of each refusal, once."""
    who = _who(states)
    return list(dict.fromkeys(who[refusal.delivery_id] for refusal in refusals))


def says(states: Sequence[DeliveryState], refusals: Sequence[Refusal]) -> str:
    """Who was not ready and why, by department and serial number."""
    who = _who(states)
    named = ((" by ".join(who[refusal.delivery_id]), refusal.reason) for refusal in refusals)
    lines = list(dict.fromkeys(f"{name}: {reason}" if reason else name for name, reason in named))
    more = f"; and {len(lines) - NAMED_AT_MOST} more" if len(lines) > NAMED_AT_MOST else ""
    return "not ready: " + "; ".join(lines[:NAMED_AT_MOST]) + more


def held_error(releases: Iterable[Release], reason: str, *, details: str | None = None) -> HeldError:
    """What a person has to know of a hold: what, why, and what to do; an unreleased id is the operator's alone."""
    named = list(releases)
    what = ", ".join(f"{release.survey} {release.wave}" for release in named) or "the moment"
    retry = f" {named[0].release_id}" if len(named) == 1 else ""
    todo = "When that is mended: zwerm release --retry"
    return HeldError(
        f"{what}: held, nobody has anything. {details or reason}. {todo}{retry}",
        public=f"{what}: held, nobody has anything. {reason}. {todo}",
    )


def announce(channels: Channels, event: Stop, reason: str) -> None:
    """Close what is held and tell everyone who can be told; no failure to listen changes what was decided."""

    def tell(name: ChannelName, channel: Channel) -> None:
        channel.abandon()
        channel.announce(event, reason)

    each(channels, tell, otherwise=lambda name, error: None)


def each(
    channels: Channels,
    do: Callable[[ChannelName, Channel], Result],
    *,
    otherwise: Callable[[ChannelName, Exception], Result],
    seconds: float | None = None,
) -> list[Result]:
    """Ask all channels side by side; for one that raises, or takes longer, `otherwise` gives the answer."""
    ends = None if seconds is None else time.monotonic() + seconds
    pool = ThreadPoolExecutor(max_workers=max(len(channels), 1), thread_name_prefix="zwerm-channel")
    asked = {name: pool.submit(do, name, channel) for name, channel in channels.items()}
    answers = []
    for name, future in asked.items():
        try:
            answers.append(future.result(timeout=ends and max(ends - time.monotonic(), 0)))
        except Exception as error:  # whatever a channel meets, the others go on and the moment is decided
            answers.append(otherwise(name, error))
    pool.shutdown(wait=False)
    return answers


def refusing(states: Sequence[DeliveryState]) -> Callable[[ChannelName, Exception], list[Refusal]]:
    """The refusals of a channel that failed as a whole; the error's text stays inside, it could quote anything."""

    def refuse(name: ChannelName, error: Exception) -> list[Refusal]:
        reason = f"the channel failed ({type(error).__name__})"
        return [Refusal(state.delivery_id, reason) for state in states if state.channel == name]

    return refuse


def _who(states: Sequence[DeliveryState]) -> dict[str, tuple[str, str]]:
    return {state.delivery_id: (state.recipient, state.channel) for state in states}
