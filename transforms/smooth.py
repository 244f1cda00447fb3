"""A smooth through waves with known errors: a level that drifts, by statsmodels' Kalman smoother."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

# How far the level may drift from one period to the next: its sd, in points. Few, for each is a run of the smoother;
# close together where small errors can tell them apart. Each counts for its part of the way from 0 to 20.
DRIFTS = np.array([0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0])
LEAST = 3  # waves in a smooth


def smooth(values: Numbers, variances: Numbers, distances: Numbers, *, z: float) -> tuple[Numbers, Numbers, Numbers]:
    """The smooth of each series (rows) at each wave (columns), and its band at ±z; NaN where no figure was (in points).

    The model is the local level (Harvey 1989): y = level + error of known variance, and the level drifts by a step
    of unknown variance per period, so that a wave that is missing only widens the band, and waves may lie apart
    (`distances`, in periods, from the one before). It is chosen because it takes errors that differ from wave to
    wave as they are. A few waves say little of the drift: estimated, it is mostly 0, and the band too narrow. So it
    is not, but averaged over a grid by its likelihood, every drift as likely before; the band at 95 % then holds the
    level in about 94 to 99 of 100 waves, whatever the drift. Nothing is searched for: no optimiser's tolerance, no
    order of threads. The first value has a flat prior; errors count as independent between waves. A smooth reaches
    from a series' first value to its last, and needs three values.
    """
    mean, variance = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    for row, is_seen in enumerate(~np.isnan(values)):
        seen = np.flatnonzero(is_seen)
        if len(seen) >= LEAST:
            told = slice(seen[0], seen[-1] + 1)
            mean[row, told], variance[row, told] = _averaged(values[row, told], variances[row, told], distances[told])
    margin = z * np.sqrt(variance)
    return mean, mean - margin, mean + margin


def _averaged(values: Numbers, variances: Numbers, distances: Numbers) -> tuple[Numbers, Numbers]:
    """One series' level at each wave and its variance, averaged over the drifts by their likelihood."""
    from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother  # half a second to import

    model = KalmanSmoother(
        values.reshape(-1, 1).copy(),
        k_states=1,
        initialization="diffuse",
        obs_cov=np.where(np.isnan(values), 1.0, variances)[None, None],
        **dict.fromkeys(("design", "transition", "selection"), np.ones((1, 1))),
    )
    levels, spreads, likelihood = np.empty((len(DRIFTS), len(values))), np.empty((len(DRIFTS), len(values))), []
    for place, drift in enumerate(DRIFTS):
        model["state_cov"] = (drift**2 * np.append(distances[1:], 0.0))[None, None]
        found = model.smooth()
        levels[place], spreads[place] = found.smoothed_state[0], found.smoothed_state_cov[0, 0]
        likelihood.append(found.llf)
    weights = np.gradient(DRIFTS) * np.exp(np.array(likelihood) - max(likelihood))
    level = np.average(levels, axis=0, weights=weights)
    return level, np.average(spreads + (levels - level) ** 2, axis=0, weights=weights)
