"""How sure weighted figures are where it is known how the sample was drawn: in strata, in clusters, or both."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from transforms.interval import DIGITS

FIGURES = (
    *("nps_weighted", "nps_weighted_low", "nps_weighted_high", "nps_weighted_se"),
    *("effective_responses", "design_effect"),
)


def sampled(metrics: pd.DataFrame, strata: pd.DataFrame, *, min_respondents: int) -> pd.DataFrame:
    """The metrics with weighted figures as sure as the design of the sample makes them, in points.

    `strata` are the rows of `sampled.sql`. An answer of a simple sample has the variance V = p + d − (p − d)² in
    weighted shares, so that a score with the linearised variance v is worth n_eff = V/v answers of one, after Kish;
    strata can make them more than there are, clusters mostly make them fewer. The interval is adjusted Wald of n_eff
    answers, with Student's t for as many degrees of freedom as there are clusters with answers less their strata.
    Where none is left, where nothing differs, or where n_eff is under `min_respondents`, there is no weighted figure.
    """
    found = errors(strata).reindex(metrics["department_id"]).set_axis(metrics.index)
    p, d = found["promoter_share"], found["detractor_share"]
    effective = (p + d - (p - d) ** 2) / found["variance"].where(found["variance"] > 0)
    n = effective + 3
    adjusted_p, adjusted_d = (p * effective + 0.75) / n, (d * effective + 0.75) / n
    centre = adjusted_p - adjusted_d
    quantile = pd.Series(stdtrit(found["degrees"].where(found["degrees"] > 0), 0.975), index=metrics.index)
    margin = quantile * np.sqrt((adjusted_p + adjusted_d - centre**2) / n)
    made = {
        "nps_weighted": metrics["nps_weighted"],
        "nps_weighted_low": 100 * (centre - margin).clip(lower=-1),
        "nps_weighted_high": 100 * (centre + margin).clip(upper=1),
        "nps_weighted_se": 100 * np.sqrt(found["variance"]),
        "effective_responses": effective,
        "design_effect": metrics["responses"].astype("float64") / effective,
    }
    is_shown = metrics["nps_weighted"].notna() & (effective.round(6) >= min_respondents) & margin.notna()
    figures = {name: made[name].astype("float64").round(DIGITS).where(is_shown) for name in FIGURES}
    return metrics.assign(**figures)


def errors(strata: pd.DataFrame, *, drawn: pd.Series | None = None) -> pd.DataFrame:
    """Per department the variance of its weighted score (−1…1), and the degrees of freedom on which it rests.

    Per stratum n/(n − 1)·Σ(u − ū)² over its n clusters (Lumley 2010). A stratum with one cluster does not tell how
    clusters differ within it; it counts with Σu², the distance to the mean of the whole, at which u is 0: too much
    rather than too little. `drawn` is the share of each row's stratum that the sample took, where that is known.
    """
    n = strata["clusters"].astype("float64")
    within = n / (n - 1).where(n > 1) * (strata["error_square_sum"] - strata["error_sum"] ** 2 / n)
    variance = within.clip(lower=0).fillna(strata["error_square_sum"])
    if drawn is not None:
        variance *= 1 - drawn
    rows = strata.assign(variance=variance, degrees=strata["answered_clusters"] - 1)
    by_department = rows.groupby("department_id", sort=True)
    return by_department.agg(
        promoter_share=("promoter_share", "first"),
        detractor_share=("detractor_share", "first"),
        variance=("variance", "sum"),
        degrees=("degrees", "sum"),
    )
