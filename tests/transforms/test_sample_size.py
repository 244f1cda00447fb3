"""How many answers are needed is the interval's own formula, turned round."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.sample_size import Z, responses_needed


def test_of_answers_as_different_as_can_be_1534_are_needed_for_five_points() -> None:
    """V is 1 where half are promoters and half detractors: 1.959964² / .05² − 3 = 1,533.6."""
    assert responses_needed(50, 0, 50, margin=5) == 1534
    assert responses_needed(1, 1, 1, margin=5) == 1022  # V is 2/3
    assert responses_needed(0, 9, 0, margin=5) == 0


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 500), st.sampled_from([0.5, 1, 2.5, 5, 10]))
@settings(max_examples=100, deadline=None)
def test_so_many_answers_have_the_margin_and_one_fewer_has_not(p: int, q: int, d: int, margin: float) -> None:
    needed, n = responses_needed(p, q, d, margin=margin), p + q + d
    variance = (p + d) / n - ((p - d) / n) ** 2

    def half_width(answers: int) -> float:
        return 100 * Z * math.sqrt(variance / (answers + 3))

    assert half_width(needed) <= margin * (1 + 1e-12)
    if needed:
        assert half_width(needed - 1) > margin * (1 - 1e-12)


def test_nothing_is_known_of_no_answers() -> None:
    with pytest.raises(ZeroDivisionError):
        responses_needed(0, 0, 0, margin=5)
