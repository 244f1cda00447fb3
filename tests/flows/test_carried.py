"""What a revision carries from its wave's first release: what answers say besides their scores, made once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from flows.preparing.carried import carried
from flows.preparing.seal import Sealed, read_table
from flows.preparing.steps import prepare
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.flows.whole import Survey

Frame = Any  # pd.DataFrame: its stubs do not follow what a query gives
HEAD = "id,score,place,crew,price,comment\n"
CONFIGURATION = """
[organisation]
languages = ["en"]
[surveys.guests]
wave = {{ value = "2026-10" }}
duplicates = "latest"
min_respondents = {least}
[surveys.guests.roles]
response_id = "id"
score = "score"
department = "place"
drivers = {{ {drivers} }}
comment = "comment"
[surveys.guests.comments]
{comments}
"""
SAID = {  # by promoters, in turn, and by the others
    True: (
        "The friendly crew helped us",
        "What a lovely journey it was",
        "Friendly and lovely with Kanariestra aboard",
    ),
    False: ("Waiting at the quay took ages", "The coffee was cold and bitter"),
}
DRIVERS = 'crew = "crew", price = "price"'
NAMES = ("drivers", "themes", "quotes")


def answers(first: int, last: int) -> list[str]:
    """Answers of all classes at two places, of people who rate everything and write something."""
    said = [SAID[n % 5 < 3] for n in range(first, last)]
    return [
        answer(n, crew=1 + (n * 7 + n // 9) % 5, comment=texts[n % len(texts)])
        for n, texts in zip(range(first, last), said, strict=True)
    ]


def answer(n: int, *, crew: int, comment: str) -> str:
    score = (10, 9, 10, 8, 3)[n % 5]
    return f"{n},{score},{('Ships', 'Ports')[n % 3 == 0]},{crew},{1 + n % 4},{comment}\n"


def written(folder: Path, rows: Sequence[str], **chosen: str) -> Run:
    said = {"comments": "quotes = true", "drivers": DRIVERS, "least": "10"} | chosen
    return Run.begin(Survey.written(folder, HEAD + "".join(rows), configuration=CONFIGURATION.format(**said)).config)


def released(run: Run) -> Sealed:
    """Prepare and open what there is, without pages."""
    prepared = prepare(run, "guests", may_revise=True, with_pages=False)
    assert prepared.sealed is not None
    for moment in stage_together(run, [prepared]).moments:
        open_moment(run.home, run.settings, moment.moment_id)
    return prepared.sealed


def test_a_revision_carries_what_answers_say_besides_their_scores_as_far_as_it_may_still_be_said(
    tmp_path: Path,
) -> None:
    rows = answers(0, 150)
    first = released(written(tmp_path, rows))
    tables: dict[str, Frame] = {name: read_table(first.folder, name) for name in NAMES}
    assert all(len(table) for table in tables.values())

    # under a greater minimum nothing is, and under a smaller one the same
    assert [len(carried(written(tmp_path, rows, least="11"), first.release_id, name)) for name in NAMES] == [0, 0, 0]
    assert [len(carried(written(tmp_path, rows, least="9"), first.release_id, name)) for name in NAMES] == [
        len(table) for table in tables.values()
    ]

    # a rating and a comment of one person that changed alone are in no figure, so nothing did
    edited = [answer(0, crew=5, comment="Terribly lovely"), *rows[1:]]
    assert prepare(written(tmp_path, edited), "guests").examination.verdict == "unchanged"

    # of those who come only some are promoters, and fewer say the same word: how many and which, nobody can subtract
    second = released(written(tmp_path, [*edited, *answers(150, 200)]))
    assert read_table(second.folder, "promoter_metrics")["responses"].iloc[0] == 200
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, read_table(second.folder, name))

    # nor where a driver is called otherwise and another is mapped no longer;
    # but a name that is known by now is quoted no longer, nor is a word that people took back
    taken_back = [row.replace("lovely", "nice") for row in [*edited, *answers(150, 200)]]
    mapped = {
        "comments": 'quotes = true\nnames = ["Kanariestra"]',
        "drivers": 'crew = {column = "crew", label = "Staff"}',
    }
    third = released(written(tmp_path, taken_back, **mapped))
    renamed = tables["drivers"].assign(label=lambda d: d["driver"].replace("crew", "Staff"))
    pd.testing.assert_frame_equal(renamed, read_table(third.folder, "drivers"))
    kept: Frame = read_table(third.folder, "themes")
    words = [word for word in tables["themes"].query("department_id == 'all'")["theme"] if word != "lovely"]
    assert kept.query("department_id == 'all'")["theme"].tolist() == words
    assert kept.query("department_id == 'all'")["position"].tolist() == [*range(1, 1 + len(words))]
    assert set(read_table(third.folder, "quotes")["quote"]) == {"The friendly crew helped us"}
