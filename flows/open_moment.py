"""The flow that opens a moment: arm, wait for T, open for everyone, confirm; one task without retries or logs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import deployment as running_deployment

from flows import release
from flows.guard import guarded
from flows.progress import step
from flows.release import Report
from flows.run import Run
from flows.staging import Staged
from flows.summary import summary
from flows.tasks import as_task
from warehouse.ledger import Ledger

LEAD = timedelta(seconds=45)  # a flow's process is up within half a minute; arming needs the rest
NAME = "open_moment/zwerm"


@flow(name="open_moment", persist_result=False)
def open_moment(moment_id: str, config: Path = Path("zwerm.toml")) -> Report:
    """Arm a moment, open all its releases for everyone at T, and confirm who has them.

    Args:
        moment_id: The moment, as `zwerm status` names it.
        config: The path of zwerm.toml.
    """
    return guarded(_open_moment)(moment_id, config)


def _open_moment(moment_id: str, config: Path) -> Report:
    run = Run.begin(config)
    opened = as_task(arm_open_confirm)(run, moment_id)
    create_markdown_artifact(
        key="release", markdown=summary(run, opened), description="What everyone received at this moment"
    )
    return opened


def arm_open_confirm(run: Run, moment_id: str) -> Report:
    """Open the moment; nothing in it waits for Prefect, and the ledger decides what is left to do."""
    with step("Arm, open and confirm") as notes:
        opened = release.open_moment(run.home, run.settings, moment_id)
        notes.append(f"{len(opened.deliveries)} deliveries")
    return opened


def hand_over(run: Run, staged: Staged) -> None:
    """Where deployments are served, have the moment opened by a run of its own, seen and cancelled in Prefect's UI."""
    if staged.moment_id is not None and running_deployment.id is not None:
        schedule(run, staged.moment_id, staged.planned_at)


def schedule(run: Run, moment_id: str, planned_at: datetime | None) -> bool:
    """Schedule the opening of a moment at T less the lead; False where no deployment of it is served."""
    at = planned_at - LEAD if planned_at else datetime.now(UTC)
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
    return True


def _attempt(run: Run, moment_id: str) -> str:
    """What tells one planning of a moment from the next: a cancelled run of the same key would be returned again."""
    with Ledger.open(run.home.ledger) as ledger:
        return f"{len(ledger.events(moment_id=moment_id))}-{run.run_id}"
