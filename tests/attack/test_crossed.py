"""Segments, rolling windows, words and ratings in the warehouse that BI tools read, attacked with the departments."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from flows.home import Home
from flows.preparing.steps import prepare
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.attack.crossed import SEGMENTS, WAVES, Said, Told, few_left, narrow, said, truth
from tests.attack.organisations import SCORES
from tests.attack.outsider import CLASSES

K = 5
KINDS = ("promoter", "passive", "detractor")
SEEDS = (1, 2)
WITH_STATUS = ("promoter_metrics", "segments", "rolling")
TABLES = (*WITH_STATUS, "themes", "drivers")


@dataclass(frozen=True)
class Published:
    """What one organisation said, and what everyone reads of it."""

    answers: list[Said]
    tables: dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Published]]:
    folder = tmp_path_factory.mktemp("crossed")
    made = {f"o{seed}": said(seed, k=K) for seed in SEEDS}
    (folder / "zwerm.toml").write_text("".join(map(survey, made)), encoding="utf-8")
    (Home(folder).prepare().working / "secret").write_text("0" * 64, encoding="ascii")  # what is hidden hangs on it
    for wave in WAVES:
        for name, answers in made.items():
            write(folder / f"{name}.csv", [one for one in answers if one.cell[0] <= wave])
        run = Run.begin(folder / "zwerm.toml")
        prepared = [prepare(run, name, wave, with_pages=False) for name in made]
        for moment in stage_together(run, prepared).moments:
            open_moment(run.home, run.settings, moment.moment_id)
    with duckdb.connect(str(folder / "published" / "warehouse.duckdb"), read_only=True) as connection:
        tables = {name: connection.sql(select(name)).to_arrow_table().to_pandas() for name in TABLES}
    yield [
        Published(answers, {table: rows[rows["survey"] == name] for table, rows in tables.items()})
        for name, answers in made.items()
    ]


def survey(name: str) -> str:
    return f"""
[surveys.{name}]
wave = {{ column = "wave" }}
min_respondents = {K}
segment_levels = 1
windows = [2]
[surveys.{name}.roles]
score = "score"
response_id = "id"
department = ["l0", "l1"]
comment = "comment"
segments = {{ {", ".join(f'{segment} = "{segment}"' for segment in SEGMENTS)} }}
[surveys.{name}.roles.drivers]
crew = {{ column = "crew", scale = [1, 5] }}
[[surveys.{name}.sources]]
path = "{name}.csv"
"""


def write(path: Path, answers: list[Said]) -> None:
    lines = ["id,wave,l0,l1,ticket,age,score,comment,crew"]
    for number, one in enumerate(answers):
        wave, department, *values = one.cell
        l0, _, l1 = department.partition("/")
        said_by = [str(SCORES[one.kind][-1]), one.comment, str(one.rating or "")]
        lines.append(",".join([str(number), wave, l0, l1, *values, *said_by]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def select(table: str) -> str:
    """The rows of a table with the path of their department."""
    shown = "where status = 'published'" if table in WITH_STATUS else ""
    return (
        f"select t.*, replace(d.path, ' > ', '/') as place from mart.{table} t"
        f" join mart.departments d using (release_id, department_id) {shown}"
    )


def told(tables: dict[str, pd.DataFrame]) -> list[Told]:
    """Every published row, and the rows of departments that a wave does not have, which hold nobody."""
    found = []
    for table in ("promoter_metrics", "segments", "rolling"):
        for row in tables[table].to_dict("records"):
            waves = row["pooled_waves"] if table == "rolling" else [row["wave"]]
            value = row.get("value")
            promoters, passives, detractors = (int(row[name]) for name in CLASSES)
            found.append(
                Told(
                    frozenset(waves),
                    row["place"],
                    (promoters, passives, detractors),
                    row.get("segment"),
                    value if isinstance(value, str) else "",
                )
            )
    return found


def test_segments_and_windows_with_the_departments_give_no_small_group_away(organisations: list[Published]) -> None:
    for one in organisations:
        rows, people = told(one.tables), truth(one.answers)
        assert any(row.segment for row in rows)
        assert any(len(row.waves) > 1 for row in rows)
        assert narrow(rows, people, k=K) == []


def test_a_value_that_is_shown_though_it_was_hidden_is_found(organisations: list[Published]) -> None:
    one = organisations[0]
    rows, people = told(one.tables), truth(one.answers)
    shown = {(row.waves, row.department, row.segment, row.value) for row in rows}
    departments = {(row.waves, row.department) for row in rows if row.segment}
    hidden = [
        Told(waves, department, (0, 0, 0), segment, value)
        for waves, department in sorted(departments, key=lambda it: (sorted(it[0]), it[1]))
        for segment, value in product(SEGMENTS, ("day", "year", "", "old", "young"))
        if value in SEGMENTS[segment] and (waves, department, segment, value) not in shown
    ]
    more = []
    for row in hidden:
        inside = [counts for cell, counts in people.items() if row.holds(cell)]
        promoters, passives, detractors = (sum(counts[kind] for counts in inside) for kind in KINDS)
        more.append(replace(row, counts=(promoters, passives, detractors)))
    assert more
    assert narrow([*rows, *more], people, k=K)


def test_no_word_tells_of_a_few_by_subtraction(organisations: list[Published]) -> None:
    pairs = 0
    for one in organisations:
        for _, rows in one.tables["themes"].groupby(["wave", "language", "kind", "theme"]):
            said_by = dict(zip(rows["place"], rows["respondents"].astype(int), strict=True))
            assert few_left(said_by, k=K) == []
            pairs += len(said_by) > 1
    assert pairs > 0
    assert few_left({"": 30, "A": 20, "A/a1": 18, "B": 9}, k=K) == ["", "A"]


def test_no_rating_tells_of_a_few_by_subtraction(organisations: list[Published]) -> None:
    rated = 0
    for one in organisations:
        for wave, rows in one.tables["drivers"].groupby("wave"):
            assert few_left(dict(zip(rows["place"], rows["responses"].astype(int), strict=True)), k=K) == []
            for kind in ("promoter", "passive"):
                told_of = rows[rows[f"rating_{kind}s"].notna()]["place"]
                raters = {place: _raters(one.answers, wave, place, kind) for place in told_of}
                assert few_left(raters, k=K) == []
                rated += len(raters) > 1
    assert rated > 0


def _raters(answers: list[Said], wave: object, place: str, kind: str) -> int:
    row = Told(frozenset([str(wave)]), place, (0, 0, 0))
    return sum(row.holds(one.cell) for one in answers if one.kind == kind and one.rating)
