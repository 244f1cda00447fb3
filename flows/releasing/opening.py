"""The moment itself: arm, wait for T, decide, open for everyone back to back, and read what was answered.

One rule holds it together: until the ledger's one row is on disk nothing readable leaves, and anything amiss holds the
moment for all; after it there is only completion. Nothing is logged in between.
"""

import gc
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from flows.channels import Channel, ChannelName, Open, Outcome
from flows.channels.by_name import channels_for
from flows.errors import HeldError
from flows.preparing.seal import stands_on
from flows.releasing import early_reads
from flows.releasing.arming import Run, arm
from flows.releasing.audience import restored
from flows.releasing.completion import count_again, failed
from flows.releasing.holding import Channels, NotReadyError, each, hold
from flows.releasing.moment import OnStep, nothing
from flows.releasing.publication import renew
from flows.releasing.undisturbed import undisturbed
from warehouse import WarehouseError, confirming, decisions, leases
from warehouse.confirming import Answer, Breach
from warehouse.decisions import OvertakenError
from warehouse.leases import Lease, LeaseLostError, hold_on
from warehouse.records import Release

CONFIRM_SECONDS = 30.0
PUNCTUAL = timedelta(seconds=1)


@dataclass(frozen=True)
class Stamps:
    """When each open began and ended, by the performance counter, and how that counter stands to the wall clock."""

    opens: tuple[Open, ...]
    begun: tuple[int, ...]
    ended: tuple[int, ...]
    wall_offset: int

    @property
    def first(self) -> datetime:
        """When the first open began, UTC."""
        return _wall(min(self.begun) + self.wall_offset)

    def skew_ms(self, outcomes: Iterable[Outcome]) -> float | None:
        """From the first moment at which anyone could read to the last, be it that he was sent it again."""
        if not self.opens:
            return None
        later = [(o.sent_at - self.first).total_seconds() * 1e3 for o in _delivered(outcomes) if o.sent_at]
        return max((max(self.ended) - min(self.begun)) / 1e6, *later, 0.0)

    def opened_at(self, outcomes: Sequence[Outcome]) -> dict[str, datetime]:
        """When each delivery was opened, UTC: by what was acknowledged, and not by what failed before it."""
        ends = zip(self.opens, self.ended, strict=True)
        opened = {name: _wall(end + self.wall_offset) for each, end in ends for name in each.delivery_ids}
        late = {o.delivery_id: o.sent_at for o in _delivered(outcomes) if o.sent_at}
        vain = {o.delivery_id for o in outcomes if o.status == "failed"}
        return {name: at for name, at in (opened | late).items() if name not in vain}

    def is_late(self, outcome: Outcome, *, tolerance_ms: float) -> bool:
        """Whether it was sent again, or its last byte went when the tolerance was over."""
        if outcome.attempts > 1 or outcome.sent_at is None:
            return outcome.attempts > 1
        return not self.opens or (outcome.sent_at - self.first).total_seconds() * 1e3 > tolerance_ms


def arm_and_open(run: Run, lease: Lease) -> Channels:
    """Open every release that is staged for the moment, or hold them all; the lease is the caller's, all the time.

    The channels are returned for what is still to be completed afterwards. LeaseLostError where this process stood
    still for so long that another took the moment over: then it does nothing any more, neither opens nor holds.
    """
    releases = decisions.freeze(run.ledger, run.moment.moment_id, lease=lease)
    if not releases:
        return {}
    run.on_step("arming")
    ids = [release.release_id for release in releases]
    states = [state for state in run.ledger.deliveries(*ids) if state.status != "left_out"]
    channels = channels_for(restored(states, run.settings), home=run.home, settings=run.settings, factory=run.factory)
    try:
        _must_follow(run, releases)
        appointment = arm(run, channels, states, release_ids=ids, lease=lease)
        opens = _drawn(channels)
        appointment.meet()
        stamps = _decide_and_open(run, ids, opens, lease)
    except LeaseLostError:
        raise
    except Exception as error:
        _hold(run, ids, channels, error, lease)
        raise  # it was decided already: what is left is completed at the next start
    finally:
        gc.enable()
    _confirm(run, ids, channels, stamps, lease)
    return channels


def _must_follow(run: Run, releases: Sequence[Release]) -> None:
    """A release whose figures are in another is out before it, or opens with it."""
    together = {release.release_id for release in releases}
    for release in releases:
        for base in sorted(stands_on(run.home.releases / release.release_id) - together):
            earlier = run.ledger.release(base)
            if earlier is not None and not earlier.is_out:
                raise HeldError(
                    f"{release.survey} {release.wave} is measured against {earlier.wave}, which is {earlier.state}"
                )


def _drawn(channels: Channels) -> list[Open]:
    """Every open that is ready, in an order drawn anew, so that nobody is always first."""
    opens = [opened for channel in channels.values() for opened in channel.opens()]
    secrets.SystemRandom().shuffle(opens)
    gc.collect()
    gc.disable()
    return opens


