"""An outsider attacks the published warehouse of hundreds of random organisations, and weakened ones, which he breaks.

He has the DuckDB file that everyone reads, and knows how all of it is made, but not the home's secret. Hypothesis draws
the organisations, and shrinks one that is given away. `make attack` tries more, and others each time.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.preparing import counting
from tests.attack.careless import LOOKED_AT_ONE, MANNERS
from tests.attack.drawn import SEED, of_each, organisations
from tests.attack.holding import Holding, holding, name_of
from tests.attack.judge import few_by_subtraction, findings
from tests.attack.organisations import Answer, Organisation
from tests.attack.reading import UNSAID, read, units
from tests.attack.units import Unit

ORGANISATIONS = int(os.environ.get("ZWERM_ATTACK_ORGANISATIONS", "600"))  # of some, no wave may be shown
AT_ONCE = 250  # organisations in one home
Given = dict[str, list[str]]  # away, by organisation


def attacked(home: Holding, shown: set[str]) -> Given:
    """What follows from the published file of each organisation; those of whom there is anything in it are `shown`."""
    given: Given = {name: [] for name in home.organisations}
    for unit in out(home):
        shown.add(unit.name.split()[0])
        given[unit.name.split()[0]] += attacks(unit, home.k)
    return given


def attacks(unit: Unit, k: int) -> Iterator[str]:
    """By sums, and by linear programmes."""
    yield from few_by_subtraction(unit, k)
    yield from (f"{one.group}: {one.truth}, {one.says}" for one in findings(unit, k))


def is_broken(home: Holding) -> bool:
    """Whether anything is given away; the sums of all first, as rows that contradict each other have no programme."""
    units = list(out(home))
    return any(few_by_subtraction(unit, home.k) for unit in units) or any(findings(unit, home.k) for unit in units)


def out(home: Holding) -> Iterator[Unit]:
    return units(home.published, home.organisations, home.counted, is_below=True)


def drawn(number: int, *, k: int) -> list[Organisation]:
    found: list[Organisation] = []
    of_each(organisations(k), number, found.append, shrinks=False)
    return found


@pytest.mark.timeout(900)  # if one is given away: it takes time to make it small
@pytest.mark.parametrize("k", [3, 5, 10])
def test_no_small_group_is_bounded_and_no_group_shown_to_be_of_one_class(k: int, tmp_path: Path) -> None:
    number = ORGANISATIONS // 3
    made, given, shown = drawn(number, k=k), Given(), set[str]()
    for start in range(0, number, AT_ONCE):
        some = made[start : start + AT_ONCE]
        home = holding(tmp_path / str(start), some, k=k)
        given |= attacked(home, shown)
        what = read(home.published, "select count_if(revision > 1), count_if(is_regrouped) from mart.changes")
        assert (what.iloc[0] > len(some) / 10).all()
        assert read(home.published, UNSAID).empty
    print(f"k {k}, seed {SEED}: {len(shown)} organisations")
    assert len(shown) >= 0.84 * number
    of_each(organisations(k), number, kept(given, tmp_path, k=k))


def kept(given: Given, folder: Path, *, k: int) -> Callable[[Organisation], None]:
    """Fails for an organisation that is given away; one that is not known yet is released by itself."""

    given = dict(given)

    def test(organisation: Organisation) -> None:
        nonlocal given
        name = name_of(organisation)
        if name not in given:
            given |= attacked(holding(folder / name, [organisation], k=k), set())
        assert not given[name]

    return test


@pytest.mark.parametrize("name", MANNERS)
def test_what_is_weaker_is_broken(name: str, tmp_path: Path) -> None:
    assert is_broken(holding(tmp_path, drawn(25, k=5), k=5, manner=MANNERS[name]))


def test_revisions_that_look_at_the_one_before_alone_are_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven come, and then six of the first seven leave: many each time, but one alone of the first is still there."""
    monkeypatch.setattr(counting, "near", lambda *_, **__: set())
    first = people("first", "promoter", 5) + people("first", "passive", 2)
    came = people("came", "detractor", 5) + people("came", "passive", 2)
    home = holding(tmp_path, [Organisation([[first, first + came, first[-1:] + came]])], k=5, manner=LOOKED_AT_ONE)
    assert is_broken(home)


def people(when: str, kind: str, number: int) -> list[Answer]:
    return [Answer(f"{when} {kind} {place}", "a", kind, place) for place in range(number)]
