"""What is served: each survey's preparation on its schedule, openings, and backfills on demand."""

from collections.abc import Iterator
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.backfill import backfill
from flows.errors import ConfigurationError
from flows.open_moment import DEPLOYMENT, open_moment
from flows.preparing.seal import safe_name
from flows.run import Run
from flows.survey import survey_release


def deployments(run: Run) -> Iterator[RunnerDeployment]:
    """The deployments of a configuration; parameters are names and the configuration's path, never data."""
    for name in run.settings.surveys:
        yield _deployment(
            run,
            survey_release,
            safe_name(name) if set(name) & set("/%") else name,
            says=f"Prepares the newest closed wave of {name}, and plans the moment at which everyone gets it.",
            survey=name,
            schedule=_schedule(run, name),
        )
    yield _deployment(run, open_moment, DEPLOYMENT, says="Opens a moment for everyone.", is_one_at_a_time=False)
    yield _deployment(
        run, backfill, DEPLOYMENT, says="Releases waves that are new, and revisions of those that changed."
    )


def _schedule(run: Run, name: str) -> Schedule | None:
    said = run.settings.surveys[name].schedule
    try:
        return Cron(said.cron, timezone=run.settings.organisation.timezone) if said else None
    except ValueError:
        assert said is not None
        raise ConfigurationError(
            f"{run.settings.file}, surveys.{name}.schedule: '{said.cron}' is not a cron schedule. "
            "Write minute, hour, day, month, day of the week: 0 6 3 * * is 06:00 on the third of each month"
        ) from None


def _deployment(
    run: Run,
    flow: Flow[..., Any],
    name: str,
    *,
    says: str,
    survey: str | None = None,
    schedule: Schedule | None = None,
    is_one_at_a_time: bool = True,
) -> RunnerDeployment:
    deployment = flow.to_deployment(
        name=name,
        parameters={"config": str(run.settings.file)} | ({"survey": survey} if survey else {}),
        description=says,
        schedules=[schedule] if schedule else [],  # none at all takes an earlier one away
        entrypoint_type=EntrypointType.MODULE_PATH,
        concurrency_limit=ConcurrencyLimitConfig(limit=1) if is_one_at_a_time else None,
    )
    assert isinstance(deployment, RunnerDeployment)  # outside an event loop it is no coroutine
    deployment.work_pool_name = deployment.work_queue_name = None  # stated, so that an earlier pool is let go
    return deployment
