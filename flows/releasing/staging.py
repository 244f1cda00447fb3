"""What is sealed gets its moment, and everyone is asked whether he is ready."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.errors import ConfigurationError
from flows.preparing.seal import Sealed
from flows.preparing.steps import Prepared
from flows.progress import step
from flows.releasing.moment import OnStep, announce_moments, nothing, plan, stage, withdraw
from flows.releasing.moving import follow_calendar
from flows.releasing.planning import ASKED, HELD, announced, entries, moment_at, moment_of
from flows.run import Run
from warehouse.decisions import BeingOpenedError
from warehouse.ledger import Ledger
from warehouse.moments import is_under_way
from warehouse.records import Moment, Release

NEWER = "newer answers came in before it was released"
Times = Mapping[datetime | None, Sequence[str]]


@dataclass(frozen=True)
class Staged:
    """What was prepared, and the moments at which it opens; none where nothing is to be opened.

    It is one moment, unless some of it waited for an announced one already, or another began to arm meanwhile.
    """

    prepared: tuple[Prepared, ...]
    moments: tuple[Moment, ...] = ()

    @property
    def moment_id(self) -> str | None:
        """The first moment."""
        return self.moments[0].moment_id if self.moments else None

    @property
    def planned_at(self) -> datetime | None:
        """The first moment's T."""
        return self.moments[0].planned_at if self.moments else None

    @property
    def releases(self) -> tuple[Sealed, ...]:
        """The releases that wait for their moment."""
        return tuple(one.sealed for one in self.prepared if one.sealed is not None)


def stage_together(
    run: Run, prepared: Sequence[Prepared], *, at: str | None = None, on_step: OnStep = nothing
) -> Staged:
    """Plan one moment for all that was sealed, and stage it; what is held here is held for everyone.

    Without `at` an announced moment stays what it is, unless its entry in the calendar was changed, and what is being
    opened by another process is left to it.
    """
    sealed = [one.sealed for one in prepared if one.sealed is not None]
    if not sealed:
        return Staged(tuple(prepared))
    with step("Stage for everyone") as notes:
        if at is None:
            follow_calendar(run.home, run.settings)  # what it moved is told below, with all that was ever moved
        try:
            together = _together(run, sealed, at, on_step=on_step)
        except BeingOpenedError:  # another process began with it meanwhile
            if at:
                raise
            together = _together(run, sealed, at, on_step=on_step)
        soonest = sorted(together.values(), key=lambda m: (m.planned_at is not None, m.planned_at or m.created_at))
        notes += [*_moved(run, soonest, sealed), *(told_time(run, moment.planned_at) for moment in soonest)]
    return Staged(tuple(prepared), tuple(soonest))


def _together(run: Run, sealed: Sequence[Sealed], at: str | None, *, on_step: OnStep) -> dict[str, Moment]:
    """The moments of all: of what another process opens, its own; the rest is planned and staged here."""
    moments = {} if at else _under_way(run, sealed)
    rest = [one for one in sealed if one.release_id not in moments]
    staged = _staged(run, rest, at, on_step=on_step) if rest else ()
    return {moment.moment_id: moment for moment in (*moments.values(), *staged)}


def told_time(run: Run, planned_at: datetime | None) -> str:
    """The moment in words."""
    return f"opens {_words(run, planned_at)}" if planned_at else "opens as soon as it is armed"


def _staged(run: Run, sealed: Sequence[Sealed], at: str | None, *, on_step: OnStep) -> tuple[Moment, ...]:
    """Plan, take back what this replaces, stage: in this order, so that a refused plan changes nothing."""
    with Ledger.open(run.home.ledger) as ledger:
        times, older = _times(run, ledger, sealed, at), _older(ledger, sealed)
    for planned_at, ids in times.items():
        calendar = entries(run.settings, [one for one in sealed if one.release_id in ids])
        plan(run.home, ids, at=planned_at, why=ASKED if at else HELD, replacing=older, calendar=calendar)
    for release_id in older:
        with Ledger.open(run.home.ledger) as ledger:
            is_gone = ledger.state(release_id) == "withdrawn"  # along with one that it was measured against
        if not is_gone:
            withdraw(run.home, run.settings, release_id, reason=NEWER)
    moments = stage(run.home, run.settings, [one.release_id for one in sealed], on_step=on_step)
    announce_moments(run.home, run.settings, moments)
    return moments


def _times(run: Run, ledger: Ledger, sealed: Sequence[Sealed], at: str | None) -> Times:
    """What each waits for: what was asked, else what was announced, else one T, the latest that each would get."""
    if at is not None:
        return {moment_at(run.settings, at, now=run.now): [one.release_id for one in sealed]}
    times: dict[datetime | None, list[str]] = {}
    free = []
    for one in sealed:
        known = announced(ledger, one.survey, one.wave)
        if known is None:
            free.append(one)
        else:
            times.setdefault(known, []).append(one.release_id)
    if free:
        times.setdefault(_one_time(run, free, times), []).extend(one.release_id for one in free)
    return times


def _one_time(run: Run, free: Sequence[Sealed], known: Times) -> datetime | None:
    """One T for all that has none yet, and none before the announced ones: it may be measured against those."""
    times = [moment_of(run.settings, survey=one.survey, wave=one.wave, at=None, now=run.now) for one in free]
    planned = [time for time in times if time is not None]
    ahead = [time for time in known if time is not None and time > datetime.now(UTC)]
    if planned and len(planned) < len(times) and not ahead:
        raise ConfigurationError("some of these waves have a planned moment and some have none: give one with --at")
    return max([*planned, *ahead], default=None)


def _under_way(run: Run, sealed: Sequence[Sealed]) -> dict[str, Moment]:
    """What another process is opening now, or has opened since this one sealed it."""
    with Ledger.open(run.home.ledger) as ledger:
        found = (release for one in sealed if (release := ledger.release(one.release_id)) is not None)
        armed = [release for release in found if release.is_out or is_under_way(ledger, release)]
        moments = {moment.moment_id: moment for moment in ledger.moments()}
        return {release.release_id: moments[release.moment_id] for release in armed if release.moment_id}


def _older(ledger: Ledger, sealed: Sequence[Sealed]) -> list[str]:
    """What was sealed of the same waves and is not out: nobody gets two first releases of one wave."""
    return [
        release.release_id
        for one in sealed
        for release in ledger.releases(one.survey, one.wave)
        if _is_waiting(release) and release.release_id != one.release_id
    ]


def _is_waiting(release: Release) -> bool:
    return not release.is_out and release.state != "withdrawn"


def _moved(run: Run, moments: Sequence[Moment], sealed: Sequence[Sealed]) -> Iterator[str]:
    """What of this had been announced for another time."""
    ids = {one.release_id for one in sealed}
    with Ledger.open(run.home.ledger) as ledger:
        for moment in moments:
            events = [e for e in ledger.events(kinds=("moved",), moment_id=moment.moment_id) if ids & {*e.release_ids}]
            for said in dict.fromkeys((e.detail["moved_from"], e.detail["reason"]) for e in events):
                yield f"moved from {_words(run, datetime.fromisoformat(said[0]))}: {said[1]}"


def _words(run: Run, at: datetime) -> str:
    return f"{at.astimezone(run.settings.organisation.zone):%A %d %B %Y, %H:%M:%S (%Z)}"
