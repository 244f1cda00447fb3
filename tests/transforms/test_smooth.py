"""The smooth through waves: the same as a state-space library's, honest about its band, and the same everywhere."""

import numpy as np
import pytest

from transforms.smooth import DRIFTS, _filtered_and_smoothed, smooth

Z = 1.959964


def drawn(waves: int, *, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two series with errors that differ, waves that are missing and one gap of three periods."""
    rng = np.random.default_rng(seed)
    values, variances = rng.normal(40, 5, (2, waves)), rng.uniform(1, 20, (2, waves))
    values[0, 4], values[1, :2], values[1, 7:9] = np.nan, np.nan, np.nan
    distances = np.ones(waves)
    distances[6] = 3
    return values, variances, distances


def test_filter_and_smoother_are_those_of_statsmodels() -> None:
    from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother  # type: ignore[import-untyped]

    values, variances, distances = drawn(12)
    levels, spreads, likelihood = _filtered_and_smoothed(values, variances, distances)
    for row, place in ((0, 1), (0, 6), (1, 1), (1, 40)):
        first = int(np.argmax(~np.isnan(values[row])))
        y, h = values[row, first:], variances[row, first:]
        model = KalmanSmoother(1, 1)
        model.bind(y.reshape(-1, 1).copy())
        for name in ("design", "transition", "selection"):
            model[name] = np.ones((1, 1))
        model["obs_cov"] = h.reshape(1, 1, -1)
        model["state_cov"] = (np.append(distances[first + 1 :], 1) * DRIFTS[place] ** 2).reshape(1, 1, -1)
        model.initialize_diffuse()
        found = model.smooth()
        assert levels[row, first:, place] == pytest.approx(found.smoothed_state[0], abs=1e-9)
        assert spreads[row, first:, place] == pytest.approx(found.smoothed_state_cov[0, 0], abs=1e-9)
        unscaled = found.llf + np.log(2 * np.pi) * (~np.isnan(y)).sum() / 2
        assert likelihood[row, place] == pytest.approx(unscaled, abs=1e-9)


def test_a_level_that_stays_is_the_mean_by_precision_and_one_that_leaps_is_followed() -> None:
    variances = np.array([[4.0, 9.0, 1.0, 4.0, 2.0, 4.0, 5.0, 4.0]])
    values, near = np.full((1, 8), 30.0), np.array([[30.5, 29.0, 30.1, 30.0, 29.8, 31.0, 30.0, 30.2]])
    assert smooth(values, variances, np.ones(8), z=Z)[0] == pytest.approx(values)
    mean = (near / variances).sum() / (1 / variances).sum()
    assert smooth(near, variances, np.ones(8), z=Z)[0] == pytest.approx(np.full((1, 8), mean), abs=0.35)
    leap = np.array([[10.0] * 4 + [50.0] * 4])
    followed = smooth(leap, variances, np.ones(8), z=Z)[0][0]
    assert followed[3] < 16
    assert followed[4] > 44


def test_the_band_is_narrower_than_single_waves_and_wider_where_one_is_missing() -> None:
    values, variances = np.array([[30.0, 33.0, np.nan, 31.0, 32.0]]), np.full((1, 5), 9.0)
    mean, low, high = smooth(values, variances, np.ones(5), z=Z)
    width = (high - low)[0]
    assert (width[[0, 1, 3, 4]] < 2 * Z * 3).all()
    assert width[2] > width[1]
    assert 31 < mean[0, 2] < 33
    apart = smooth(values, variances, np.array([1.0, 1, 1, 9, 1]), z=Z)
    assert (apart[2] - apart[1])[0, 2] > width[2]


def test_two_waves_make_no_smooth_and_nothing_is_told_beyond_the_first_and_the_last() -> None:
    values = np.array([[30.0, np.nan, 33.0, np.nan], [np.nan, 30.0, 31.0, 33.0], [30.0, 31.0, 33.0, np.nan]])
    mean, low, high = smooth(values, np.full((3, 4), 9.0), np.ones(4), z=Z)
    assert np.isnan(mean).tolist() == [[True] * 4, [True, False, False, False], [False, False, False, True]]
    assert (np.isnan(low) == np.isnan(mean)).all()
    assert (np.isnan(high) == np.isnan(mean)).all()


@pytest.mark.parametrize("drift", [0.0, 1.5, 4.0, 8.0])
@pytest.mark.parametrize("waves", [3, 12])
def test_the_band_holds_the_true_level_about_as_often_as_it_says(drift: float, waves: int) -> None:
    rng = np.random.default_rng([int(10 * drift), waves])
    steps = rng.normal(0, drift, (1_500, waves))
    level = 30 + steps.cumsum(axis=1)
    error = rng.uniform(2, 6, level.shape)
    _, low, high = smooth(level + rng.normal(0, error), error**2, np.ones(waves), z=Z)
    assert 0.93 < ((low < level) & (level < high)).mean() < (0.999 if drift == 0 else 0.985)


def test_one_series_by_itself_is_the_same_to_the_last_bit_as_among_others() -> None:
    values, variances, distances = drawn(12)
    together = smooth(np.tile(values, (50, 1)), np.tile(variances, (50, 1)), distances, z=Z)
    for row in range(2):
        alone = smooth(values[[row]], variances[[row]], distances, z=Z)
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], many[row])
            np.testing.assert_array_equal(one[0], many[row + 98])
