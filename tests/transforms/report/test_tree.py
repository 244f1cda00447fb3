"""The tree as readers find it: alphabetical within each parent, cut by whole levels for long pages."""

import pandas as pd
import pytest

from tests.transforms.report.editions import FERRY, departments
from transforms import TransformError
from transforms.report.tree import cut, parts, tree


def test_children_are_in_the_alphabet_of_the_language() -> None:
    assert [node.name for node in tree(departments(FERRY), "nl").root.children] == [
        "Eten en drinken",
        "Havens",
        "Klantenservice",
        "Schepen",
    ]
    assert tree(departments(FERRY), "en").root.children[0].name == "Customer service"


def test_walking_goes_through_each_branch_before_the_next() -> None:
    names = [node.name for node in tree(departments(FERRY), "en").root.walk()]
    assert names[:4] == ["Waddenlijn", "Customer service", "Bookings", "Group travel"]
    assert len(names) == 15


def test_the_way_up_leaves_the_organisation_out() -> None:
    found = tree(departments(FERRY), "en")
    assert [node.name for node in found.above("texel-d6e7f809")] == ["Ships"]
    assert found.above("all") == []


@pytest.mark.parametrize(("most", "expected"), [(15, 15), (14, 5), (5, 5), (4, 1), (1, 1)])
def test_a_cut_keeps_whole_levels_and_always_the_department_itself(most: int, expected: int) -> None:
    assert len(cut(tree(departments(FERRY), "en").root, most=most)) == expected


def test_parts_hold_every_row_once_in_order() -> None:
    root = tree(departments(FERRY), "en").root
    found = parts(root, most=4)
    assert [node for part in found for node in part] == list(root.walk())
    assert max(map(len, found)) <= 4


def test_a_frame_without_exactly_one_organisation_is_refused() -> None:
    with pytest.raises(TransformError, match="without a parent"):
        tree(pd.concat([departments(FERRY), departments(FERRY[:1])]), "en")
