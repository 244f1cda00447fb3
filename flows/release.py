"""One moment from its T to its end: all the releases that open at it, for everyone at once or for nobody."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flows.channels.by_name import KINDS, Factory, channel_for
from flows.errors import FlowError, HeldError, LeaseTakenError
from flows.home import Home
from flows.releasing.arming import Run, never, taken
from flows.releasing.completion import complete_late, complete_moment
from flows.releasing.holding import Channels, held_error, hold_moment
from flows.releasing.moment import OnStep, nothing
from flows.releasing.opening import arm_and_open
from flows.releasing.publication import LEASE
from flows.releasing.tidying import tidy
from flows.releasing.waiting import CANCELLED, JUMP_SECONDS, shielded, wait_far
from flows.releasing.windows import lead
from flows.settings import Settings
from warehouse import decisions
from warehouse.leases import Lease, give_back, held_by, take
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Moment, Release

LEAD_SECONDS = 30.0
QUEUE_SECONDS = 900.0  # how long an unplanned moment waits for others
CLEAR_SECONDS = 75.0  # before a planned T nothing unplanned is begun
POLL_SECONDS = 0.1
LATE = timedelta(seconds=1)


@dataclass(frozen=True)
class Report:
    """How a moment ended."""

    moment: Moment
    releases: tuple[Release, ...]
    deliveries: tuple[DeliveryState, ...]
    breaches: tuple[str, ...]
    is_joined: bool = False  # another process opened it, this one waited

    @property
    def skew_ms(self) -> float | None:
        """Milliseconds between the first and the last opening."""
        return self.releases[0].skew_ms if self.releases else None

    @property
    def left_out(self) -> tuple[DeliveryState, ...]:
        """Without whom the moment went ahead, because two holds in a row named him; he reads what is published."""
        return tuple(d for d in self.deliveries if d.status == "left_out")

    @property
    def missing(self) -> tuple[DeliveryState, ...]:
        """Who does not have it yet; the next start, or a retry, completes it."""
        return tuple(d for d in self.deliveries if d.status not in ("delivered", "left_out"))


def open_moment(
    home: Home,
    settings: Settings,
    moment_id: str,
    *,
    is_cancelled: Callable[[], bool] = never,
    on_step: OnStep = nothing,
    factory: Factory = channel_for,
    lead_seconds: float = LEAD_SECONDS,
    clear_seconds: float = CLEAR_SECONDS,
) -> Report:
    """Wait for the moment, arm it, open it for everyone and confirm it; HeldError where it is held instead.

    Another process that opens the same moment is joined. Interrupted before the commit it is held, after it completed.
    """

    def work(is_interrupted: Callable[[], bool]) -> Report:
        def is_stopped() -> bool:
            return is_interrupted() or is_cancelled()

        with Ledger.open(home.ledger) as ledger:
            moment = must_know(ledger, moment_id)
            return _open(Run(ledger, home, settings, moment, is_stopped, on_step, factory), lead_seconds, clear_seconds)

    return shielded(work)


def report(ledger: Ledger, moment_id: str, *, is_joined: bool = False) -> Report:
    """How a moment stands, from the ledger."""
    releases = tuple(release for release in ledger.releases_of(moment_id) if release.is_out)
    breaches = ledger.events(kinds=("breach",), moment_id=moment_id)
    return Report(
        moment=must_know(ledger, moment_id),
        releases=releases,
        deliveries=ledger.deliveries(*(release.release_id for release in releases)),
        breaches=tuple(str(event.detail["says"]) for event in breaches if event.delivery_id is None),
        is_joined=is_joined,
    )


def lead_of(ledger: Ledger, settings: Settings, moment_id: str, *, least: float = LEAD_SECONDS) -> float:
    """How many seconds before its T a moment begins to be armed, by the channels that its deliveries take."""
    ids = [release.release_id for release in ledger.releases_of(moment_id)]
    used = {delivery.channel for delivery in ledger.deliveries(*ids)}
    return lead([name for name in KINDS if name in used], settings, took=taken(ledger), least=least)


def must_know(ledger: Ledger, moment_id: str) -> Moment:
    """The moment, which somebody planned."""
    moment = ledger.moment(moment_id)
    if moment is None:
        raise FlowError(f"{ledger.path} knows no moment {moment_id!r}; zwerm status lists them")
    return moment


def _open(run: Run, lead_seconds: float, clear_seconds: float) -> Report:
    """Wait for T less the lead, take the lease, open; or join who does."""
    is_late = _is_late(run)
    try:
        if not is_late:
            is_late = _wait_to_arm(run, lead_seconds, clear_seconds)
        lease = _lease(run)
    except HeldError as error:
        hold_moment(run.ledger, run.home, run.settings, run.moment, reason=str(error), factory=run.factory)
    if lease is None:
        elsewhere = _moved_to(run)
        return _open(replace(run, moment=elsewhere), lead_seconds, clear_seconds) if elsewhere else _joined(run)
    try:
        channels = _opened(run, lease, is_late=is_late)
    finally:
        give_back(run.ledger, lease)
    ids = [release.release_id for release in run.ledger.releases_of(run.moment.moment_id)]
    complete_late(run.ledger, run.home, run.settings, ids, channels=channels)
    tidy(run.ledger, run.home, run.settings, factory=run.factory)
    return report(run.ledger, run.moment.moment_id)


def _opened(run: Run, lease: Lease, *, is_late: bool) -> Channels:
    """Open, or finish what another process left behind when it ended in the middle."""
    moment = must_know(run.ledger, run.moment.moment_id)
    if moment.phase == "released":
        complete_moment(run.ledger, run.home, run.settings, moment, lease=lease, factory=run.factory)
        return {}
    decisions.undo(run.ledger, moment.moment_id, reason="the process that armed it ended", lease=lease)
    if is_late and run.settings.release.late == "hold":
        reason = f"its time, {moment.planned_at:%Y-%m-%d %H:%M} UTC, passed while nothing ran"
        hold_moment(run.ledger, run.home, run.settings, moment, reason=reason, factory=run.factory, lease=lease)
    return arm_and_open(run, lease)


def _wait_to_arm(run: Run, lead_seconds: float, clear_seconds: float) -> bool:
    """Wait for T less the lead; whether T has passed at that, because the clock was set or this host slept."""
    planned_at = run.moment.planned_at
    if planned_at is not None:
        seconds = lead_of(run.ledger, run.settings, run.moment.moment_id, least=lead_seconds)
        jump = wait_far(
            planned_at - timedelta(seconds=seconds), is_cancelled=run.is_cancelled, is_over=lambda: _is_over(run)
        )
        if abs(jump) > JUMP_SECONDS:
            _remark_on_clock(run, jump)
        return _is_late(run)
    began = time.monotonic()
    while _planned_is_near(run, timedelta(seconds=clear_seconds)) and time.monotonic() - began < QUEUE_SECONDS:
        if run.is_cancelled():
            raise HeldError(CANCELLED)
        time.sleep(POLL_SECONDS)
    return False


def _remark_on_clock(run: Run, jump: float) -> None:
    ids = [release.release_id for release in run.ledger.releases_of(run.moment.moment_id)]
    way = "forward" if jump > 0 else "back"
    says = (
        f"this host's clock was set {way} by {abs(jump):,.0f} seconds, or the host slept, while the moment was awaited"
    )
    decisions.remark(run.ledger, "clock", release_ids=ids, moment_id=run.moment.moment_id, says=says)


def _lease(run: Run) -> Lease | None:
    """The lease of the moment; None where the moment is over, or another process has brought it to its end."""
    began = time.monotonic()
    while not _is_over(run):
        lease = take(run.ledger, LEASE, moment_id=run.moment.moment_id)
        if lease is not None:
            return lease
        if run.is_cancelled():
            holder = held_by(run.ledger, LEASE)
            if holder is not None and holder.moment_id == run.moment.moment_id:
                return None  # it is another's to hold
            raise HeldError(CANCELLED)
        if time.monotonic() - began > QUEUE_SECONDS:
            raise LeaseTakenError(_taken(run.ledger))
        time.sleep(POLL_SECONDS)
    return None


def _moved_to(run: Run) -> Moment | None:
    """The moment that has what waited here, where somebody moved all of it: who moved it may have ended since."""
    if must_know(run.ledger, run.moment.moment_id).phase != "open" or run.ledger.releases_of(run.moment.moment_id):
        return None
    planned = run.ledger.events(kinds=("planned",), moment_id=run.moment.moment_id)
    moved = run.ledger.known([release_id for event in planned for release_id in event.release_ids])
    ids = [release.moment_id for release in moved if release.moment_id and release.state != "withdrawn"]
    return run.ledger.moment(ids[0]) if ids else None


def _joined(run: Run) -> Report:
    moment = must_know(run.ledger, run.moment.moment_id)
    releases = run.ledger.releases_of(moment.moment_id)
    if moment.phase == "held":
        raise held_error(releases, next((r.stated_reason for r in releases if r.stated_reason), "held"))
    return report(run.ledger, moment.moment_id, is_joined=moment.phase == "confirmed")


def _is_over(run: Run) -> bool:
    moment = must_know(run.ledger, run.moment.moment_id)
    if moment.phase in ("confirmed", "held"):
        return True
    if moment.phase != "open":
        return False
    return all(r.state in ("held", "withdrawn") for r in run.ledger.releases_of(moment.moment_id))


def _is_late(run: Run) -> bool:
    planned_at = run.moment.planned_at
    return run.moment.phase != "released" and planned_at is not None and datetime.now(UTC) - planned_at > LATE


def _planned_is_near(run: Run, near: timedelta) -> bool:
    """Whether a planned moment comes up so soon that an unplanned one could still hold the lease at its T."""
    now = datetime.now(UTC)
    planned = [m.planned_at for m in run.ledger.open_moments() if m.phase == "open" and m.planned_at is not None]
    return any(timedelta() < at - now < near for at in planned)


def _taken(ledger: Ledger) -> str:
    holder = held_by(ledger, LEASE)
    who = f"process {holder.pid} ({holder.place.split()[0]})" if holder else "another process"
    return (
        f"{who} has been opening another moment for {QUEUE_SECONDS / 60:.0f} minutes; see zwerm status, then run again"
    )
