"""The smooth through waves: the exact answer of the model, honest about its band, and the same everywhere."""

import subprocess
import sys

import numpy as np
import pytest

from transforms.smooth import DRIFTS, Numbers, smooth

Z = 1.959964


def exact(values: Numbers, variances: Numbers, at: Numbers, through: Numbers, *, drifts: Numbers) -> list[Numbers]:
    """The smooth and its band without any recursion: the level as one Gaussian vector, all values (rows) at once.

    The values stand at the times `at`; the answer is told at the times `through`. The mean has a flat prior, which
    makes it that of generalised least squares, and the likelihood the restricted one.
    """
    means, spreads, likelihood = [], [], []
    for drift in drifts:
        total = drift**2 * np.minimum.outer(at, at) + variances[:, None] * np.eye(len(at))
        inverse, across = np.linalg.inv(total), drift**2 * np.minimum.outer(at, through)
        known = inverse.sum(axis=(1, 2))
        mean = (inverse.sum(axis=2) * values).sum(axis=1) / known
        rest, weights = values - mean[:, None], inverse @ across
        means.append(mean[:, None] + (weights * rest[:, :, None]).sum(axis=1))
        unknown = (1 - weights.sum(axis=1)) ** 2 / known[:, None]
        spreads.append(drift**2 * through - (across * weights).sum(axis=1) + unknown)
        misfit = np.einsum("si,sij,sj->s", rest, inverse, rest)
        likelihood.append(-(np.linalg.slogdet(total)[1] + np.log(known) + misfit) / 2)
    share = np.gradient(drifts)[:, None] * np.exp(np.array(likelihood) - np.max(likelihood, axis=0))
    share = (share / share.sum(axis=0))[:, :, None]
    level = (share * means).sum(axis=0)
    margin = Z * np.sqrt((share * (spreads + (means - level) ** 2)).sum(axis=0))
    return [level, level - margin, level + margin]


def drawn(waves: int, *, seed: int = 1) -> tuple[Numbers, Numbers, Numbers]:
    """Two series with errors that differ, waves that are missing and one gap of three periods."""
    rng = np.random.default_rng(seed)
    values, variances = rng.normal(40, 5, (2, waves)), rng.uniform(1, 20, (2, waves))
    values[0, 4], values[1, :2], values[1, 7:9] = np.nan, np.nan, np.nan
    variances[1, 7] = np.nan
    distances = np.ones(waves)
    distances[6] = 3
    return values, variances, distances


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_smooth_and_its_band_are_the_exact_answer_of_the_model(seed: int) -> None:
    values, variances, distances = drawn(12, seed=seed)
    found, times = smooth(values, variances, distances, z=Z), distances.cumsum()
    for row, first in ((0, 0), (1, 2)):
        seen = ~np.isnan(values[row])
        answer = exact(values[[row], seen][None], variances[[row], seen][None], times[seen], times, drifts=DRIFTS)
        for one, other in zip(found, answer, strict=True):
            assert one[row, first:] == pytest.approx(other[0, first:], abs=1e-8)


@pytest.mark.parametrize("error", [1.0, 4.0, 12.0])
@pytest.mark.parametrize("waves", [3, 24])
def test_few_drifts_stand_for_all_from_0_to_20(error: float, waves: int) -> None:
    rng = np.random.default_rng([int(error), waves])
    steps = rng.normal(0, rng.uniform(0, 10, (60, 1)), (60, waves))
    level, times = 30 + steps.cumsum(axis=1), np.arange(1.0, waves + 1)
    values, variances = rng.normal(level, error), np.full(level.shape, error**2)
    few, many = (exact(values, variances, times, times, drifts=one) for one in (DRIFTS, np.arange(0, 20.1, 0.2)))
    width = np.array([one[2] - one[1] for one in (few, many)]).mean(axis=(1, 2))
    assert width[0] == pytest.approx(width[1], rel=0.04)
    assert few[0] == pytest.approx(many[0], abs=error / 3)


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


def test_two_waves_do_not_load_the_library() -> None:
    runs = "smooth(np.full((3, 2), 30.0), np.ones((3, 2)), np.ones(2), z=2.0)"
    code = f"import sys; import numpy as np; from transforms.smooth import smooth; {runs}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "transforms" in loaded
    assert loaded & {"statsmodels", "scipy", "pandas"} == set()


@pytest.mark.parametrize("drift", [0.0, 1.5, 4.0, 8.0])
@pytest.mark.parametrize("waves", [3, 12])
def test_the_band_holds_the_true_level_about_as_often_as_it_says(drift: float, waves: int) -> None:
    rng = np.random.default_rng([int(10 * drift), waves])
    steps = rng.normal(0, drift, (1_500, waves))
    level = 30 + steps.cumsum(axis=1)
    error = rng.uniform(2, 6, level.shape)
    values, times = level + rng.normal(0, error), np.arange(1.0, waves + 1)
    _, low, high = answer = exact(values, error**2, times, times, drifts=DRIFTS)
    assert 0.935 < ((low < level) & (level < high)).mean() < (0.999 if drift == 0 else 0.985)
    for one, other in zip(smooth(values[:25], error[:25] ** 2, np.ones(waves), z=Z), answer, strict=True):
        assert one == pytest.approx(other[:25], abs=1e-8)


def test_one_series_by_itself_is_the_same_to_the_last_bit_as_among_others() -> None:
    values, variances, distances = drawn(12)
    together = smooth(np.tile(values, (5, 1)), np.tile(variances, (5, 1)), distances, z=Z)
    for row in range(2):
        alone = smooth(values[[row]], variances[[row]], distances, z=Z)
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], many[row])
            np.testing.assert_array_equal(one[0], many[row + 8])
