"""Figures by segment and over rolling windows, the whole way: from a file to the warehouse that everyone reads."""

import json
from pathlib import Path

import pandas as pd
import pytest

from flows.errors import ConfigurationError, HeldError
from flows.home import Home
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

WAVES = ("2026-08", "2026-09", "2026-10")
HEAD = "team,ticket,score,day\n"
CONFIGURATION = """
[surveys.guests]
min_respondents = 10
segment_levels = 1
windows = [2]
[surveys.guests.roles]
score = "score"
department = "team"
responded_at = "day"
segments = { ticket = "ticket" }
"""
MIXED = (10, 9, 8, 7, 3, 9)


def answers(wave: str, groups: dict[tuple[str, str], int]) -> str:
    """So many answers of each team and ticket, of all classes."""
    return "".join(
        f"{team},{ticket},{MIXED[i % len(MIXED)]},{wave}-15 12:00\n"
        for (team, ticket), number in groups.items()
        for i in range(number)
    )


USUAL = {
    **{("North", "day"): 40, ("North", "year"): 40, ("North", ""): 14},
    **{("South", "day"): 30, ("South", "year"): 30, ("South", "school"): 14},
    **{("East", "day"): 6, ("West", "day"): 8},
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    """Three waves in each of which East and West are too small; the second was revised before the third came."""
    survey = Survey.written(tmp_path_factory.mktemp("guests"), HEAD, configuration=CONFIGURATION)
    late = answers(WAVES[1], {("North", "day"): 12})
    for rows, wave, may_revise in (
        (HEAD + answers(WAVES[0], USUAL), WAVES[0], False),
        (HEAD + answers(WAVES[0], USUAL) + answers(WAVES[1], USUAL), WAVES[1], False),
        (HEAD + answers(WAVES[0], USUAL) + answers(WAVES[1], USUAL) + late, WAVES[1], True),
        (HEAD + "".join(answers(wave, USUAL) for wave in WAVES) + late, WAVES[2], False),
    ):
        (survey.folder / "answers.csv").write_text(rows)
        assert survey.release(wave, may_revise=may_revise) is not None
    return survey


def table(survey: Survey, name: str, *, wave: str = WAVES[-1], revision: int = 1) -> pd.DataFrame:
    """A published table of one release."""
    return survey.read(f"select * from mart.{name} where wave = '{wave}' and revision = {revision}")


def test_each_ticket_has_its_figures_for_the_whole_and_for_departments_and_who_did_not_say_is_a_row(
    released: Survey,
) -> None:
    rows = table(released, "segments")
    whole = rows[rows["department_id"] == "all"].set_index("value")
    assert whole.index.fillna("not known").tolist() == ["day", "school", "year", "not known"]
    assert whole["responses"].tolist() == [84, 14, 70, 14]
    assert list(whole.loc["year", ["promoters", "passives", "detractors"]]) == [35, 24, 11]
    assert [round(float(whole[name]["year"]), 2) for name in ("nps_low", "nps", "nps_high")] == [15.98, 34.29, 49.77]
    assert rows["department"].unique().tolist() == ["Our organisation", "North", "South"]
    assert set(rows["segment"]) == {"ticket"}


def test_departments_too_small_for_a_wave_show_over_several_and_late_answers_count_in_the_waves_to_come(
    released: Survey,
) -> None:
    single = table(released, "promoter_metrics").set_index("department")
    assert single.loc[["East", "West"], "status"].tolist() == ["suppressed"] * 2
    rows = table(released, "rolling").set_index("department")
    assert rows.loc[["East", "West", "North"], "responses"].tolist() == [12, 16, 2 * 94 + 12]
    assert rows["pooled_waves"].iloc[0].tolist() == list(WAVES[1:])
    newest = released.read(f"select release_id from mart.releases where wave = '{WAVES[1]}' and revision = 2")
    assert rows["pooled_release_ids"].iloc[0].tolist() == newest["release_id"].tolist()
    assert table(released, "rolling", wave=WAVES[0]).empty
    assert rows["waves"].unique().tolist() == [2]


def test_a_revision_carries_the_rows_of_the_first_release(released: Survey) -> None:
    for name in ("segments", "rolling"):
        first, second = (
            table(released, name, wave=WAVES[1], revision=revision).drop(
                columns=["release_id", "revision", "is_latest"]
            )
            for revision in (1, 2)
        )
        assert len(first) > 0
        pd.testing.assert_frame_equal(first, second)


def test_what_is_sealed_and_downloaded_says_the_same(released: Survey) -> None:
    release_id = table(released, "rolling")["release_id"].iloc[0]
    folder = Home(released.folder).releases / release_id
    document = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    told = {(row["department"], row["waves"]): row["responses"] for row in document["rolling"]}
    assert told["East", 2] == 12
    assert {row["value"] for row in document["segments"]} == {"day", "school", "year", None}
    lines = (folder / "downloads" / "segments-en.csv").read_text(encoding="utf-8-sig").splitlines()
    assert (
        lines[0]
        == "department_id,department,segment,value,status,responses,promoters,passives,detractors,nps,nps_low,nps_high"
    )
    assert len(lines) == 1 + len(document["segments"])
    assert "2026-09 2026-10" in (folder / "downloads" / "rolling-en.csv").read_text(encoding="utf-8-sig")


def test_a_segment_of_which_nothing_could_be_shown_safely_holds_the_release_and_the_operator_alone_hears_which_group(
    tmp_path: Path,
) -> None:
    rows = HEAD + "".join(f"Texel,car,{score},2026-10-15 12:00\n" for score in (10, 7))
    rows += "Texel,foot,3,2026-10-15 12:00\n" * 11
    rows += "".join(f"Vlieland,car,{(10, 7)[i % 2]},2026-10-15 12:00\n" for i in range(24))
    rows += answers("2026-10", {("Vlieland", "foot"): 40})
    survey = Survey.written(tmp_path, rows, configuration=CONFIGURATION)
    with pytest.raises(HeldError) as held:
        survey.release("2026-10")
    assert "2026-10 × Texel × car" in held.value.says
    assert held.value.public == "guests 2026-10 is held to protect small groups"
    assert "Texel" not in str(held.value.in_public())
    with Ledger.open(Home(tmp_path).ledger) as ledger:
        assert ledger.releases() == ()
        assert "Texel" not in str(ledger.events())


def test_a_column_of_free_text_is_refused_as_a_segment(tmp_path: Path) -> None:
    rows = HEAD + "".join(
        f"North,words {i},9,2026-10-15 12:00\nNorth,words {i},7,2026-10-15 12:00\n" for i in range(51)
    )
    survey = Survey.written(tmp_path, rows, configuration=CONFIGURATION)
    with pytest.raises(ConfigurationError, match="segment 'ticket' has 51 values") as refused:
        survey.release("2026-10")
    assert refused.value.public == "guests 2026-10 cannot be shown by segment"
