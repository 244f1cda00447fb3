"""Who answered two waves, attacked through the widths of the intervals that are printed."""

from typing import Any

import pandas as pd

from tests.attack.pairs import given_away, panel
from transforms.paired import paired

K = 3
PANELS = 150


def enough_alone(moves: pd.DataFrame, metrics: pd.DataFrame, before: pd.DataFrame, **settings: Any) -> pd.DataFrame:
    """Pairs by a careless hand: as if of those who answered one wave alone there were always enough."""
    more = [
        one.assign(**{name: one[name] + 100 for name in ("promoters", "passives", "detractors")})
        for one in (metrics, before)
    ]
    return paired(moves, *more, **settings)


def test_no_width_tells_of_a_few_who_came_or_left() -> None:
    assert [given_away(panel(seed, k=K), k=K, pairs=paired) for seed in range(PANELS)] == [[]] * PANELS


def test_without_enough_who_answered_one_wave_alone_a_width_tells_who_they_are() -> None:
    assert any(given_away(panel(seed, k=K), k=K, pairs=enough_alone) for seed in range(PANELS))
