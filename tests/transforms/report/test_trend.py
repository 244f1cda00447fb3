"""The picture over time: intervals always drawn, gaps that cut the line, and no words, colours or ids of its own."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.report.trend import Point, drawn

POINTS = [Point(str(i), i, 38.0 + i % 3, 36.0 + i % 2, 41.0 + i % 3) for i in range(5)]
GONE = Point("gone", 2, None, None, None)


def test_a_band_and_a_line_and_a_dot_per_wave() -> None:
    found = drawn(POINTS, step=10)
    assert (len(found.bands), len(found.lines), len(found.dots)) == (1, 1, 5)
    assert found.zero == "100.00%"
    assert found.dots[0][1] == "0.00%" and found.dots[-1][1] == "100.00%"


def test_a_wave_that_cannot_be_shown_cuts_the_line() -> None:
    found = drawn([*POINTS[:2], GONE, *POINTS[3:]], step=10)
    assert (len(found.bands), len(found.lines), len(found.dots)) == (2, 2, 4)


def test_a_path_is_nothing_but_coordinates() -> None:
    for path in (*drawn(POINTS, step=10).bands, *drawn(POINTS, step=10).lines):
        assert re.fullmatch(r"[MLZ\d.,\-]+", path)


def test_zero_is_always_on_the_picture_also_below_it() -> None:
    below = [Point(str(i), i, -20.0 - i, -25.0 - i, -15.0) for i in range(3)]
    assert drawn(below, step=10).zero == "0.00%"
    assert not drawn([Point("a", 0, 0.2, -3.0, 4.0), Point("b", 1, -0.3, -3.0, 3.0)], step=10).is_zero_apart


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-95, 95), min_size=2, max_size=30))
def test_every_point_lies_inside_the_picture(values: list[float]) -> None:
    found = drawn([Point(str(i), i, v, v - 5, v + 5) for i, v in enumerate(values)], step=10)
    for _, x, y in found.dots:
        assert 0 <= float(x[:-1]) <= 100 and 0 <= float(y[:-1]) <= 100
    assert 0 <= float(found.zero[:-1]) <= 100
