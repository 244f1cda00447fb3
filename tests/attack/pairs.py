"""What an outsider works out of who answered two waves: the width of a change's interval gives the covariance away.

Of a department's counts in both waves and one width he tries every number of people who may have answered both, with
every way in which they may have answered, and keeps what prints that very width. What is left of the counts are those
who answered one wave alone: newcomers, whom a colleague can name, and leavers.
"""

import random
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.transforms.released import Counts, released
from transforms.changes import Against, changes
from transforms.paired import CLASSES, SIGNS

Whole = NDArray[np.int64]
Pairs = Callable[..., pd.DataFrame]
Z = 1.959963984540054
CLEAR = 1e-6  # what is printed has ten digits; whole numbers are found again to this
SIDES = ("left", "came")


@dataclass(frozen=True)
class Person:
    """Where and what someone answered before and now; None where he did not."""

    before: tuple[str, int] | None
    now: tuple[str, int] | None


@dataclass(frozen=True)
class Panel:
    """An organisation of departments without departments below them, in two waves."""

    departments: Sequence[str]
    people: Sequence[Person]

    def counts(self, wave: str) -> dict[str, Counts]:
        """Detractors, passives, promoters of each department and of all."""
        found = {name: [0, 0, 0] for name in ("all", *self.departments)}
        for person in self.people:
            if answer := getattr(person, wave):
                for name in ("all", answer[0]):
                    found[name][answer[1]] += 1
        return {name: (row[0], row[1], row[2]) for name, row in found.items()}

    def both(self) -> dict[str, Whole]:
        """Class before × class now of those who answered both waves in a department; in `moved`, in two of them."""
        found = {name: np.zeros((3, 3), dtype=np.int64) for name in ("moved", *self.departments)}
        for person in self.people:
            if person.before and person.now:
                name = person.now[0] if person.before[0] == person.now[0] else "moved"
                found[name][person.before[1], person.now[1]] += 1
        return found


def panel(seed: int, *, k: int) -> Panel:
    """A random one: most answer both waves, a few come, go or change department."""
    dice = random.Random(seed)
    names = [f"d{place}" for place in range(dice.choice([1, 2, 2, 3]))]
    people = []
    for name in names:
        moods = [dice.choice([0, 1, 2]) for _ in range(dice.choice([0, k, k + 1, 2 * k]))]
        people += [Person((name, mood), (name, _later(mood, dice))) for mood in moods]
        few = [dice.choice([0, 0, 1, 2, k - 1, k, k + 2]) for _ in SIDES]
        people += [Person((name, dice.randrange(3)), None) for _ in range(few[0])]
        people += [Person(None, (name, dice.randrange(3))) for _ in range(few[1])]
    if len(names) > 1:
        movers = dice.choice([0, 0, 1, k])
        people += [Person((names[0], dice.randrange(3)), (names[1], dice.randrange(3))) for _ in range(movers)]
    return Panel(names, people)


def _later(mood: int, dice: random.Random) -> int:
    return mood if dice.random() < 0.6 else dice.randrange(3)


def moves(both: Mapping[str, Whole]) -> pd.DataFrame:
    """The rows that `paired.sql` has."""
    rows = [
        (place, CLASSES[before], CLASSES[now], name == "moved", int(matrix[before, now]))
        for name, matrix in both.items()
        for before, now in np.argwhere(matrix)
        for place in ({name, "all"} - {"moved"})
    ]
    return pd.DataFrame(rows, columns=["department_id", "class_before", "class_now", "moved", "respondents"])


