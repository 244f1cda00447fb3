"""A wave is released when it has ended, not before."""

from datetime import date

import pytest

from transforms.waves import (
    chronological,
    distances,
    ends_before,
    has_begun,
    in_order,
    is_closed,
    is_over,
    starts,
    year_before,
)


@pytest.mark.parametrize(
    ("wave", "end"),
    [
        ("2026-10", date(2026, 11, 1)),
        ("2026-12", date(2027, 1, 1)),
        ("2026-Q1", date(2026, 4, 1)),
        ("2026-Q4", date(2027, 1, 1)),
        ("2026", date(2027, 1, 1)),
        ("2026-13", None),
        ("spring", None),
    ],
)
def test_a_label_names_the_period_that_ends_before_a_day(wave: str, end: date | None) -> None:
    assert ends_before(wave) == end


def test_a_month_is_closed_on_the_first_day_of_the_next() -> None:
    assert not is_closed("2026-10", date(2026, 10, 31))
    assert is_closed("2026-10", date(2026, 11, 1))
    assert is_closed("spring", date(2026, 11, 1))


def test_waves_stand_in_the_order_in_which_they_ended() -> None:
    assert in_order(["b", "2026-Q4", "2026-10", "a", "2025", "2026-10"]) == ["2025", "2026-10", "2026-Q4", "a", "b"]


def test_numbers_in_labels_count_as_numbers() -> None:
    assert in_order(["Wave 10", "wave 9", "Wave 2", "Wave 02b"]) == ["Wave 2", "Wave 02b", "wave 9", "Wave 10"]
    assert in_order(["2 spring", "10 spring", "1 autumn"]) == ["1 autumn", "2 spring", "10 spring"]


@pytest.mark.parametrize(
    ("wave", "before"),
    [("2026-10", "2025-10"), ("2026-Q4", "2025-Q4"), ("2026", "2025"), ("Wave 2", None), ("2026-13", None)],
)
def test_a_year_before_a_period_is_the_same_one_and_other_labels_have_none(wave: str, before: str | None) -> None:
    assert year_before(wave) == before


def test_waves_lie_as_many_periods_apart_as_the_calendar_says_and_labels_one() -> None:
    assert distances(["2025-11", "2026-01", "2026-02"]) == [1, 2, 1]
    assert distances(["2025-Q4", "2026-Q1", "2027-Q1"]) == [1, 1, 4]
    assert distances(["2024", "2026"]) == [1, 2]
    assert distances(["2025", "2026-01", "Wave 1", "Wave 7"]) == [1, 1, 1, 1]
    assert distances([]) == []


@pytest.mark.parametrize(
    ("wave", "start"),
    [("2026-10", date(2026, 10, 1)), ("2026-Q4", date(2026, 10, 1)), ("2026", date(2026, 1, 1)), ("spring", None)],
)
def test_a_label_names_the_period_that_starts_on_a_day(wave: str, start: date | None) -> None:
    assert starts(wave) == start


@pytest.mark.parametrize(
    ("wave", "label", "begun", "over"),
    [
        ("2026-09", "2026-10", False, False),
        ("2026-10", "2026-10", True, False),
        ("2026-11", "2026-10", True, True),
        ("2026-Q3", "2026-11", False, False),
        ("2026-Q4", "2026-11", True, False),
        ("2027-Q1", "2026-11", True, True),
        ("2026-10", "2026-Q4", True, False),
        ("Wave 9", "Wave 10", False, False),
        ("Wave 10", "Wave 10", True, False),
        ("Wave 10", "wave 9", True, True),
        ("Wave 10", "2026-10", True, False),
        ("2026-10", "Wave 10", True, False),
    ],
)
def test_a_time_begins_with_a_wave_and_ends_with_one_and_labels_of_another_kind_do_not_tell(
    wave: str, label: str, begun: bool, over: bool
) -> None:
    assert (has_begun(wave, label), is_over(wave, label)) == (begun, over)


def test_waves_of_several_lengths_follow_each_other_by_their_first_days() -> None:
    assert chronological(["b", "2026-12", "2026-Q4", "2026-11"]) == ["2026-Q4", "2026-11", "2026-12", "b"]
