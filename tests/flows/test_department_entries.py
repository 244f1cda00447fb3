"""What `[[departments]]` may say of time and of moves: which entry counts when, and what cannot be so together."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.configuration import load
from flows.departments import DepartmentEntry, as_of, contradictions, ended_by, out_of_time
from flows.errors import ConfigurationError
from tests.flows.test_configuration import SMALLEST, written


def entry(path: str, **said: object) -> DepartmentEntry:
    return DepartmentEntry.model_validate({"path": path.split("/"), **said})


def entries(text: str) -> str:
    """Entries, one a line, as they are written down."""
    return "".join(f"[[departments]]\n{line.strip()}\n" for line in text.strip().replace("; ", "\n").split("|"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('path = ["B"]; was = ["A"]', ("line 1, departments.0", "since which wave? Add valid_from")),
        ('path = ["B"]; was = ["B"]; valid_from = "2026-10"', ("line 1", "cannot move to itself")),
        ('path = ["B"]; was = [[]]; valid_from = "2026-10"', ("line 3, departments.0.was", "at least 1 item")),
        ('path = ["B"]; was = [["A", 1]]; valid_from = "2026-10"', ("line 3, departments.0.was", "valid string")),
        ('path = ["B"]; valid_from = ""', ("line 3, departments.0.valid_from", "at least 1 character")),
        (
            'path = ["B"]; valid_from = "2026-10"; valid_until = "2026-09"',
            ("line 1", "valid_from '2026-10' comes after valid_until '2026-09'"),
        ),
        (
            'path = ["A", "x"]; valid_until = "2026-Q4" | path = ["A", "x"]; valid_from = "2026-12"',
            (
                *("line 5, departments.1.path", "'A > x' is written down twice for the same time"),
                "found:   from ever until 2026-Q4, and from 2026-12 until further notice",
                "allowed: one entry for each time",
            ),
        ),
        (
            'path = ["B"]; was = ["A"]; valid_from = "2026-10"'
            ' | path = ["C"]; was = [["X"], ["A"]]; valid_from = "2026-10"',
            (
                *("line 7, departments.1.was", "'A' cannot become two with 2026-10"),
                *("found:   'B' and 'C'", "allowed: one department for each that moved"),
            ),
        ),
        (
            'path = ["B"]; was = ["A"]; valid_from = "2026-10" | path = ["A"]; was = ["B"]; valid_from = "2026-10"',
            (
                "line 3, departments.0.was",
                "in a circle with 2026-10",
                "found:   'B', then 'A', then 'B'",
                "allowed: moves",
            ),
        ),
        (
            'path = ["B"]; was = ["A"]; valid_from = "2026-10" | path = ["A"]; name = "Old"',
            (
                *("line 3, departments.0.was", "'A' became 'B' with 2026-10, and is said to stay", "'A' at any time"),
                "allowed: a valid_until of 'A' that ends before 2026-10",
            ),
        ),
    ],
    ids=["no wave", "itself", "nowhere", "no path", "no label", "backwards", "overlap", "divided", "circle", "stays"],
)
def test_what_cannot_be_is_told_with_its_place_and_what_is_allowed(
    tmp_path: Path, said: str, told: Sequence[str]
) -> None:
    path = written(tmp_path, entries(said) + SMALLEST)
    with pytest.raises(ConfigurationError) as error:
        load(path)
    for words in (str(path), *told):
        assert words in str(error.value)
    assert error.value.exit_code == 2


def test_departments_may_come_and_go_and_come_back(tmp_path: Path) -> None:
    said = """path = ["A"]; valid_until = "2026-09"
        | path = ["B", "a"]; was = ["A"]; valid_from = "2026-10"; valid_until = "2026-11"
        | path = ["A"]; was = [["B", "a"], ["C"]]; valid_from = "2026-12"
        | path = ["B"]; was = ["B", "old"]; valid_from = "2026-10" """
    found = load(written(tmp_path, entries(said) + SMALLEST)).departments
    assert found[1].was == (("A",),)
    assert found[2].was == (("B", "a"), ("C",))
    assert not list(contradictions(found))


def test_of_several_entries_of_a_path_the_one_that_is_valid_counts_else_the_last() -> None:
    first, second = entry("A", name="first", valid_until="2026-09"), entry("A", name="second", valid_from="2026-11")
    for wave, name in (("2026-09", "first"), ("2026-10", "second"), ("2026-11", "second"), (None, "second")):
        assert [one.name for one in as_of([first, second], wave)] == [name]


def test_departments_before_their_time_after_it_or_left_behind_by_a_move_are_told() -> None:
    said = [entry("A", valid_until="2026-09"), entry("B", valid_from="2026-10", was=["C"]), entry("D", name="open")]
    paths = [(), ("A",), ("B",), ("C",), ("D",), ("E",)]
    assert out_of_time(said, "2026-09", paths) == {("B",)}
    assert out_of_time(said, "2026-10", paths) == {("A",), ("C",)}
    assert (ended_by(said, "2026-09"), ended_by(said, "2026-10")) == (set(), {("A",)})
