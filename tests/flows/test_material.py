"""A material revision lets a few in, as its operator decided: no check stops it, and none calls it a breach later."""

from pathlib import Path
from typing import Any

from flows.preparing.checking import check_published
from flows.run import Run
from tests.flows.whole import TEAMS, Survey
from warehouse.ledger import Ledger

DISCLOSED = ["published_is_large", "nothing_small_can_be_subtracted"]


def rows(**teams: int) -> str:
    return "score,team\n" + "".join(f"{3 + n % 8},{team}\n" for team, size in teams.items() for n in range(size))


def test_what_a_material_revision_discloses_is_a_warning_in_it_and_in_those_after_it(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, rows(North=60, South=60), configuration=TEAMS)
    assert survey.release() is not None
    outcomes = []
    for few, material in ((rows(North=60, South=6, West=3), True), (rows(North=90, South=6, West=3), False)):
        (tmp_path / "answers.csv").write_text(few, encoding="utf-8")
        report = survey.release(may_revise=True, material=material)
        assert report is not None
        check_published(Run.begin(survey.config), report)
        folder = tmp_path / "releases" / report.releases[0].release_id / "pages" / "en"
        assert any("Too few gave a score" in page.read_text() for page in folder.rglob("*.html"))
        quality = survey.read("from mart.quality where is_latest").set_index("rule").loc[DISCLOSED]
        outcomes.append(quality[["severity", "outcome"]].to_numpy().tolist())
    assert outcomes == [[["warning", "failed"]] * 2] * 2
    figures = survey.read("from mart.promoter_metrics where status = 'published'")
    counts: Any = figures.pivot(index="department", columns="revision", values="responses")
    assert counts.loc["South"].tolist() == [60, 6, 6]
    assert counts.loc["North"].tolist() == [60, 60, 90]
    assert quality["failed_count"].isna().all()  # how many are few, nobody is told either
    with Ledger.open(Run.begin(survey.config).home.ledger) as ledger:
        assert not ledger.events(kinds=("breach",))
