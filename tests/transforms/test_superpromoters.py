"""Who tells whom and what comes of it: the classification, its rates and their intervals, with answers missing."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.coverage import ladder_coverage
from tests.transforms.waves import (
    ANY_COUNTS,
    Frame,
    Row,
    alone,
    counts,
    dqp,
    empty,
    ladder,
    many,
    metrics,
    mirrored,
    tallies,
    tally,
    unrounded,
)
from transforms.change import change
from transforms.departments import SEPARATOR

Z = 1.959963984540054


def test_wilson_interval_of_12_of_80_is_that_of_the_oracle() -> None:
    figures = alone({**dqp(20, 20, 40), **ladder(40, 20, 20, 12)})
    assert figures["superpromoter_rate"] == pytest.approx(0.15)
    assert figures["superpromoter_rate_low"] == pytest.approx(0.087940, abs=5e-7)
    assert figures["superpromoter_rate_high"] == pytest.approx(0.244132, abs=5e-7)


@pytest.mark.parametrize("told", [ladder(500, 400, 400, 200), ladder(250, 200, 200, 100), ladder(250, 200, 100, 50)])
def test_superpromoters_do_not_become_fewer_when_promoters_skip_a_question(told: Row) -> None:
    figures = alone({**dqp(200, 300, 500), **told})
    assert figures["superpromoter_rate"] == pytest.approx(0.2)
    assert figures["superpromoters"] == told["superpromoters"]


def test_fewer_answers_to_a_factor_make_the_interval_wider() -> None:
    known = {
        name: {**dqp(200, 300, 500), **ladder(*told)}
        for name, told in {"all": (500, 400, 400, 200), "half": (250, 200, 200, 100), "few": (25, 20, 20, 10)}.items()
    }
    rows = metrics(counts(known))
    width = rows["superpromoter_rate_high"] - rows["superpromoter_rate_low"]
    assert width["all"] < width["half"] < width["few"]


def test_the_variance_of_the_rate_is_that_of_the_three_factors() -> None:
    n, members, known, told, effect_known, effect = 300, 120, 80, 50, 30, 12
    rate = members / n * told / known * effect / effect_known
    factors = ((members / n, n), (told / known, known), (effect / effect_known, effect_known))
    variance = rate**2 * sum((1 - share) / (base * share) for share, base in factors)
    low, high = wilson(rate, rate * (1 - rate) / variance)
    figures = alone({**dqp(90, 90, 120), **ladder(known, told, effect_known, effect)})
    assert figures["superpromoter_rate"] == pytest.approx(rate, abs=1e-10)
    assert figures["superpromoter_rate_low"] == pytest.approx(low, abs=1e-9)
    assert figures["superpromoter_rate_high"] == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize(
    ("row", "told", "rate", "trials"),
    [
        (dqp(60, 40, 0), ladder(0, 0, 0, 0), 0, 100),  # no promoters: over all answers
        (dqp(30, 30, 40), ladder(20, 0, 0, 0), 0, 100 * 20 / 40),  # none of those who said so told
        (dqp(30, 30, 40), ladder(20, 16, 8, 0), 0, 100 * 20 / 40 * 8 / 16),  # none had effect
        (dqp(0, 0, 40), ladder(20, 20, 10, 10), 1, 40 * 20 / 40 * 10 / 20),  # all did
    ],
)
def test_rates_of_0_and_1_have_the_interval_of_those_who_answered(
    row: Row, told: Row, rate: float, trials: float
) -> None:
    others = {**dqp(0, 0, 50), **ladder(50, 25, 20, 10)}  # so that the questions were asked
    figures = metrics(counts({"all": others, "here": {**row, **told}})).loc["here"]
    assert figures["superpromoter_rate"] == rate
    found = [figures["superpromoter_rate_low"], figures["superpromoter_rate_high"]]
    assert found == pytest.approx(wilson(rate, trials), abs=1e-9)


def wilson(rate: float, trials: float) -> tuple[float, float]:
    middle = rate + Z**2 / (2 * trials)
    margin = Z * sqrt(rate * (1 - rate) / trials + Z**2 / (4 * trials**2))
    return (middle - margin) / (1 + Z**2 / trials), (middle + margin) / (1 + Z**2 / trials)


SUPER = ["superpromoters", "superpromoter_rate", "superpromoter_rate_low", "superpromoter_rate_high"]


def test_questions_that_were_not_asked_leave_all_their_figures_null() -> None:
    figures = alone(dqp(20, 20, 40))
    assert figures[[*SUPER, "sharing_rate", "influence_rate", "antipromoter_rate", "net_superpromoter"]].isna().all()
    telling = alone({**dqp(20, 20, 40), **ladder(40, 20, 0, 0)})
    assert telling["sharing_rate"] == 0.5
    assert telling[[*SUPER, "influence_rate"]].isna().all()


def test_a_factor_without_any_answer_makes_the_rate_null_here_and_not_elsewhere() -> None:
    asked = {**dqp(20, 20, 40), **ladder(40, 20, 20, 12)}
    rows = metrics(counts({"all": asked, "silent": {**dqp(20, 20, 40), **ladder(0, 0, 0, 0)}, "asked": asked}))
    assert pd.isna(rows.loc["silent", "superpromoter_rate"])
    assert rows.loc["silent", "superpromoters"] == 0
    assert rows.loc["asked", "superpromoter_rate"] == pytest.approx(0.15)


def test_antipromoters_mirror_superpromoters_and_net_is_the_difference() -> None:
    figures = alone({**dqp(40, 20, 20), **ladder(20, 10, 10, 4, warned=(40, 20, 20, 12))})
    assert figures["antipromoter_rate"] == pytest.approx(0.15)
    assert figures["net_superpromoter"] == pytest.approx(0.05 - 0.15)


def test_a_superpromoter_rate_that_stands_on_fewer_trials_than_the_minimum_is_null() -> None:
    few = {**dqp(300, 200, 500), **ladder(4, 2, 2, 1)}
    assert alone(few, min_respondents=10)[SUPER[1:]].isna().all()
    assert alone(few, min_respondents=3)[SUPER[1:]].notna().all()


def test_a_rate_that_rests_on_a_few_answers_which_agree_is_null_however_sure_they_seem() -> None:
    few = {**dqp(10, 15, 25), **ladder(10, 5, 2, 2)}  # 25 trials, but only as many answers as of 8 who leave out none
    assert alone(few, min_respondents=10)[SUPER[1:]].isna().all()
    assert alone(few, min_respondents=8)[SUPER[1:]].notna().all()


def test_ten_complete_answers_are_enough_for_a_minimum_of_ten() -> None:
    rows = {str(p): {**dqp(0, 10 - p, p), **ladder(*[p] * 4)} for p in range(11)}
    figures = metrics(counts({"all": {**dqp(0, 0, 50), **ladder(50, 25, 20, 10)}, **rows}), min_respondents=10)
    assert figures["superpromoter_rate"].tolist()[1:] == [promoters / 10 for promoters in range(11)]


def test_a_figure_that_is_not_there_has_no_interval() -> None:
    rows = metrics(
        counts(
            {
                "all": {**dqp(20, 20, 40), **ladder(30, 20, 20, 12)},  # detractors were not asked
                "silent": dqp(20, 20, 40),
                "few": {**dqp(3, 3, 3), **ladder(3, 2, 2, 1)},
                "empty": {},
            }
        ),
        min_respondents=10,
    )
    for name in [column.removesuffix("_low") for column in rows.columns if column.endswith("_low")]:
        assert rows.loc[rows[name].isna(), [f"{name}_low", f"{name}_high"]].isna().all(axis=None), name
    assert rows["superpromoter_rate_low"].notna().tolist() == [True, False, False, False]
    assert rows["net_superpromoter_low"].isna().all()


@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS, shares=st.tuples(*[st.floats(0, 1)] * 3))
def test_on_complete_answers_the_rate_has_the_interval_of_a_plain_share(
    row: dict[str, int], shares: tuple[float, ...]
) -> None:
    members, n = row["promoters"], sum(row.values())
    told = round(members * shares[0])
    effect = round(told * shares[1])
    asked = {**dqp(0, 0, 50), **ladder(50, 25, 20, 10)}
    rows = metrics(counts({"all": asked, "here": {**row, **ladder(members, told, told, effect)}}))
    found = rows.loc["here", ["superpromoter_rate", "superpromoter_rate_low", "superpromoter_rate_high"]]
    assert found.tolist() == pytest.approx([effect / n, *wilson(effect / n, n)], abs=1e-8)


KINDS = ["superpromoters", "sharers", "silent_promoters", "unknown_promoters"]
TELLING: list[tuple[Row, list[int]]] = [
    ({"told_count": 1, "acted_count": 1}, [1, 0, 0, 0]),
    ({"told_count": 1, "acted_count": 0, "is_copied": True}, [1, 0, 0, 0]),
    ({"told_count": 1, "acted_count": 0, "is_copied": False}, [0, 1, 0, 0]),
    ({"told_count": 0}, [0, 0, 1, 0]),  # told nobody: known, whatever else is missing
    ({"told_count": 1}, [0, 0, 0, 1]),
    ({"acted_count": 2, "is_copied": True}, [0, 0, 0, 1]),
]


def test_every_promoter_is_of_one_kind_and_a_missing_answer_is_never_a_no() -> None:
    for telling, kinds in TELLING:
        asked = {"score": 9, "told_count": 1, "acted_count": 1, "is_copied": False, "department_key": "asked"}
        row = metrics(tallies([asked, {"score": 10, "department_key": "here", **telling}])).loc[lambda r: r.level == 1]
        assert row.loc[row["department"] == "here", KINDS].iloc[0].tolist() == kinds, telling


def test_the_kinds_add_up_to_the_promoters_and_passives_and_detractors_are_of_none() -> None:
    talkative = {"told_count": 3, "acted_count": 1, "is_copied": True}
    answers = [{"score": 9, **telling} for telling, _ in TELLING] + [{"score": s, **talkative} for s in (8, 3, None)]
    root = metrics(tallies(answers)).loc["all"]
    assert root[KINDS].tolist() == [2, 1, 1, 2]
    assert (root["promoters"], root["passives"], root["detractors"]) == (6, 1, 1)
    assert root[["told_known", "told", "influence_known"]].tolist() == [5, 4, 3]


def test_every_rate_has_the_wilson_interval_of_those_who_answered() -> None:
    figures = alone({**dqp(40, 20, 60), **ladder(50, 30, 20, 12, warned=(40, 20, 20, 12))}, min_respondents=10)
    for name, known, trials in (
        ("sharing_rate", 0.6, 50),
        ("influence_rate", 0.6, 20),
        ("antipromoter_rate", 0.1, 120),
    ):
        low, high = wilson(known, trials)
        found = figures[[name, f"{name}_low", f"{name}_high"]].tolist()
        assert found == pytest.approx([known, low, high], abs=1e-9), name
    assert figures["antipromoters"] == 12


def test_the_net_rate_has_the_mover_interval_of_shares_that_exclude_each_other() -> None:
    figures = alone({**dqp(40, 20, 40), **ladder(40, 30, 30, 20, warned=(40, 20, 20, 10))})
    n, r, a = 100, 0.2, 0.1
    (r_low, r_high), (a_low, a_high) = wilson(r, n), wilson(a, n)
    rho = -sqrt(r * a / ((1 - r) * (1 - a)))
    below = sqrt((r - r_low) ** 2 + (a_high - a) ** 2 - 2 * rho * (r - r_low) * (a_high - a))
    above = sqrt((r_high - r) ** 2 + (a - a_low) ** 2 - 2 * rho * (r_high - r) * (a - a_low))
    names = ["net_superpromoter", "net_superpromoter_low", "net_superpromoter_high"]
    assert figures[names].tolist() == pytest.approx([r - a, r - a - below, r - a + above], abs=1e-9)


def test_a_net_rate_of_which_one_part_is_nothing_takes_both_as_independent() -> None:
    figures = alone({**dqp(40, 20, 40), **ladder(40, 30, 30, 20, warned=(40, 20, 20, 0))})
    (r_low, _), (_, a_high) = wilson(0.2, 100), wilson(0, 100)
    assert figures["net_superpromoter_low"] == pytest.approx(0.2 - sqrt((0.2 - r_low) ** 2 + a_high**2), abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(row=ANY_COUNTS, shares=st.tuples(*[st.floats(0, 1)] * 8))
def test_swapping_promoters_and_detractors_mirrors_the_net_rate_and_its_interval(
    row: dict[str, int], shares: tuple[float, ...]
) -> None:
    def descended(count: int, by: tuple[float, ...]) -> list[int]:
        return [count := round(count * share) for share in by]

    told = descended(row["promoters"], shares[:4])
    here = {**row, **ladder(*told, warned=tuple(descended(row["detractors"], shares[4:])))}
    asked = {**dqp(50, 0, 50), **ladder(50, 25, 20, 10, warned=(50, 25, 20, 10))}
    rows = metrics(counts({"all": asked, "here": here, "mirrored": mirrored(here)}))
    one, other = rows.loc["here"], rows.loc["mirrored"]
    for name, mirror, sign in (
        ("net_superpromoter", "net_superpromoter", -1),
        ("net_superpromoter_low", "net_superpromoter_high", -1),
        ("superpromoter_rate_low", "antipromoter_rate_low", 1),
    ):
        assert one[name] == pytest.approx(sign * other[mirror], abs=1e-9, nan_ok=True)


def people(*pairs: tuple[int, int | None]) -> Frame:
    """The figures, not rounded, of promoters who told so many, of whom so many acted."""
    answers = [{"score": 9, "told_count": told, "told_count_most": told, "acted_count": acted} for told, acted in pairs]
    return unrounded(tallies(answers, copied_is_asked=False), margin=40).loc["all"]


def test_reach_is_the_mean_number_of_people_told_with_students_interval() -> None:
    figures = people((0, None), (1, 0), (2, 1), (5, 2), (2, None), (0, None), (0, None), (3, 0), (1, 1), (6, None))
    told = np.array([0, 1, 2, 5, 2, 0, 0, 3, 1, 6])
    margin = 2.262157 * told.std(ddof=1) / sqrt(len(told))  # t with 9 degrees of freedom
    assert figures["reach"] == pytest.approx(2.0)
    assert figures["reach_low"] == pytest.approx(2 - margin, abs=1e-4)
    assert figures["reach_high"] == pytest.approx(2 + margin, abs=1e-4)


def test_of_a_band_the_lower_end_counts_and_one_who_said_nothing_counts_nowhere() -> None:
    band = {"score": 9, "told_count": 4, "told_count_most": 7}
    assert metrics(tallies([band, {"score": 10}, {"score": 9, "told_count": 0}])).loc["all", "reach"] == 2


def test_nothing_is_said_of_the_spread_of_answers_that_are_all_the_same() -> None:
    figures = people(*[(1, 0)] * 12)
    assert figures["reach"] == 1
    assert pd.isna(figures["reach_low"])
    assert pd.isna(figures["reach_high"])


def test_conversion_is_a_ratio_over_the_same_promoters_and_its_people_hang_together() -> None:
    pairs = [(1, 0), (2, 1), (5, 2), (3, 0), (1, 1), (4, 4), (2, 0), (8, 1), (1, 0), (3, 2), (6, None), (0, None)]
    figures = people(*pairs)
    told, acted = np.array([pair for pair in pairs if pair[1] is not None], dtype=float).T
    m, ratio = len(told), acted.sum() / told.sum()
    variance = m / (m - 1) * ((acted - ratio * told) ** 2).sum() / told.sum() ** 2
    trials = min(told.sum(), ratio * (1 - ratio) / variance * (Z / 2.262157) ** 2)
    assert figures["conversion"] == pytest.approx(11 / 30)
    low, high = wilson(ratio, trials)
    assert [figures["conversion_low"], figures["conversion_high"]] == pytest.approx([low, high], abs=1e-4)


def test_no_more_act_than_were_told_also_where_a_band_says_less() -> None:
    band = {"score": 9, "told_count": 1, "told_count_most": 3, "acted_count": 3}
    assert metrics(tallies([band])).loc["all", "conversion"] == 1


@pytest.mark.parametrize(("acted", "share"), [(0, 0.0), (2, 1.0)])
def test_where_none_acted_or_all_the_interval_is_that_of_as_many_respondents(acted: int, share: float) -> None:
    figures = people(*[(2, acted)] * 20)
    low, high = wilson(share, 20)
    assert [figures["conversion_low"], figures["conversion_high"]] == pytest.approx([low, high], abs=1e-9)


def test_recommendation_value_is_every_customer_brought_in_times_the_margin_when_all_answer() -> None:
    figures = people((0, None), (2, 1), (5, 2), (3, 0))
    assert figures["recommendation_value"] == 3 * 40
    assert figures["recommendation_currency"] == "EUR"


def test_recommendation_value_does_not_fall_with_answers_that_are_missing() -> None:
    assert people((0, None), (2, 1), (2, 1), (2, None))["recommendation_value"] == 3 * 40
    silent = [{"score": 9}, {"score": 9, "told_count": 2, "acted_count": 1}]
    assert metrics(tallies(silent), margin=40).loc["all", "recommendation_value"] == 2 * 40
    assert pd.isna(metrics(tallies(silent)).loc["all", "recommendation_value"])


def test_people_told_and_brought_in_are_null_on_fewer_than_the_minimum() -> None:
    said = [*[(1, 0)] * 4, *[(2, 0)] * 4, (3, None), *[(0, None)] * 3]
    answers = [{"score": 9, "told_count": told, "acted_count": acted} for told, acted in said]
    names = ["reach", "conversion", "recommendation_value"]
    few, enough = (metrics(tallies(answers), min_respondents=k, margin=9).loc["all", names] for k in (9, 8))
    assert few.notna().tolist() == [True, False, False]
    assert enough.notna().all()


DRAWS, N = 1500, 400
CLASSES = (0.15, 0.35, 0.5)
PROMOTER, TELLS, WORKS = CLASSES[-1], 0.6, 0.5
ACTED, COPIED = 0.35, 0.25


def drawn(seed: int, *, answers: float) -> Frame:
    """Many waves of the same truth, of which promoters answered each later question with this chance."""
    rng = np.random.default_rng(seed)
    classes = rng.multinomial(N, CLASSES, size=DRAWS)
    rungs = [classes[:, 2]]
    for chance in (answers, TELLS, answers, WORKS):
        rungs.append(rng.binomial(rungs[-1], chance))
    names = ("told_known", "told", "influence_known", "superpromoters")
    columns = dict(zip(("detractors", "passives", "promoters"), classes.T, strict=True))
    return metrics(many({**columns, **dict(zip(names, rungs[1:], strict=True))}), min_respondents=10)


@pytest.mark.parametrize("answers", [1.0, 0.7, 0.4])
def test_a_question_that_promoters_skip_moves_no_rate_and_the_interval_holds_it_as_stated(answers: float) -> None:
    rows, truth = drawn(17, answers=answers), PROMOTER * TELLS * WORKS
    assert rows["superpromoter_rate"].mean() == pytest.approx(truth, abs=0.002)
    for name, value in {"superpromoter_rate": truth, "sharing_rate": TELLS, "influence_rate": WORKS}.items():
        held = (rows[f"{name}_low"] <= value) & (value <= rows[f"{name}_high"])
        assert 0.935 <= held.mean() <= 0.97, name


PLACES, EACH = 500, 250
WAVES = ("before", "now", "partly", "apart")
EFFECT = ["acted_count", "is_copied"]
NPS_COLUMNS = ["nps", "nps_low", "nps_high"]
CHANGES = ["nps_change", "nps_change_low", "nps_change_high", "change_p_value", "is_change_significant"]


def responses(rng: np.random.Generator) -> Frame:
    """A wave of many departments of one truth, in which everybody answers everything."""
    size = PLACES * EACH
    told = np.where(rng.random(size) < TELLS, rng.integers(1, 4, size), 0)
    frame = pd.DataFrame({"place": np.repeat(np.arange(PLACES), EACH), "score": rng.choice([5, 8, 9], size, p=CLASSES)})
    return frame.assign(
        told_count=pd.array(told, dtype="Int64"),
        acted_count=pd.array(rng.random(size) < ACTED, dtype="boolean").astype("Int64"),
        is_copied=pd.array(rng.random(size) < COPIED, dtype="boolean"),
    )


def skipped(full: Frame, rng: np.random.Generator, *questions: list[str]) -> Frame:
    """The same answers, where half of the promoters, others each time, skip each of these questions."""
    for columns in questions:
        is_skipped = (full["score"] >= 9) & (rng.random(len(full)) < 0.5)
        full = full.assign(**{name: full[name].mask(is_skipped) for name in columns})
    return full


@pytest.fixture(scope="module")
def waves() -> dict[str, Frame]:
    """The metrics of every department, of an earlier wave and of one with all answers and with some skipped."""
    rng = np.random.default_rng(18)
    before, now = responses(rng), responses(rng)
    partly = skipped(now, rng, ["told_count"], EFFECT)
    apart = skipped(now, rng, ["is_copied"])
    drawn = zip(WAVES, (before, now, partly, apart), strict=True)
    rows = pd.concat([frame.assign(wave=wave) for wave, frame in drawn], ignore_index=True)
    rows["department_key"] = rows["wave"] + SEPARATOR + rows.pop("place").astype(str)
    with empty() as connection:
        connection.register("rows", rows)
        connection.execute(
            "insert into core.responses by name select *, 's' as survey, 1 as batch, row_number() over () as"
            " record_number, record_number as response_key, false as is_contradictory from rows"
        )
        connection.execute("create temp view counted as from core.responses")
        tallied = tally(connection)
    found = metrics(tallied, min_respondents=10).reset_index(drop=True)
    path = tallied["department_key"].str.split(SEPARATOR, expand=True).reset_index(drop=True)
    found = found.assign(of=path[0], department_id=path[1])[found["level"].to_numpy() == 2]
    return {wave: rows.sort_values("department_id").reset_index(drop=True) for wave, rows in found.groupby("of")}


def published(rows: Frame) -> tuple[Frame, Frame]:
    """The rate as published, and its variance as its interval tells it."""
    width = rows["superpromoter_rate_high"] - rows["superpromoter_rate_low"]
    return rows["superpromoter_rate"], (width / 2 / Z) ** 2


def naive(rows: Frame) -> tuple[Frame, Frame]:
    """Superpromoters among those whose class is known, as a plain share."""
    known = rows["responses"] - rows["unknown_promoters"]
    share = rows["superpromoters"] / known
    return share, share * (1 - share) / known


def called(now: tuple[Frame, Frame], before: tuple[Frame, Frame]) -> float:
    """In which share of departments a test at 5 % says that the rate changed."""
    return float((((now[0] - before[0]) / (now[1] + before[1]) ** 0.5).abs() > Z).mean())


AT_MOST = 0.05 + 3 * sqrt(0.05 * 0.95 / PLACES)


def test_a_question_that_promoters_skip_changes_no_nps_and_no_change_of_it(waves: dict[str, Frame]) -> None:
    before, now, partly, apart = (waves[wave] for wave in WAVES)
    assert (partly["unknown_promoters"] > now["unknown_promoters"]).all()
    full = change(now, before, previous_release_id="r")
    for rows in (partly, apart):
        pd.testing.assert_frame_equal(rows[NPS_COLUMNS], now[NPS_COLUMNS])
        pd.testing.assert_frame_equal(change(rows, before, previous_release_id="r")[CHANGES], full[CHANGES])


def test_a_question_that_promoters_skip_in_one_wave_calls_no_change_oftener_than_stated(
    waves: dict[str, Frame],
) -> None:
    before, now, partly, _ = (waves[wave] for wave in WAVES)
    assert called(published(now), published(before)) <= AT_MOST
    assert called(published(partly), published(before)) <= AT_MOST
    moved = partly["superpromoter_rate"] - now["superpromoter_rate"]
    assert abs(moved.mean()) < 3 * moved.std() / sqrt(PLACES)
    full = now["superpromoter_rate"]
    assert full.between(partly["superpromoter_rate_low"], partly["superpromoter_rate_high"]).mean() >= 0.95


def test_superpromoters_among_those_whose_class_is_known_would_call_changes_that_are_none(
    waves: dict[str, Frame],
) -> None:
    before, now, partly, _ = (waves[wave] for wave in WAVES)
    assert called(naive(now), naive(before)) <= AT_MOST
    assert called(naive(partly), naive(before)) > 0.5


def test_of_two_questions_about_effect_one_that_is_skipped_alone_raises_the_rate_and_that_is_known(
    waves: dict[str, Frame],
) -> None:
    """A yes to either is enough to know, a no takes both: so of those who skip one, the known are more often a yes."""
    influence = waves["apart"]["influence_rate"].mean() - waves["now"]["influence_rate"].mean()
    no_yes = (1 - ACTED) * (1 - COPIED)
    yes_known, no_known = ACTED + (1 - ACTED) * COPIED / 2, no_yes / 2
    assert influence == pytest.approx(yes_known / (yes_known + no_known) - (1 - no_yes), abs=0.01)


@pytest.mark.parametrize("answers", [1.0, 0.7, 0.4])
def test_where_the_rate_is_shown_of_twenty_answers_its_interval_holds_the_truth_exactly_as_often(
    answers: float,
) -> None:
    assert ladder_coverage(20, promoter=0.5, shares=0.6, influences=0.5, answers=answers) >= 0.945
