"""Johnson's relative weights, and their bootstrap: over arrays, many groups or draws at once."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

DRAWS = 500
TINY = 1e-9  # of an eigenvalue or of what is left of a variance of 1: nothing
FOURTHS = 10_000  # ratings are kept to four decimals: as whole numbers their sums are exact in any order


def relative_weights(correlations: Numbers, with_score: Numbers) -> Numbers:
    """ε of each driver (Johnson, Multivariate Behavioral Research 2000), as shares of variance 0 to 1; they sum to R².

    R = VΛV′ holds the drivers' correlations (… × p × p) and r those with the score (… × p): L = VΛ^½V′, β = L⁻¹r,
    ε = L²β². Where R is singular, its null directions explain nothing.
    """
    values, vectors = np.linalg.eigh(correlations)
    roots = np.sqrt(np.clip(values, 0, None))
    inverse = np.divide(1, roots, out=np.zeros_like(roots), where=values > TINY)
    turned = np.swapaxes(vectors, -1, -2)
    links = (vectors * roots[..., None, :]) @ turned
    betas = ((vectors * inverse[..., None, :]) @ turned) @ with_score[..., None]
    explained: Numbers = (links**2 @ betas**2)[..., 0]
    return explained


def correlations(n: Any, sums: Numbers, products: Numbers) -> Numbers:
    """Correlations from sums (… × q) and sums of products (… × q × q) over n; 0 with what does not vary."""
    n = np.asarray(n, dtype=float)[..., None, None]
    covariances = products / n - sums[..., :, None] * sums[..., None, :] / n**2
    variances = np.clip(np.diagonal(covariances, axis1=-2, axis2=-1), 0, None)
    scale = np.where(variances > TINY * np.diagonal(products / n, axis1=-2, axis2=-1), variances, np.inf) ** 0.5
    found: Numbers = covariances / (scale[..., :, None] * scale[..., None, :])
    places = np.arange(sums.shape[-1])
    found[..., places, places] = 1
    return found


def bootstrap(sample: Numbers, *, seed: str, draws: int = DRAWS) -> Numbers:
    """Each draw's importances (draws × p) as shares of its R², from rows of score and ratings (rows × (1 + p)).

    The draws follow from the seed's text alone; NaN where a draw explains nothing.
    """
    rows, q = sample.shape
    whole = np.rint(sample * FOURTHS)
    whole = whole / FOURTHS if (whole % FOURTHS == 0).all() else whole
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "big"))
    picked = rng.integers(0, rows, (draws, rows)) + np.arange(draws)[:, None] * rows
    counts = np.bincount(picked.ravel(), minlength=draws * rows).reshape(draws, rows).astype(float)
    products = (whole[:, :, None] * whole[:, None, :]).reshape(rows, q * q)
    found = correlations(np.full(draws, rows), counts @ whole, (counts @ products).reshape(draws, q, q))
    explained = relative_weights(found[:, 1:, 1:], found[:, 1:, 0])
    total = explained.sum(axis=1, keepdims=True)
    shares: Numbers = np.divide(explained, total, out=np.full_like(explained, np.nan), where=total > TINY)
    return shares
