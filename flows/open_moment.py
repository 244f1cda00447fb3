"""The flow that opens a moment: arm, wait for T, open for everyone, confirm; one task without retries or logs."""

import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from httpx import HTTPError
from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import DeploymentStatus
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from flows import release
from flows.command.summary import deliveries, stands, summary
from flows.errors import HeldError
from flows.guard import OUR_OWN
from flows.orchestration.tasks import Outcome, as_task, is_served, told
from flows.preparing.checking import check_published
from flows.progress import counted, step
from flows.release import Report
from flows.releasing.staging import Staged, told_time
from flows.run import Run
from warehouse.ledger import Ledger
from warehouse.records import Moment

DEPLOYMENT = "zwerm"
NAME = f"open_moment/{DEPLOYMENT}"
LEAD = timedelta(seconds=45)  # a flow's process is up within half a minute; arming needs the rest
BEFORE_ARMING = timedelta(seconds=15)  # of a moment that takes longer to arm
NEAR = LEAD + timedelta(seconds=15)  # too near for another process: who prepared it opens it
ATTEMPTS = 3  # right after a runner's start, scheduling may fail once


@flow(name="open_moment", persist_result=False)
def open_moment(moment_id: str, config: Path = Path("zwerm.toml")) -> Report:
    """Arm a moment, open all its releases for everyone at T, and confirm who has them.

    Args:
        moment_id: The moment, as `zwerm status` names it.
        config: The path of zwerm.toml.
    """
    return told(_open_moment)(moment_id, config)


def _open_moment(moment_id: str, config: Path) -> Outcome[Report]:
    opened = open_here(Run.begin(config), moment_id)
    return Outcome(opened, _words(opened))


def open_here(run: Run, moment_id: str) -> Report:
    """Open the moment in this process, and leave in Prefect what came of it."""
    opened = as_task(arm_open_confirm)(run, moment_id)
    try:
        as_task(check_again)(run, opened)
    except OUR_OWN as error:  # it is out all the same, and that is told first
        opened = replace(opened, breaches=(*opened.breaches, str(error)))
    with suppress(HTTPError):  # Prefect may be away; what was opened stays open
        create_markdown_artifact(
            key="release", markdown=summary(run, opened), description="What everyone received at this moment"
        )
    return opened


def arm_open_confirm(run: Run, moment_id: str) -> Report:
    """Open the moment; nothing in it waits for Prefect, and the ledger decides what is left to do."""
    with step("Arm, open and confirm") as notes:
        opened = release.open_moment(run.home, run.settings, moment_id)
        notes.append(counted(len(opened.deliveries), "delivery"))
    return opened


def check_again(run: Run, opened: Report) -> None:
    """Check what everyone reads now, after the release as before it."""
    with step("Check what is published"):
        check_published(run, opened)


def hand_over(run: Run, staged: Staged) -> str:
    """Have what a served run staged opened, and say how: by a run of its own; here where none is served or T is near.

    A run of its own is seen, and can be cancelled, in Prefect's pages. On the command line, who called opens it.
    """
    if not staged.moments or not is_served():
        return " ".join(stands(run, one) for one in staged.prepared if one.sealed is None)
    said, held = [], []
    for moment in staged.moments:
        try:
            said.append(_handed_over(run, moment))
        except HeldError as error:  # the others are not held for it
            held.append(error)
    if held:
        raise held[0]
    return " ".join(said)


def _handed_over(run: Run, moment: Moment) -> str:
    is_near = moment.planned_at is not None and moment.planned_at - datetime.now(UTC) < NEAR
    if not is_near:
        with suppress(HTTPError):  # Prefect may be away; the moment waits for nobody
            if _is_opening_served() and schedule(run, moment.moment_id, moment.planned_at):
                return told_time(run, moment.planned_at)
    return _words(open_here(run, moment.moment_id))


def schedule(run: Run, moment_id: str, planned_at: datetime | None) -> bool:
    """Schedule the opening of a moment at T less the lead; False where no deployment of it is known."""
    at = planned_at - _lead(run, moment_id) if planned_at else datetime.now(UTC)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            run_deployment(
                name=NAME,
                parameters={"moment_id": moment_id, "config": str(run.settings.file)},
                scheduled_time=max(at, datetime.now(UTC)),
                timeout=0,
                as_subflow=False,
                idempotency_key=f"{moment_id}-{_attempt(run, moment_id)}",
            )
        except ObjectNotFound:
            return False
        except HTTPError:
            if attempt == ATTEMPTS:
                raise
            time.sleep(attempt)
        else:
            return True
    return False


def _lead(run: Run, moment_id: str) -> timedelta:
    with Ledger.open(run.home.ledger) as ledger:
        arming = release.lead_of(ledger, run.settings, moment_id)
    return max(LEAD, timedelta(seconds=arming) + BEFORE_ARMING)


def _words(opened: Report) -> str:
    return "; ".join(deliveries(opened))


def _is_opening_served() -> bool:
    """Whether somebody asks for openings to run: what nobody runs would miss its moment."""
    with get_client(sync_client=True) as client:
        try:
            return client.read_deployment_by_name(NAME).status == DeploymentStatus.READY
        except ObjectNotFound:
            return False


def _attempt(run: Run, moment_id: str) -> str:
    """What tells one planning of a moment from the next: a cancelled run of the same key would be returned again."""
    with Ledger.open(run.home.ledger) as ledger:
        return f"{len(ledger.events(moment_id=moment_id))}-{run.run_id}"
