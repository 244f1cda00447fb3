"""Where an earlier wave's answers hang today, after departments moved at once, one after the other, and back."""

import pandas as pd

from transforms.departments import SEPARATOR, Path, department_id, path_of
from transforms.moves import Move, placed, reshaped
from transforms.reorganisations import in_todays_tree


def key(path: str) -> str:
    return path.replace("/", SEPARATOR)


def move(wave: str, was: str, now: str) -> Move:
    return Move(wave, path_of(key(was)), path_of(key(now)))


def where(paths: list[str], moves: list[Move], *, since: str, until: str) -> list[str]:
    found = placed(map(key, paths), moves, since=since, until=until)
    return [found[key(path)].replace(SEPARATOR, "/") for path in paths]


def test_a_move_counts_between_a_wave_before_it_and_one_from_it_on() -> None:
    moves = [move("2026-10", "A/l", "B/l")]
    assert where(["A/l/deep", "A/r", ""], moves, since="2026-09", until="2026-10") == ["B/l/deep", "A/r", ""]
    assert where(["A/l"], moves, since="2026-10", until="2026-11") == ["A/l"]
    assert where(["A/l"], moves, since="2026-08", until="2026-09") == ["A/l"]


def test_moves_follow_each_other_and_one_may_lead_back() -> None:
    moves = [move("2026-11", "B/l", "C"), move("2026-10", "A/l", "B/l"), move("2026-12", "C", "A/l")]
    assert where(["A/l"], moves, since="2026-09", until="2026-11") == ["C"]
    assert where(["B/l"], moves, since="2026-10", until="2026-11") == ["C"]
    assert where(["A/l"], moves, since="2026-09", until="2026-12") == ["A/l"]


def test_what_moves_with_the_same_wave_moves_at_once() -> None:
    moves = [move("2026-10", "A", "B"), move("2026-10", "B", "C"), move("2026-10", "A/own", "D")]
    assert where(["A", "A/own", "A/other", "B/x"], moves, since="2026-09", until="2026-10") == [
        "B",
        "D",
        "B/other",
        "C/x",
    ]


def test_departments_hold_other_answers_from_where_the_paths_part() -> None:
    now = {key("A/l"): key("B/l"), key("A/r"): key("A/r"), key("X/Y/one"): key("X/Y/two"), "": ""}
    paths: list[Path] = [("A",), ("A", "l"), ("B",), ("B", "l"), ("X", "Y", "one"), ("X", "Y", "two")]
    assert reshaped(now) == {department_id(path) for path in paths}
    assert reshaped({key("A"): key("A/x")}) == {department_id(("A", "x"))}


METRICS = pd.DataFrame(
    {"department_id": ["all", "a", "old"], "survey": "s", "wave": "w", "status": "published", "nps": [1.0, 2.0, 3.0]}
)
ROWS = pd.DataFrame({"department_id": ["all", "a", "new"], "status": "published", "nps": [1.0, 5.0, 3.0]})


def test_of_departments_that_hold_other_answers_the_regrouped_row_counts_and_of_others_what_was_released() -> None:
    found = in_todays_tree(METRICS, ROWS, reshaped={"a", "old", "new"}).set_index("department_id")
    assert found["nps"].to_dict() == {"all": 1.0, "old": 3.0, "a": 5.0, "new": 3.0}
    assert found["is_regrouped"].to_dict() == {"all": False, "old": False, "a": True, "new": True}
    assert set(found["wave"]) == {"w"}


def test_where_nothing_can_be_regrouped_nothing_of_what_is_another_today_is_compared() -> None:
    assert in_todays_tree(METRICS, None, reshaped={"a", "old", "new"})["department_id"].tolist() == ["all"]
    assert in_todays_tree(METRICS, None, reshaped=set())["department_id"].tolist() == ["all", "a", "old"]
