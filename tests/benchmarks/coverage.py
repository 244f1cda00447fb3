"""How often each interval holds the truth, of the selects themselves: `make coverage`.

NPS and single shares: exact, every outcome of n answers times its probability, over shares in steps of .05; a thousand
answers have half a million outcomes, few enough to list. The superpromoter rate: exact at n = 20, where every ladder of
counts from promoters to superpromoters is listed with its missing answers, and from 50 on by seeded simulation.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import binom

from tests.transforms.waves import many, metrics
from transforms.interval import Method

METHODS: tuple[Method, ...] = ("adjusted_wald", "score", "wald")
SIZES = (*range(10, 31), 40, 50, 75, 100, 150, 200, 500, 1000)
STEPS = 20  # shares of .05
NEVER = 1e-300  # a share of 0, of which there is a logarithm
DRAWS = 4000
SEED = 20261
Numbers = NDArray[np.float64]


def nps_coverage(*sizes: int, methods: tuple[Method, ...] = METHODS) -> pd.DataFrame:
    """One row per n × shares of (detractors, passives, promoters): is_inner where all are above 0, and each coverage.

    The selects see all outcomes of all sizes at once, and each outcome's number of orders is counted once.
    """
    listed = [(d, n - d - p, p) for n in sizes for d in range(n + 1) for p in range(n + 1 - d)]
    outcomes = np.array(listed, dtype=np.float64)
    figures = many(dict(zip(("detractors", "passives", "promoters"), outcomes.astype(int).T, strict=True)))
    bounds = {method: metrics(figures, method=method)[["nps_low", "nps_high"]].to_numpy().T for method in methods}
    ways = gammaln(outcomes.sum(axis=1) + 1) - gammaln(outcomes + 1).sum(axis=1)
    starts = np.cumsum([0, *((n + 1) * (n + 2) // 2 for n in sizes)])[:-1]
    frames = []
    for d, p in [(i, j) for i in range(STEPS + 1) for j in range(STEPS + 1 - i)]:
        shares = np.array([d, STEPS - d - p, p]) / STEPS
        chances = np.exp(ways + outcomes @ np.log(np.maximum(shares, NEVER)))
        truth = 100 * (shares[2] - shares[0])
        held: dict[str, Numbers] = {
            method: np.add.reduceat(chances * _holds(low, high, truth), starts)
            for method, (low, high) in bounds.items()
        }
        rows = pd.DataFrame({"n": sizes}).assign(detractors=shares[0], promoters=shares[2], is_inner=shares.min() > 0)
        frames.append(rows.assign(**held))
    return pd.concat(frames, ignore_index=True)


def wilson_coverage(n: int) -> pd.DataFrame:
    """One row per share: the coverage of the sharing rate's interval among n promoters who all said."""
    counts = np.arange(n + 1)
    known = np.full(n + 1, n)
    figures = metrics(many({"promoters": known, "told_known": known, "told": counts}))
    low, high = figures["sharing_rate_low"].to_numpy(), figures["sharing_rate_high"].to_numpy()
    shares = np.arange(1, STEPS) / STEPS
    held = [float(binom.pmf(counts, n, s)[_holds(low, high, s)].sum()) for s in shares]
    return pd.DataFrame({"share": shares, "wilson": held})


def ladder_coverage(n: int, *, promoter: float, shares: float, influences: float, answers: float) -> float:
    """Exact coverage of the superpromoter rate's interval, of those outcomes where it is shown.

    `answers` is the chance that a promoter says whether he told, and that one who told says what came of it.
    """
    rungs = np.array(list(_descending(n, 5)), dtype=int)
    chances = np.ones(len(rungs))
    before = np.full(len(rungs), n)
    for rung, chance in zip(rungs.T, (promoter, answers, shares, answers, influences), strict=True):
        chances, before = chances * binom.pmf(rung, before, chance), rung
    is_shown, is_held = _superpromoters(n, rungs, promoter * shares * influences)
    return float(chances[is_shown & is_held].sum() / chances[is_shown].sum())


def simulated(n: int, *, promoter: float, shares: float, influences: float, answers: float) -> float:
    """The same by simulation, from a fixed seed."""
    rng = np.random.default_rng([SEED, n])
    rungs = [np.full(DRAWS, n)]
    for chance in (promoter, answers, shares, answers, influences):
        rungs.append(rng.binomial(rungs[-1], chance))
    is_shown, is_held = _superpromoters(n, np.array(rungs[1:]).T, promoter * shares * influences)
    return float(is_held[is_shown].mean())


def _superpromoters(n: int, rungs: NDArray[np.int_], rate: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    names = ("promoters", "told_known", "told", "influence_known", "superpromoters")
    counts = {**dict(zip(names, rungs.T, strict=True)), "passives": n - rungs[:, 0]}
    figures = metrics(many(counts), min_respondents=10)
    low, high = figures["superpromoter_rate_low"].to_numpy(), figures["superpromoter_rate_high"].to_numpy()
    return ~np.isnan(low), _holds(low, high, rate)


def _descending(most: int, rungs: int) -> Iterator[tuple[int, ...]]:
    """Every ladder of so many counts, none above the one before."""
    yield from itertools.combinations_with_replacement(range(most, -1, -1), rungs)


def _holds(low: Any, high: Any, truth: float) -> NDArray[np.bool_]:
    held: NDArray[np.bool_] = (low <= truth + 1e-9) & (truth - 1e-9 <= high)
    return held


def _print_nps() -> None:
    print(
        f"NPS, exact, shares in steps of .05: mean and minimum over all three above 0 | over the others\n{'n':>5}",
        end="",
    )
    print("".join(f"  {method:>26}" for method in METHODS))
    for n in SIZES:
        start = time.perf_counter()
        found = nps_coverage(n)
        inner, edge = found[found["is_inner"]], found[~found["is_inner"]]
        cells = [
            f"{inner[m].mean():.4f} {inner[m].min():.4f} | {edge[m].mean():.3f} {edge[m].min():.3f}" for m in METHODS
        ]
        print(
            f"{n:>5}" + "".join(f"  {cell:>26}" for cell in cells) + f"   {time.perf_counter() - start:.1f} s",
            flush=True,
        )


def _print_shares() -> None:
    print("\nA single share (Wilson), exact, shares from .05 to .95: mean and minimum")
    for n in SIZES:
        found = wilson_coverage(n)["wilson"]
        print(f"{n:>5}  {found.mean():.4f} {found.min():.4f}", flush=True)


def _print_superpromoters() -> None:
    print("\nSuperpromoter rate, where it is shown: promoters 30 and 50 %, 60 % told, 50 % with effect; answers there")
    for n, answers, promoter in itertools.product((20, 50, 100, 500), (1.0, 0.7, 0.4), (0.3, 0.5)):
        truth: Mapping[str, float] = {"promoter": promoter, "shares": 0.6, "influences": 0.5, "answers": answers}
        held, how = (ladder_coverage(n, **truth), "exact") if n <= 20 else (simulated(n, **truth), f"{DRAWS} draws")
        print(f"{n:>5}  promoters {promoter:.0%}, answers {answers:.0%}: {held:.4f} ({how})", flush=True)


def main() -> None:
    """Print all tables as they are computed."""
    _print_nps()
    _print_shares()
    _print_superpromoters()


if __name__ == "__main__":
    main()
