"""After T what failed is tried again until the deadline, at growing intervals."""

import time
from collections.abc import Iterator, Sequence
from itertools import chain, repeat

PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)  # seconds


def pauses(seconds: Sequence[float], *, deadline: float) -> Iterator[float]:
    """How long to wait before each further try: the last one from then on, and none that ends after the deadline."""
    for pause in chain(seconds, repeat(seconds[-1])):
        if time.monotonic() + pause >= deadline:
            return
        yield pause


def tries(seconds: Sequence[float], *, deadline: float) -> Iterator[None]:
    """Each try when its pause is over."""
    for pause in pauses(seconds, deadline=deadline):
        time.sleep(pause)
        yield
