"""Whether a file that is gone was replaced by newer ones: renamed, or exported again with more in it."""

MOST = 0.5  # this share of its answers came back
UNLIKE = 0.9  # this share of its rows must differ from each other, before one row can be told to be another one again


def is_replaced(*, answers: int, unlike: int, again: int, again_in_place: int, has_ids: bool) -> bool:
    """Whether what `comes_back.sql` counted is a replacement.

    An answer is known by its id, or by its whole row. Rows that are much alike (a score and a team) come back by chance
    in any other file, so those must all stand where they stood: the newer file begins with the very same rows.
    """
    if answers == 0:
        return False
    if has_ids or unlike >= UNLIKE * answers:
        return again >= MOST * answers
    return again_in_place == answers
