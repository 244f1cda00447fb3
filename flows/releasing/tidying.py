"""What is over leaves nothing at a recipient's but the release: what could not be taken away in time is afterwards.

Taking away is part of a delivery, but time may be over before it is done, a host may refuse it, and a process may end
between a decision and what follows from it. The ledger knows of which deliveries something may be left; those of other
homes, and all that is still to come, are never touched.
"""

from collections.abc import Sequence

from flows.channels import Channel, ChannelName, Tidies
from flows.channels.by_name import Factory, channel_for, channels_for
from flows.errors import FlowError
from flows.home import Home
from flows.releasing.audience import restored
from flows.releasing.holding import each
from flows.settings import Settings
from warehouse import WarehouseError, confirming
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState

ATTEMPTS = 5  # a host that keeps what it was given is not asked for ever
PUTTING: tuple[ChannelName, ...] = ("folder", "share", "sftp", "object_store")  # more than the release itself
TIDY_SECONDS = 10.0


def untidy(ledger: Ledger) -> tuple[DeliveryState, ...]:
    """The deliveries that are over and whose leftovers are still to be taken away."""
    return ledger.untidy(PUTTING, tries=ATTEMPTS)


def tidy(ledger: Ledger, home: Home, settings: Settings, *, factory: Factory = channel_for) -> list[str]:
    """Take away what was left, and record it; one sentence for each recipient who had the release. Never holds."""
    states = untidy(ledger)
    by_channel = {name: [state for state in states if state.channel == name] for name in PUTTING}
    answers = [_tidied(own, home, settings, factory) for own in by_channel.values() if own]
    done = {name for answer in answers for name in answer}
    if states:
        left = [state.delivery_id for state in states if state.delivery_id not in done]
        confirming.tidy(ledger, tidied=sorted(done), untidy=left)
    return [
        f"{state.recipient} by {state.channel}: what lay beside the release "
        + ("was taken away" if state.delivery_id in done else "lies there still")
        for state in states
        if state.status == "delivered"
    ]


def _tidied(states: Sequence[DeliveryState], home: Home, settings: Settings, factory: Factory) -> list[str]:
    delivered = {state.delivery_id for state in states if state.status == "delivered"}

    def take_away(name: ChannelName, channel: Channel) -> list[str]:
        return channel.tidy(delivered=delivered) if isinstance(channel, Tidies) else []

    try:
        channels = channels_for(restored(states, settings), home=home, settings=settings, factory=factory)
    except (
        OSError,
        FlowError,
        WarehouseError,
    ):  # as when what was sealed is gone: it is tried again, and no start fails
        return []
    return [name for some in each(channels, take_away, otherwise=lambda *_: [], seconds=TIDY_SECONDS) for name in some]
