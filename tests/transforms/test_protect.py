"""Disclosure control of one tree: the oracles, the outsider's bounds, least loss against brute force, and size."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from transforms import TransformError
from transforms.protect import freeze, protect

Classes = tuple[int, int, int]
Direct = Mapping[str, Classes]  # path -> respondents that hang right on it


def mixed(respondents: int) -> Classes:
    """So many respondents of as many classes as they can be."""
    promoters, passives = (respondents + 2) // 3, (respondents + 1) // 3
    return promoters, passives, respondents - promoters - passives


def added(one: Classes, other: Classes) -> Classes:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


@dataclass
class Tree:
    """A tree written as paths ('' is the root, 'A/C1' lies below 'A'), with its counts summed upwards."""

    direct: Direct
    counts: dict[str, Classes] = field(init=False)
    below: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        paths = {""} | {
            "/".join(path.split("/")[:depth]) for path in self.direct for depth in range(1, path.count("/") + 2) if path
        }
        self.counts = dict.fromkeys(sorted(paths), (0, 0, 0))
        self.below = {path: [] for path in self.counts}
        for path in self.counts:
            if path:
                self.below[self.line(path)[1]].append(path)
        for path, classes in self.direct.items():
            for above in self.line(path):
                self.counts[above] = added(self.counts[above], classes)

    def line(self, path: str) -> list[str]:
        """The node itself and all above it, the root last."""
        steps = path.split("/")
        return [*("/".join(steps[:depth]) for depth in range(len(steps), 0, -1) if path), ""]

    def parent(self, path: str) -> str | None:
        return self.line(path)[1] if path else None

    def respondents(self, path: str) -> int:
        return sum(self.counts[path])

    @property
    def departments(self) -> pd.DataFrame:
        parents = [None if path == "" else self.parent(path) or "all" for path in self.counts]
        return pd.DataFrame({"department_id": [path or "all" for path in self.counts], "parent_id": parents})

    @property
    def tallies(self) -> pd.DataFrame:
        promoters, passives, detractors = zip(*self.counts.values(), strict=True)
        classes = {
            "respondent_promoters": promoters,
            "respondent_passives": passives,
            "respondent_detractors": detractors,
        }
        responses = [sum(counted) for counted in self.counts.values()]
        return pd.DataFrame(
            {"department_id": [path or "all" for path in self.counts], "responses": responses, **classes}
        )

    def pattern(self, k: int = 10, noise: bytes = b"") -> pd.DataFrame:
        return protect(self.tallies, self.departments, min_respondents=k, noise=noise, wave="2026-10")

    def hidden(self, k: int = 10, noise: bytes = b"") -> set[str]:
        return hidden(self.pattern(k, noise))


def hidden(pattern: pd.DataFrame) -> set[str]:
    rows = zip(pattern["department_id"], pattern["status"], strict=True)
    return {"" if name == "all" else name for name, status in rows if status == "suppressed"}


def top_shown(tree: Tree, path: str, hides: set[str]) -> list[str]:
    """The topmost shown departments below one, walked without recursion."""
    found, waiting = [], list(tree.below[path])
    while waiting:
        child = waiting.pop()
        if child in hides:
            waiting += tree.below[child]
        else:
            found.append(child)
    return found


def residual(tree: Tree, path: str, hides: set[str]) -> Classes:
    below = [tree.counts[child] for child in top_shown(tree, path, hides)]
    promoters, passives, detractors = (
        count - sum(classes[kind] for classes in below) for kind, count in enumerate(tree.counts[path])
    )
    return promoters, passives, detractors


def bounds(tree: Tree, path: str, hides: set[str]) -> tuple[int, int]:
    """What an outsider can compute of a hidden department: what is shown below it, up to that and its residual."""
    region = next(above for above in tree.line(path) if above not in hides)
    below = sum(tree.respondents(child) for child in top_shown(tree, path, hides))
    return below, below + sum(residual(tree, region, hides))


def bounds_by_programme(tree: Tree, path: str, hides: set[str]) -> tuple[int, int]:
    """The same from a linear programme over the direct cells that only knows what is shown."""
    cells = list(tree.counts)
    covers = {node: [float(node in tree.line(cell)) for cell in cells] for node in cells}
    known = [node for node in cells if node not in hides]
    ends = []
    for sign in (1, -1):
        answer = linprog(
            sign * np.array(covers[path]),
            A_eq=[covers[node] for node in known],
            b_eq=[tree.respondents(node) for node in known],
        )
        ends.append(round(sign * answer.fun))
    return ends[0], ends[1]


def is_alone_sensitive(classes: Classes, k: int) -> bool:
    return 0 < sum(classes) < k or (sum(count > 0 for count in classes) == 1 and sum(classes) < 2 * k)


def is_allowed(tree: Tree, hides: set[str], k: int) -> bool:
    """The rule as it is written, by looking at every shown department."""
    for path in tree.counts:
        if path not in hides:
            left = residual(tree, path, hides)
            if is_alone_sensitive(tree.counts[path], k):
                return False
            if tree.below[path] and sum(left) and (sum(left) < k or sum(count > 0 for count in left) < 2):
                return False
    return True


def loss(tree: Tree, hides: set[str], k: int) -> int:
    return sum(tree.respondents(path) for path in hides if not is_alone_sensitive(tree.counts[path], k))


def least_loss(tree: Tree, k: int) -> int | None:
    """Of every pattern there is; None where no allowed one shows the root."""
    primary = {path for path in tree.counts if is_alone_sensitive(tree.counts[path], k)}
    free = [path for path in tree.counts if path and path not in primary and tree.respondents(path)]
    losses = []
    if "" in primary:
        return None
    for choice in product((False, True), repeat=len(free)):
        hides = primary | {path for path, is_hidden in zip(free, choice, strict=True) if is_hidden}
        if is_allowed(tree, hides, k):
            losses.append(loss(tree, hides, k))
    return min(losses, default=None)


def some_tree(chance: random.Random, most: int = 8) -> Tree:
    """A small random tree with direct answers, empty cells and cells of one class."""
    paths = [""]
    for number in range(chance.randint(1, most)):
        paths.append("/".join(filter(None, [chance.choice(paths), f"n{number}"])))
    is_inner = {path: any(other.startswith(f"{path}/") or not path for other in paths) for path in paths}
    direct = {}
    for path in paths:
        size = chance.choice([0, 0, 1, 3, 6]) if is_inner[path] else chance.choice([0, 1, 2, 3, 4, 5, 6, 9, 14])
        one_class: list[Classes] = [(size, 0, 0), (0, size, 0), (0, 0, size)]
        direct[path] = chance.choice(one_class) if chance.random() < 0.35 else mixed(size)
    return Tree(direct)


def test_a_subtraction_cannot_tell_the_smaller_of_two_departments() -> None:
    tree = Tree({"nine": (5, 3, 1), "four": (2, 1, 1)})
    assert tree.hidden(5) == {"nine", "four"}
    assert bounds(tree, "nine", tree.hidden(5)) == bounds(tree, "four", tree.hidden(5)) == (0, 13)


@pytest.mark.parametrize(
    ("direct", "hides", "known"),
    [
        pytest.param(
            {"P2": mixed(3), "P/C1": mixed(30), "P/C2": mixed(24), "X": mixed(200)},
            {"P2", "P", "P/C2"},
            {"P2": (0, 27), "P/C2": (0, 27), "P": (30, 57)},
            id="a: three levels",
        ),
        pytest.param(
            {"": mixed(4), "A": mixed(60), "B": mixed(36)}, {"B"}, {"B": (0, 40)}, id="b: direct answers alone force it"
        ),
        pytest.param(
            {"a": mixed(3), "b": mixed(4), "c": mixed(20), "d": mixed(86)},
            {"a", "b", "c"},
            {"a": (0, 27), "b": (0, 27), "c": (0, 27)},
            id="c: two small ones need a third",
        ),
        pytest.param(
            {"a": mixed(9), "b": mixed(4), "c": mixed(87)}, {"a", "b"}, {"a": (0, 13), "b": (0, 13)}, id="c: or do not"
        ),
        pytest.param(
            {"A/a": mixed(33), "A/b": mixed(27), "B": mixed(3)},
            {"A", "B", "A/b"},
            {"A": (33, 63), "B": (0, 30), "A/b": (0, 30)},
            id="d: a parent falls with the sibling",
        ),
        pytest.param(
            {"A": (12, 0, 0), "B": (8, 10, 10)}, {"A", "B"}, {"A": (0, 40), "B": (0, 40)}, id="e: twelve of one class"
        ),
        pytest.param({"r": mixed(27), "l": mixed(3)}, {"r", "l"}, {"r": (0, 30), "l": (0, 30)}, id="g: the old tree"),
    ],
)
def test_patterns_are_those_worked_by_hand(direct: Direct, hides: set[str], known: dict[str, tuple[int, int]]) -> None:
    tree = Tree(direct)
    assert tree.hidden() == hides
    assert {path: bounds(tree, path, hides) for path in hides} == known
    assert {path: bounds_by_programme(tree, path, hides) for path in hides} == known


def test_hiding_less_than_the_pattern_leaves_three_people_to_subtract() -> None:
    tree = Tree({"P2": mixed(3), "P/C1": mixed(30), "P/C2": mixed(24), "X": mixed(200)})
    assert loss(tree, tree.hidden(), 10) == 78
    for less in ({"P2", "P"}, {"P2", "P/C2"}):
        assert sum(residual(tree, "", less)) == 3
        assert not is_allowed(tree, less, 10)
    assert loss(Tree({"A/a": mixed(33), "A/b": mixed(27), "B": mixed(3)}), {"A", "B", "A/b"}, 10) == 87


def test_empty_departments_are_shown_and_a_large_one_of_one_class_too() -> None:
    tree = Tree({"empty": (0, 0, 0), "all for it": (20, 0, 0), "rest": mixed(30)})
    assert tree.hidden() == set()
    assert "nearly" in Tree({"nearly": (19, 0, 0), "rest": mixed(30)}).hidden()


def test_where_not_even_the_whole_can_be_shown_the_message_tells_no_count() -> None:
    for direct in ({"A": mixed(4), "B": mixed(3)}, {"A": (38, 0, 0), "B": (2, 0, 0)}, {"": (17, 0, 0)}):
        with pytest.raises(TransformError, match="nothing can be shown") as error:
            Tree(direct).pattern()
        assert "min_respondents = 10" in str(error.value)
        assert not any(number in str(error.value).split() for number in ("7", "40", "38", "17"))


def test_an_older_answer_of_someone_counted_elsewhere_is_not_shown_alone() -> None:
    tree = Tree({"here": mixed(40), "there": mixed(50), "once": (0, 0, 0)})
    tallies = tree.tallies.set_index("department_id")
    tallies.loc[["once", "all"], "responses"] += 1  # one respondent answered in both; his newest answer is elsewhere
    pattern = protect(tallies.reset_index(), tree.departments, min_respondents=10, noise=b"", wave="w")
    assert hidden(pattern) == {"once", "here"}


def test_the_pattern_loses_least_of_all_that_are_allowed() -> None:
    chance = random.Random(20261124)
    found = 0
    for _ in range(3000):
        tree = some_tree(chance, most=chance.choice([3, 5, 7]))
        k = chance.choice([3, 5])
        best = least_loss(tree, k)
        if best is None:
            with pytest.raises(TransformError, match="nothing can be shown"):
                tree.hidden(k)
            continue
        hides = tree.hidden(k)
        assert is_allowed(tree, hides, k), tree.direct
        assert loss(tree, hides, k) == best, tree.direct
        found += 1
    assert found > 1500


def test_nobody_outside_can_narrow_a_hidden_department_below_the_threshold() -> None:
    chance = random.Random(17)
    tried = 0
    for _ in range(400):
        tree = some_tree(chance)
        if least_loss(tree, 5) is None:
            continue
        hides = tree.hidden(5, noise=b"noise")
        for path in (path for path in hides if tree.respondents(path)):
            low, high = bounds(tree, path, hides)
            assert high - low >= 5
            tried += 1
            if tried % 5 == 0:
                assert (low, high) == bounds_by_programme(tree, path, hides)
    assert tried > 300


def test_the_noise_moves_the_choice_and_depends_on_secret_and_wave() -> None:
    tree = Tree({f"d{number}": mixed(30 + number) for number in range(12)} | {"small": mixed(3)})
    assert tree.hidden() == {"small", "d0"}
    choices = {frozenset(tree.hidden(noise=bytes([secret]))) for secret in range(1, 30)}
    assert len(choices) > 3
    assert tree.hidden(noise=b"one") == tree.hidden(noise=b"one")
    waves = {
        frozenset(hidden(protect(tree.tallies, tree.departments, min_respondents=10, noise=b"s", wave=wave)))
        for wave in ("2026-10", "2026-11", "2026-12", "2027-01", "2027-02")
    }
    assert len(waves) > 1


def test_the_pattern_does_not_depend_on_the_order_of_rows() -> None:
    chance = random.Random(5)
    tree = Tree({f"a{number}/b{number % 3}": mixed(6 + number % 4) for number in range(40)} | {"": mixed(2)})
    patterns = []
    for _ in range(8):
        departments = tree.departments.sample(frac=1, random_state=chance.randrange(999))
        tallies = tree.tallies.sample(frac=1, random_state=chance.randrange(999))
        pattern = protect(tallies, departments, min_respondents=10, noise=b"", wave="w")
        assert pattern["department_id"].tolist() == departments["department_id"].tolist()
        patterns.append(pattern.sort_values("department_id", ignore_index=True))
    assert all(pattern.equals(patterns[0]) for pattern in patterns)


def test_regions_add_up_to_what_is_shown() -> None:
    chance = random.Random(3)
    for _ in range(200):
        tree = some_tree(chance)
        if least_loss(tree, 5) is None:
            continue
        pattern = tree.pattern(5)
        region = dict(
            zip(pattern["department_id"].replace("all", ""), pattern["region"].replace("all", ""), strict=True)
        )
        hides = hidden(pattern)
        for path in set(tree.counts) - hides:
            inside = (0, 0, 0)
            for cell, classes in tree.direct.items():
                inside = added(inside, classes) if region[cell] == path else inside
            assert inside == residual(tree, path, hides)


def test_twenty_thousand_departments_take_less_than_five_seconds() -> None:
    chance = random.Random(1)
    paths, direct = [""], {}
    for number in range(20_000):
        above = paths[chance.randrange(max(1, len(paths) // 8))]
        paths.append(f"{above}/{number}" if above else str(number))
        direct[paths[-1]] = (chance.randrange(30), chance.randrange(20), chance.randrange(12))
    wide = {str(number): mixed(chance.randrange(12)) for number in range(20_000)}
    for tree in (Tree(direct), Tree(wide)):
        departments, tallies = tree.departments, tree.tallies
        started = time.process_time()
        protect(tallies, departments, min_respondents=10, noise=b"secret", wave="w")
        assert time.process_time() - started < 5


def test_a_chain_of_three_thousand_levels_is_no_deeper_than_it_can_take() -> None:
    names = ["all", *(f"level-{number:04d}" for number in range(3_000))]
    departments = pd.DataFrame({"department_id": names, "parent_id": [None, *names[:-1]]})
    counts = list(range(3_001, 0, -1))  # one answer hangs on each level
    tallies = pd.DataFrame(
        {
            "department_id": names,
            "responses": counts,
            "respondent_promoters": [count // 2 for count in counts],
            "respondent_passives": [count - count // 2 for count in counts],
            "respondent_detractors": 0,
        }
    )
    pattern = protect(tallies, departments, min_respondents=10, noise=b"", wave="w")
    shown = pattern.loc[pattern["status"] == "published", "department_id"]
    assert len(shown) == 300  # every tenth: what lies between two of them is ten people of two classes
    assert pattern["region"].isin(shown).all()


@pytest.mark.parametrize(
    "departments",
    [
        {"department_id": ["all", "a"], "parent_id": [None, "b"]},
        {"department_id": ["all", "a", "a"], "parent_id": [None, "all", "all"]},
        {"department_id": ["a", "b"], "parent_id": ["b", "a"]},
        {"department_id": ["all", "other"], "parent_id": [None, None]},
    ],
)
def test_a_tree_that_is_none_is_an_error_that_says_so(departments: dict[str, list[str | None]]) -> None:
    tree = Tree({"a": mixed(20)})
    with pytest.raises(TransformError, match="needs one root, every parent present, and no department twice"):
        protect(tree.tallies, pd.DataFrame(departments), min_respondents=10, noise=b"", wave="w")


def test_tallies_that_do_not_add_up_or_do_not_fit_the_tree_are_errors() -> None:
    tree = Tree({"a": mixed(20), "b": mixed(20)})
    wrong = tree.tallies.assign(respondent_promoters=[1, 20, 7], responses=99)
    with pytest.raises(TransformError, match="'all' are not the sum"):
        protect(wrong, tree.departments, min_respondents=10, noise=b"", wave="w")
    strange = tree.tallies.replace({"department_id": {"b": "c"}})
    with pytest.raises(TransformError, match="1 departments are not in the tree"):
        protect(strange, tree.departments, min_respondents=10, noise=b"", wave="w")


def test_departments_without_tallies_are_empty_and_shown() -> None:
    tree = Tree({"a": mixed(20), "b": (0, 0, 0)})
    tallies = tree.tallies.query("department_id != 'b'")
    pattern = protect(tallies, tree.departments, min_respondents=10, noise=b"", wave="w")
    assert pattern["status"].tolist() == ["published"] * 3


def test_a_frozen_pattern_hides_new_departments_in_the_region_above_them() -> None:
    before = Tree({"A/a": mixed(33), "A/b": mixed(27), "B": mixed(3)}).pattern()
    today = Tree(
        {"A/a": mixed(33), "A/a/x": mixed(50), "A/c/d": mixed(70), "B": mixed(40), "E": mixed(90), "A/b": mixed(0)}
    )
    frozen = freeze(before, today.departments)
    assert hidden(frozen) == {"A", "A/b", "A/a/x", "A/c", "A/c/d", "B", "E"}
    regions = dict(zip(frozen["department_id"], frozen["region"], strict=True))
    assert regions == {
        **dict.fromkeys(["all", "A", "A/b", "A/c", "A/c/d", "B", "E"], "all"),
        **dict.fromkeys(["A/a", "A/a/x"], "A/a"),
    }
    assert freeze(before, today.departments.iloc[::-1])["department_id"].tolist()[-1] == "all"


def test_a_frozen_pattern_of_the_same_tree_is_itself() -> None:
    tree = Tree({"P2": mixed(3), "P/C1": mixed(30), "P/C2": mixed(24), "X": mixed(200)})
    pd.testing.assert_frame_equal(freeze(tree.pattern(), tree.departments), tree.pattern())


def test_a_pattern_of_another_tree_is_refused() -> None:
    with pytest.raises(TransformError, match="another survey or wave"):
        freeze(Tree({"a": mixed(30)}).pattern().query("department_id != 'all'"), Tree({"a": mixed(30)}).departments)
