"""Organisations whose answers are told by segment and over two waves too, with a word and a rating; and the outsider.

The outsider knows which cells there can be (wave × department × what was said of each segment), and every row that is
published: linear programmes give him the least and the most of each cell, class by class.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from tests.attack.outsider import Counts

WAVES = ("2026-09", "2026-10")
TICKETS, AGES = ("day", "year", ""), ("old", "young")
SEGMENTS = {"ticket": TICKETS, "age": AGES}
WORDS = {"promoter": ("friendly", "quick"), "passive": ("ordinary", "crowded"), "detractor": ("dirty", "rude")}
DEPARTMENTS = ("", "A", "A/a1", "A/a2", "A/a3", "B", "C", "C/c1", "C/c2")
Cell = tuple[str, str, str, str]  # wave, department, ticket, age
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Said:
    """One answer with what else is known of it."""

    cell: Cell
    kind: str
    comment: str
    rating: int | None


def said(seed: int, *, k: int) -> list[Said]:
    """What a random organisation says: some departments are large, some too small, and rare values of segments."""
    dice, taste = random.Random(seed), random.Random(f"ratings {seed}")
    found = []
    for wave, department in product(WAVES, DEPARTMENTS):
        is_above = any(other.startswith(f"{department}/") or not department for other in DEPARTMENTS if other)
        size = dice.choice([0, 0, 2] if is_above else [2, k - 1, 9 * k, 12 * k, 16 * k, 20 * k])
        for _ in range(size):
            ticket = dice.choices(TICKETS, [8, 8, 1])[0]
            age = dice.choices(AGES, [5, 1])[0]
            kind = dice.choices(tuple(WORDS), [5, 3, 3])[0]
            comment = dice.choice([f"very {word} here" for word in WORDS[kind]] + [""])
            rating = taste.choice([1, 2, 3, 4, 5, None])
            found.append(Said((wave, department, ticket, age), kind, comment, rating))
    return found


@dataclass(frozen=True)
class Told:
    """A published row: the cells that it adds up, and their promoters, passives and detractors."""

    waves: frozenset[str]
    department: str
    counts: Counts
    segment: str | None = None
    value: str = ""

    def holds(self, cell: Cell) -> bool:
        wave, department, *values = cell
        is_below = not self.department or f"{department}/".startswith(f"{self.department}/")
        is_said = self.segment is None or values[list(SEGMENTS).index(self.segment)] == self.value
        return wave in self.waves and is_below and is_said


def truth(answers: Iterable[Said]) -> Mapping[Cell, Counter[str]]:
    """How many people of each class are in each cell."""
    found: dict[Cell, Counter[str]] = {cell: Counter() for cell in product(WAVES, DEPARTMENTS, TICKETS, AGES)}
    for one in answers:
        found[one.cell][one.kind] += 1
    return found


def narrow(rows: Sequence[Told], people: Mapping[Cell, Counter[str]], *, k: int) -> list[str]:
    """The cells with people in them that the rows bound to under k, as an outsider finds them."""
    kinds: dict[tuple[bool, ...], list[Cell]] = {}
    for cell in people:
        kinds.setdefault(tuple(row.holds(cell) for row in rows), []).append(cell)
    matrix = np.array(list(kinds), dtype=float).T
    low, high = np.full((3, len(kinds)), np.inf), np.zeros((3, len(kinds)))
    totals = np.array([row.counts for row in rows], dtype=float).T

    def see(kind: int, costs: Numbers) -> None:
        answer = linprog(costs, A_eq=matrix, b_eq=totals[kind], method="highs")
        assert answer.status == 0, answer.message
        low[kind], high[kind] = np.minimum(low[kind], answer.x), np.maximum(high[kind], answer.x)

    chance = np.random.default_rng(0)
    for kind, _ in product(range(3), range(6)):  # most cells are wide in a few random solutions
        see(kind, chance.normal(size=len(kinds)))
    found = []
    for place, (stands, alike) in enumerate(kinds.items()):
        is_small = any(0 < people[cell].total() < k for cell in alike)
        if not is_small or not any(stands):
            continue
        costs = np.eye(1, len(kinds), place)[0]
        for sign, kind in product((-1, 1), range(3)):
            if _width(low, high, place, alike) < k:
                see(kind, sign * costs)
        if _width(low, high, place, alike) < k:
            found += [f"{cell}: {dict(people[cell])}" for cell in alike if 0 < people[cell].total() < k]
    return found


def _width(low: Numbers, high: Numbers, place: int, alike: Sequence[Cell]) -> float:
    """Between cells that stand in the same rows people can change places: each of them may be empty."""
    least = low[:, place] if len(alike) == 1 else np.zeros(3)
    return round(float((high[:, place] - least).sum()), 6)


def few_left(respondents: Mapping[str, int], *, k: int) -> list[str]:
    """The departments that say a word, by path, of which a few are left after those right below that say it too."""
    left = dict(respondents)
    for path, own in respondents.items():
        above = [other for other in respondents if other != path and (not other or path.startswith(f"{other}/"))]
        if above:
            left[max(above, key=len)] -= own
    return [path for path, rest in left.items() if rest != 0 and rest < k]
