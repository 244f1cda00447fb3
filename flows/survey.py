"""The flow that prepares a wave: fetched, checked, computed, protected, sealed and staged for its moment."""

from pathlib import Path

from prefect import flow

from flows.open_moment import hand_over
from flows.orchestration.tasks import Outcome, as_task, patience, told
from flows.preparing.steps import prepare
from flows.releasing.planning import moment_at, require_reason
from flows.releasing.staging import Staged, stage_together
from flows.run import Run


@flow(name="survey_release", persist_result=False)
def survey_release(
    survey: str,
    wave: str | None = None,
    at: str | None = None,
    revise: bool = False,
    reason: str | None = None,
    material: bool = False,
    config: Path = Path("zwerm.toml"),
) -> Staged:
    """Fetch a wave, check it, compute it, protect and seal it, and plan the moment at which everyone gets it.

    Args:
        survey: The survey's name in zwerm.toml.
        wave: The wave, such as 2026-10; empty: the newest that is closed.
        at: The moment, 09:30 (its next) or 2026-12-08T09:30, in the organisation's zone; empty: as configured.
        revise: Release a revision where a released wave has changed since.
        reason: Why a revision is made; printed on its pages.
        material: Let all late answers in at once; this discloses, and is recorded.
        config: The path of zwerm.toml.
    """
    return told(_survey_release)(survey, wave, at=at, revise=revise, reason=reason, material=material, config=config)


def _survey_release(
    survey: str,
    wave: str | None,
    *,
    at: str | None,
    revise: bool,
    reason: str | None,
    material: bool,
    config: Path,
) -> Outcome[Staged]:
    require_reason(revise=revise, material=material, reason=reason)
    run = Run.begin(config, patience=patience())
    if at is not None:
        moment_at(run.settings, at, now=run.now)
    prepared = prepare(run, survey, wave, may_revise=revise, reason=reason, material=material, as_step=as_task)
    staged = as_task(stage_together)(run, [prepared], at=at)
    return Outcome(staged, hand_over(run, staged))
