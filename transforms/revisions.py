"""Late, edited and removed answers of a released wave: they enter a region's figures together, once they are enough.

A region is a published department's own answers and those of the hidden ones below it; everything an outsider can
compute from a release is a sum of regions. So what changes from one revision to the next in any region must concern
nobody, or at least `min_respondents` people of two classes: those who came, those who went, those who only changed
something else than their class, and those who stayed where others went, each by themselves. And not only against the
revision before: what came in one and left in the next can leave a few people's difference to the one before both, so
the same must hold against every revision that is out.

That is the rule of the departments' own figures, which a revision makes anew. What else answers say, by segment, over
windows, in ratings and in words, every revision carries as the wave's first release made it, without what is no longer
said or may no longer be shown: so an answer that changed there alone is not touched. How many people somebody told is
carried too, as of those who enter few may have told any; whether he told others counts in the figures. A segment that
answers are weighted by is one of the figures' own.
"""

from collections.abc import Collection, Sequence

import pandas as pd

from transforms import TransformError
from transforms.sql import filled, literal

SAID = (
    *("department_key", "score", "weight", "stratum_key", "cluster_key"),
    *("told_count", "acted_count", "is_copied", "warned_count", "warned_acted_count", "is_contradictory"),
)
_SIDE = ["region", "class", "respondent", "responded_at"]
_GROUP = ["region", "group"]
_CLASSES = ["promoters", "passives", "detractors"]


def answers_touched_sql(margins: Sequence[str] = ()) -> str:
    """The select of the answers that came, went or changed; `margins` are the segments that they are weighted by."""
    return filled("answers_touched", {"said": said(margins)})


def said(margins: Sequence[str] = ()) -> str:
    """What an answer says as far as the departments' own figures go, as a list of columns; `margins` as above."""
    return ", ".join([*SAID, *(f"segments[{literal(name)}]" for name in margins)])


def entering(
    answers_touched: pd.DataFrame,
    regions_kept: pd.DataFrame,
    *,
    min_respondents: int,
    material: bool = False,
    closed: Collection[str] = (),
) -> pd.DataFrame:
    """One row per touched answer: whether the revision counts it as it is now, or as it was.

    An answer that changes class or region leaves one group and joins another, and enters only if both may. An answer
    without a score waits with the others of its group. Nobody leaves where those who stay would be too few. Regions in
    `closed` stay as they were. With `material` everything enters, which can disclose single answers; whoever asks for
    it must record it.
    """
    _require_regions(answers_touched)
    sides = _sides(answers_touched)
    sides["is_open"] = ~sides["region"].isin(list(closed))
    while not material:
        enters = _entering_touches(sides)
        too_few = ~_in_groups(sides, _enough(sides[sides["touch"].isin(enters)], min_respondents))
        if not (closing := sides["is_open"] & too_few).any():
            stripped = _stripped(answers_touched, regions_kept, enters, min_respondents=min_respondents)
            closing = sides["is_open"] & sides["region"].isin(stripped) & (sides["group"] == "left")
        if not closing.any():
            break
        sides["is_open"] &= ~closing
    touches = answers_touched["touch"]
    return pd.DataFrame({"touch": touches, "enters": touches.isin(_entering_touches(sides))})


def near(answers_touched: pd.DataFrame, regions_kept: pd.DataFrame, *, min_respondents: int) -> set[str]:
    """The regions that differ from an earlier revision by a few people, or by people of one class.

    `answers_touched` and `regions_kept` are those between that revision and what the next one would count.
    """
    sides = _sides(answers_touched)
    few = set(sides.loc[~_in_groups(sides, _enough(sides, min_respondents)), "region"])
    everyone = pd.Index(answers_touched["touch"])
    stripped = _stripped(answers_touched, regions_kept, everyone, min_respondents=min_respondents)
    return few | (stripped & set(sides.loc[sides["group"] == "left", "region"]))


def revised(answers_touched: pd.DataFrame, entering: pd.DataFrame) -> pd.DataFrame:
    """One row per touched region, for the operator alone: how many answers enter, and how many wait, by kind.

    An answer that moves to another region counts in both. Columns: region, added, removed, edited, waiting_added,
    waiting_removed, waiting_edited.
    """
    answers = answers_touched.merge(entering, on="touch", validate="one_to_one")
    sides = [answers.assign(region=answers[f"{side}_region"]) for side in ("released", "current")]
    places = pd.concat(sides).dropna(subset="region").drop_duplicates(["touch", "region"])
    names = places["kind"].where(places["enters"], "waiting_" + places["kind"])
    kinds = ["added", "removed", "edited"]
    counts = pd.crosstab(places["region"], names).reindex(columns=[*kinds, *(f"waiting_{kind}" for kind in kinds)])
    return counts.fillna(0).astype(int).rename_axis(columns=None).reset_index()


