"""Where waves stand on a time axis."""

import pytest

from transforms.report.periods import kind_of, positions


@pytest.mark.parametrize(
    ("waves", "expected"),
    [
        (["2025-12", "2026-01", "2026-03"], [0, 1, 3]),
        (["2025-Q4", "2026-Q1", "2026-Q3"], [0, 1, 3]),
        (["2019", "2021"], [0, 2]),
        (["spring", "autumn", "spring again"], [0, 1, 2]),
        (["2026-01", "2026-Q2"], [0, 1]),
        (["2026-03", "2026-01"], [0, 1]),
        (["2026-01"], [0]),
        ([], []),
    ],
)
def test_periods_of_one_kind_leave_room_for_a_missing_one(waves: list[str], expected: list[int]) -> None:
    assert positions(waves) == expected


def test_waves_of_several_kinds_are_labels() -> None:
    assert kind_of(["2026-01", "2026-02"]) == "month"
    assert kind_of(["2026-01", "2026"]) == "label"
