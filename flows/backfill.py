"""The flow that goes over earlier waves: a plan first, then only what is new or changed, all at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow

from flows.errors import ConfigurationError
from flows.open_moment import hand_over
from flows.orchestration.tasks import Outcome, as_task, patience, told
from flows.preparing import counting
from flows.preparing.examination import Examination
from flows.preparing.intake import Intake
from flows.preparing.seal import Sealed
from flows.preparing.steps import Prepared, fetch, prepare_wave
from flows.progress import step, tell
from flows.releasing.staging import Staged, stage_together
from flows.run import Run
from transforms.waves import in_order
from warehouse.ledger import Ledger
from warehouse.store import Store

REASON = "Answers came in, or changed, after the release."


@dataclass(frozen=True)
class Plan:
    """What a backfill would do: one examination per wave, in order."""

    waves: tuple[Examination, ...]

    @property
    def lines(self) -> list[str]:
        """The plan in words, one line per wave, with its counts: for the operator's own terminal."""
        return [planned(examination) for examination in self.waves]

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The plan for the operator's machine; `reason` is of figures that are computed in another way."""
        return [
            {
                "wave": examination.wave,
                "rows": examination.rows,
                "state": examination.verdict,
                "revision": examination.revision if examination.verdict in ("new", "changed") else None,
                "reason": examination.reason,
                "entering": examination.entering(),
                "waiting": examination.waiting(),
                "says": planned(examination),
            }
            for examination in self.waves
        ]

    @property
    def public(self) -> list[str]:
        """The plan without a count: Prefect keeps it, and the number of answers is a figure too."""
        return [f"{examination.wave}: {_stands(examination)}" for examination in self.waves]


@flow(name="backfill", persist_result=False)
def backfill(
    survey: str,
    first: str,
    last: str,
    reason: str | None = None,
    at: str | None = None,
    dry_run: bool = False,
    config: Path = Path("zwerm.toml"),
) -> tuple[Plan, Staged]:
    """Release every wave in between that is new, and a revision of each that changed; all open at one moment.

    Args:
        survey: The survey's name in zwerm.toml.
        first: The first wave.
        last: The last wave.
        reason: Why; printed on the pages of the revisions that come of it.
        at: The moment, 09:30 (its next) or 2026-12-08T09:30, in the organisation's zone; empty: as configured.
        dry_run: Only the plan.
        config: The path of zwerm.toml.
    """
    return told(_backfill)(survey, first, last, reason=reason, at=at, dry_run=dry_run, config=config)


def _backfill(
    survey: str, first: str, last: str, *, reason: str | None, at: str | None, dry_run: bool, config: Path
) -> Outcome[tuple[Plan, Staged]]:
    run = Run.begin(config, patience=patience())
    run.survey(survey)
    with run.store() as store:
        found = as_task(fetch)(store, run, survey)
        made = as_task(plan)(store, run, found, first, last)
        for line in made.lines:
            tell(f"         {line}")
        prepared = [] if dry_run else _prepared(store, run, found, made, reason=reason)
    staged = as_task(stage_together)(run, prepared, at=at)
    opens = hand_over(run, staged) if staged.moments else "Nothing to open."
    return Outcome((made, staged), "\n".join([*made.public, opens]))


def plan(store: Store, run: Run, found: Intake, first: str, last: str) -> Plan:
    """Examine each wave in between: which are new, which changed, what of it may enter and what waits."""
    with step("Plan the backfill") as notes, Ledger.open(run.home.ledger) as ledger:
        chosen = _between(counting.waves(store, run.survey(found.survey), found.numbers), first, last)
        notes.append(f"{len(chosen)} waves")
        return Plan(
            tuple(
                counting.examine(store, ledger, run, survey=found.survey, wave=wave, batches=found.numbers)
                for wave in chosen
            )
        )


def planned(examination: Examination) -> str:
    """What will be done with one wave, and why, and how many answers it concerns."""
    rows = f"{examination.wave}: {examination.rows:,} answers"
    enters = f"; {examination.entering()} came or changed" if examination.entering() else ""
    waits = f"; {examination.waiting()} wait until their region has enough of them" if examination.waiting() else ""
    return f"{rows}, {_stands(examination)}{enters}{waits}"


def _stands(examination: Examination) -> str:
    match examination.verdict:
        case "new":
            return "not released yet: its first release"
        case "changed" if examination.is_computed_anew and not examination.entering():
            return f"the same answers, computed in another way since its release: revision {examination.revision}"
        case "changed":
            return f"changed since its release: revision {examination.revision}"
        case "waiting":
            return "released; nothing of what changed may enter yet"
        case _:
            return "released and unchanged"


def _prepared(store: Store, run: Run, found: Intake, made: Plan, *, reason: str | None) -> Sequence[Prepared]:
    """Prepare the waves in order, each measured against the one before, which may open at the same moment."""
    prepared: list[Prepared] = []
    sealed: list[Sealed] = []
    for examination in made.waves:
        again = _examined_again(store, run, found, examination.wave)
        why = (reason or again.reason or REASON) if again.verdict == "changed" else None
        one = prepare_wave(store, run, found, again, reason=why, also=sealed, as_step=as_task)
        prepared.append(one)
        sealed += [one.sealed] if one.sealed else []
    return prepared


def _examined_again(store: Store, run: Run, found: Intake, wave: str) -> Examination:
    """The examination leaves the views behind that the steps after it read: they are made for one wave at a time."""
    with Ledger.open(run.home.ledger) as ledger:
        return counting.examine(store, ledger, run, survey=found.survey, wave=wave, batches=found.numbers)


def _between(waves: Sequence[str], first: str, last: str) -> list[str]:
    """The waves that the data have from `first` to `last`."""
    ordered = in_order([*waves, first, last])
    chosen = [wave for wave in ordered[ordered.index(first) : ordered.index(last) + 1] if wave in waves]
    if not chosen:
        raise ConfigurationError(
            f"there is no wave from {first} to {last}; the data have: {', '.join(waves) or 'none'}"
        )
    return chosen
