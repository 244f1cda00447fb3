"""An earlier wave in today's tree: the worked example, and what both trees together give away, by linear programmes."""

import random
from typing import Any

import pandas as pd
import pytest

from tests.transforms.bounds import audit
from tests.transforms.test_protect import Classes, Tree, mixed
from transforms import TransformError
from transforms.departments import SEPARATOR, Path, department_id, departments, path_of
from transforms.protect import protect
from transforms.reorganisations import moved, regrouped


def key(path: str) -> str:
    return path.replace("/", SEPARATOR)


def named(keys: list[str]) -> pd.DataFrame:
    return departments(keys, organisation="Organisation")


class Wave:
    """A released wave: its metrics as published, and its cells with answers."""

    def __init__(self, direct: dict[str, Classes], k: int = 10) -> None:
        self.tree, self.k = Tree(direct), k
        self.keys = [key(path) for path, classes in direct.items() if sum(classes)]
        nodes = named([key(path) for path in self.tree.counts])
        counts = [self.tree.counts[name.replace(SEPARATOR, "/")] for name in nodes["department_key"]]
        tallies = pd.DataFrame(counts, columns=["promoters", "passives", "detractors"])
        tallies = tallies.assign(department_id=nodes["department_id"], responses=tallies.sum(axis=1))
        respondents = tallies.rename(columns={n: f"respondent_{n}" for n in ("promoters", "passives", "detractors")})
        pattern = protect(respondents, nodes, min_respondents=k, noise=b"", wave="w")
        is_shown = pattern["status"] == "published"
        shown = tallies[["responses", "promoters", "passives", "detractors"]].where(is_shown)
        self.metrics = pd.concat([nodes.assign(status=pattern["status"]), shown], axis=1)
        self.hidden = self.paths(self.metrics)

    def today(self, moves: dict[str, str], noise: bytes = b"") -> pd.DataFrame:
        paths = {path_of(key(was)): path_of(key(now)) for was, now in moves.items()}
        self.now = {cell: moved(cell, paths) for cell in self.keys}
        self.nodes = named(sorted(self.now.values()))
        return regrouped(
            self.metrics, self.nodes, keys=self.keys, moves=paths, min_respondents=self.k, noise=noise, wave="w"
        )

    @staticmethod
    def paths(rows: pd.DataFrame) -> set[str]:
        return set(rows.loc[rows["status"] != "published", "department_id"])


def ids(*paths: str) -> set[str]:
    return {department_id(tuple(path.split("/"))) for path in paths}


def test_a_department_that_moves_is_not_told_by_either_tree() -> None:
    wave = Wave({"A/r": mixed(27), "A/l": mixed(3), "B": mixed(25)})
    assert wave.hidden == ids("A/r", "A/l")
    rows = wave.today({"A/l": "B/l"})
    assert wave.paths(rows) == ids("A", "B", "A/r", "B/l")
    assert rows.loc[rows["department_id"] == "all", "responses"].tolist() == [55]


def test_departments_that_move_whole_are_shown_where_they_are_today() -> None:
    wave = Wave({"A/r": mixed(27), "A/l": mixed(13), "B/b": mixed(25)})
    rows: Any = wave.today({"A/l": "B/l"}).set_index("department_id")
    assert wave.paths(rows.reset_index()) == set()
    shown = {path: int(rows.loc[department_id(tuple(path.split("/"))), "responses"]) for path in ("A", "B", "B/l")}
    assert shown == {"A": 27, "B": 38, "B/l": 13}
    whole = rows.loc["all"]
    assert whole["responses"] == 65
    assert whole["nps_low"] < whole["nps"] < whole["nps_high"]


def test_a_region_that_moves_whole_takes_its_hidden_departments_along() -> None:
    wave = Wave({"A/r": mixed(27), "A/l": mixed(3), "B/b": mixed(25)})
    rows = wave.today({"A": "B/A"})
    assert wave.paths(rows) == ids("B/A/r", "B/A/l")
    assert rows.set_index("department_id").loc[department_id(("B", "A")), "responses"] == 30


