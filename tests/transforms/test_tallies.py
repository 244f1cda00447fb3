"""One heavy pass, then every node of an uneven tree: exact, three-valued, each respondent once."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.responses import WEIGHT_MAX
from tests.transforms.waves import SCORES, SPOKE, WARNED, Frame, Row, key, layers, tallies, tally


def test_each_score_from_0_to_10_is_in_its_class_and_a_missing_one_in_none() -> None:
    root = tallies([{"score": score} for score in (*range(11), None, None)]).loc[""]
    assert [root[name] for name in ("responses", "missing_scores", *SCORES)] == [11, 2, 2, 2, 7]


def test_answers_count_in_their_own_department_and_in_all_above_it_also_where_the_tree_is_uneven() -> None:
    paths = [("A",)] * 2 + [("A", "a1")] * 3 + [("A", "a2", "deep")] * 5 + [("B",)] * 4 + [()]
    rows = tallies([{"score": 9, "department_key": key(*path)} for path in paths])
    assert rows["responses"].to_dict() == {
        "": 15,
        key("A"): 10,
        key("A", "a1"): 3,
        key("A", "a2"): 5,
        key("A", "a2", "deep"): 5,
        key("B"): 4,
    }


def test_departments_whose_names_begin_alike_or_hold_wildcards_stay_apart() -> None:
    rows = tallies([{"score": 9, "department_key": path} for path in ("Texel", "Texel 2", "%", "Te_el", key("%", "x"))])
    assert rows["responses"].to_dict() == {"": 5, "%": 2, key("%", "x"): 1, "Te_el": 1, "Texel": 1, "Texel 2": 1}


def test_a_department_with_missing_scores_alone_has_its_row() -> None:
    row = tallies([{"score": 9}, {"department_key": "A"}]).loc["A"]
    assert (row["responses"], row["missing_scores"], row["weight_sum"]) == (0, 1, None)


@pytest.mark.parametrize(
    ("told", "acted", "copied", "expected"),
    [
        (0, None, None, (1, 0, 0, 0)),  # told nobody: classified, whatever came of it
        (None, 2, True, (0, 0, 0, 0)),  # a missing answer is never a no, and effect without telling is unknown
        (1, 1, False, (1, 1, 1, 1)),
        (1, 0, True, (1, 1, 1, 1)),
        (1, None, True, (1, 1, 1, 1)),  # one yes is enough
        (1, 1, None, (1, 1, 1, 1)),
        (1, 0, False, (1, 1, 1, 0)),
        (1, 0, None, (1, 1, 0, 0)),  # the missing one might have been a yes
        (1, None, False, (1, 1, 0, 0)),
        (1, None, None, (1, 1, 0, 0)),
    ],
)
def test_superpromoters_in_three_valued_logic(
    told: int | None, acted: int | None, copied: bool | None, expected: tuple[int, ...]
) -> None:
    answer = {"score": 9, "told_count": told, "acted_count": acted, "is_copied": copied}
    root = tallies([answer]).loc[""]
    assert tuple(root[name] for name in SPOKE) == expected


def test_a_question_that_was_not_asked_leaves_the_other_to_decide() -> None:
    acted_no, copied_no = (
        {"score": 9, "told_count": 1, "acted_count": 0},
        {"score": 9, "told_count": 1, "is_copied": False},
    )
    assert tallies([acted_no], copied_is_asked=False).loc["", list(SPOKE)].tolist() == [1, 1, 1, 0]
    assert tallies([copied_no], acted_is_asked=False).loc["", list(SPOKE)].tolist() == [1, 1, 1, 0]
    neither = tallies([acted_no], acted_is_asked=False, copied_is_asked=False)
    assert neither.loc["", list(SPOKE)].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("warned", "acted", "expected"),
    [
        (0, None, (1, 0, 0, 0)),
        (None, 1, (0, 0, 0, 0)),
        (1, None, (1, 1, 0, 0)),
        (1, 0, (1, 1, 1, 0)),
        (2, 1, (1, 1, 1, 1)),
    ],
)
def test_antipromoters_mirror_them(warned: int | None, acted: int | None, expected: tuple[int, ...]) -> None:
    answer = {"score": 6, "warned_count": warned, "warned_acted_count": acted, "is_copied": True, "told_count": 3}
    root = tallies([answer]).loc[""]
    assert tuple(root[name] for name in WARNED) == expected
    assert tuple(root[name] for name in SPOKE) == (0, 0, 0, 0)


def test_passives_who_tell_stay_passives_and_promoters_who_warn_count_as_nothing_but_promoters() -> None:
    talkative = {"told_count": 9, "acted_count": 9, "warned_count": 9, "warned_acted_count": 9}
    root = tallies([{"score": 8, **talkative}, {"score": None, **talkative}]).loc[""]
    assert [root[name] for name in SPOKE + WARNED] == [0] * 8
    assert tallies([{"score": 10, **talkative}]).loc["", list(WARNED)].tolist() == [0] * 4


def test_told_min_is_a_setting_and_of_a_band_the_lower_bound_counts() -> None:
    answers = [{"score": 9, "told_count": 2, "told_count_most": 5, "acted_count": 1}, {"score": 9, "told_count": 3}]
    assert tallies(answers, told_min=3).loc["", list(SPOKE)].tolist() == [2, 1, 0, 0]


def test_contradictory_answers_are_counted_as_such() -> None:
    rows = tallies([{"score": 9, "is_contradictory": True}, {"score": 3}, {"is_contradictory": True}])
    assert rows.loc["", "contradictory"] == 2


def test_the_squares_of_the_largest_weights_fit_over_ten_million_answers() -> None:
    with duckdb.connect() as connection:
        sums = connection.execute(
            "select sum(weight * weight) * 10000 from (select $most::decimal(18, 10) as weight from range(1000))",
            {"most": WEIGHT_MAX},
        ).fetchone()
    assert sums == (10**7 * WEIGHT_MAX**2,)


def test_weights_add_up_exactly_over_valid_scores_alone() -> None:
    answers: list[Row] = [
        {"score": 9, "weight": Decimal("0.1"), "department_key": "A"},
        {"score": 9, "weight": Decimal("0.2"), "department_key": "B"},
        {"score": 7, "weight": Decimal("0.3")},
        {"score": 0, "weight": Decimal("0.0000000001")},
        {"weight": Decimal("5")},
    ]
    root = tallies(answers).loc[""]
    assert root["weight_sum"] == Decimal("0.6000000001")
    assert root["weight_square_sum"] == Decimal("0.14000000000000000001")
    assert [root[f"weighted_{name}"] for name in SCORES] == [Decimal("0.3"), Decimal("0.3"), Decimal("0.0000000001")]


def test_without_weights_there_are_no_weighted_sums() -> None:
    root = tallies([{"score": 9}]).loc[""]
    assert root[["weight_sum", "weight_square_sum", *(f"weighted_{name}" for name in SCORES)]].isna().all()


def test_a_class_that_nobody_chose_weighs_nothing_where_there_are_weights() -> None:
    root = tallies([{"score": 9, "weight": Decimal(2)}]).loc[""]
    assert [root[f"weighted_{name}"] for name in SCORES] == [2, 0, 0]


def test_a_respondent_counts_once_in_the_class_and_department_of_his_newest_answer() -> None:
    early, late = datetime(2026, 10, 1), datetime(2026, 10, 2)
    answers: list[Row] = [
        {"score": 10, "respondent_key": 1, "department_key": "B", "responded_at": late},
        {"score": 2, "respondent_key": 1, "department_key": "A", "responded_at": early},
        {"score": 8, "respondent_key": 1, "department_key": "A", "responded_at": None},
        {"respondent_key": 1, "department_key": "A", "responded_at": late},  # no score: no answer to count
        {"score": 7, "respondent_key": 2, "department_key": "A"},
        {"score": 7, "department_key": "A"},
        {"score": 7, "department_key": "A"},
    ]
    rows = tallies(answers)
    columns = [f"respondent_{name}" for name in SCORES]
    assert rows.loc["", columns].tolist() == [1, 3, 0]
    assert rows.loc["A", columns].tolist() == [0, 3, 0]
    assert rows.loc["B", columns].tolist() == [1, 0, 0]
    assert rows.loc["A", "responses"] == 5


def test_without_times_the_later_record_is_the_newer_answer() -> None:
    answers = [
        {"score": 2, "respondent_key": 7, "batch": 2, "record_number": 1},
        {"score": 10, "respondent_key": 7, "batch": 1, "record_number": 9},
        {"score": 8, "respondent_key": 7, "batch": 2, "record_number": 3},
    ]
    assert tallies(answers).loc["", [f"respondent_{name}" for name in SCORES]].tolist() == [0, 1, 0]


ANSWERS = st.lists(
    st.fixed_dictionaries(
        {
            "score": st.none() | st.integers(0, 10),
            "respondent_key": st.none() | st.integers(1, 4),
            "department_key": st.sampled_from(["", "A", key("A", "a"), key("A", "b"), "B"]),
            "responded_at": st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)),
            "weight": st.decimals(0, 5, places=3),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(answers=ANSWERS)
def test_respondents_are_as_many_as_counted_by_hand(answers: list[dict[str, Any]]) -> None:
    rows = tallies(answers)
    newest = _newest(answers)
    for department_key, row in rows.iterrows():
        below = [score for path, score in newest if _is_within(path, str(department_key))]
        by_hand = [sum(s >= 9 for s in below), sum(7 <= s <= 8 for s in below), sum(s <= 6 for s in below)]
        assert [row[f"respondent_{name}"] for name in SCORES] == by_hand


@settings(max_examples=15, deadline=None)
@given(answers=ANSWERS)
def test_a_department_is_the_sum_of_those_below_it_and_its_own_answers(answers: list[dict[str, Any]]) -> None:
    rows = tallies(answers)
    for department_key, row in rows.iterrows():
        own = [answer for answer in answers if answer["department_key"] == department_key]
        children = rows[rows["parent_id"] == row["department_id"]]
        assert row["promoters"] == children["promoters"].sum() + sum((a["score"] or 0) >= 9 for a in own)
        scored = [a["weight"] for a in own if a["score"] is not None]
        assert (row["weight_sum"] or 0) == sum(children["weight_sum"].dropna()) + sum(scored)


def _newest(answers: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    by_person: dict[object, list[tuple[datetime, int, str, int]]] = {}
    for number, answer in enumerate(answers):
        if answer["score"] is not None:
            person = answer["respondent_key"] or f"record {number}"
            when = answer["responded_at"] or datetime.min
            by_person.setdefault(person, []).append((when, number, answer["department_key"], answer["score"]))
    return [(path, score) for _, _, path, score in map(max, by_person.values())]


def _is_within(path: str, node: str) -> bool:
    return node in ("", path) or path.startswith(node + key("", ""))


def test_san_francisco_airport_2017_has_the_published_figures(survey_data: Path) -> None:
    rows = _of_file(
        survey_data / "sfo-2017" / "responses.csv",
        """select BAREA || chr(31) || GATE as department_key, nullif(try_cast(NETPRO as tinyint), 11) as score,
           WEIGHT::decimal(18, 10) as weight from read_csv($path, all_varchar = true)""",
    )
    root = rows.loc[""]
    assert [root[name] for name in ("responses", "missing_scores", *SCORES)] == [2746, 85, 1436, 968, 342]
    assert _nps(root) == pytest.approx(39.8398, abs=5e-5)
    weighted = 100 * (root["weighted_promoters"] - root["weighted_detractors"]) / root["weight_sum"]
    assert float(weighted) == pytest.approx(40.3984, abs=5e-5)
    areas = {area: (row["responses"], round(_nps(row), 4)) for area, row in rows[rows["level"] == 1].iterrows()}
    assert areas == {
        "A": (724, 39.9171),
        "B": (166, 43.3735),
        "C": (226, 46.9027),
        "D": (386, 43.5233),
        "E": (175, 46.8571),
        "F": (444, 38.5135),
        "G": (625, 32.9600),
    }
    assert (rows["level"] == 2).sum() == 72
    assert root[list(SPOKE + WARNED)].sum() == 0


@pytest.mark.parametrize(
    ("distinct", "scores", "nps"), [("", [3018, 2308, 579, 131], 72.1339), ("distinct", [3001], 72.1093)]
)
def test_r_community_2018_has_the_published_figures(
    survey_data: Path, distinct: str, scores: list[int], nps: float
) -> None:
    rows = _of_file(
        survey_data / "r-community-2018" / "responses.tsv",
        f"""select if(Qr_experience in ('NA', 'None'), '', Qr_experience) as department_key, null as weight,
            try_cast(Qrecommend as tinyint) as score
            from (select {distinct} * from read_csv($path, all_varchar = true, delim = '\t', quote = '"'))""",
    )
    assert rows.loc["", ["responses", *SCORES]].tolist()[: len(scores)] == scores
    assert _nps(rows.loc[""]) == pytest.approx(nps, abs=5e-5)
    if not distinct:
        levels = {name: (row["responses"], round(_nps(row), 4)) for name, row in rows.iloc[1:].iterrows()}
        assert levels == {"Beginner": (558, 45.3405), "Expert": (698, 82.9513), "Intermediate": (1756, 76.5376)}
        assert 3018 - 558 - 698 - 1756 == 6


def _of_file(path: Path, answers: str) -> Frame:
    with duckdb.connect() as connection:
        layers(connection)
        connection.execute(
            f"""insert into core.responses by name select *, 's' as survey, 1 as batch, 'w' as wave,
            row_number() over () as record_number, record_number as response_key, false as is_contradictory
            from ({answers})""",
            {"path": str(path)},
        )
        connection.execute("create temp view counted as from core.responses")
        return tally(connection)


def _nps(row: Any) -> float:
    return float(100 * (row["promoters"] - row["detractors"]) / row["responses"])
