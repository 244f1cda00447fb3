"""After a kill at any instruction: what was under way is finished or undone, and it is said which."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from flows.channels.by_name import Factory, channel_for
from flows.errors import ConfigurationError, FlowError, HeldError
from flows.home import Home
from flows.releasing import early_reads
from flows.releasing.completion import complete_late, complete_moment, lacking
from flows.releasing.holding import hold_moment
from flows.releasing.moment import OnStep, announce_moments, nothing, plan, stage
from flows.releasing.moving import follow_calendar
from flows.releasing.planning import ASKED, HELD, ahead, announced, entries
from flows.releasing.publication import LEASE, is_behind, renew
from flows.releasing.tidying import tidy
from flows.settings import Settings
from warehouse import WarehouseError, confirming, decisions
from warehouse.confirming import Answer
from warehouse.leases import Lease, LeaseLostError, give_back, held_by, take
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Moment, Release

ATTEMPTS = 5  # starts that try to reach one who lacks something; each tries more than once
LACKS = "still lacks it"
LATE = timedelta(minutes=1)  # a process that is on time may still be waiting for the lease


def recover(home: Home, settings: Settings, *, factory: Factory = channel_for) -> list[str]:
    """Finish what was decided, undo what was not, hold what is late, complete what is missing; one sentence for each.

    Moments that are open again, or for which no T is planned, stay open: `Ledger.open_moments` names them.
    """
    if not home.ledger.exists():
        return []
    with Ledger.open(home.ledger) as ledger:
        lease = take(ledger, LEASE)
        if lease is None:
            holder = held_by(ledger, LEASE)
            return [f"process {holder.pid if holder else '?'} is opening a moment; nothing was touched"]
        try:
            done = _settle(ledger, home, settings, lease, factory)
        finally:
            give_back(ledger, lease)
        done += _complete(ledger, home, settings, factory)
        done += tidy(ledger, home, settings, factory=factory)
    return done + follow_calendar(home, settings)


def known(ledger: Ledger, home: Home, release_id: str) -> Release:
    """A release by its whole id, as one that is acted on is named; ConfigurationError where there is none."""
    release = ledger.release(release_id)
    if release is None:
        raise ConfigurationError(
            f"{home.ledger} knows no release '{release_id}'; zwerm status lists them, by their whole ids"
        )
    return release


def retry(
    home: Home,
    settings: Settings,
    release_id: str | None = None,
    *,
    at: datetime | None = None,
    on_step: OnStep = nothing,
    factory: Factory = channel_for,
) -> tuple[Moment, ...]:
    """Stage what is held, or was sealed and no more, for a moment; a release that is out goes to those who lack it.

    Without `at` a T that lies ahead stays. The moments are returned for `open_moment`; none where there was only
    something to complete.
    """
    with Ledger.open(home.ledger) as ledger:
        release = known(ledger, home, release_id) if release_id else None
        if release is not None and release.is_out:
            _completed_late(ledger, home, settings, [release.release_id], lambda state: True, factory)
            return ()
        if release is not None:
            _must_be_stopped(release, at)
        chosen = [release] if release else [r for r in ledger.pending() if r.state in ("held", "sealed")]
        times: dict[datetime | None, list[str]] = {}
        for one in chosen:
            when = at or announced(ledger, one.survey, one.wave) or ahead(settings, one.survey, one.wave)
            times.setdefault(when, []).append(one.release_id)
    if not chosen:
        return ()
    for time, ids in times.items():
        plan(home, ids, at=time, why=ASKED if at else HELD, calendar=entries(settings, chosen))
    moments = stage(home, settings, [one.release_id for one in chosen], on_step=on_step, factory=factory)
    announce_moments(home, settings, moments)
    return moments


def _must_be_stopped(release: Release, at: datetime | None) -> None:
    """What waits already has nothing to be tried again: its moment changes only where another is asked for."""
    what = f"{release.survey} {release.wave}"
    if release.state == "withdrawn":
        raise FlowError(f"{what} was withdrawn: {release.stated_reason}")
    if release.state not in ("held", "sealed") and at is None:
        when = f"{release.planned_at:%Y-%m-%d %H:%M:%S} UTC" if release.planned_at else "as soon as it is armed"
        raise FlowError(
            f"{what} is {release.state}, not held: it opens {when}. zwerm run waits for that; "
            f"for another time: zwerm release {release.release_id} --retry --at TIME"
        )


def _settle(ledger: Ledger, home: Home, settings: Settings, lease: Lease, factory: Factory) -> list[str]:
    done = []
    for moment in ledger.moments():
        if moment.phase in ("arming", "armed"):
            reason = "the process that armed it ended"
            back = decisions.undo(ledger, moment.moment_id, reason=reason, lease=lease)
            done += [f"{r.survey} {r.wave}: was being armed when the process ended; nothing was sent" for r in back]
        elif moment.phase == "released":
            done.append(_completed(ledger, home, settings, moment, lease, factory))
    for moment in ledger.open_moments():
        if _is_late(moment) and settings.release.late == "hold":
            done.append(_hold(ledger, home, settings, moment, lease, factory))
    done += early_reads.record(ledger, home, settings, [release.release_id for release in ledger.released()])
    if is_behind(ledger):
        done.append(_renewed(ledger, home, settings, lease))
    return done


def _completed(ledger: Ledger, home: Home, settings: Settings, moment: Moment, lease: Lease, factory: Factory) -> str:
    try:
        return complete_moment(ledger, home, settings, moment, lease=lease, factory=factory)
    except LeaseLostError:
        raise
    except WarehouseError:  # that what is published stays as it was is told by itself
        names = ", ".join(f"{r.survey} {r.wave}" for r in ledger.releases_of(moment.moment_id) if r.is_out)
        return f"{names}: was decided when the process ended, and is completed; zwerm status tells who has it"


def _renewed(ledger: Ledger, home: Home, settings: Settings, lease: Lease) -> str:
    """Publish what everyone should read; where that fails it is said, and the rest goes on: a release is held then."""
    try:
        renew(ledger, home, settings, lease=lease)
        late = [s for s in lacking(ledger, [r.release_id for r in ledger.released()]) if s.channel == "published"]
        if late:
            now = datetime.now(UTC)
            answers = [Answer(s.delivery_id, "delivered", now, "completed late", is_breach=True) for s in late]
            confirming.answer(ledger, answers)
            renew(ledger, home, settings, lease=lease)  # with the register that tells of it
    except LeaseLostError:
        raise
    except WarehouseError as error:
        return str(error)
    return "what is published was renewed from the ledger"


def _hold(ledger: Ledger, home: Home, settings: Settings, moment: Moment, lease: Lease, factory: Factory) -> str:
    reason = f"its time, {moment.planned_at:%Y-%m-%d %H:%M} UTC, passed while nothing ran"
    try:
        hold_moment(ledger, home, settings, moment, reason=reason, factory=factory, lease=lease)
    except HeldError as error:
        return str(error)


def complete(
    home: Home, settings: Settings, release_id: str | None = None, *, factory: Factory = channel_for
) -> list[str]:
    """Send a release, or each, to those who lack it, also those who were tried in vain; one sentence for each.

    Nobody else is sent anything, and whoever lacks it gets it under the key that he always had.
    """
    with Ledger.open(home.ledger) as ledger:
        ids = [release_id] if release_id else [release.release_id for release in ledger.released()]
        return _completed_late(ledger, home, settings, ids, lambda state: True, factory)


def _complete(ledger: Ledger, home: Home, settings: Settings, factory: Factory) -> list[str]:
    """Try again to reach who lacks something, a few times; after that only a retry does, which a person asks for."""
    tried = Counter(event.delivery_id for event in ledger.events(kinds=("failed", "unknown")))
    ids = [release.release_id for release in ledger.released()]
    return _completed_late(ledger, home, settings, ids, lambda s: tried[s.delivery_id] < ATTEMPTS, factory)


def _completed_late(
    ledger: Ledger,
    home: Home,
    settings: Settings,
    release_ids: Sequence[str],
    wanted: Callable[[DeliveryState], bool],
    factory: Factory,
) -> list[str]:
    """Of what is confirmed alone: what is not is being opened by somebody."""
    ids = [release.release_id for release in ledger.known(release_ids) if release.state == "confirmed"]
    before = [state for state in lacking(ledger, ids) if state.channel != "published" and wanted(state)]
    if not before:
        return []
    with suppress(WarehouseError):  # what was answered is recorded; what is published follows at the next start
        complete_late(ledger, home, settings, ids, wanted=wanted, factory=factory)
    left = {state.delivery_id for state in lacking(ledger, ids)}
    return [
        f"{state.recipient} by {state.channel}: {LACKS if state.delivery_id in left else 'completed late'}"
        for state in before
    ]


def _is_late(moment: Moment) -> bool:
    return moment.planned_at is not None and datetime.now(UTC) - moment.planned_at > LATE
