"""From T less the lead to half a second before T: each way out comes up in its turn, is held, and is looked at.

Whoever is not ready holds the moment for all, and so does a clock that cannot be trusted; nothing readable has left.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.channels import Channel, ChannelName, Refusal, TellsTime
from flows.channels.by_name import Factory, channel_for
from flows.errors import HeldError
from flows.home import Home
from flows.releasing import clock
from flows.releasing.holding import Channels, NotReadyError, each, excused, refusing
from flows.releasing.moment import OnStep, nothing
from flows.releasing.waiting import CANCELLED, Appointment
from flows.releasing.windows import in_turn
from flows.settings import Settings
from warehouse import decisions
from warehouse.leases import Lease
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Moment

ARM_SECONDS = 120.0  # a channel that takes longer is not ready
CLOCK_SECONDS = 5.0  # for recipients to tell their time
LOOK_SECONDS = 2.0  # between looks at held connections
LAST_LOOK_SECONDS = 0.5  # before T
MEASURED = 5  # how many moments tell how long arming takes


def never() -> bool:
    """Nobody cancels."""
    return False


@dataclass(frozen=True)
class Run:
    """What one opening works with."""

    ledger: Ledger
    home: Home
    settings: Settings
    moment: Moment
    is_cancelled: Callable[[], bool] = never
    on_step: OnStep = nothing
    factory: Factory = channel_for


@dataclass(frozen=True)
class Watch:
    """Heeds whoever is not ready, and whoever cancels, until the moment comes."""

    run: Run
    states: Sequence[DeliveryState]
    appointment: Appointment

    def ask(self, channels: Channels, do: Callable[[ChannelName, Channel], list[Refusal]]) -> None:
        """Ask channels side by side; what they refuse holds the moment, unless it is left out."""
        answers = each(channels, do, otherwise=refusing(self.states), seconds=ARM_SECONDS)
        refusals = [refusal for answer in answers for refusal in answer]
        moment_id = self.run.moment.moment_id
        blocking = excused(self.run.ledger, self.states, refusals, moment_id=moment_id) if refusals else []
        if blocking:
            raise NotReadyError(self.states, blocking)
        if self.run.is_cancelled():
            raise HeldError(CANCELLED)

    def hold(self, channels: Channels, *, until_left: float) -> None:
        """Wait until no more than so many seconds are left, and look at what is armed, the last time at their end."""
        while True:
            left = max(self.appointment.left - LOOK_SECONDS, until_left)
            self.appointment.wait(until_left=left, is_cancelled=self.run.is_cancelled)
            self.ask(channels, lambda name, channel: channel.still_ready())
            if self.appointment.left <= until_left:
                return


def arm(
    run: Run, channels: Channels, states: Sequence[DeliveryState], *, release_ids: Sequence[str], lease: Lease
) -> Appointment:
    """Have everything ready and held until half a second before T: the appointment that is left to meet."""
    until = run.moment.planned_at or datetime.now(UTC)
    watch = Watch(run, states, Appointment.on(until))
    _heed_kernel(run, release_ids)
    _heed_recipients(channels, watch.appointment)
    took: dict[str, float] = {}

    def up(name: ChannelName, channel: Channel) -> list[Refusal]:
        began = time.monotonic()
        refusals = channel.arm(until=until)
        took[name] = round(time.monotonic() - began, 3)
        return refusals

    armed: dict[ChannelName, Channel] = {}
    for seconds, names in in_turn(channels, run.settings, took=taken(run.ledger)):
        watch.hold(armed, until_left=seconds)
        turn = {name: channels[name] for name in names}
        watch.ask(turn, up)
        armed |= turn
    decisions.arm(run.ledger, run.moment.moment_id, lease=lease, release_ids=release_ids, took=took)
    run.ledger.checkpoint()  # so that the commit at T is short
    run.on_step("armed")
    watch.hold(armed, until_left=LAST_LOOK_SECONDS)
    return watch.appointment


def taken(ledger: Ledger) -> Mapping[str, float]:
    """The longest that it took of late to arm each channel: who is slow is begun with earlier."""
    longest: dict[str, float] = {}
    for event in ledger.events(kinds=("armed",))[-MEASURED:]:
        for name, seconds in event.detail.get("took", {}).items():
            longest[name] = max(longest.get(name, 0.0), float(seconds))
    return longest


def _heed_kernel(run: Run, release_ids: Sequence[str]) -> None:
    """A clock that nothing keeps right is told in the register, and holds where a right one is required."""
    doubt = clock.doubted(clock.synchronised()[0])
    if doubt is None:
        return
    if run.settings.release.require_synchronised_clock:
        says = f"{doubt.says}, and release.require_synchronised_clock is set"
        raise HeldError(f"{says}; {doubt.do}", public=says)
    decisions.remark(run.ledger, "clock", release_ids=release_ids, moment_id=run.moment.moment_id, says=doubt.says)


def _heed_recipients(channels: Channels, appointment: Appointment) -> None:
    """Hold where this host's clock is off against most of the recipients who tell theirs; who is slow is not heard."""
    seconds = CLOCK_SECONDS if appointment.left <= 0 else min(CLOCK_SECONDS, appointment.left / 3)
    telling = {name: channel for name, channel in channels.items() if isinstance(channel, TellsTime)}
    told = each(telling, lambda name, channel: clock.told(channel), otherwise=lambda name, error: [], seconds=seconds)
    if doubt := clock.is_off([offset for offsets in told for offset in offsets]):
        raise HeldError(f"{doubt.says}; {doubt.do}", public=doubt.says)
