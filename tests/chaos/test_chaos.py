"""A short series of releases under fire, and broken senders that the same checks have to find."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos import checker
from tests.chaos.evidence import Evidence, Violation, What
from tests.chaos.fate import STEPS, Fate, Fault, Kill, drawn
from tests.chaos.lane import HOOKS, SECURE_HOOKS, Lane
from tests.chaos.living import lived
from tests.chaos.sabotage import PATCHED, SABOTAGED
from tests.chaos.series import Tally, lanes, run
from tests.flows.receivers import ROOT

SEED = 20261124
RELEASES = 2 * len(STEPS)  # every other one dies at a step
FOUND: dict[str, tuple[What, Fate]] = {
    "one byte early": ("early", Fate(90_000)),
    "a folder early": ("early", Fate(90_001)),
    "a message early": ("early", Fate(90_002)),
    "opens before T": ("early", Fate(90_003, ahead=4.0)),
    "twice": ("again", Fate(90_004)),
    "another key": ("again", Fate(90_005)),
    "forgotten": ("lost", Fate(90_006)),
    "uncounted": ("uncounted", Fate(90_007, faults=(Fault(0, "closes early", 1),))),
    "another content": ("mixed", Fate(90_008)),
    "recovers without a word": ("unsaid", Fate(90_009, kills=(Kill(step="committed"),))),
}


@pytest.fixture(scope="module")
def some_lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lane]]:
    with lanes(tmp_path_factory.mktemp("chaos") / "all", count=3, seed=SEED) as made:
        yield made


@pytest.fixture(scope="module")
def tally(some_lanes: list[Lane]) -> Tally:
    def told(tally: Tally, evidence: Evidence, found: list[Violation]) -> None:
        print(evidence.fate, [start.end for start in evidence.starts], found, flush=True)

    fates = [drawn(SEED, number, hooks=HOOKS + SECURE_HOOKS) for number in range(RELEASES)]
    series = run(some_lanes, fates, told=told)
    print(series.table())
    return series


@pytest.fixture(scope="module")
def deaths(some_lanes: list[Lane], tally: Tally) -> set[str]:
    """The steps at which a process died; what a slow machine held before its step is tried again."""
    died = set(tally.kills)
    for number, step in enumerate(sorted(set(STEPS) - died), 80_000):
        evidence = lived(some_lanes[0], Fate(number, kills=(Kill(step=step),) * 3))
        assert checker.violations(evidence) == []
        died |= {step} if any(start.is_killed for start in evidence.starts) else set()
    return died


@pytest.mark.timeout(900)
def test_releases_under_fire_are_never_early_lost_mixed_or_sent_again(tally: Tally) -> None:
    assert tally.violations == []
    assert tally.releases == RELEASES


def test_processes_died_at_every_named_step_and_at_random_moments(deaths: set[str]) -> None:
    assert deaths == {*STEPS, "a random moment"}


def test_what_befell_the_releases_left_unknown_outcomes_and_holds_to_be_counted(tally: Tally) -> None:
    assert tally.unknown > 0
    assert tally.holds.total() > 0
    assert tally.jumps > 0
    assert tally.faults.total() > RELEASES / 4


def test_the_suite_dies_at_every_step_that_the_code_names() -> None:
    assert {step.partition(":")[0] for step in STEPS} == set(named_steps(ROOT / "flows"))


def named_steps(folder: Path) -> Iterator[str]:
    """The first words of every argument of a call of `on_step`."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "on_step":
                (said,) = node.args
                first = said.values[0] if isinstance(said, ast.JoinedStr) else said
                assert isinstance(first, ast.Constant), ast.unparse(node)
                yield str(first.value).partition(":")[0]


def test_every_sabotage_has_its_finding() -> None:
    assert FOUND.keys() == SABOTAGED.keys() | PATCHED.keys()


@pytest.mark.parametrize("sabotage", FOUND)
def test_a_broken_sender_is_found(some_lanes: list[Lane], sabotage: str) -> None:
    what, fate = FOUND[sabotage]
    found: list[Violation] = []
    for patience in (1, 3, 10, 20):  # a slow machine is not ready at a T that is near, and does not come so far
        if what in {violation.what for violation in found}:
            break
        ahead = fate.ahead * patience if fate.ahead else None
        later = replace(fate, number=fate.number + 100 * patience, ahead=ahead, sabotage=sabotage)
        found = checker.violations(lived(some_lanes[0], later))
    assert what in {violation.what for violation in found}, found


def test_a_sender_that_is_not_broken_is_found_to_be_right(some_lanes: list[Lane]) -> None:
    assert checker.violations(lived(some_lanes[0], Fate(91_000))) == []
