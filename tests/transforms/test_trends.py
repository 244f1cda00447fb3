"""A department's course through the waves, cut where the method changed; of what a wave did not publish, nothing."""

import pandas as pd
import pytest

from tests.transforms.released import Counts, Frame, released
from transforms.breaks import CHANGED, breaks
from transforms.trends import COLUMNS, trends

WAVES = ("2026-06", "2026-07", "2026-08", "2026-09", "2026-10")
SMOOTH = ["nps_smooth", "nps_smooth_low", "nps_smooth_high"]


def series(a: list[Counts], waves: tuple[str, ...] = WAVES) -> list[tuple[str, Frame]]:
    """Waves in which department a has these counts, and b always the same."""
    rows = zip(waves, a, strict=True)
    return [(wave, released({"all": (40, 80, 120), "a": own, "b": (20, 40, 60)}, wave=wave)) for wave, own in rows]


def test_each_published_department_has_every_wave_with_its_figures_and_a_smooth_in_a_narrower_band() -> None:
    rows = trends(series([(20, 40, 60), (22, 40, 58), (18, 40, 62), (20, 38, 62), (21, 40, 59)]))
    assert rows.columns.tolist() == list(COLUMNS)
    assert rows["department_id"].tolist() == [name for name in ("all", "a", "b") for _ in WAVES]
    assert rows["trend_wave"].tolist() == list(WAVES) * 3
    assert rows["position"].tolist() == [1, 2, 3, 4, 5] * 3
    a = rows[rows["department_id"] == "a"]
    assert a["nps"].iloc[1] == 30
    assert (a["nps_smooth_high"] - a["nps_smooth_low"]).max() < 25  # of one wave alone it is 28 points
    assert (a["nps_smooth"].between(a["nps_smooth_low"], a["nps_smooth_high"])).all()
    assert rows[["break_reason_en", "break_reason_nl"]].isna().all(axis=None)
    assert not rows["is_break"].any()


def test_fewer_than_three_waves_make_no_smooth() -> None:
    rows = trends(series([(20, 40, 60)] * 2, WAVES[:2]))
    assert rows[SMOOTH].isna().all(axis=None)
    assert rows["nps"].notna().all()
    assert trends(series([(20, 40, 60)] * 3, WAVES[:3]))[SMOOTH].notna().all(axis=None)


def test_a_wave_that_did_not_publish_the_department_has_no_figure_and_its_counts_change_nothing() -> None:
    found = []
    for hidden in ((1, 1, 1), (90, 2, 3)):
        waves = series([(20, 40, 60), (22, 40, 58), hidden, (20, 38, 62), (21, 40, 59)])
        waves[2] = (WAVES[2], released({"all": (40, 80, 120), "a": hidden}, suppressed=["a"], wave=WAVES[2]))
        for name in ("responses", "promoters", "passives", "detractors"):
            waves[2][1].loc[waves[2][1]["department_id"] == "a", name] = hidden[0]
        found.append(trends(waves))
    pd.testing.assert_frame_equal(found[0], found[1])
    a = found[0][found[0]["department_id"] == "a"]
    assert a["nps"].isna().tolist() == [False, False, True, False, False]
    assert a["nps_smooth"].notna().all()


def test_who_is_not_published_now_has_no_course_and_who_began_later_begins_there() -> None:
    waves = series([(20, 40, 60)] * 5)
    waves[0] = (WAVES[0], released({"all": (40, 80, 120), "b": (20, 40, 60)}))
    waves[4] = (WAVES[4], released({"all": (40, 80, 120), "a": (20, 40, 60), "b": (2, 0, 0)}, suppressed=["b"]))
    rows = trends(waves)
    assert set(rows["department_id"]) == {"all", "a"}
    assert rows.loc[rows["department_id"] == "a", "position"].tolist() == [2, 3, 4, 5]


def test_at_a_break_the_smooth_begins_anew_and_the_reason_is_there_in_both_languages() -> None:
    calm: list[Counts] = [(20, 40, 60)] * 3
    waves = (*WAVES, "2026-11")
    reason = {"en": "New questions.", "nl": "Nieuwe vragen."}
    rows = trends(series([*calm, (80, 20, 20), (80, 20, 20), (80, 20, 20)], waves), {"2026-09": reason})
    a = rows[rows["department_id"] == "a"].reset_index(drop=True)
    assert a["nps_smooth"].round(6).tolist() == pytest.approx([33.333333] * 3 + [-50.0] * 3)
    assert a["is_break"].tolist() == [False, False, False, True, False, False]
    assert (a["break_reason_en"][3], a["break_reason_nl"][3]) == ("New questions.", "Nieuwe vragen.")
    two = trends(series([*calm, (80, 20, 20), (80, 20, 20)]), {"2026-09": reason})
    assert two.loc[two["department_id"] == "a", "nps_smooth"].isna().tolist() == [False] * 3 + [True] * 2


def test_waves_that_lie_further_apart_say_less_of_each_other() -> None:
    counts: list[Counts] = [(20, 40, 60), (30, 30, 60), (40, 30, 50), (20, 38, 62), (50, 30, 40)]
    near, far = (trends(series(counts, waves)) for waves in (WAVES, ("2022-06", *WAVES[1:])))
    width = [rows["nps_smooth_high"] - rows["nps_smooth_low"] for rows in (near, far)]
    assert width[1][5] > width[0][5]


def test_methods_that_releases_recorded_and_that_differ_are_breaks_and_what_was_not_recorded_is_none() -> None:
    old = {"definition": "2026-1"}
    full = {**old, "told_min": 1, "score": {"scale": [0, 10], "values": None}, "duplicates": "keep"}
    scale = {**full, "score": {"scale": [1, 10], "values": None}}
    both = {**scale, "definition": "2026-2", "told_min": 2}
    found = breaks(list(zip(WAVES, (old, full, scale, scale, both), strict=True)), {})
    assert found == {
        "2026-08": CHANGED["score"],
        "2026-10": {n: f"{CHANGED['definition'][n]} {CHANGED['told_min'][n]}" for n in ("en", "nl")},
    }


def test_a_break_that_was_written_down_begins_with_its_wave_or_the_first_after_it() -> None:
    methods = [(wave, {"definition": "2026-1"}) for wave in ("2026-06", "2026-07", "2026-10")]
    written = {
        "2026-08": {"en": "By phone.", "nl": "Per telefoon."},
        "2026-10": {"en": "On line.", "nl": "Op het net."},
    }
    assert breaks(methods, written) == {"2026-10": {"en": "By phone. On line.", "nl": "Per telefoon. Op het net."}}
    assert breaks(methods, {"2026-06": {"en": "First."}, "2027-01": {"en": "Later."}}) == {}


def test_every_recorded_change_has_its_words_in_both_languages() -> None:
    assert all(set(reason) == {"en", "nl"} and all(reason.values()) for reason in CHANGED.values())
