"""The tree comes from the data; names and order of writing from the configuration; ids are safe wherever they stand."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.waves import key
from transforms.departments import department_id, departments, path_of


class Entry(NamedTuple):
    """What `[[departments]]` holds."""

    path: tuple[str, ...]
    name: str | Mapping[str, str] | None = None
    valid_from: str | None = None
    valid_until: str | None = None


def test_every_department_above_one_with_answers_is_there_once_in_tree_order() -> None:
    tree = departments([key("Ships", "Texel"), key("Ports"), key("Ships", "Ameland"), ""], organisation="Waddenlijn")
    assert tree["path"].tolist() == [(), ("Ports",), ("Ships",), ("Ships", "Ameland"), ("Ships", "Texel")]
    assert tree["level"].tolist() == [0, 1, 1, 2, 2]
    assert tree["position"].tolist() == [0, 1, 2, 3, 4]
    ids = tree["department_id"].tolist()
    assert tree["parent_id"].tolist() == [None, "all", "all", ids[2], ids[2]]
    assert tree["name"].tolist() == ["Waddenlijn", "Ports", "Ships", "Ameland", "Texel"]


def test_no_answers_at_all_is_the_organisation_alone() -> None:
    tree = departments([], organisation="Waddenlijn")
    assert tree[["department_id", "department_key", "level"]].to_numpy().tolist() == [["all", "", 0]]


def test_siblings_are_alphabetical_whatever_their_case_and_accents() -> None:
    tree = departments(["zee", "Élan", "Aker", "eb", "Flood", "aa"], organisation="o")
    assert tree["name"].tolist() == ["o", "aa", "Aker", "eb", "Élan", "Flood", "zee"]


def test_configured_siblings_come_first_in_order_of_writing_and_names_count_for_the_alphabet() -> None:
    entries = [Entry(("d",)), Entry(("c", "y")), Entry(("a",))]
    keys = [*"abcd", key("c", "x"), key("c", "y")]
    tree = departments(keys, entries, organisation="o")
    assert tree["path"].tolist()[1:] == [("d",), ("a",), ("b",), ("c",), ("c", "y"), ("c", "x")]


def test_names_are_in_every_language_and_one_stands_in_for_another() -> None:
    entries = [
        Entry(("A",), {"nl": "Veer", "en": "Ferry"}),
        Entry(("B",), {"en": "Bridge"}),
        Entry(("C",), "Cantine"),
        Entry(("D",), None),
    ]
    tree = departments([*"ABCDE"], entries, organisation="Waddenlijn", languages=("nl", "en"))
    names = dict(zip(tree["department_key"], tree["names"], strict=True))
    assert names == {
        "": {"nl": "Waddenlijn", "en": "Waddenlijn"},
        "A": {"nl": "Veer", "en": "Ferry"},
        "B": {"nl": "Bridge", "en": "Bridge"},
        "C": {"nl": "Cantine", "en": "Cantine"},
        "D": {"nl": "D", "en": "D"},
        "E": {"nl": "E", "en": "E"},
    }
    assert tree["name"].tolist() == [name["nl"] for name in tree["names"]]


def test_a_configured_department_without_answers_makes_no_row() -> None:
    assert len(departments(["A"], [Entry(("B",), "closed")], organisation="o")) == 2


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        (("Ships", "Texel"), "ships-texel"),
        (("Île de Ré",), "ile-de-re"),
        (("Straße",), "strasse"),
        (("../../etc/passwd",), "etc-passwd"),
        (("<script>alert(1)</script>",), "script-alert-1-script"),
        (("渡船",), "department"),
        (("x" * 500,), "x" * 60),
    ],
)
def test_ids_are_readable_slugs_of_the_path(path: tuple[str, ...], slug: str) -> None:
    assert re.fullmatch(re.escape(slug) + "-[0-9a-f]{8}", department_id(path))


PATHS = st.lists(st.lists(st.text("aAé/.\"' <", min_size=1, max_size=3), max_size=4).map(tuple), max_size=12)


@given(paths=PATHS)
def test_ids_are_safe_and_their_own_and_parents_stand_before_their_children(paths: list[tuple[str, ...]]) -> None:
    tree = departments([key(*path) for path in paths], organisation="o")
    ids = tree["department_id"].tolist()
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]{3,80}", name) for name in ids)
    assert set(paths) <= set(tree["path"])
    assert [path_of(name) for name in tree["department_key"]] == tree["path"].tolist()
    for position, parent in enumerate(tree["parent_id"].tolist()[1:], start=1):
        assert parent in ids[:position]


@given(paths=PATHS)
def test_the_tree_does_not_depend_on_the_order_of_the_data(paths: list[tuple[str, ...]]) -> None:
    keys = [key(*path) for path in paths]
    assert departments(keys, organisation="o").equals(departments(reversed(keys), organisation="o"))


def test_a_department_has_its_time_from_the_last_entry_of_its_path_and_others_are_open() -> None:
    entries = [Entry(("A",), valid_until="2026-09"), Entry(("A",), "Again", "2026-10", None)]
    tree = departments(["A", "B"], entries, organisation="o")
    rows = tree[["name", "valid_from", "valid_until"]].to_numpy().tolist()
    assert rows == [["o", None, None], ["Again", "2026-10", None], ["B", None, None]]
