"""Runs what is served: each flow in a process and a session of its own, and an end that takes all of them along."""

import asyncio
import logging
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Self
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner as PrefectRunner
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.states import AwaitingRetry
from prefect.utilities.processutils import command_to_string

from flows.home import Home
from flows.releasing.publication import LEASE
from warehouse.leases import held_by
from warehouse.ledger import Ledger

QUERY_SECONDS = 2
PREFETCH_SECONDS = 30  # a flow's process starts this long before its time: imports take seconds
COMPLETES_WITHIN_SECONDS = 45  # what is past its commit is let end
STOPPED = "Zwerm was stopped; this begins again when it is served again."


class Runner(PrefectRunner):
    """Prefect's runner, with an end that is clean and whole.

    What was under way is killed, which is what the release protocol is made for: nothing of it was sent, and the next
    start begins it again. Asking the flows politely would hold every release that waits for its moment. A moment that
    is past its commit is let finish.
    """

    def __init__(self, home: Home) -> None:
        super().__init__(
            name="zwerm",
            query_seconds=QUERY_SECONDS,
            prefetch_seconds=PREFETCH_SECONDS,
            limit=None,
            pause_on_shutdown=False,
        )
        self._home = home
        self._tmp_dir = home.prefect / "runner"  # not in a folder that everyone may write to
        self._is_ending = False
        self.cut_short: set[UUID] = set()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._scheduled_run_poller._resolve_starter = self._starter
        return self

    def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:
        """End: flows first, then this; a second signal changes nothing."""
        if self._loop is None:
            sys.exit(0)  # nothing runs yet
        if not self._is_ending:
            self._is_ending = True
            self._loop.call_soon_threadsafe(self._begin_to_end)

    async def cancel_all(self) -> None:
        """Kill the flows that are under way or about to begin, but for a moment that is past its commit."""
        while under_way := set(self._scheduled_run_poller._submitting_flow_run_ids):
            self.cut_short |= under_way
            await asyncio.gather(*(self._end(run_id) for run_id in under_way & self._process_manager.flow_run_ids()))
            await asyncio.sleep(0.1)

    def _begin_to_end(self) -> None:
        logging.getLogger("prefect.runner").setLevel(logging.CRITICAL)  # killed processes are meant
        self._ending = asyncio.ensure_future(self._wind_down())

    async def _wind_down(self) -> None:
        while not self.started:
            await asyncio.sleep(0.05)
        await self.astop()

    async def _end(self, run_id: UUID) -> None:
        handle = self._process_manager.get(run_id)
        if handle is not None and handle.pid is not None and self._is_committed(handle.pid):
            await self._process_manager.wait_for_exit(run_id, COMPLETES_WITHIN_SECONDS)
        await self._process_manager.kill(run_id, force=True)

    def _is_committed(self, pid: int) -> bool:
        """Whether a process has released its moment and is about to confirm it."""
        with Ledger.open(self._home.ledger) as ledger:
            holder = held_by(ledger, LEASE)
            if holder is None or holder.pid != pid or holder.moment_id is None:
                return False
            moment = ledger.moment(holder.moment_id)
            return moment is not None and moment.phase == "released"

    def _starter(self, flow_run: FlowRun) -> EngineCommandStarter:
        """A session of its own, or Ctrl-C at the terminal would reach the flows before this process can decide."""
        known = flow_run.deployment_id and self._deployment_registry.get_deployment_name(flow_run.deployment_id)
        return EngineCommandStarter(
            tmp_dir=self._tmp_dir,
            env={"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"},  # the flow tells by itself why it stopped
            command=command_to_string([sys.executable, "-m", "flows.orchestration.flow_process"]),
            deployment_name=known or None,
            control_channel=self._control_channel,
            isolate_process_group=True,
        )


async def begin_again(client: PrefectClient, run_ids: Iterable[UUID]) -> None:
    """Have runs whose process ended before its time begin again, as the same runs, by whoever serves next."""
    for run_id in run_ids:
        with suppress(ObjectNotFound):
            run = await client.read_flow_run(run_id)
            if run.state is not None and not (run.state.is_completed() or run.state.is_failed()):
                await client.set_flow_run_state(run_id, AwaitingRetry(message=STOPPED), force=True)
