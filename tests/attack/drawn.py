"""Organisations as Hypothesis draws them: one that is given away is made smaller, as far as it goes."""

import os
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.attack.organisations import Answer, Chance, Organisation

SEED = os.environ.get("ZWERM_ATTACK_SEED")  # none: the same ones each time
PARTS = 32


@st.composite
def organisations(draw: st.DrawFn, k: int) -> Organisation:
    """A tree, one wave or two, revisions of each, and departments that move between them.

    One number makes all of it, and so no two are alike; what is left out of it makes no other one: of the answers a
    part, of the states of the files the last ones, of the waves the second.
    """
    chance = Chance(f"{draw(st.integers(0, 2**64))}", k=k)
    stays = [byte > 0 for byte in draw(st.binary(min_size=PARTS + 3, max_size=PARTS + 3))]  # all, until it is shrunk
    made = chance.some(nodes=7)

    def left(answers: Sequence[Answer]) -> list[Answer]:
        return [answer for answer in answers if stays[answer.number % PARTS]]

    states, waves = 1 + sum(stays[PARTS : PARTS + 2]), 1 + stays[PARTS + 2]
    kept = [[left(state) for state in of_wave[:states]] for of_wave in made.waves[:waves]]
    return Organisation(kept, made.paths, made.moves if len(kept) > 1 else {})


def of_each(
    drawn: st.SearchStrategy[Organisation], number: int, visit: Callable[[Organisation], None], *, shrinks: bool = True
) -> None:
    """Visit so many organisations, always the same ones for a seed; one that fails is shrunk."""

    @settings(
        max_examples=number,
        derandomize=SEED is None,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if shrinks else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def each(organisation: Organisation) -> None:
        visit(organisation)

    (each if SEED is None else seed(int(SEED))(each))()