def printed(one: Panel, *, k: int, pairs: Pairs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of mart.changes that everyone reads; and for the judge, the pairs that count in them."""
    figures = []
    for wave in ("before", "now"):
        counts = one.counts(wave)
        few = [name for name, row in counts.items() if sum(row) < k or (max(row) == sum(row) < 2 * k)]
        figures.append(released(counts, suppressed=few, wave=wave))
    before, now = figures
    made = pairs(moves(one.both()), now, before, min_respondents=k)
    return changes(now, [Against("previous", "earlier", before, made)]), made


def alone(before: Counts, now: Counts, change: Mapping[Hashable, Any], *, k: int) -> Whole:
    """Every way in which those may have answered who answered one wave alone: (ways, side, class).

    Empty where the width tells nothing.
    """
    low, high = change["nps_change_low"], change["nps_change_high"]
    if change["method"] != "overlapping" or low <= -200 or high >= 200:
        return np.empty((0, 2, 3), dtype=np.int64)
    sizes = sum(before) + 3, sum(now) + 3
    variance = ((high - low) / 200 / Z) ** 2
    times = (_variance(before) / sizes[0] + _variance(now) / sizes[1] - variance) * sizes[0] * sizes[1] / 2
    ways = [way for m in range(k, min(sizes) - 2) for way in _ways(before, now, times, m)]
    return np.concatenate(ways) if ways else np.empty((0, 2, 3), dtype=np.int64)


def _variance(counts: Counts) -> float:
    n = sum(counts) + 3
    p, d = (counts[2] + 0.75) / n, (counts[0] + 0.75) / n
    return p + d - (p - d) ** 2


def _ways(before: Counts, now: Counts, times: float, m: int) -> Iterator[Whole]:
    """Of m people who answered both: margins under which their sum of products is whole, and can be."""
    was, then = (
        np.array([row for row in product(*(range(count + 1) for count in counts)) if sum(row) == m], dtype=np.int64)
        for counts in (before, now)
    )
    first, second = np.repeat(was, len(then), axis=0), np.tile(then, (len(was), 1))
    together = times + (first @ SIGNS) * (second @ SIGNS) / m
    above = [rows[:, at:].sum(axis=1) for rows in (first, second) for at in (1, 2)]  # by threshold, of each wave
    shared = [(a, b) for a in above[:2] for b in above[2:]]
    known = m - sum(above)
    most = known + sum(np.minimum(a, b) for a, b in shared)
    least = known + sum(np.maximum(a + b - m, 0) for a, b in shared)
    whole = together.round()
    is_one = (np.abs(together - whole) < CLEAR) & (whole >= least) & (whole <= most)
    yield np.stack([np.array(before) - first[is_one], np.array(now) - second[is_one]], axis=1)


def given_away(one: Panel, *, k: int, pairs: Pairs) -> list[str]:
    """Groups of people who answered one wave alone that a width, or two of them by subtraction, give away."""
    rows, made = printed(one, k=k, pairs=pairs)
    counts = {wave: one.counts(wave) for wave in ("before", "now")}
    known = {
        str(row["department_id"]): alone(
            counts["before"][row["department_id"]], counts["now"][row["department_id"]], row, k=k
        )
        for row in rows.to_dict("records")
    }
    sizes = dict(zip(made["department_id"], made["pairs"].astype(int), strict=True))
    truth = {name: _truth(one, name, sizes) for name in known if name in sizes}
    groups = [(name, ways, truth[name]) for name, ways in known.items() if len(ways)]
    for name in one.departments:
        if len(known.get(name, ())) and len(known.get("all", ())):
            groups.append((f"all less {name}", _less(known["all"], known[name]), truth["all"] - truth[name]))
    return [
        f"{name} {side}: {people.tolist()}"
        for name, ways, both in groups
        for place, (side, people) in enumerate(zip(SIDES, both, strict=True))
        if _is_told(ways[:, place], people, k=k)
    ]


def _less(whole: Whole, part: Whole) -> Whole:
    """Every difference of two ways that may be: nobody is less than none."""
    whole, part = np.unique(whole, axis=0), np.unique(part, axis=0)
    return np.unique((whole[:, None] - part[None]).reshape(-1, 2, 3), axis=0)


def _truth(one: Panel, name: str, sizes: Mapping[str, int]) -> Whole:
    """Who answered one wave alone, before and now: the counts less those of the pairs that count there."""
    both, own = one.both(), [below for below in one.departments if below in sizes]
    used = both[name] if name != "all" else sum(both.values(), np.zeros((3, 3), dtype=np.int64))
    if name == "all" and own:  # those who moved do not count, and the organisation's own may wait
        used = used - both["moved"]
        if used.sum() != sizes[name]:
            used = sum((both[below] for below in own), np.zeros((3, 3), dtype=np.int64))
    assert used.sum() == sizes[name]
    answers = np.array([one.counts("before")[name], one.counts("now")[name]], dtype=np.int64)
    margins: Whole = np.stack([used.sum(axis=1), used.sum(axis=0)])
    alone: Whole = answers - margins
    return alone


def _is_told(ways: Whole, people: Whole, *, k: int) -> bool:
    sizes = ways.sum(axis=1)
    if people.min() < 0 or people.sum() == 0:
        return False
    is_bounded = people.sum() < k and int(sizes.max() - sizes.min()) < k
    return bool(is_bounded or (ways.max(axis=0) > 0).sum() < 2)