def _require_regions(answers_touched: pd.DataFrame) -> None:
    is_adrift = (answers_touched["released_region"].isna() & (answers_touched["kind"] != "added")) | (
        answers_touched["current_region"].isna() & (answers_touched["kind"] != "removed")
    )
    if is_adrift.any():
        raise TransformError(
            "touched answers hang on departments that have no region; make the tree of all departments in the release "
            "and in today's files, and freeze the pattern of the wave's first release over it"
        )


def _sides(answers_touched: pd.DataFrame) -> pd.DataFrame:
    """One row per touched answer × group that it must enter with, the newest last."""
    stays = answers_touched["released_region"] == answers_touched["current_region"]
    is_alike = _is_alike(answers_touched)
    left = _side(answers_touched, "released").assign(group="left")
    came = _side(answers_touched, "current").assign(group="came")
    came["group"] = came["group"].mask(is_alike, "changed")
    # within a region a score that was given or withdrawn shows as one that came or left, and as nothing else
    sides = [
        left[~is_alike & ~(stays & (left["class"] == "none"))],
        came[~(stays & ~is_alike & (came["class"] == "none"))],
    ]
    return (
        pd.concat(sides)
        .dropna(subset="region")
        .sort_values(["responded_at", "touch"], na_position="first", ignore_index=True)
    )


def _is_alike(answers_touched: pd.DataFrame) -> pd.Series:
    """Whether an answer stays in its region and class, and only says something else besides."""
    stays = answers_touched["released_region"] == answers_touched["current_region"]
    return stays & (answers_touched["released_class"] == answers_touched["current_class"])


def _side(answers_touched: pd.DataFrame, side: str) -> pd.DataFrame:
    columns = [f"{side}_{name}" for name in _SIDE]
    return answers_touched[["touch", *columns]].set_axis(["touch", *_SIDE], axis="columns")


def _entering_touches(sides: pd.DataFrame) -> pd.Index:
    may_enter = sides.groupby("touch")["is_open"].all()
    return may_enter.index[may_enter]


def _enough(sides: pd.DataFrame, min_respondents: int) -> pd.MultiIndex:
    """The groups that can enter: enough people, each once with the newest answer, of two classes."""
    people = sides[sides["class"] != "none"].drop_duplicates([*_GROUP, "respondent"], keep="last")
    groups = people.groupby(_GROUP)["class"].agg(["size", "nunique"])
    return pd.MultiIndex.from_frame(groups.query("size >= @min_respondents and nunique >= 2").reset_index()[_GROUP])


def _in_groups(sides: pd.DataFrame, groups: pd.MultiIndex) -> pd.Series:
    return pd.Series(pd.MultiIndex.from_frame(sides[_GROUP]).isin(groups), index=sides.index)


def _stripped(
    answers_touched: pd.DataFrame, regions_kept: pd.DataFrame, enters: pd.Index, *, min_respondents: int
) -> set[str]:
    """The regions where some people would stay behind, but fewer than enough or of one class.

    Who comes is none of those who stay: figures before and after bound the classes of a few who are in both.
    """
    is_entering = answers_touched["touch"].isin(enters)
    changed = _side(answers_touched[is_entering & _is_alike(answers_touched)], "current")
    counted = pd.concat([changed, _side(answers_touched[~is_entering], "released")])
    counted = counted[counted["class"].isin(["promoter", "passive", "detractor"])]
    kept = regions_kept.set_index("region")
    answers = pd.crosstab(counted["region"], counted["class"] + "s").reindex(columns=_CLASSES, fill_value=0)
    answers = answers.add(kept[_CLASSES], fill_value=0)
    # someone may be among both: the greater of the two is what is certain
    people = counted.groupby("region")["respondent"].nunique()
    respondents = pd.concat([people, kept["respondents"]], axis="columns").max(axis="columns")
    is_enough = (respondents >= min_respondents) & ((answers > 0).sum(axis="columns") >= 2)
    return set(is_enough.index[~is_enough])
