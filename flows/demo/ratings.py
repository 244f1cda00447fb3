"""How passengers rate the crossing, from 1 to 5: drawn beside their scores, with which some goes more than other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

USUAL, SPREAD = 7.9, 2.2  # of the scores
WIDTH = 0.9  # the spread of what is felt, in points of a rating
NOT_USED = "nvt"


@dataclass(frozen=True)
class Aspect:
    """Something that is rated: its column, how it is rated as a rule, and how much it goes with the score."""

    key: str
    column: str
    english: str
    dutch: str
    mean: float
    pull: float  # the correlation of what is felt with the score
    unused: float = 0.0  # share of passengers who did not use it


ASPECTS = (
    Aspect("crew", "bemanning", "Crew", "Bemanning", mean=4.25, pull=0.62),
    Aspect("punctuality", "stiptheid", "Punctuality", "Op tijd varen", mean=3.4, pull=0.5),
    Aspect("price", "prijs", "Price", "Prijs", mean=3.1, pull=0.33),
    Aspect("cleanliness", "schoon", "Cleanliness", "Netheid aan boord", mean=4.0, pull=0.24),
    Aspect("food", "eten", "Food and drink", "Eten en drinken", mean=3.6, pull=0.12, unused=0.06),
)


def rate(scores: Sequence[Any], rng: np.random.Generator) -> dict[str, list[Any]]:
    """A column per aspect: whole ratings from 1 to 5, NOT_USED, or '' where the question was skipped."""
    known = [score if isinstance(score, int) and score <= 10 else USUAL for score in scores]
    leaning = (np.array(known, dtype=float) - USUAL) / SPREAD
    felt, left = rng.normal(size=(len(ASPECTS), len(scores))), rng.random((len(ASPECTS), len(scores)))
    return {
        aspect.column: _column(aspect, aspect.pull * leaning + (1 - aspect.pull**2) ** 0.5 * felt[place], left[place])
        for place, aspect in enumerate(ASPECTS)
    }


def true_importances(scores: Mapping[int, float]) -> dict[str, float]:
    """Of each aspect its share of what ratings tell of a score, where the scores are drawn with these probabilities.

    Ratings hang together by the score alone, so their true correlations follow from each one's mean at each score.
    """
    from transforms.johnson import correlations, relative_weights

    values = np.array(sorted(scores))
    chances = np.array([scores[value] for value in values.tolist()])
    means, squares = np.stack([[*_moments(aspect, values)] for aspect in ASPECTS], axis=1)
    all_means = np.vstack([values, means])
    products = (all_means * chances) @ all_means.T
    products[range(1, len(products)), range(1, len(products))] = squares @ chances
    found = correlations(1, all_means @ chances, products)
    weights = relative_weights(found[1:, 1:], found[1:, 0])
    return {aspect.key: float(weight / weights.sum()) for aspect, weight in zip(ASPECTS, weights, strict=True)}


def _moments(aspect: Aspect, scores: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The true mean of the rating, and of its square, at each score."""
    from scipy.special import ndtr

    centre = aspect.mean + WIDTH * aspect.pull * (scores - USUAL) / SPREAD
    edges = np.array([-np.inf, 1.5, 2.5, 3.5, 4.5, np.inf])[:, None]
    chances = np.diff(ndtr((edges - centre) / (WIDTH * (1 - aspect.pull**2) ** 0.5)), axis=0)
    ratings = np.arange(1.0, 6.0)
    return ratings @ chances, ratings**2 @ chances


def _column(aspect: Aspect, felt: NDArray[np.float64], left: NDArray[np.float64]) -> list[Any]:
    whole = np.clip(np.rint(aspect.mean + WIDTH * felt), 1, 5).astype(int).tolist()
    return [
        NOT_USED if u < aspect.unused else "" if u > 0.985 else rating
        for rating, u in zip(whole, left.tolist(), strict=True)
    ]