def _decide_and_open(run: Run, ids: Sequence[str], opens: Sequence[Open], lease: Lease) -> Stamps:
    """The commit, then every open in one tight loop."""
    sends = [opened.send for opened in opens]
    on_step = None if run.on_step is nothing else run.on_step
    wall_offset = time.time_ns() - time.perf_counter_ns()
    fence = time.perf_counter_ns() + int(leases.LEASE_SECONDS * 1e9)
    with undisturbed():
        decisions.commit(run.ledger, run.moment.moment_id, lease=lease, release_ids=ids)
        if on_step is not None:
            on_step("committed")
        stamps = _open_all(sends, on_step, fence)
    return Stamps(tuple(opens), tuple(stamps[:-1]), tuple(stamps[1:]), wall_offset)


def _open_all(sends: Sequence[Callable[[], None]], on_step: OnStep | None, fence: int) -> list[int]:
    """When each send began, and at the end when the last was over: one look at the clock for each, and no other work.

    A send ended, at the latest, when the next began. One that fails stops no other: what is answered decides, and that
    is read in `confirm`. Where nothing is raised, `try` costs nothing. Past the fence another process may complete the
    moment: one that stood still for so long sends nothing any more.
    """
    clock, stamps = time.perf_counter_ns, list[int]()
    stamp = stamps.append
    for send in sends:
        stamp(now := clock())
        if now > fence:
            raise LeaseLostError("this process stood still after the decision; the next start completes what is left")
        try:  # noqa: SIM105 - see above
            send()
        except Exception:  # noqa: S110
            pass
        if on_step is not None:
            on_step(f"opened:{len(stamps) - 1}")
    stamp(clock())
    return stamps


def _confirm(run: Run, ids: Sequence[str], channels: Channels, stamps: Stamps, lease: Lease) -> None:
    """Read the answers for 30 seconds at most, record everything at once, and publish the register."""
    hold_on(run.ledger, lease)
    states = run.ledger.deliveries(*ids)
    deadline = time.monotonic() + CONFIRM_SECONDS

    def confirm(name: ChannelName, channel: Channel) -> list[Outcome]:
        return channel.confirm(deadline=deadline)

    count_again(channels, run.ledger)
    answered = each(channels, confirm, otherwise=failed(states), seconds=CONFIRM_SECONDS + 2)
    left_out = {state.delivery_id for state in states if state.status == "left_out"}
    outcomes = [o for some in answered for o in some if o.status == "delivered" or o.delivery_id not in left_out]
    told_after = {state.delivery_id for state in states if state.channel == "announcement"}  # T, and outside the skew
    timed = [o for o in outcomes if o.delivery_id not in told_after]
    tolerance_ms, skew_ms = run.settings.release.tolerance_ms, stamps.skew_ms(timed)
    answers = [
        Answer(
            **asdict(o),
            is_breach=o.status != "delivered"
            or o.delivery_id in left_out
            or (o.delivery_id not in told_after and stamps.is_late(o, tolerance_ms=tolerance_ms)),
        )
        for o in outcomes
    ]
    confirming.confirm(
        run.ledger,
        run.moment.moment_id,
        release_ids=ids,
        opened_at=stamps.opened_at(outcomes),
        answers=answers,
        skew_ms=skew_ms,
        breaches=_breaches(run, stamps, skew_ms),
        lease=lease,
    )
    run.on_step("confirmed")
    hold_on(run.ledger, lease)
    early_reads.record(run.ledger, run.home, run.settings, ids)
    renew(run.ledger, run.home, run.settings, lease=lease)
    run.on_step("renewed")


def _delivered(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    return (outcome for outcome in outcomes if outcome.status == "delivered")


def _breaches(run: Run, stamps: Stamps, skew_ms: float | None) -> list[Breach]:
    found = []
    tolerance = run.settings.release.tolerance_ms
    if skew_ms is not None and skew_ms > tolerance:
        says = f"the skew was {skew_ms:.1f} ms, above the tolerance of {tolerance} ms"
        found.append(Breach("skew", skew_ms, says))
    planned_at = run.moment.planned_at
    if planned_at is not None and stamps.opens:
        late = _wall(max(stamps.ended) + stamps.wall_offset) - planned_at
        if late > PUNCTUAL:
            seconds = late.total_seconds()
            found.append(Breach("punctuality", seconds * 1000, f"it opened {seconds:.1f} s after its time"))
    return found


def _hold(run: Run, ids: Sequence[str], channels: Channels, error: Exception, lease: Lease) -> None:
    """Hold the moment for the reason that the error gives; returns only where the commit was already made."""
    hold_on(run.ledger, lease)  # else it is another's to open or to hold
    moment = run.ledger.moment(run.moment.moment_id)
    if moment is not None and moment.phase in ("released", "confirmed"):
        return
    error = decisions.overtaken(run.ledger, ids) or error  # who lacks what was taken away from him is not to blame
    fault = f"the release could not be opened ({type(error).__name__})"
    is_for_all = isinstance(error, (HeldError, OvertakenError))
    hold(
        run.ledger,
        run.home,
        run.settings,
        ids,
        channels=channels,
        reason=(getattr(error, "public", None) or str(error)) if is_for_all else fault,
        details=str(error) if isinstance(error, (HeldError, WarehouseError)) else fault,
        refused=error.refused if isinstance(error, NotReadyError) else (),
        moment_id=run.moment.moment_id,
        lease=lease,
    )


def _wall(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC)
