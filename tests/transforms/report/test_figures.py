"""Figures as they are shown: rounded once, and such that what is printed adds up."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.report.editions import metric
from transforms.report.figures import Scale, carried, difference, people, rounded, scale, whole, wilson

counts = st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400)).filter(lambda c: sum(c) > 0)


def test_halves_are_rounded_away_from_zero_on_both_sides() -> None:
    assert [whole(x) for x in (0.5, 1.5, 2.5, -0.5, -1.5, -2.5)] == [1, 2, 3, -1, -2, -3]
    assert str(rounded(2.675, 2)) == "2.68"


def test_wilson_agrees_with_the_published_interval() -> None:
    low, high = wilson(12, 80)
    assert math.isclose(low, 0.087940, abs_tol=1e-6)
    assert math.isclose(high, 0.244132, abs_tol=1e-6)


@given(counts)
def test_the_printed_difference_gives_the_printed_nps(c: tuple[int, int, int]) -> None:
    found = metric(*c)
    shares = difference(found)
    printed = rounded(shares.promoters * 100, shares.digits) - rounded(shares.detractors * 100, shares.digits)
    assert found.nps is not None
    assert whole(float(printed)) == whole(found.nps)


def test_the_difference_gets_a_decimal_only_where_rounding_breaks_it() -> None:
    assert difference(metric(48, 42, 10)).digits == 0
    assert difference(metric(484, 408, 108)).digits == 1  # 48.4 − 10.8 = 37.6, but 48 − 11 = 37


@given(counts, st.floats(0, 1), st.floats(0, 1))
def test_there_are_always_a_hundred_dots_and_each_step_holds_no_more_than_the_one_before(
    c: tuple[int, int, int], sharing: float, influence: float
) -> None:
    rate = c[0] / sum(c)
    found = carried(metric(*c, sharing_rate=sharing, superpromoter_rate=rate * sharing * influence))
    assert found.promoters + found.passives + found.detractors == 100
    assert min(found.promoters, found.passives, found.detractors) >= 0
    assert found.told is not None and found.had_effect is not None
    assert 100 >= found.promoters >= found.told >= found.had_effect >= 0


def test_a_wave_is_told_in_tens_and_in_hundreds_where_tens_would_mislead() -> None:
    assert (people(metric(48, 42, 10)).base, people(metric(48, 42, 10)).promoters) == (10, 5)
    assert people(metric(4, 90, 6)).base == 100  # 4 in 100 is not nobody
    assert people(metric(97, 3, 0)).base == 100  # 97 in 100 is not everybody
    assert people(metric(100, 0, 0)).base == 10
    assert people(metric(48, 42, 10, superpromoter_rate=0.01)).superpromoters == 1


def test_one_scale_holds_every_interval_and_zero() -> None:
    found = scale([metric(48, 42, 10, nps_low=21.0, nps_high=58.2), metric(1, 1, 9, nps_low=-87.0, nps_high=-20.0)])
    assert (found.low, found.high) == (-100, 70)
    assert 0 in found.ticks
    assert found.at(0) == "58.82%"


@pytest.mark.parametrize(("low", "high"), [(-10, 10), (-10, 70), (-100, 100), (-60, 100)])
def test_an_axis_names_few_values_and_always_zero(low: int, high: int) -> None:
    ticks = Scale(low, high).ticks
    assert 0 in ticks
    assert len(ticks) <= 6
