"""Hostile names, ids that cannot be files, frames that do not agree, and trees of 500 departments or twelve levels."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from tests.transforms.report.editions import FERRY, ROOT, departments, ferry, tree_of
from tests.transforms.report.test_pages import Page
from transforms import TransformError
from transforms.report.edition import Edition
from transforms.report.pages import pages

HOSTILE = "<script>alert(1)</script>\"'&amp;"
RIGHT_TO_LEFT = "מעבורת טקסל \u202eabc"
LONG = "Donau" + "dampfschifffahrts" * 30


def hostile() -> Edition:
    nodes = [
        (n[0], n[1], n[2], name, name)
        for n, name in zip(FERRY, (HOSTILE, RIGHT_TO_LEFT, LONG, "=cmd|' /C calc'!A0"), strict=False)
    ]
    leaves = {"bookings-2b3c4d5e": (40, 20, 10), "group-travel-3c4d5e6f": (30, 20, 10)}
    edition = tree_of(nodes, leaves)
    return replace(edition, organisation=HOSTILE, titles={"en": HOSTILE, "nl": RIGHT_TO_LEFT}, wave=HOSTILE,
                   respondents={"en": HOSTILE}, metrics=edition.metrics.assign(wave=HOSTILE))  # fmt: skip


def test_hostile_names_are_text_and_right_to_left_ones_are_isolated() -> None:
    for path, source in pages(hostile()).items():
        if not path.endswith(".html"):
            continue
        page = Page(source)
        assert "script" not in [tag for tag, _ in page.elements], path
        assert page.open == [], path
        body = re.sub(r"<title>.*?</title>|<meta[^>]*>", "", source.decode(), flags=re.DOTALL)
        before = re.findall(r"(.{0,5})" + re.escape(RIGHT_TO_LEFT), body, re.DOTALL)
        assert set(before) <= {"<bdi>"}, path


@pytest.mark.parametrize("department_id", ["../../etc/passwd", "a/b", "index", "", ".hidden", "con\0"])
def test_a_department_id_that_cannot_be_a_file_is_refused(department_id: str) -> None:
    nodes = [FERRY[0], (department_id, ROOT, 1, "A", "A")]
    with pytest.raises(TransformError, match="cannot name a page"):
        pages(tree_of(nodes, {department_id: (40, 20, 10)}))


def test_the_frames_must_agree_and_be_whole() -> None:
    with pytest.raises(TransformError, match="different departments"):
        pages(replace(ferry(), departments=departments(FERRY[:5])))
    with pytest.raises(TransformError, match=r"metrics lacks .*nps"):
        replace(ferry(), metrics=pd.DataFrame({"survey": []}))
    with pytest.raises(TransformError, match="pages speak en, nl"):
        replace(ferry(), languages=("de",))


def big_tree(branches: int, leaves: int) -> Edition:
    nodes: list[tuple[object, ...]] = [FERRY[0]]
    counts = {}
    for branch in range(branches):
        nodes.append((f"b{branch}", ROOT, 1, f"Branch {branch:03d}", f"Tak {branch:03d}"))
        for leaf in range(leaves):
            nodes.append(
                (f"b{branch}-{leaf}", f"b{branch}", 2, f"Leaf {branch:03d}-{leaf:03d}", f"Blad {branch:03d}-{leaf:03d}")
            )
            counts[f"b{branch}-{leaf}"] = (20 + leaf, 15, 10)
        if not leaves:
            counts[f"b{branch}"] = (30, 20, 10)
    return replace(tree_of(nodes, counts), languages=("en",))


@pytest.mark.parametrize(("branches", "leaves"), [(25, 20), (500, 0), (2, 250)])
def test_every_page_of_500_departments_stays_under_200_kb_and_every_department_can_be_reached(
    branches: int, leaves: int
) -> None:
    edition = big_tree(branches, leaves)
    made = pages(edition)
    assert max(len(source) for path, source in made.items() if path.endswith(".html")) < 200_000
    linked = {href for path in made if re.fullmatch(r"en/(index|departments-\d+)\.html", path)
              for href in re.findall(r'href="([^"#]+)"', made[path].decode())}  # fmt: skip
    assert {f"{key}.html" for key in edition.departments["department_id"]} - {"all.html"} <= linked


def test_a_deep_tree_is_drawn_whole() -> None:
    nodes: list[tuple[object, ...]] = [FERRY[0]]
    for depth in range(1, 13):
        nodes.append((f"d{depth}", f"d{depth - 1}" if depth > 1 else ROOT, depth, f"Level {depth}", f"Laag {depth}"))
    made = pages(tree_of(nodes, {"d12": (40, 20, 10)}))
    assert "Level 12" in Page(made["en/index.html"]).text
    assert 'class="l6' in made["en/index.html"].decode()
