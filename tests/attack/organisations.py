"""Random organisations: trees with direct answers, small and one-sided groups, and what comes in wave by wave."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

SCORES = {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 3, 6)}
KINDS = tuple(SCORES)


@dataclass(frozen=True)
class Answer:
    """One answer as a file says it; `cell` is a path such as 'A/a1', '' is the organisation itself."""

    key: str
    cell: str
    kind: str
    number: int  # of the record, over everything: the same number is the same record
    told: int | None = None
    acted: int | None = None
    weight: float | None = None
    person: int | None = None


@dataclass(frozen=True)
class Organisation:
    """What an organisation's files say: per wave, and per wave once more after each change."""

    waves: Sequence[Sequence[Sequence[Answer]]]  # wave → state of its files → answers
    paths: Sequence[str] = ()  # departments that are known besides, where nobody may have answered
    moves: Mapping[str, str] = field(
        default_factory=dict
    )  # with the second wave: a department's path of before, of now


def configured(name: str, files: str, *, k: int, levels: int, more: str = "") -> str:
    """A survey of `zwerm.toml` for files of such answers, with the columns l0, l1, … for the path."""
    path = ", ".join(f'"l{level}"' for level in range(levels))
    return f"""
[surveys.{name}]
wave = {{ column = "wave" }}
min_respondents = {k}
{more}
[surveys.{name}.roles]
score = "nps"
response_id = "id"
told_count = "told"
acted_count = "acted"
weight = "weight"
department = [{path}]
[[surveys.{name}.sources]]
path = "{files}"
"""


class Chance:
    """Random answers of one organisation, from one seed."""

    def __init__(self, seed: int | str, *, k: int) -> None:
        self.dice, self.k = random.Random(seed), k
        self.number = seed * 1_000_000 if isinstance(seed, int) else 0

    def some(self, *, nodes: int) -> Organisation:
        """One wave or two, which change after their release or do not; mostly departments move between the two."""
        changes, later, waves = self.dice.choice([0, 2, 2]), self.dice.choice([0, 0, 1]), self.dice.choice([1, 2, 2, 2])
        if waves == 1:
            return self.organisation(waves=1, changes=changes, nodes=nodes)
        return self.reorganised(changes=changes, nodes=nodes, later=later)

    def organisation(self, *, waves: int, changes: int, nodes: int) -> Organisation:
        """A tree of some nodes, so many waves of it, of which the last changes so many times after its release."""
        paths, sizes = self._tree(nodes)
        made: list[list[list[Answer]]] = []
        for wave in range(waves):
            cells = {path: size if wave == 0 else self._size(path, paths) for path, size in sizes.items()}
            made.append([self._answers(cells)])
        for _ in range(changes):
            made[-1].append(self._changed(made[-1], paths))
        return Organisation(made)

    def reorganised(self, *, changes: int, nodes: int, later: int = 0) -> Organisation:
        """A wave, which changes so many times; then a department or two move, and the next wave has the new tree.

        The next wave changes `later` times.
        """
        paths, sizes = self._tree(nodes)
        before = [self._answers(sizes)]
        for _ in range(changes):
            before.append(self._changed(before, paths))
        moves: dict[str, str] = {}
        for _ in range(self.dice.choice([1, 1, 2])):
            was = self._mover(paths, sizes)
            now = self.dice.choice([path for path in paths if not is_below(path, was)])
            is_merged = bool(now) and self.dice.random() < 0.25
            moves[was] = now if is_merged else f"{now}/{was.split('/')[-1]}".strip("/")
        moves = {was: now for was, now in moves.items() if was != now}
        today = sorted({place(path, moves) for path in paths})
        after = [self._answers({path: self._size(path, today) for path in today})]
        for _ in range(later):
            after.append(self._changed(after, today))
        return Organisation([before, after], moves=moves)

    def _mover(self, paths: Sequence[str], sizes: Mapping[str, int]) -> str:
        """Who moves: any department with all below it, a small one, or one that has others below it."""
        small = [path for path in paths if path and sizes[path] < self.k]
        above = [path for path in paths if path and any(is_below(other, path) for other in paths if other != path)]
        return self.dice.choice(self.dice.choice([small, above, paths[1:]]) or paths[1:])

    def _tree(self, nodes: int) -> tuple[list[str], dict[str, int]]:
        paths = [""]
        for number in range(self.dice.randint(2, nodes)):
            paths.append("/".join(filter(None, [self.dice.choice(paths), f"n{number}"])))
        return paths, {path: self._size(path, paths) for path in paths}

    def _size(self, path: str, paths: Sequence[str]) -> int:
        k = self.k
        if any(other.startswith(f"{path}/") or not path for other in paths if other != path):
            return self.dice.choice([0, 0, 0, 1, 2, k])
        return self.dice.choice([0, 1, 2, k - 1, k, k + 1, k + 2, 2 * k, 3 * k])

    def _answers(self, sizes: dict[str, int]) -> list[Answer]:
        return [answer for cell, size in sizes.items() for answer in self._group(cell, size)]

    def _group(self, cell: str, size: int) -> list[Answer]:
        only = self.dice.choice(KINDS) if self.dice.random() < 0.25 else None
        return [self._answer(cell, only or self.dice.choice(KINDS)) for _ in range(size)]

    def _answer(self, cell: str, kind: str) -> Answer:
        self.number += 1
        told = self.dice.choice([None, 0, 2, 3])
        acted = self.dice.choice([None, 0, 1]) if told else None
        weight = self.dice.choice([0.5, 1.0, 2.0])
        return Answer(str(self.number), cell, kind, self.number, told, acted, weight)

    def _changed(self, states: Sequence[Sequence[Answer]], paths: Sequence[str]) -> list[Answer]:
        """Later files: a few or many that are new, gone, moved, say another score, or what they first said."""
        now = {answer.key: answer for answer in states[-1]}
        for cell in self.dice.sample(list(paths), k=min(len(paths), self.dice.randint(1, 3))):
            here = [answer for answer in now.values() if answer.cell == cell]
            what = self.dice.choice(["late", "gone", "edited", "moved", "swapped", "swapped", "back"])
            few = self.dice.choice([1, self.k - 1, self.k, self.k + 1, 2 * self.k - 1, 2 * self.k, 3 * self.k])
            if what in ("late", "swapped"):
                now |= {answer.key: answer for answer in self._group(cell, few)}
            if what == "back":
                before = [answer for answer in states[self.dice.randrange(len(states))] if answer.cell == cell]
                now = {key: answer for key, answer in now.items() if answer.cell != cell}
                now |= {answer.key: answer for answer in before}
                continue
            for answer in self.dice.sample(here, k=min(len(here), few)):
                if what in ("gone", "swapped"):
                    del now[answer.key]
                if what in ("edited", "moved"):
                    self.number += 1
                    other = replace(answer, number=self.number)
                    is_edit, kind, place = what == "edited", self.dice.choice(KINDS), self.dice.choice(paths)
                    now[answer.key] = replace(other, kind=kind) if is_edit else replace(other, cell=place)
        return list(now.values())


def is_below(path: str, above: str) -> bool:
    """Whether a department is another, or hangs below it."""
    return path == above or path.startswith(f"{above}/")


def place(path: str, moves: Mapping[str, str]) -> str:
    """Where a department of before is today: where it moved to by itself, or with the lowest above it that moved."""
    movers = [was for was in moves if is_below(path, was)]
    return moves[was] + path.removeprefix(was) if (was := max(movers, key=len, default="")) else path
