"""Many requests at once on an event loop that lives as long as they take."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def side_by_side(
    call: Callable[[Item], Awaitable[Result]], items: Sequence[Item], *, at_once: int, seconds: float | None = None
) -> list[Result | None]:
    """Call for all items, so many at once; None for what did not end in time, which is given up."""
    if not items:
        return []
    gate = asyncio.Semaphore(at_once)

    async def one(item: Item) -> Result:
        async with gate:
            return await call(item)

    tasks = [asyncio.create_task(one(item)) for item in items]
    _, late = await asyncio.wait(tasks, timeout=None if seconds is None else max(seconds, 0))
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return [None if task in late else task.result() for task in tasks]
