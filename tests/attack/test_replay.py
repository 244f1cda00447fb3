"""Who knows how releases are made replays them: which integer solutions print the very figures that are published?"""

import os
import random
from collections.abc import Iterator, Sequence

import pytest

from tests.attack.country import Wave, published
from tests.attack.organisations import Answer, Chance, Organisation
from tests.attack.outsider import Counts, Outsider, solutions
from tests.attack.replay import Solution, published_again, survivors, tables, tables_over_all_rows

ORGANISATIONS = int(os.environ.get("ZWERM_ATTACK_ORGANISATIONS", "510"))
SEED = int(os.environ.get("ZWERM_ATTACK_SEED", "20261125"))
MOST = 300  # solutions of a wave that are replayed


def with_few_solutions(number: int, *, k: int, waves: int) -> Iterator[tuple[Wave, Wave | None, list[Solution]]]:
    chance = random.Random(SEED + k)
    few = [Chance(chance.getrandbits(32), k=k).organisation(waves=waves, changes=0, nodes=4) for _ in range(number)]
    for units in published(few, k=k).values():
        unit, before = units[-1], units[0] if len(units) > 1 else None
        candidates: list[Solution] = list(solutions(Outsider([unit.released[0].metrics]), most=MOST))
        if len(candidates) > 1:
            yield unit, before, candidates


def small_groups(unit: Wave, k: int) -> dict[str, set[str]]:
    """The hidden departments with few people in them, each with the cells below it."""
    outsider = Outsider([unit.released[0].metrics])
    here = {cell: sum((answer.cell or "all") == cell for answer in unit.answers) for cell in outsider.cells}
    hidden = {row: outsider.below(row) for row in outsider.cells if row not in outsider.shown[0]}
    return {row: cells for row, cells in hidden.items() if 0 < sum(here[cell] for cell in cells) < k}


def total(solution: Solution, cells: set[str]) -> Counts:
    return tuple(sum(solution[cell][kind] for cell in cells) for kind in range(3))  # type: ignore[return-value]


def is_open(left: Sequence[Solution], cells: set[str], k: int) -> bool:
    """Whether a group may still have any size under the threshold, and anyone in it any class."""
    totals = [total(one, cells) for one in left]
    sizes = {sum(one) for one in totals}
    is_wide = max(sizes) - min(sizes) >= k or sizes >= set(range(1, k))
    return is_wide and sum(any(one[kind] for one in totals) for kind in range(3)) > 1


@pytest.mark.parametrize("k", [3, 4])
def test_who_replays_the_choice_of_rows_learns_at_most_that_a_hidden_one_is_small(k: int) -> None:
    tried = 0
    for unit, _, candidates in with_few_solutions(ORGANISATIONS // 5, k=k, waves=1):
        left = survivors(unit, iter(candidates), k)
        for cells in small_groups(unit, k).values():
            assert is_open(left, cells, k), unit.answers
            tried += 1
    assert tried > ORGANISATIONS // 20


def five_four_four() -> Wave:
    """Leaves of 5, 4 and 4: whoever knows how the search chooses, and no noise, finds that both hidden ones are 4."""
    kinds = ("promoter", "passive", "detractor")
    cells = [cell for cell, size in {"a": 5, "b": 4, "c": 4}.items() for _ in range(size)]
    answers = [Answer(str(place), cell, kinds[place % 3], place) for place, cell in enumerate(cells)]
    return published([Organisation([[answers]])], k=5, noise=b"")[0][0]


@pytest.mark.parametrize("is_noisy", [True, False])
def test_without_noise_the_choice_of_rows_would_tell_a_count(is_noisy: bool) -> None:
    unit = five_four_four()
    (residual,) = [row for row in Outsider([unit.released[0].metrics]).residuals if len(row.cells) > 1]
    assert residual.cells == {"all", "b", "c"}
    promoters, passives, detractors = residual.counts
    candidates: list[Solution] = [
        {"all": (0, 0, 0), "a": (2, 2, 1), "b": (p, q, d), "c": (promoters - p, passives - q, detractors - d)}
        for p in range(promoters + 1)
        for q in range(passives + 1)
        for d in range(detractors + 1)
    ]
    sizes = {sum(one["b"]) for one in survivors(unit, iter(candidates), 5, is_noisy=is_noisy)}
    assert sizes >= {1, 2, 3, 4} if is_noisy else sizes == {3, 4, 5}


def smallest_and_largest(left: Sequence[Solution], cells: set[str]) -> tuple[Solution, Solution]:
    ordered = sorted(left, key=lambda one: sum(total(one, cells)))
    return ordered[0], ordered[-1]


def test_every_solution_prints_the_same_changes_intervals_comparisons_and_trends() -> None:
    tried = 0
    for unit, before, candidates in with_few_solutions(ORGANISATIONS // 8, k=3, waves=2):
        small = small_groups(unit, 3)
        if not small or before is None or tried >= 20:
            continue
        left = survivors(unit, iter(candidates), 3)
        ends = [one for cells in small.values() for one in smallest_and_largest(left, cells)]
        assert all(published_again(unit, before, ends[:4], 3)), unit.answers
        tried += 1
    assert tried >= min(20, ORGANISATIONS // 60)


def test_p_values_that_are_adjusted_over_hidden_rows_would_tell_what_they_are() -> None:
    """A table that leaks is found by publishing every solution again: hardly any prints the same p values."""
    kinds = ("promoter", "passive", "detractor")
    sizes = {"a": 30, "b": 24, "c": 2, "d": 4}
    waves = []
    for wave in range(2):
        cells = [cell for cell, size in sizes.items() for _ in range(size)]
        places = enumerate(cells)
        answers = [
            Answer(f"{wave} {p}", cell, kinds[(p * (wave + 1) + p // 7) % 3], 1000 * wave + p) for p, cell in places
        ]
        waves.append([answers])
    before, unit = published([Organisation(waves)], k=3)[0]
    outsider = Outsider([unit.released[0].metrics])
    assert set(outsider.cells) - set(outsider.shown[0]) == {"c", "d"}
    candidates = [one for one in solutions(outsider, most=10_000) if not sum(one["all"])]
    alike: dict[str, list[Solution]] = {}
    for name, how in (("honest", tables), ("careless", tables_over_all_rows)):
        prints_the_same = published_again(unit, before, candidates, 3, tables=how)
        alike[name] = [one for one, is_same in zip(candidates, prints_the_same, strict=True) if is_same]
    assert len(alike["honest"]) == len(candidates) > 20
    assert is_open(alike["honest"], {"c"}, 3)
    assert not is_open(alike["careless"], {"c"}, 3)
