"""Tables that overlap: what is hidden until nothing can be computed, in small cases and in random organisations."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from tests.transforms.bounds import audit
from transforms import TransformError
from transforms.departments import departments
from transforms.overlaps import Overlap, Row, hidden, overlap, spread
from transforms.protect import protect
from transforms.rolling import rolling
from transforms.segments import CLASSES, COUNTS, Rule, segments

K = 10
KEYS = ("ships\x1fa", "ships\x1fb", "ships\x1fc", "ports\x1fd", "ports\x1fe")
Counts = Mapping[tuple[str | None, ...], tuple[int, int, int]]


def cells(counts: Counts, wave: str = "1") -> pd.DataFrame:
    """The cells of one wave: department and what was said, everyone another person."""
    width = len(next(iter(counts))) - 1
    names = ["department_key", *(f"segment_{number}" for number in range(1, width + 1)), *COUNTS]
    frame = pd.DataFrame([(*place, *own, *own) for place, own in counts.items()], columns=names)
    return frame.assign(wave=wave, releases=pd.Series([(f"r{wave}",)] * len(frame), dtype=object))


def crossed(counts: Counts, rows: Sequence[Row]) -> Overlap:
    return overlap(spread(cells(counts), ["segment_1"]), rows)


def exposed(tables: Overlap, is_hidden: Sequence[bool]) -> list[int]:
    """The cells that the audit of all bounds, one by one, still finds."""
    shown = [place for place, hides in enumerate(is_hidden) if not hides]
    row, cell = np.nonzero(tables.holds[shown])
    frame = tables.cells[list(CLASSES)].assign(cell=range(len(tables.cells)))
    found = audit(frame, pd.DataFrame({"row": row, "cell": cell}), min_respondents=K)
    return [int(name) for name in found.loc[~found["is_safe"], "cell"]]


TREE = [Row("", {"1": "r1"}), Row("texel", {"1": "r1"}), Row("vlieland", {"1": "r1"})]


def by_ticket(*weights: int) -> list[Row]:
    return [
        Row("", {"1": "r1"}, "segment_1", said, weight) for said, weight in zip(("car", "foot"), weights, strict=True)
    ]


def test_where_departments_and_segments_cross_in_many_ways_all_is_shown() -> None:
    wide: Counts = {
        (department, said): (14, 13, 13) for department in ("texel", "vlieland") for said in ("car", "foot")
    }
    assert hidden(crossed({**wide, ("texel", "car"): (2, 1, 1)}, [*by_ticket(9, 9), *TREE]), min_respondents=K) == (
        [False] * 5,
        [],
    )


def test_rows_are_hidden_lightest_first_until_nobody_can_be_computed_and_the_cells_are_named() -> None:
    narrow: Counts = {("texel", "car"): (1, 1, 0), ("texel", "foot"): (0, 0, 11), ("vlieland", "car"): (12, 12, 0)}
    tables = crossed({**narrow, ("vlieland", "foot"): (14, 13, 13)}, [*by_ticket(9, 8), *TREE])
    is_hidden, named = hidden(tables, min_respondents=K)
    assert is_hidden == [True, True, False, False, False]
    assert named == ["1 × texel × car"]


def test_where_hiding_all_that_may_be_hidden_is_not_enough_the_cells_are_named_for_the_operator() -> None:
    narrow: Counts = {("texel", "car"): (1, 1, 0), ("texel", "foot"): (30, 0, 11), ("vlieland", "car"): (12, 12, 0)}
    stays = [Row("texel", {"1": "r1"}, "segment_1", "car")]
    with pytest.raises(TransformError, match=r"1 × texel × car\. Leave out a segment or a window"):
        hidden(crossed(narrow, [*stays, *TREE]), min_respondents=K)


def test_what_earlier_releases_tell_by_themselves_holds_up_nobody() -> None:
    narrow: Counts = {("texel", "car"): (1, 1, 0), ("texel", "foot"): (30, 0, 11), ("vlieland", "car"): (12, 12, 0)}
    told = [Row("texel", {"1": "r1"}, "segment_1", "car", is_out=True)]
    assert hidden(crossed(narrow, [*told, *TREE]), min_respondents=K)[0] == [False] * 4


def test_of_people_who_answered_often_the_people_count() -> None:
    frame = cells({("texel", "car"): (40, 30, 30), ("texel", "foot"): (40, 30, 30)})
    rows = [*by_ticket(9, 9), Row("", {"1": "r1"}), Row("texel", {"1": "r1"})]
    assert hidden(overlap(frame, rows), min_respondents=K)[0] == [False] * 4
    frame.loc[0, list(COUNTS[3:])] = [1, 1, 1]
    assert hidden(overlap(frame, rows), min_respondents=K)[0] == [True, True, False, False]


def test_two_windows_that_share_waves_do_not_give_away_the_waves_that_they_do_not_share() -> None:
    months = [("1", (1, 1, 1)), ("2", (14, 13, 13)), ("3", (14, 13, 13)), ("4", (20, 15, 15))]
    frame = pd.concat([cells({("texel",): own}, wave) for wave, own in months], ignore_index=True)
    of = {wave: f"r{wave}" for wave, _ in months}
    out = [Row("", {wave: of[wave] for wave in among}, is_out=True) for among in ("123", "23")]
    ours = Row("", {wave: of[wave] for wave in "234"}, weight=9)
    tables = overlap(frame, [ours, *out])
    assert hidden(tables, min_respondents=K)[0] == [False] * 3  # what the first two told is told
    out = [Row("", {wave: of[wave] for wave in "123"}, is_out=True)]
    ours = Row("", {wave: of[wave] for wave in "23"}, weight=9)
    assert hidden(overlap(frame, [ours, *out]), min_respondents=K)[0] == [True, False]


def organisation(seed: int) -> tuple[Overlap, Overlap]:
    """A random organisation with its segments, and with its windows of three and of two waves, as they are released."""
    chance = np.random.default_rng(seed)
    tree, rule = departments(KEYS, organisation="Ferries"), Rule(K, b"noise", str(seed))
    said = [(one, other) for one in ("x", "y", None) for other in ("p", "q")]
    waves = [cells({(key, *one): answered(chance) for key in KEYS for one in said}, wave) for wave in "123"]
    waves = [frame[frame[list(COUNTS)].sum(axis="columns") > 0].reset_index(drop=True) for frame in waves]
    patterns = [protected(frame, tree, rule) for frame in waves]
    shown = [
        Row(key, {wave: f"r{wave}"}, is_out=wave != "3")
        for wave, pattern in zip("123", patterns, strict=True)
        for key, status in zip(tree["department_key"], pattern["status"], strict=True)
        if status == "published"
    ]
    parted = segments(waves[2], tree, patterns[2], names=["one", "other"], levels=1, rule=rule)
    keys = dict(zip(tree["department_id"], tree["department_key"], strict=True))
    columns = {"one": "segment_1", "other": "segment_2"}
    ours = [
        Row(keys[row["department_id"]], {"3": "r3"}, columns[row["segment"]], row["value"], int(row["weight"]))
        for row in parted[parted["status"] == "published"].to_dict("records")
    ]
    first = overlap(
        spread(waves[2], ["segment_1", "segment_2"]), [*ours, *(row for row in shown if "3" in row.releases)]
    )
    statuses = [dict(zip(p["department_id"], p["status"], strict=True)) for p in patterns]
    pooled: list[Row] = []
    for among in ((1, 2), (0, 1, 2)):
        own = pd.concat([waves[wave] for wave in among])
        rows = rolling(own, tree, [statuses[wave] for wave in among], shown_now=tree, rule=rule)
        pooled += [
            Row(
                keys[row["department_id"]],
                {"123"[wave]: f"r{'123'[wave]}" for wave in among},
                weight=int(row["weight"]),
            )
            for row in rows[rows["status"] == "published"].to_dict("records")
            if not row["is_known"]
        ]
    joined = pd.concat([waves[0], waves[1], waves[2]], ignore_index=True)
    plain = joined.groupby(["wave", "department_key", "releases"], as_index=False)[list(COUNTS)].sum()
    return first, overlap(plain, [*pooled, *shown])


def answered(chance: np.random.Generator) -> tuple[int, int, int]:
    """Mostly nobody, else some, mostly of one class."""
    some = chance.integers(0, chance.choice([4, 12, 40]), 3)
    if chance.random() < 0.8:
        some *= np.eye(3, dtype=int)[chance.integers(3)]
    promoters, passives, detractors = (some * (chance.random() < 0.45)).tolist()
    return promoters, passives, detractors


def protected(frame: pd.DataFrame, tree: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """What a wave shows of its tree."""
    sums = [
        frame.loc[frame["department_key"].str.startswith(key), list(COUNTS)].sum() for key in tree["department_key"]
    ]
    tallies = pd.DataFrame(sums).reset_index(drop=True).astype(int)
    tallies = tallies.assign(department_id=tree["department_id"], responses=tallies[list(CLASSES)].sum(axis="columns"))
    return protect(tallies, tree, min_respondents=K, noise=rule.noise, wave=rule.wave)


def test_in_no_random_organisation_a_hidden_group_can_be_computed_from_what_is_left() -> None:
    hid, tables = 0, 0
    for seed in range(6):
        for crossing in organisation(seed):
            is_hidden, named = hidden(crossing, min_respondents=K)
            assert exposed(crossing, is_hidden) == [], seed
            assert any(is_hidden) == bool(named)
            hid, tables = hid + sum(is_hidden), tables + len(is_hidden)
    assert 10 < hid < tables / 2
