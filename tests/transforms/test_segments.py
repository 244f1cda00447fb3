"""Figures by segment: counts by hand, who did not say, and protection within each department."""

from collections.abc import Mapping
from typing import Any

import duckdb
import pandas as pd
import pytest

from transforms import TransformError
from transforms.departments import SEPARATOR, departments
from transforms.segments import COUNTS, MOST_VALUES, Rule, segment_cells, segments

Counts = Mapping[tuple[str, str | None], tuple[int, int, int]]

RULE = Rule(10, b"", "guests 2026-10")


def cells(rows: Counts) -> pd.DataFrame:
    """The cells of one segment, every answer of another person."""
    counted = [(key, value, *classes, *classes) for (key, value), classes in rows.items()]
    return pd.DataFrame(counted, columns=["department_key", "segment_1", *COUNTS])


def made(frame: pd.DataFrame, *, levels: int = 0, hidden: tuple[str, ...] = (), rule: Rule = RULE) -> Any:
    tree = departments(sorted(set(frame["department_key"])), organisation="Ferries")
    status = ["suppressed" if key in hidden else "published" for key in tree["department_key"]]
    pattern = pd.DataFrame({"department_id": tree["department_id"], "status": status})
    return segments(frame, tree, pattern, names=["ticket"], levels=levels, rule=rule)


def test_every_value_is_a_row_and_who_did_not_say_is_the_last_one() -> None:
    rows = made(
        cells({("a", "day"): (10, 5, 5), ("b", "day"): (5, 5, 0), ("b", "year"): (4, 4, 4), ("a", None): (9, 9, 9)})
    )
    assert rows["value"].tolist() == ["day", "year", None]
    assert rows["responses"].tolist() == [30, 12, 27]
    assert rows[["promoters", "passives", "detractors"]].to_numpy().tolist() == [[15, 10, 5], [4, 4, 4], [9, 9, 9]]
    assert set(rows["status"]) == {"published"}
    assert set(rows["department"]) == {"Ferries"}


def test_a_small_value_is_hidden_together_with_the_smallest_that_hides_it() -> None:
    rows = made(cells({("a", "car"): (40, 20, 20), ("a", "bike"): (2, 1, 0), ("a", "foot"): (10, 5, 5)}))
    assert rows.set_index("value")["status"].to_dict() == {
        "car": "published",
        "bike": "suppressed",
        "foot": "suppressed",
    }


def test_many_of_one_class_are_hidden_until_they_are_twice_as_many() -> None:
    many: Counts = {("a", "car"): (40, 20, 20), ("a", "foot"): (20, 10, 0)}
    assert set(made(cells({**many, ("a", "bike"): (20, 0, 0)}))["status"]) == {"published"}
    assert made(cells({**many, ("a", "bike"): (19, 0, 0)}))["status"].tolist() == [
        "suppressed",
        "published",
        "suppressed",
    ]


def test_departments_are_shown_down_to_the_level_asked_for_and_never_one_that_is_hidden() -> None:
    deep = f"a{SEPARATOR}x"
    frame = cells({("a", "day"): (20, 20, 20), (deep, "day"): (20, 20, 20), ("b", "day"): (20, 20, 20)})
    assert made(frame)["department"].unique().tolist() == ["Ferries"]
    assert made(frame, levels=1)["department"].unique().tolist() == ["Ferries", "a", "b"]
    assert made(frame, levels=2, hidden=("b",))["department"].unique().tolist() == ["Ferries", "a", "x"]


def test_a_value_that_nobody_in_a_department_gave_is_shown_as_none() -> None:
    rows = made(cells({("a", "day"): (20, 20, 20), ("b", "year"): (20, 20, 20)}), levels=1).set_index(
        ["department", "value"]
    )
    assert rows.loc[("a", "year"), ["status", "responses"]].tolist() == ["published", 0]


def test_one_person_with_many_answers_is_one() -> None:
    frame = cells({("a", "car"): (40, 20, 20), ("a", "bike"): (20, 20, 0), ("a", "foot"): (10, 5, 5)})
    frame.loc[1, list(COUNTS[3:])] = [1, 1, 0]
    assert made(frame).set_index("value")["status"]["bike"] == "suppressed"


def test_a_column_of_free_text_is_no_segment() -> None:
    frame = cells({("a", f"value {number:03}"): (20, 20, 20) for number in range(MOST_VALUES + 1)})
    with pytest.raises(TransformError, match="has 51 values"):
        made(frame)


def test_answers_are_counted_by_what_was_said_and_people_once_with_their_newest_answer() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table counted as select * from (values
                (1, 1, 7, timestamp '2026-10-01', 'a', 10, map {'ticket': 'day'}),
                (1, 2, 7, timestamp '2026-10-02', 'b', 3, map {'ticket': 'year'}),
                (1, 3, null, null, 'a', 8, map {'ticket': null}),
                (1, 4, 8, timestamp '2026-10-02', 'a', null, map {'ticket': 'day'})
            ) as rows (batch, record_number, respondent_key, responded_at, department_key, score, segments)
            """
        )
        rows = connection.sql(segment_cells(["ticket"])).fetchall()
        assert rows == [("a", "day", 1, 0, 0, 0, 0, 0), ("a", None, 0, 1, 0, 0, 1, 0), ("b", "year", 0, 0, 1, 0, 0, 1)]
        assert connection.sql(segment_cells([])).fetchall() == [("a", 1, 1, 0, 0, 1, 0), ("b", 0, 0, 1, 0, 0, 1)]
