"""A wave is released when it has ended, not before."""

from datetime import date

import pytest

from transforms.waves import distances, ends_before, in_order, is_closed, year_before


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
