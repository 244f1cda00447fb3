"""What each call of the command does, between reading the configuration and printing the result."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.command.rehearsal import rehearse, strangers
from flows.command.status.one_release import held
from flows.errors import ConfigurationError, FlowError, HeldError
from flows.guard import OUR_OWN, code, says
from flows.orchestration.orchestrator import server, wait_until_up
from flows.progress import be_quiet, step, tell
from flows.releasing import moment
from flows.releasing.planning import moment_at, require_reason
from flows.releasing.recover import LACKS, complete, known
from flows.releasing.recover import recover as recover_home
from flows.releasing.recover import retry as retry_home
from flows.releasing.staging import Staged
from flows.run import Run
from warehouse.ledger import Ledger


def run(
    *,
    config: Path,
    survey: str | None,
    wave: str | None,
    at: str | None,
    revise: bool,
    reason: str | None,
    material: bool,
    quiet: bool,
) -> dict[str, Any]:
    """Prepare the wave of each survey, and open what came of it; one survey in trouble keeps no other back."""
    require_reason(revise=revise, material=material, reason=reason)
    begun, recovered = _begin(config, quiet, at=at)
    names = [survey] if survey else list(begun.settings.surveys)
    for name in names:
        begun.survey(name)
    with prefect_for(begun):
        from flows.survey import survey_release

        staged, troubles = [], []
        for name in names:
            try:
                one = survey_release(name, wave, at=at, revise=revise, reason=reason, material=material, config=config)
            except OUR_OWN as error:
                troubles.append(error)
            else:
                staged.append(one)
        return _opened(begun, staged, recovered, troubles)


def check(*, config: Path, survey: str | None, quiet: bool) -> dict[str, Any]:
    """Rehearse one survey, or each."""
    if quiet:
        be_quiet()
    begun = Run.begin(config)
    names = [survey] if survey else list(begun.settings.surveys)
    rehearsals = [rehearse(begun, name) for name in names]
    stops = [rehearsal.survey for rehearsal in rehearsals if rehearsal.stops]
    unknown = strangers(begun, rehearsals)
    left_out = [rehearsal.survey for rehearsal in rehearsals if rehearsal.is_held]
    return {
        "stops": bool(stops),
        "is_held": bool(left_out),
        "errors": [
            *(f"{survey}: a check would stop the run" for survey in stops),
            *(f"{survey}: a release would be held, as the audience leaves somebody out" for survey in left_out),
        ],
        "surveys": {rehearsal.survey: {"lines": rehearsal.lines, **rehearsal.facts} for rehearsal in rehearsals},
        "strangers": [asdict(one) for one in unknown],
        "lines": [
            *(line for rehearsal in rehearsals for line in (*rehearsal.lines, "")),
            *(one.remark for one in unknown),
        ],
    }


def backfill(
    *,
    config: Path,
    survey: str,
    first: str,
    last: str,
    reason: str | None,
    at: str | None,
    dry_run: bool,
    quiet: bool,
) -> dict[str, Any]:
    """Release what is new or changed between two waves."""
    begun, recovered = _begin(config, quiet, at=at)
    begun.survey(survey)
    with prefect_for(begun):
        from flows.backfill import backfill as flow

        plan, staged = flow(survey, first, last, reason=reason, at=at, dry_run=dry_run, config=config)
        if dry_run:
            return {"plan": plan.facts, "lines": plan.lines, "exit_code": 0}
        return {"plan": plan.facts, **_opened(begun, [staged], recovered)}


def release(
    *,
    config: Path,
    release: str | None,
    retry: bool,
    withdraw: bool,
    reason: str | None,
    at: str | None,
    quiet: bool,
) -> dict[str, Any]:
    """Stage what is held again and open it, or take back what is not out."""
    if retry == withdraw:
        raise ConfigurationError("say what to do with the release: --retry or --withdraw")
    if withdraw and not (release and reason):
        raise ConfigurationError('name what to withdraw, and why: zwerm release RELEASE --withdraw --reason "…"')
    begun, recovered = _begin(config, quiet, at=at)
    is_out = release is not None and _is_out(begun, release)
    if withdraw and release and reason:
        gone = moment.withdraw(begun.home, begun.settings, release, reason=reason)
        lines = [f"{name} is withdrawn, and everyone is told." for name in gone]
        return {"withdrawn": gone, "lines": lines, "exit_code": 0}
    planned_at = moment_at(begun.settings, at, now=begun.now) if at else None
    if release is None or is_out:
        completed = complete(begun.home, begun.settings, release)
        if release is not None or not _waiting(begun):
            return _told(completed, otherwise="Everyone has it." if release else "Nothing is held.")
    with prefect_for(begun):
        moments = retry_home(begun.home, begun.settings, release, at=planned_at)
        return _opened(begun, [Staged((), moments)], recovered)


def recover(*, config: Path, quiet: bool) -> dict[str, Any]:
    """Finish or undo what a killed run left behind."""
    _, recovered = _begin(config, quiet)
    return {"recovered": recovered, "lines": [] if recovered else ["Nothing was left behind."]}


def _begin(config: Path, quiet: bool, *, at: str | None = None) -> tuple[Run, list[str]]:
    """Read what was called with, and settle what a killed run left behind, which is told at once."""
    if quiet:
        be_quiet()
    begun = Run.begin(config)
    if at is not None:
        moment_at(begun.settings, at, now=begun.now)
    recovered = recover_home(begun.home, begun.settings)
    for line in recovered:
        tell(f"recovered: {line}")
    return begun, recovered


def _told(completed: Sequence[str], *, otherwise: str) -> dict[str, Any]:
    """Who has it by now, and who still not, which is no success."""
    lacks = any(line.endswith(LACKS) for line in completed)
    return {"releases": [], "completed": completed, "lines": completed or [otherwise], "exit_code": int(lacks)}


def _is_out(begun: Run, release_id: str) -> bool:
    """Whether a release, which must be known, is out: a retry of it goes to those who lack it."""
    with Ledger.open(begun.home.ledger) as ledger:
        return known(ledger, begun.home, release_id).is_out


def _waiting(begun: Run) -> bool:
    """Whether anything is sealed and neither out nor withdrawn."""
    with Ledger.open(begun.home.ledger) as ledger:
        return bool(ledger.pending())


@contextmanager
def prefect_for(begun: Run) -> Iterator[None]:
    """A Prefect server that is up; it starts while what is heavy is imported. Errors are told once, by the command."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    with server(begun.home) as address:
        with step("Start Prefect"):
            import prefect  # noqa: F401  # takes seconds, as the server does

            wait_until_up(begun.home, address)
        yield


