"""What part of the people who were invited answered: of the whole survey alone, for nobody counts invitations below."""

import pandas as pd

DIGITS = 10


def response_rate(metrics: pd.DataFrame, *, invited: int | None) -> float | None:
    """The whole's answers, with a score or without, over the people who were invited to the wave, 0 to 1.

    It is made of counts that `metrics` shows already. None where one of them is not known, and where there are more
    answers than people: then some answered twice, or the number is wrong, and no share can be told.
    """
    whole = metrics[metrics["department_id"] == "all"]
    answers: float = (whole["responses"] + whole["missing_scores"]).item()
    if invited is None or pd.isna(answers) or answers > invited:
        return None
    return round(float(answers) / invited, DIGITS)
