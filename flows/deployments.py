"""What is served: each survey's preparation on its schedule, openings, and backfills on demand."""

import asyncio
import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, FlowRun, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from flows.backfill import backfill
from flows.open_moment import DEPLOYMENT, open_moment, schedule
from flows.progress import tell
from flows.run import Run
from flows.runner import Runner, begin_again
from flows.survey import survey_release
from warehouse.ledger import Ledger

UNDER_WAY = [StateType.PENDING, StateType.RUNNING]
WAITING = [StateType.SCHEDULED]


def serve_deployments(run: Run) -> None:
    """Register what is served, plan anew what waits for its moment, and run until told to end."""
    asyncio.run(_serve(run, list(deployments(run))))


async def _serve(run: Run, wanted: Sequence[RunnerDeployment]) -> None:
    runner = Runner(run.home)
    ids = [await runner.aadd_deployment(deployment) for deployment in wanted]
    async with get_client() as client:
        served = DeploymentFilter(id=DeploymentFilterId(any_=ids))
        left = [one for one in await _runs(client, served, UNDER_WAY) if _is_of(one, run)]
        await begin_again(client, [one.id for one in left])  # their runner was killed, and they with it or after it
        waiting = await _runs(client, served, WAITING)
        await asyncio.to_thread(_plan_anew, run, {one.parameters.get("moment_id") for one in waiting})
        signal.signal(signal.SIGINT, runner.handle_sigterm)
        signal.signal(signal.SIGHUP, runner.handle_sigterm)
        await runner.start()
        await begin_again(client, runner.cut_short)


def deployments(run: Run) -> Iterator[RunnerDeployment]:
    """The deployments of a configuration; parameters are names and the configuration's path, never data."""
    config = str(run.settings.file)
    for name, survey in run.settings.surveys.items():
        cron = survey.schedule.cron if survey.schedule else None
        yield _deployment(
            survey_release,
            name,
            {"survey": name, "config": config},
            says=f"Prepares the newest closed wave of {name}, and plans the moment at which everyone gets it.",
            cron=Cron(cron, timezone=run.settings.organisation.timezone) if cron else None,
        )
    yield _deployment(
        open_moment, DEPLOYMENT, {"config": config}, says="Opens a moment for everyone.", is_one_at_a_time=False
    )
    yield _deployment(
        backfill,
        DEPLOYMENT,
        {"config": config},
        says="Releases waves that are new, and revisions of those that changed.",
    )


def _deployment(
    flow: Flow[..., Any],
    name: str,
    parameters: Mapping[str, Any],
    *,
    says: str,
    cron: Any = None,
    is_one_at_a_time: bool = True,
) -> RunnerDeployment:
    deployment = flow.to_deployment(
        name=name,
        parameters=dict(parameters),
        description=says,
        schedule=cron,
        entrypoint_type=EntrypointType.MODULE_PATH,
        concurrency_limit=ConcurrencyLimitConfig(limit=1) if is_one_at_a_time else None,
    )
    assert isinstance(deployment, RunnerDeployment)  # outside an event loop it is no coroutine
    deployment.work_pool_name = deployment.work_queue_name = None  # stated, so that an earlier pool is let go
    return deployment


def _plan_anew(run: Run, waiting: set[Any]) -> None:
    """Schedule every staged moment that no run waits for: what was fetched at the last end was ended with it."""
    with Ledger.open(run.home.ledger) as ledger:
        staged = [
            moment
            for moment in ledger.open_moments()
            if moment.phase == "open"
            and any(release.state == "staged" for release in ledger.releases_of(moment.moment_id))
        ]
    for moment in staged:
        if moment.moment_id not in waiting:
            schedule(run, moment.moment_id, moment.planned_at)
            tell(f"Planned anew: moment {moment.moment_id}")


async def _runs(client: PrefectClient, served: DeploymentFilter, types: list[StateType]) -> list[FlowRun]:
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=types))
    return await client.read_flow_runs(deployment_filter=served, flow_run_filter=FlowRunFilter(state=state))


def _is_of(flow_run: FlowRun, run: Run) -> bool:
    """Whether a run belongs to this configuration; a server of the user's own may have others."""
    return flow_run.parameters.get("config") == str(run.settings.file)