def test_what_lies_below_moves_along_unless_it_moves_by_itself() -> None:
    moves: dict[Path, Path] = {("A",): ("X", "A"), ("A", "l"): ("B", "l")}
    assert moved(key("A/r/deep"), moves) == key("X/A/r/deep")
    assert moved(key("A/l/deep"), moves) == key("B/l/deep")
    assert moved(key("C"), moves) == key("C")
    assert moved("", moves) == ""


def test_without_moves_an_earlier_wave_is_what_it_was() -> None:
    wave = Wave({"A/r": mixed(27), "A/l": mixed(13), "B": mixed(25)})
    rows = wave.today({})
    assert rows["responses"].tolist() == wave.metrics["responses"].tolist()


def some_wave(chance: random.Random) -> Wave:
    paths = [""]
    for number in range(chance.randint(3, 8)):
        paths.append("/".join(filter(None, [chance.choice(paths), f"n{number}"])))
    sizes = [0, 1, 2, 4, 5, 6, 9, 14]
    kinds = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    direct: dict[str, Classes] = {}
    for path in paths:
        size = chance.choice(sizes)
        promoters, passives, detractors = chance.choice(kinds)
        one_sided = (promoters * size, passives * size, detractors * size)
        direct[path] = one_sided if chance.random() < 0.25 else mixed(size)
    return Wave(direct, k=5)


def some_moves(wave: Wave, chance: random.Random) -> dict[str, str]:
    paths = [path for path in wave.tree.counts if path]
    moves = {}
    for path in chance.sample(paths, k=min(len(paths), chance.randint(1, 3))):
        above = chance.choice([other for other in ["", *paths] if not f"{other}/".startswith(f"{path}/")])
        moves[path] = "/".join(filter(None, [above, f"new {path.split('/')[-1]}"]))
    return moves


def test_nobody_who_has_both_trees_can_narrow_a_small_group() -> None:
    chance = random.Random(17)
    tried = regroupings = 0
    while regroupings < 60:
        try:
            wave = some_wave(chance)
        except TransformError:
            continue
        rows = wave.today(some_moves(wave, chance), noise=b"secret")
        regroupings += 1
        cells = {path: classes for path, classes in wave.tree.direct.items() if sum(classes)}
        was_shown = wave.metrics[wave.metrics["status"] == "published"]
        published = [
            (f"then {name}", cell)
            for name, row in zip(was_shown["department_id"], was_shown["path"], strict=True)
            for cell in cells
            if path_of(key(cell))[: len(row)] == row
        ]
        shown = set(rows.loc[rows["status"] == "published", "department_id"])
        for name, path in zip(wave.nodes["department_id"], wave.nodes["path"], strict=True):
            inside = [cell for cell in cells if path_of(wave.now[key(cell)])[: len(path)] == path]
            published += [(f"now {name}", cell) for cell in inside if name in shown]
            responses = rows.loc[rows["department_id"] == name, "responses"]
            assert responses.isna().all() or int(responses.iloc[0]) == sum(sum(cells[cell]) for cell in inside)
        frame = pd.DataFrame(list(cells.values()), columns=["promoters", "passives", "detractors"])
        frame = frame.assign(cell=list(cells))
        small = frame.set_index("cell")[["promoters", "passives", "detractors"]].sum(axis=1) < 5
        audited = audit(frame, pd.DataFrame(published, columns=["row", "cell"]), min_respondents=5).set_index("cell")
        assert audited.loc[small[small].index, "is_safe"].all(), (wave.tree.direct, wave.now)
        tried += int(small.sum())
    assert tried > 40


def test_the_regrouping_would_tell_a_count_if_regions_were_cut() -> None:
    cells = {"A/r": mixed(27), "A/l": mixed(3), "B": mixed(25)}
    frame = pd.DataFrame(list(cells.values()), columns=["promoters", "passives", "detractors"]).assign(cell=list(cells))
    old = [("A", "A/r"), ("A", "A/l"), ("B", "B")]
    for new in ([("new A", "A/r")], [("new B", "A/l"), ("new B", "B")]):
        audited = audit(frame, pd.DataFrame([*old, *new], columns=["row", "cell"]), min_respondents=10)
        assert not audited.set_index("cell").loc["A/l", "is_safe"]


def test_a_wave_that_cannot_be_shown_at_all_is_an_error() -> None:
    with pytest.raises(TransformError, match="nothing can be shown"):
        Wave({"A": mixed(3)})
