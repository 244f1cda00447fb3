"""asyncssh lives on an event loop; the loop has a thread of its own, which whoever opens the moment only wakes."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from functools import cached_property
from threading import Thread
from typing import Any, TypeVar

Result = TypeVar("Result")

CONNECTING = 64  # hosts at a time


class Loop:
    """An event loop in a thread of its own, from its first use until it is closed; then it may be used again."""

    @cached_property
    def own(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        loop = asyncio.new_event_loop()
        self._turn = asyncio.Semaphore(CONNECTING)
        self._thread = Thread(target=loop.run_forever, name="zwerm-sftp", daemon=True)
        self._thread.start()
        return loop

    async def in_turn(self, work: Awaitable[Result]) -> Result:
        """Do this there when not too many others are at it: what bounds its time counts from its turn."""
        async with self._turn:
            return await work

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do this there, and wait for what comes of it; the work bounds its own time."""
        return asyncio.run_coroutine_threadsafe(work, self.own).result()

    def close(self) -> None:
        """End it, with what is still under way there."""
        if "own" not in self.__dict__:
            return
        asyncio.run_coroutine_threadsafe(_cancelled(), self.own).result()
        self.own.call_soon_threadsafe(self.own.stop)
        self._thread.join()
        self.own.close()
        del self.own


async def _cancelled() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(*tasks, return_exceptions=True)
