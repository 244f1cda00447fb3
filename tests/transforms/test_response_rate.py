"""What part of those who were invited answered."""

import pandas as pd
import pytest

from transforms.response_rate import response_rate


def shown(responses: int | None, missing_scores: int | None) -> pd.DataFrame:
    """The whole, and a department that answered in full."""
    rows = [("all", responses, missing_scores), ("ships", 10, 0)]
    frame = pd.DataFrame(rows, columns=["department_id", "responses", "missing_scores"])
    return frame.astype({"responses": "Int64", "missing_scores": "Int64"})


@pytest.mark.parametrize(
    ("responses", "missing_scores", "invited", "rate"),
    [(390, 10, 1000, 0.4), (1, 0, 3, 0.3333333333), (0, 0, 5, 0.0), (8, 2, 10, 1.0)],
)
def test_answers_without_a_score_are_answers(responses: int, missing_scores: int, invited: int, rate: float) -> None:
    assert response_rate(shown(responses, missing_scores), invited=invited) == rate


def test_nothing_is_told_where_a_count_is_not_known_or_answers_are_more_than_people() -> None:
    assert response_rate(shown(400, 0), invited=None) is None
    assert response_rate(shown(None, None), invited=1000) is None
    assert response_rate(shown(400, None), invited=1000) is None
    assert response_rate(shown(400, 1), invited=400) is None
