"""The short version of `make bench-release`: bounds that a busy host keeps and a sequential loop would not."""

import sys
from collections.abc import Iterator

import pytest

from tests.benchmarks.release import bench
from tests.benchmarks.release_bench import Bench, Skews

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel's times of arrival are read as Linux tells them"
)

COUNT = 120
RUNS = 2


@pytest.fixture(scope="module")
def measured() -> Iterator[Bench]:
    with bench() as started:
        yield started


@pytest.fixture(scope="module")
def runs(measured: Bench) -> list[dict[str, Skews]]:
    return [measured.webhooks(COUNT, run=run) for run in range(RUNS)]


def test_a_release_opens_many_times_closer_together_than_a_sequential_loop(runs: list[dict[str, Skews]]) -> None:
    ours, sequential = (min(run[way].sender for run in runs) for way in ("release", "sequential"))
    assert ours * 10 < sequential


def test_a_release_opens_about_as_close_together_as_bare_sends_can(runs: list[dict[str, Skews]]) -> None:
    ours, floor = (min(run[way].sender for run in runs) for way in ("release", "floor"))
    assert ours < 5 * floor


def test_the_recorded_skew_is_never_less_than_what_the_receivers_kernel_saw(runs: list[dict[str, Skews]]) -> None:
    for ours in (run["release"] for run in runs):
        assert ours.recorded is not None
        assert ours.sender - 0.05 < ours.recorded


def test_every_mailbox_is_written_to_at_one_moment_over_the_connections_that_a_server_takes(measured: Bench) -> None:
    measured.emails(10)
    found = measured.emails(200)
    assert found["release"].count == 4
    assert found["release"].sender * 10 < found["sequential"].sender


def test_who_reads_slowly_opens_a_long_sealed_release_as_soon_as_the_others(measured: Bench) -> None:
    found = measured.slow_readers(10)
    assert found["sealed_1mb"].opened * 5 < found["plain_1mb"].opened
