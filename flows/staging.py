"""What is sealed gets its moment, and everyone is asked whether he is ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.errors import ConfigurationError
from flows.moment import OnStep, nothing, plan, stage, withdraw
from flows.planning import moment_of
from flows.progress import step
from flows.run import Run
from flows.seal import Sealed
from flows.steps import Prepared
from warehouse.ledger import Ledger

NEWER = "newer answers came in before it was released"


@dataclass(frozen=True)
class Staged:
    """What was prepared, and the moment at which it opens; None where nothing is to be opened."""

    prepared: tuple[Prepared, ...]
    moment_id: str | None
    planned_at: datetime | None

    @property
    def releases(self) -> tuple[Sealed, ...]:
        """The releases that wait for the moment."""
        return tuple(one.sealed for one in self.prepared if one.sealed is not None)


def stage_together(
    run: Run, prepared: Sequence[Prepared], *, at: str | None = None, on_step: OnStep = nothing
) -> Staged:
    """Plan one moment for all that was sealed, and stage it; what is held here is held for everyone."""
    sealed = [one.sealed for one in prepared if one.sealed is not None]
    if not sealed:
        return Staged(tuple(prepared), None, None)
    with step("Stage for everyone") as notes:
        planned_at = _planned_at(run, sealed, at)
        _withdraw_older(run, sealed)
        ids = [one.release_id for one in sealed]
        plan(run.home, ids, at=planned_at)
        moment = stage(run.home, run.settings, ids, on_step=on_step)[0]
        notes.append(told_time(run, moment.planned_at))
    return Staged(tuple(prepared), moment.moment_id, moment.planned_at)


def told_time(run: Run, planned_at: datetime | None) -> str:
    """The moment in words."""
    if planned_at is None:
        return "opens as soon as it is armed"
    return f"opens {planned_at.astimezone(run.settings.organisation.zone):%A %d %B %Y, %H:%M:%S (%Z)}"


def _planned_at(run: Run, sealed: Sequence[Sealed], at: str | None) -> datetime | None:
    """One T for all of them: what was asked, else the latest of what each would get by itself."""
    times = [moment_of(run.settings, survey=one.survey, wave=one.wave, at=at, now=run.now) for one in sealed]
    planned = [time for time in times if time is not None]
    if planned and len(planned) < len(times):
        raise ConfigurationError("some of these waves have a planned moment and some have none: give one with --at")
    return max(planned, default=None)


def _withdraw_older(run: Run, sealed: Sequence[Sealed]) -> None:
    """Take back what was sealed of the same waves and is not out: nobody gets two first releases of one wave."""
    with Ledger.open(run.home.ledger) as ledger:
        older = [
            release.release_id
            for one in sealed
            for release in ledger.releases(one.survey, one.wave)
            if not release.is_out and release.state != "withdrawn" and release.release_id != one.release_id
        ]
    for release_id in older:
        withdraw(run.home, run.settings, release_id, reason=NEWER)