def _opened(
    begun: Run, staged: Sequence[Staged], recovered: list[str], troubles: Sequence[Exception] = ()
) -> dict[str, Any]:
    """Open each moment that something waits for, the soonest first; several surveys may share one."""
    from flows.command.summary import counted, deliveries, facts, stands, title
    from flows.open_moment import open_moment

    lines: list[str] = []
    for prepared in (prepared for one in staged for prepared in one.prepared if prepared.sealed is None):
        lines += [stands(begun, prepared), *[f"  {line}" for line in counted(prepared.examination)]]
    moments = {moment.moment_id: moment.planned_at for one in staged for moment in one.moments}
    reports, errors = [], list(troubles)
    for moment_id in sorted(moments, key=lambda name: (moments[name] is not None, moments[name])):
        try:
            opened = open_moment(moment_id, config=begun.settings.file)
        except OUR_OWN as error:
            errors.append(error)
            continue
        reports.append(opened)
        for release in opened.releases:
            lines += [f"{title(begun, release)} is out.", *[f"  {line}" for line in facts(begun, release)]]
        lines += [f"  {line}" for line in deliveries(opened)]
    is_held = any(isinstance(error, HeldError) for error in errors)
    told = held(begun) if is_held else []
    if len(errors) == 1 and not lines:
        if isinstance(errors[0], FlowError):
            errors[0].facts = {"recovered": recovered, "held": told}
        raise errors[0]
    return {
        "recovered": recovered,
        "held": told,
        "releases": [release.release_id for opened in reports for release in opened.releases],
        "skew_ms": [opened.skew_ms for opened in reports],
        "errors": [says(error) for error in errors],
        "lines": [*lines, *(f"zwerm: {says(error)}" for error in errors)],
        "exit_code": max((code(error) for error in errors), default=0),
    }
