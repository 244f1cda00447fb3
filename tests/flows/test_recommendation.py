"""How the interval is made and what a customer is worth are configured, and stand with the release that they made."""

import json
from pathlib import Path

import pytest

from flows.configuration import load
from flows.errors import ConfigurationError
from tests.flows.whole import Survey
from transforms.interval import score_interval

CONFIGURATION = """
[surveys.guests]
wave = {{ value = "2026-10" }}
{survey}
[surveys.guests.superpromoters]
{superpromoters}
[surveys.guests.roles]
score = "score"
told_count = {{ column = "told", values = {{ "none" = 0, "1-3" = [1, 3], "4+" = [4, 99] }} }}
{acted}
"""
TELLING = ["none,", "1-3,1", "1-3,0", "4+,2", ",", "none,", "1-3,7"]  # the last contradicts itself
ROWS = "score,told,acted\n" + "".join(f"{4 + n % 7},{TELLING[n % 5 if n % 50 else 6]}\n" for n in range(350))


def written(
    folder: Path, *, survey: str = "", superpromoters: str = "", acted: str = 'acted_count = "acted"'
) -> Survey:
    text = CONFIGURATION.format(survey=survey, superpromoters=superpromoters, acted=acted)
    return Survey.written(folder, ROWS, configuration=text)


def test_the_interval_and_the_margin_stand_with_the_release_and_made_its_figures(tmp_path: Path) -> None:
    survey = written(tmp_path, survey='interval = "score"', superpromoters='margin = 40.5\ncurrency = "EUR"')
    report = survey.release()
    assert report is not None
    folder = tmp_path / "releases" / report.releases[0].release_id
    document, manifest = (json.loads((folder / name).read_text()) for name in ("release.json", "manifest.json"))
    for told in (document, manifest):
        assert (told["interval"], told["margin"], told["currency"]) == ("score", 40.5, "EUR")
    (row,) = survey.read("from mart.promoter_metrics").to_dict("records")
    assert row == row | {name: value for name, value in document["departments"][0].items() if value is not None}
    low, high = score_interval([row["detractors"]], [row["passives"]], [row["promoters"]])
    assert [row["nps_low"], row["nps_high"]] == pytest.approx([100 * low[0], 100 * high[0]], abs=1e-9)
    promoters = [line.split(",") for line in ROWS.splitlines()[1:] if line.startswith(("9", "10"))]
    told = {"none": 0, "1-3": 1, "4+": 4}
    known = [(told[band], acted) for _, band, acted in promoters if band and acted != "7"]
    pairs = [(people, int(acted)) for people, acted in known if people and acted]
    assert row["reach"] == pytest.approx(sum(people for people, _ in known) / len(known), abs=0.05)
    assert row["conversion"] == pytest.approx(sum(a for _, a in pairs) / sum(p for p, _ in pairs), abs=0.005)
    brought = len(promoters) * len([p for p, _ in known if p]) / len(known) * sum(a for _, a in pairs) / len(pairs)
    assert row["recommendation_value"] == pytest.approx(40.5 * brought, rel=0.05)
    assert row["recommendation_currency"] == "EUR"


def test_a_revision_carries_how_many_people_were_told_and_its_pages_say_so(tmp_path: Path) -> None:
    survey = written(tmp_path, superpromoters='margin = 40\ncurrency = "EUR"')
    assert survey.release() is not None
    late = "".join(f"{4 + n % 7},,\n" for n in range(40))
    (tmp_path / "answers-late.csv").write_text(f"score,told,acted\n{late}9,4+,60\n", encoding="utf-8")
    survey.config.write_text(survey.config.read_text().replace("margin = 40", "margin = 80"))
    report = survey.release(may_revise=True)
    assert report is not None
    names = "reach, reach_low, reach_high, conversion, conversion_low, conversion_high"
    first, second = survey.read(f"select {names}, told, recommendation_value from mart.promoter_metrics").values
    assert [*second[:-2]] == [*first[:-2]]  # or the one who came would tell that he told four and more
    assert [second[-2], second[-1]] == [first[-2] + 1, 2 * first[-1]]
    page = (tmp_path / "releases" / report.releases[0].release_id / "pages" / "en" / "index.html").read_text()
    assert "is of the first release of this wave; later answers are not in it" in page


def test_without_a_margin_nothing_is_said_of_value(tmp_path: Path) -> None:
    survey = written(tmp_path)
    assert survey.release() is not None
    (row,) = survey.read(
        "select reach, recommendation_value, recommendation_currency from mart.promoter_metrics"
    ).values
    assert row[0] > 0
    assert [value == value and value is not None for value in row[1:]] == [False, False]


@pytest.mark.parametrize(
    ("superpromoters", "acted", "says"),
    [
        ("margin = 40", 'acted_count = "acted"', "both or neither of margin and currency"),
        ('currency = "EUR"', 'acted_count = "acted"', "both or neither of margin and currency"),
        ('margin = 40\ncurrency = "euro"', 'acted_count = "acted"', "currency"),
        ('margin = 0\ncurrency = "EUR"', 'acted_count = "acted"', "greater than 0"),
        ('margin = 40\ncurrency = "EUR"', "", "needs roles.told_count and roles.acted_count"),
    ],
)
def test_a_margin_needs_a_currency_and_the_questions_that_it_multiplies(
    tmp_path: Path, superpromoters: str, acted: str, says: str
) -> None:
    survey = written(tmp_path, superpromoters=superpromoters, acted=acted)
    with pytest.raises(ConfigurationError, match=says):
        load(survey.config)
