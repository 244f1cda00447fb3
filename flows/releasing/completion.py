"""After the commit there is only completion: who lacks it gets it, once, under the key that it always had."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

from flows.channels import Channel, ChannelName, Outcome, SendsAgain
from flows.channels.by_name import Factory, channel_for, channels_for
from flows.home import Home
from flows.releasing import early_reads
from flows.releasing.audience import restored
from flows.releasing.holding import Channels, each
from flows.releasing.publication import renew, renew_if_free
from flows.settings import Settings
from warehouse import confirming
from warehouse.confirming import Answer, Breach
from warehouse.leases import Lease, give_back, hold_on, take
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Moment

COMPLETING = "completion"
WAIT_SECONDS = 60.0  # another process completes for half a minute at most
POLL_SECONDS = 0.1
RENAMED = ("published", "folder", "share", "sftp", "object_store")  # asked for first: put in its place once


def complete_moment(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    moment: Moment,
    *,
    lease: Lease,
    factory: Factory = channel_for,
) -> str:
    """Finish a moment whose process ended between commit and confirm, by the holder of its lease; says what was done.

    Who had it before the kill cannot be told from who had not: all are recorded as late, and the skew is what it may
    have been at most, from the commit to the last completion. LeaseLostError where this process stood still meanwhile,
    and another follows it: it sends nothing any more.
    """
    deadline = hold_on(ledger, lease)
    releases = ledger.releases_of(moment.moment_id)
    ids = [release.release_id for release in releases if release.is_out]
    states = lacking(ledger, ids)
    answers = _completed(ledger, home, settings, states, deadline=deadline, factory=factory)
    decided_at = min(release.released_at for release in releases if release.released_at)
    seconds = (datetime.now(UTC) - decided_at).total_seconds()
    says = (
        f"the process ended while it opened; {len(answers)} deliveries were completed {seconds:.1f} s after the commit"
    )
    confirming.confirm(
        ledger,
        moment.moment_id,
        release_ids=ids,
        opened_at={a.delivery_id: a.sent_at or a.at for a in answers if a.status == "delivered"},
        answers=answers,
        skew_ms=seconds * 1000,
        breaches=[Breach("ended", seconds * 1000, says)],
        lease=lease,
    )
    early_reads.record(ledger, home, settings, ids)
    renew(ledger, home, settings, lease=lease)
    names = ", ".join(f"{release.survey} {release.wave}" for release in releases if release.is_out)
    return f"{names}: {says}"


def complete_late(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    release_ids: Sequence[str],
    *,
    channels: Channels | None = None,
    wanted: Callable[[DeliveryState], bool] = bool,
    factory: Factory = channel_for,
) -> tuple[DeliveryState, ...]:
    """Deliver to those who lack a confirmed release, outside the lease, as a breach; returns who was tried.

    `wanted` leaves some of them for another time.
    """
    lease = _alone(ledger)
    if lease is None:
        return ()
    try:
        deadline = hold_on(ledger, lease)
        states = [state for state in lacking(ledger, release_ids) if state.channel != "published" and wanted(state)]
        if not states:
            return ()
        answers = _completed(ledger, home, settings, states, deadline=deadline, factory=factory, channels=channels)
        confirming.answer(ledger, answers)
    finally:
        give_back(ledger, lease)
    renew_if_free(ledger, home, settings)
    return tuple(states)


def _alone(ledger: Ledger) -> Lease | None:
    """The lease of who completes: two at once would send again what one of them has just had acknowledged."""
    began = time.monotonic()
    while (lease := take(ledger, COMPLETING)) is None and time.monotonic() - began < WAIT_SECONDS:
        time.sleep(POLL_SECONDS)
    return lease


def lacking(ledger: Ledger, release_ids: Sequence[str]) -> tuple[DeliveryState, ...]:
    """The deliveries of which nobody knows that they arrived, and that were not left out."""
    out = [name for name in release_ids if (release := ledger.release(name)) is not None and release.is_out]
    return tuple(state for state in ledger.deliveries(*out) if state.status not in ("delivered", "left_out"))


def count_again(channels: Channels, ledger: Ledger) -> None:
    """Have every sending after T written down before it goes, so that one whose process is killed is counted."""

    def note(names: Sequence[str]) -> None:
        with Ledger.open(ledger.path) as own:  # called by many threads
            confirming.sent_again(own, names)

    for channel in channels.values():
        if isinstance(channel, SendsAgain):
            channel.note_again(note)


def _completed(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    states: Sequence[DeliveryState],
    *,
    deadline: float,
    factory: Factory,
    channels: Channels | None = None,
) -> list[Answer]:
    """Complete in every channel; how often each was sent is counted on, where other processes sent it before."""
    own = channels or channels_for(restored(states, settings), home=home, settings=settings, factory=factory)
    lacks = {name: [state.delivery_id for state in states if state.channel == name] for name in own}

    def complete(name: ChannelName, channel: Channel) -> list[Outcome]:
        return channel.complete(lacks[name], deadline=deadline) if lacks[name] else []

    before = {} if channels else _attempts_before(ledger, states)
    count_again(own, ledger)
    return [
        Answer(
            **asdict(
                replace(o, detail=o.detail or "completed late", attempts=o.attempts + before.get(o.delivery_id, 0))
            ),
            is_breach=True,
        )
        for answered in each(own, complete, otherwise=failed(states))
        for o in answered
    ]


def _attempts_before(ledger: Ledger, states: Sequence[DeliveryState]) -> dict[str, int]:
    """How often other processes sent each; one that ended after the commit may have at T, which is counted as once."""
    sent = {s.delivery_id: s.attempts if s.status is not None else 1 for s in states if s.channel not in RENAMED}
    again = confirming.times_again(ledger, sent)
    return {name: attempts + again.get(name, 0) for name, attempts in sent.items()}


def failed(states: Sequence[DeliveryState]) -> Callable[[ChannelName, Exception], list[Outcome]]:
    """The outcomes of a channel that failed as a whole after the commit; the error's text stays inside."""

    def unknown(name: ChannelName, error: Exception) -> list[Outcome]:
        now, detail = datetime.now(UTC), f"no answer ({type(error).__name__})"
        return [Outcome(state.delivery_id, "unknown", now, detail) for state in states if state.channel == name]

    return unknown
