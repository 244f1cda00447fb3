"""Three releases of the demo's survey in a process of its own, on a day and with as many threads as it is told.

`python -m tests.flows.sealing FOLDER DAY THREADS` prints as JSON how many threads DuckDB had, and each manifest.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from flows.demo.generate import write_late_answers
from flows.demo.organisation import WAVES
from flows.home import Home
from flows.preparing.seal import read_manifest
from flows.run import Run
from tests.flows.whole import Survey
from warehouse import store


def main(folder: Path, day: str, threads: int) -> dict[str, Any]:
    """Two waves, and a revision of the second; the folder has the exports, the configuration and the secret."""
    connected: Callable[..., Any] = store._connected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            store, "_connected", lambda path, scratch, _, read_only: connected(path, scratch, threads, read_only)
        )
        with time_machine.travel(datetime.fromisoformat(day).replace(tzinfo=UTC), tick=True):
            manifests = list(_three_releases(folder))
        with Run.begin(folder / "zwerm.toml").store() as opened:
            counted = opened.rows("select current_setting('threads')")[0][0]
    return {"threads": counted, "manifests": manifests}


def _three_releases(folder: Path) -> Iterator[dict[str, Any]]:
    survey = Survey(folder)
    for wave, is_revision in ((WAVES[0], False), (WAVES[1], False), (WAVES[1], True)):
        if is_revision:
            write_late_answers(folder)
        report = survey.release(wave, survey="passengers", may_revise=is_revision)
        assert report is not None
        for release in report.releases:
            yield read_manifest(Home(folder).releases / release.release_id)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))), flush=True)
