"""How many people were invited: told with each release of the whole, beside what share of them answered."""

import json
from pathlib import Path
from typing import Any

from tests.flows.whole import TEAMS, Survey

ROWS = "score,team\n" + "".join(f"{3 + number % 8},{('North', 'South')[number % 2]}\n" for number in range(200))
BLANK = "".join(",North\n" for _ in range(12))  # answers without a score


def invited(survey: Survey, people: int) -> None:
    text = survey.config.read_text(encoding="utf-8").partition("\n[surveys.guests.invited]")[0]
    survey.config.write_text(f'{text}\n[surveys.guests.invited]\n"2026-10" = {people}\n', encoding="utf-8")


def told(survey: Survey, revision: int) -> tuple[tuple[Any, Any], str, str]:
    """What release.json says, which is what mart.releases says; the outcome of the check; and the page."""
    row = survey.read(f"from mart.releases where revision = {revision}").iloc[0]
    folder = survey.folder / "releases" / str(row["release_id"])
    document = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    said = (document["invited"], document["response_rate"])
    assert said == tuple(row[["invited", "response_rate"]].astype(object).where(row.notna(), None))
    outcome = next(one["outcome"] for one in document["quality"] if one["rule"] == "answers_are_of_the_invited")
    return said, outcome, (folder / "pages" / "en" / "index.html").read_text(encoding="utf-8")


def test_a_revision_tells_how_many_were_invited_as_it_is_known_then(tmp_path: Path) -> None:
    survey = Survey.written(tmp_path, ROWS + BLANK, configuration=TEAMS)
    invited(survey, 150)
    assert survey.release() is not None
    said, outcome, page = told(survey, 1)
    assert said == (150, None) and outcome == "failed"
    assert "150 people were invited, fewer than there are answers" in page
    assert "No more answers came in than people were invited" in page

    invited(survey, 1000)
    (tmp_path / "answers-late.csv").write_text(
        "score,team\n" + "".join(f"{8 + number % 2},South\n" for number in range(20)), encoding="utf-8"
    )
    assert survey.release(may_revise=True) is not None
    said, outcome, page = told(survey, 2)
    assert said == (1000, 0.232) and outcome == "passed"
    assert "1,000 people were invited; the answers of this wave, with a score or without, are 23% of that" in page
    assert told(survey, 1)[0] == (150, None)
