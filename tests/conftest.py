"""What all rooms' tests share: the real survey files, where they are to be had."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from flows import progress

# How long an example takes says more of the host than of the code.
settings.register_profile("here", deadline=None, max_examples=50)
settings.load_profile("here")

# Whoever shares the files out among processes begins with these, so that nobody waits for one of them in the end; those
# that wait for clocks beside those that compute.
LONGEST = (
    "chaos/test_chaos.py",
    "flows/test_demo.py",
    "flows/test_serve.py",
    "attack/test_attack.py",
    "chaos/test_whole_run.py",
    "flows/test_release.py",
    "flows/test_deterministic.py",
    "flows/test_killed_runs.py",
    "flows/test_survey_flow.py",
    "flows/test_recover.py",
    "flows/test_state_machine.py",
    "flows/test_two_schedulers.py",
    "flows/test_backfill.py",
    "flows/test_canary.py",
    "attack/test_published.py",
    "flows/test_valuing.py",
    "attack/test_replay.py",
    "flows/test_orchestrator.py",
    "flows/test_checking.py",
    "flows/test_whole_way.py",
    "flows/test_register.py",
    "flows/test_complaints.py",
    "test_readme.py",
    "transforms/test_revisions.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, and all others in their order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    if gone := [path for path in places if not path.is_file()]:
        raise pytest.UsageError(
            f"tests/conftest.py names {', '.join(map(str, gone))}, which is not there: name it anew"
        )
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(autouse=True)
def the_process_as_it_was() -> Iterator[None]:
    """What the command changes of its own process (the umask, the folder, that it is quiet) ends with the test.

    An interrupt interrupts, also where the tests were started in the background, whose processes ignore it.
    """
    umask = os.umask(0o022)
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    progress.be_heard()
    folder = Path.cwd()
    yield
    signal.signal(signal.SIGINT, interrupt)
    os.umask(umask)
    os.chdir(folder)


@pytest.fixture(scope="session")
def survey_data() -> Path:
    """The folder with the real surveys; without it the test is skipped and says where the files come from."""
    folder = os.environ.get("ZWERM_TEST_DATA")
    if not folder:
        pytest.skip(
            "set ZWERM_TEST_DATA to a folder with sfo-2017/responses.csv (DataSF, San Francisco airport survey 2017) "
            "and r-community-2018/responses.tsv (github.com/rstudio/r-community-survey)"
        )
    return Path(folder)
