"""The keys of one moment: a thread that waits, and puts them all side by side when it is woken at T."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread

from flows.channels.connections import TIME_UP
from flows.channels.object_store_bucket import BucketError
from flows.channels.parcels import Parcel

WAIT_SECONDS = 120.0  # for T, which is half a second away when the thread begins
START_SECONDS = 5.0
PUT_SECONDS = 10.0
AT_ONCE = 256  # connections at most; so many were open before T


class Keys:
    """What waking is one call that never waits; each store's acknowledgement is a future of its own."""

    def __init__(self, puts: Mapping[Parcel, Callable[[], Awaitable[None]]]) -> None:
        self.answers: Mapping[Parcel, Future[datetime]] = {parcel: Future() for parcel in puts}
        self._puts = puts
        self._is_up = Event()
        self._is_called_off = False
        Thread(target=asyncio.run, args=(self._run(),), name="zwerm-object-store", daemon=True).start()
        if not self._is_up.wait(START_SECONDS):
            raise BucketError("the thread that puts the keys did not begin in time")

    def wake(self) -> None:
        """Have all keys put; this is the open itself."""
        self._loop.call_soon_threadsafe(self._signal.set)

    def call_off(self) -> None:
        """Have none put, where the moment does not come."""
        self._is_called_off = True
        with suppress(RuntimeError):  # the thread has ended
            self.wake()

    async def _run(self) -> None:
        self._loop, self._signal, self._gate = asyncio.get_running_loop(), asyncio.Event(), asyncio.Semaphore(AT_ONCE)
        tasks = [asyncio.create_task(self._put(parcel)) for parcel in self._puts]
        self._is_up.set()
        await asyncio.gather(*tasks)

    async def _put(self, parcel: Parcel) -> None:
        answer = self.answers[parcel]
        try:
            await asyncio.wait_for(self._signal.wait(), WAIT_SECONDS)
            if self._is_called_off:
                answer.cancel()
                return
            async with self._gate:
                await asyncio.wait_for(self._puts[parcel](), PUT_SECONDS)
            answer.set_result(datetime.now(UTC))
        except TimeoutError:
            answer.set_exception(BucketError(f"the object store {TIME_UP}"))
        except BucketError as error:
            answer.set_exception(error)
        except Exception as error:  # whatever it is, one store's fault is not another's, and its text stays inside
            answer.set_exception(BucketError(f"the key could not be put ({type(error).__name__})"))
