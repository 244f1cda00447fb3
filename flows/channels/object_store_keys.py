"""The keys of one moment: threads that wait, and put them side by side when one of them is woken at T.

Threads and no event loop, because a put waits without Python's lock, while a loop that is busy keeps it for
milliseconds from whoever opens the other ways out at the same time.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Event, Thread

from flows.channels.object_store_bucket import BucketError
from flows.channels.parcels import Parcel

WAIT_SECONDS = 10.0  # for T, which is half a second away when the threads begin
AT_ONCE = 256  # connections at most; so many were open before T


class Keys:
    """What waking is one call that never waits; each store's acknowledgement is a future of its own."""

    def __init__(self, puts: Mapping[Parcel, Callable[[], None]]) -> None:
        self.answers: Mapping[Parcel, Future[datetime]] = {parcel: Future() for parcel in puts}
        self._puts = puts
        self._queue: SimpleQueue[Parcel] = SimpleQueue()
        for parcel in puts:
            self._queue.put(parcel)
        self._first, self._all = Event(), Event()
        self._is_called_off = False
        for number in range(min(len(puts), AT_ONCE)):
            Thread(target=self._work, args=(number == 0,), name=f"zwerm-object-store-{number}").start()

    def wake(self) -> None:
        """Have all keys put; this is the open itself: it wakes one thread, which wakes the others."""
        self._first.set()

    def call_off(self) -> None:
        """Have none put, where the moment does not come."""
        self._is_called_off = True
        self.wake()

    def _work(self, is_first: bool) -> None:
        mine = self._first if is_first else self._all
        is_woken = mine.wait(WAIT_SECONDS)
        self._all.set()
        while is_woken and not self._is_called_off:
            try:
                parcel = self._queue.get_nowait()
            except Empty:
                return
            self._put(parcel)

    def _put(self, parcel: Parcel) -> None:
        answer = self.answers[parcel]
        try:
            self._puts[parcel]()
            answer.set_result(datetime.now(UTC))
        except BucketError as error:
            answer.set_exception(error)
        except Exception as error:  # whatever it is, one store's fault is not another's, and its text stays inside
            answer.set_exception(BucketError(f"the key could not be put ({type(error).__name__})"))
