"""Runs what is served, and keeps Prefect's runs and the ledger's moments in step."""

import asyncio
import signal
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments.runner import RunnerDeployment

from flows.errors import HeldError
from flows.open_moment import schedule
from flows.orchestration.deployments import deployments
from flows.orchestration.runner import Runner, begin_again
from flows.progress import tell
from flows.releasing.holding import hold_moment
from flows.releasing.planning import CHANGED
from flows.releasing.waiting import CANCELLED
from flows.run import Run
from warehouse.ledger import Ledger
from warehouse.records import Moment

UNDER_WAY = (StateType.PENDING, StateType.RUNNING)
WAITING = (StateType.SCHEDULED,)
HEED_SECONDS = 5
RECENT = 50


def serve_deployments(run: Run, *, on_ready: Callable[[], None]) -> None:
    """Register what is served, plan anew what waits for its moment, and run until told to end."""
    asyncio.run(_serve(run, list(deployments(run)), on_ready))


async def _serve(run: Run, wanted: Sequence[RunnerDeployment], on_ready: Callable[[], None]) -> None:
    runner = Runner(run.home)
    ids = [await runner.aadd_deployment(deployment) for deployment in wanted]
    async with get_client() as client:
        await _forget_others(client, ids, run)
        await _begin(client, ids, run)
        signal.signal(signal.SIGINT, runner.handle_sigterm)
        signal.signal(signal.SIGHUP, runner.handle_sigterm)
        on_ready()
        heeding = asyncio.create_task(_keep_heeding(client, ids, run))
        try:
            await runner.start()
        finally:
            heeding.cancel()
        await begin_again(client, runner.cut_short)


async def _forget_others(client: PrefectClient, ids: Sequence[UUID], run: Run) -> None:
    """Delete the deployments of surveys that the configuration does not name any more: nobody would run them."""
    for deployment in await client.read_deployments(offset=0, limit=200):
        if deployment.parameters.get("config") == str(run.settings.file) and deployment.id not in ids:
            await client.delete_deployment(deployment.id)


async def _begin(client: PrefectClient, ids: Sequence[UUID], run: Run) -> None:
    """Take up what an earlier `serve` left: runs cut short by a kill, cancelled openings, staged moments."""
    left = [
        one for one in await _runs(client, ids, UNDER_WAY) if one.parameters.get("config") == str(run.settings.file)
    ]
    await begin_again(client, [one.id for one in left])
    await _heed_cancelled(client, ids, run)
    waiting = await _runs(client, ids, WAITING)
    await asyncio.to_thread(_plan_anew, run, _moments(waiting))


def _plan_anew(run: Run, waiting: Collection[str]) -> None:
    """Schedule every staged moment that no run waits for."""
    with Ledger.open(run.home.ledger) as ledger:
        staged = [moment for moment in ledger.open_moments() if _is_staged(ledger, moment)]
    _plan(run, staged, waiting)


async def _follow_calendar(client: PrefectClient, ids: Sequence[UUID], run: Run, *, followed: set[str]) -> None:
    """Schedule what another process moved because the calendar was changed: the run of its old time may be too late."""
    moved = [m for m in await asyncio.to_thread(moved_by_calendar, run) if m.moment_id not in followed]
    if moved:
        known = _moments(await _runs(client, ids, (*WAITING, *UNDER_WAY)))
        await asyncio.to_thread(_plan, run, moved, known)
        followed |= {moment.moment_id for moment in moved}  # once: a run that fails is not begun for ever


def moved_by_calendar(run: Run) -> list[Moment]:
    """The staged moments that have their time because an entry in the calendar was changed."""
    if not run.home.ledger.exists():
        return []
    with Ledger.open(run.home.ledger) as ledger:
        moved = {e.moment_id for e in ledger.events(kinds=("moved",)) if e.detail["reason"] == CHANGED}
        return [m for m in ledger.open_moments() if m.moment_id in moved and _is_staged(ledger, m)]


def _plan(run: Run, moments: Iterable[Moment], waiting: Collection[str]) -> None:
    for moment in moments:
        if moment.moment_id not in waiting:
            schedule(run, moment.moment_id, moment.planned_at)
            tell(f"Planned anew: moment {moment.moment_id}")


async def _keep_heeding(client: PrefectClient, ids: Sequence[UUID], run: Run) -> None:
    followed: set[str] = set()
    while True:
        await asyncio.sleep(HEED_SECONDS)
        with suppress(HTTPError):  # the server may be slow or away for a while
            await _heed_cancelled(client, ids, run)
            await _follow_calendar(client, ids, run, followed=followed)


async def _heed_cancelled(client: PrefectClient, ids: Sequence[UUID], run: Run) -> None:
    """Hold the moments whose opening somebody cancelled before it had come so far that it could have done so itself."""
    at: dict[str, datetime] = {}
    for one in await _runs(client, ids, (StateType.CANCELLED,), most=RECENT):
        for moment_id in _moments([one]):
            if one.state is not None:
                at[moment_id] = max(one.state.timestamp, at.get(moment_id, one.state.timestamp))
    if at:
        await asyncio.to_thread(_hold_cancelled, run, at)


def _hold_cancelled(run: Run, cancelled_at: Mapping[str, datetime]) -> None:
    with Ledger.open(run.home.ledger) as ledger:
        for moment in ledger.open_moments():
            at = cancelled_at.get(moment.moment_id)
            staged = ledger.events(kinds=("staged",), moment_id=moment.moment_id)
            if at is None or not staged or staged[-1].at > at or not _is_staged(ledger, moment):
                continue  # what was staged again afterwards is meant to open
            try:
                hold_moment(ledger, run.home, run.settings, moment, reason=CANCELLED)
            except HeldError as error:
                tell(str(error))


def _is_staged(ledger: Ledger, moment: Moment) -> bool:
    releases = ledger.releases_of(moment.moment_id)
    return moment.phase == "open" and any(release.state == "staged" for release in releases)


def _moments(runs: Iterable[FlowRun]) -> set[str]:
    return {str(one.parameters["moment_id"]) for one in runs if "moment_id" in one.parameters}


async def _runs(
    client: PrefectClient, ids: Sequence[UUID], types: Sequence[StateType], *, most: int | None = None
) -> list[FlowRun]:
    """The served runs in such a state, the newest first."""
    return await client.read_flow_runs(
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=list(ids))),
        flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=most,
    )
