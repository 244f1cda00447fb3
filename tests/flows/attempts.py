"""The flows in a process of their own, one step after the other raising with a figure in hand; at last all goes well.

`python -m tests.flows.attempts CONFIG CANARY` prints as JSON what each attempt ended with.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from flows.errors import FlowError
from flows.open_moment import open_moment
from flows.release import Report
from flows.survey import survey_release

STEPS = (
    "flows.preparing.intake.fetch",
    "flows.preparing.intake.conform",
    "flows.preparing.counting.examine",
    "flows.preparing.figures.tally",
    "flows.preparing.figures.hide",
    "flows.preparing.figures.compute",
    "flows.preparing.checking.check",
    "flows.preparing.steps.draft",  # in the flow's body, between two steps
    "flows.preparing.steps.edition",
    "flows.preparing.steps.seal",
    "flows.releasing.staging.plan",
    "flows.release.open_moment",
)


def attempt(config: Path) -> Report:
    """Prepare the newest wave and open it."""
    staged = survey_release("guests", config=config)
    assert staged.moment_id is not None
    return open_moment(staged.moment_id, config=config)


def main(config: Path, canary: str) -> None:
    """Let every step raise once, then none."""

    def raising(*args: object, **kwargs: object) -> object:
        try:
            raise KeyError(f"NPS {canary}")
        except KeyError as error:
            raise ValueError(f"the NPS is {canary}") from error

    ended: dict[str, str] = {}
    for step in STEPS:
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(step, raising)
                attempt(config)
        except FlowError as error:
            ended[step] = str(error)
    ended["undisturbed"] = ", ".join(str(delivery.status) for delivery in attempt(config).deliveries)
    print(json.dumps(ended), flush=True)
    os._exit(0)  # as the command does: Prefect's threads live on


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
