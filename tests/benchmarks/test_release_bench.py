"""The short version of `make bench-release`: bounds that a busy host keeps and a sequential loop would not."""

import pytest

from tests.benchmarks.release import bench
from tests.benchmarks.release_bench import Skews

COUNT = 150
RUNS = 3


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Skews]]:
    with bench() as measured:
        return [measured.webhooks(COUNT, run=run) for run in range(RUNS)]


def test_a_release_opens_many_times_closer_together_than_a_sequential_loop(runs: list[dict[str, Skews]]) -> None:
    ours, sequential = (min(run[way].sender for run in runs) for way in ("release", "sequential"))
    assert ours * 10 < sequential


def test_a_release_opens_about_as_close_together_as_bare_sends_can(runs: list[dict[str, Skews]]) -> None:
    ours, floor = (min(run[way].sender for run in runs) for way in ("release", "floor"))
    assert ours < 4 * floor


def test_the_recorded_skew_is_never_less_than_what_the_receivers_kernel_saw(runs: list[dict[str, Skews]]) -> None:
    for ours in (run["release"] for run in runs):
        assert ours.recorded is not None
        assert ours.sender - 0.05 < ours.recorded


def test_every_mailbox_is_written_to_over_the_connections_that_the_server_takes() -> None:
    with bench() as measured:
        measured.emails(10)
        found = measured.emails(200)
    assert found["release"].count == 4
    assert found["release"].sender * 10 < found["sequential"].sender
