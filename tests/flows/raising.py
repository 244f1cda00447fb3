"""Real flows whose steps fail, one after the other, with a figure in what they raise.

`python -m tests.flows.raising CONFIG HOME` runs them against the Prefect server of HOME, and prints what reached it.
"""

import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest

from flows.guard import OUR_OWN
from flows.home import Home
from flows.orchestration.orchestrator import server, wait_until_up
from warehouse import WarehouseError

CANARY = "141.421356237"
WAVE = "2025-09"
PREPARING = (
    "flows.preparing.intake.fetch",
    "flows.preparing.intake.conform",
    "flows.preparing.counting.examine",
    "flows.preparing.figures.tally",
    "flows.preparing.figures.hide",
    "flows.preparing.figures.compute",
    "flows.preparing.checking.check",
    "flows.preparing.steps.edition",  # where pages are written
    "flows.preparing.steps.seal",
    "flows.releasing.staging.stage",
)


def value_error(*arguments: object, **named: object) -> NoReturn:
    """A message, a note, and a local variable with the figure."""
    figure = CANARY
    error = ValueError(f"the NPS of Texel is {figure}")
    error.add_note(f"of 997 answers, which is {figure}")
    raise error


def key_error(*arguments: object, **named: object) -> NoReturn:
    """A cause and a context with the figure."""
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise RuntimeError(f"no row for {CANARY}") from error
    except RuntimeError as error:
        raise ExceptionGroup(f"several, among them {CANARY}", [error, ValueError(CANARY)]) from error


def database_error(*arguments: object, **named: object) -> NoReturn:
    """What DuckDB says when a figure does not fit, with the figure."""
    duckdb.execute(f"select 'NPS {CANARY}'::integer").fetchall()
    raise AssertionError


def our_own_error(*arguments: object, **named: object) -> NoReturn:
    """One of ours, whose words may be read and whose cause may not."""
    try:
        database_error()
    except duckdb.Error as error:
        raise WarehouseError("a value does not fit") from error


KINDS: tuple[Callable[..., NoReturn], ...] = (value_error, key_error, database_error, our_own_error)


def failing(place: str, kind: Callable[..., NoReturn], flow: Callable[[], object]) -> None:
    """Have one function fail, call the flow, and print whatever of the failure reaches who called it."""
    print(f"-- {place}: {kind.__name__}", flush=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, kind)
        try:
            flow()
        except OUR_OWN:
            traceback.print_exc()
        else:
            raise AssertionError("it did not fail")


def main(config: Path, home: Path) -> None:
    """Every step with some kind of failure, and each flow's body with all of them."""
    kinds = cycle(KINDS)
    with server(Home(home)) as address:
        wait_until_up(Home(home), address)
        # only now: Prefect reads where its server is as it is imported
        survey, open_moment = import_module("flows.survey"), import_module("flows.open_moment")
        prepare = partial(survey.survey_release, "guests", WAVE, config=config)
        for place in PREPARING:
            failing(place, next(kinds), prepare)
        for kind in KINDS:
            failing("flows.survey.prepare", kind, prepare)
        moment_id = prepare().moment_id
        assert moment_id is not None
        opening = partial(open_moment.open_moment, moment_id, config=config)
        for kind in KINDS:
            failing("flows.release.open_moment", kind, opening)
            failing("flows.open_moment.open_here", kind, opening)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # Prefect's threads live on
