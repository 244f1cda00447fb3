"""What a shown department does not tell all the same, because it would tell of a few: alone, by subtraction, or later.

How many told others is a count, as public as the row; how many people one of them told is his own answer.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from transforms.residuals import Counts, shown

REACH = ("reach", "reach_low", "reach_high")
CONVERSION = ("conversion", "conversion_low", "conversion_high")
VALUE, CURRENCY = "recommendation_value", "recommendation_currency"


def guarded(metrics: pd.DataFrame, tallies: pd.DataFrame, tree: pd.DataFrame, *, min_respondents: int) -> pd.DataFrame:
    """The metrics without figures that a few make, also in what is left after those that are shown below.

    Reach needs nobody who told others, or `min_respondents`. Conversion and value are shown where reach is, and need as
    many who said what came of it, and as many whose telling had effect. Where nobody gave a score, so many did not, or
    none: a smaller number of missing scores is told of no such department, and of none that it could be computed from.
    """

    def is_enough(left: Counts) -> bool:
        return bool(((left == 0) | (left >= min_respondents)).all())

    def is_enough_beside(left: Counts) -> bool:
        responses, missing = left
        return responses >= min_respondents or is_enough(missing)

    counts = tallies.set_index("department_id")
    published = metrics.loc[metrics["status"] == "published", "department_id"]
    reach = _tells(counts[["tellers", "told"]], tree, published, is_enough)
    worth = _tells(counts[["paired", "paired_with_effect"]], tree, reach, is_enough)
    missing = _tells(counts[["responses", "missing_scores"]], tree, published, is_enough_beside)
    shows = {
        **dict.fromkeys(REACH, reach),
        **dict.fromkeys((*CONVERSION, VALUE, CURRENCY), worth),
        "missing_scores": missing,
    }
    names = metrics["department_id"]
    return metrics.assign(**{name: metrics[name].where(names.isin(among)) for name, among in shows.items()})


def carried(
    metrics: pd.DataFrame,
    before: pd.DataFrame,
    *,
    margin: float | None,
    margin_before: float | None,
    currency: str | None,
) -> pd.DataFrame:
    """A revision's metrics with reach, conversion and value as in the revision `before`, at today's margin.

    Those who enter a region together are enough people, but only a few of them may have told others. What is hidden now
    is not shown, and numbers of missing scores that were hidden stay so.
    """
    held = before.set_index("department_id").reindex(index=metrics["department_id"]).set_index(metrics.index)
    had = held.reindex(columns=[*REACH, *CONVERSION, VALUE]).astype(float)
    had[VALUE] *= margin / margin_before if margin and margin_before else np.nan
    gates = {**dict.fromkeys(REACH, "reach"), **dict.fromkeys(CONVERSION, "conversion"), VALUE: VALUE}
    kept = {name: had[name].round(2).where(metrics[gate].notna()) for name, gate in gates.items()}
    currencies = pd.Series(currency, index=metrics.index, dtype=object).where(kept[VALUE].notna(), None)
    was_hidden = (held["status"] == "published") & held["missing_scores"].isna()
    missing = metrics["missing_scores"].where(~was_hidden)
    return metrics.assign(**{**kept, CURRENCY: currencies, "missing_scores": missing})


def _tells(
    counts: pd.DataFrame, tree: pd.DataFrame, among: Iterable[str], is_enough: Callable[[Counts], bool]
) -> set[str]:
    """Of the departments `among`, those that may tell what the counts are of; where they are all 0 it tells nothing."""
    rows: Mapping[str, Counts] = dict(zip(counts.index, counts.to_numpy(dtype="int64"), strict=True))
    sizes = {name: int(rows[name].sum()) for name in among if rows[name].any()}
    return ({*among} - {*sizes}) | shown(rows, tree, sizes=sizes, is_enough=lambda left, _: is_enough(left))
