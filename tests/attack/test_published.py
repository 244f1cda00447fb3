"""Twenty organisations through the real publication, attacked in the warehouse that BI tools read, and nowhere else."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from flows.errors import HeldError
from flows.preparing.steps import Prepared, prepare
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.attack.country import Released, Unit
from tests.attack.judge import findings
from tests.attack.organisations import SCORES, Answer, Chance, Organisation

K = 5
ORGANISATIONS = 23  # a few are held, as nothing of them may be shown
REVISED = (3,)  # whose later answers are enough to enter
LEVELS = 7
ASIDE = {0: 3, 1: 12, 2: K}  # so many answers of an organisation cannot be right, and are set aside

# What each figure of mart.promoter_metrics stands on: never on fewer than the minimum.
STANDS_ON = {
    **dict.fromkeys(("nps", "nps_low", "nps_high", "nps_change", "net_superpromoter"), "responses"),
    **dict.fromkeys(("superpromoter_rate", "antipromoter_rate"), "responses"),
    **dict.fromkeys(
        ("nps_weighted", "nps_weighted_low", "nps_weighted_high", "nps_weighted_se"), "effective_responses"
    ),
    **dict.fromkeys(("sharing_rate", "sharing_rate_low", "sharing_rate_high"), "told_known"),
    **dict.fromkeys(("influence_rate", "influence_rate_low", "influence_rate_high"), "influence_known"),
    **dict.fromkeys(("reach", "reach_low", "reach_high", "recommendation_value"), "told_known"),
    **dict.fromkeys(("conversion", "conversion_low", "conversion_high"), "told"),
}


@dataclass
class Home:
    """What was said, what is published of it, and which answers the judge knows to be in it."""

    folder: Path
    organisations: list[Organisation]
    counted: dict[tuple[str, int], list[Answer]]

    def read(self, sql: str) -> pd.DataFrame:
        with duckdb.connect(str(self.folder / "published" / "warehouse.duckdb"), read_only=True) as connection:
            frame: pd.DataFrame = connection.sql(sql).to_arrow_table().to_pandas()
        return frame


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("organisations")
    made = [
        Chance(1000 + n, k=K).organisation(waves=1, changes=int(n in REVISED), nodes=6) for n in range(ORGANISATIONS)
    ]
    more = ""
    for number, organisation in enumerate(made):
        more += survey(number)
        write(folder, number, organisation.waves[0][0])
    (folder / "zwerm.toml").write_text(more, encoding="utf-8")
    counted: dict[tuple[str, int], list[Answer]] = {}
    release(folder, made, range(ORGANISATIONS), counted, revision=1)
    revised = [number for number in REVISED if (f"o{number}", 1) in counted]
    for number in revised:
        write(folder, number, made[number].waves[0][1])
    release(folder, made, revised, counted, revision=2)
    yield Home(folder, made, counted)


def survey(number: int) -> str:
    levels = ", ".join(f'"l{level}"' for level in range(LEVELS))
    return f"""
[surveys.o{number}]
wave = {{ value = "2026-10" }}
min_respondents = {K}
checks = {{ quarantine_is_small = {{ severity = "warning" }}, score_in_range = {{ severity = "warning" }} }}
[surveys.o{number}.roles]
score = "nps"
response_id = "id"
told_count = "told"
acted_count = "acted"
weight = "weight"
department = [{levels}]
[[surveys.o{number}.sources]]
path = "o{number}.csv"
"""


def write(folder: Path, number: int, answers: Any) -> None:
    lines = ["id,nps,told,acted,weight," + ",".join(f"l{level}" for level in range(LEVELS))]
    for one in answers:
        path = [*(one.cell.split("/") if one.cell else []), *[""] * LEVELS][:LEVELS]
        said = (one.key, SCORES[one.kind][-1], one.told, one.acted, one.weight, *path)
        lines.append(",".join("" if value is None else str(value) for value in said))
    lines += [f"wrong {place},99,,,1.0{',' * LEVELS}" for place in range(ASIDE.get(number, 0))]
    (folder / f"o{number}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def release(
    folder: Path, made: list[Organisation], numbers: Any, counted: dict[tuple[str, int], list[Answer]], *, revision: int
) -> None:
    run = Run.begin(folder / "zwerm.toml")
    prepared: list[Prepared] = []
    for number in numbers:
        try:
            one = prepare(run, f"o{number}", may_revise=revision > 1, reason="later", with_pages=False)
        except HeldError:
            continue
        if one.sealed is not None:
            prepared.append(one)
            counted[f"o{number}", revision] = known(run, one.sealed.release_id, made[number], revision)
    for moment in stage_together(run, prepared).moments:
        open_moment(run.home, run.settings, moment.moment_id)


def known(run: Run, release_id: str, organisation: Organisation, revision: int) -> list[Answer]:
    """Which answers a release counts, as they are there: the judge looks behind the wall, the outsider never."""
    if revision == 1:
        return list(organisation.waves[0][0])
    with run.store() as store:
        rows = store.rows(
            "select response_key, department_key, score from core.responses"
            " join core.counted using (batch, record_number) where release_id = $id",
            {"id": release_id},
        )
    kinds = {scores[-1]: kind for kind, scores in SCORES.items()}
    return [
        Answer(key, "/".join(cell.split(chr(31))) if cell else "", kinds[score], place)
        for place, (key, cell, score) in enumerate(rows)
    ]


def units(home: Home) -> Iterator[Unit]:
    rows = home.read(
        "select m.* replace (coalesce(nullif(replace(d.path, ' > ', '/'), ''), 'all') as department_id), d.position"
        " from mart.promoter_metrics m join mart.departments d using (release_id, department_id) order by d.position"
    )
    parents = [None if path == "all" else "/".join(path.split("/")[:-1]) or "all" for path in rows["department_id"]]
    rows["parent_id"] = pd.Series(parents, dtype=object)
    for name, own in rows.groupby("survey"):
        unit = Unit(0, 0, [], (), str(name))
        for revision in sorted(set(own["revision"])):
            metrics = own[own["revision"] == revision].reset_index(drop=True)
            unit.released.append(Released(metrics, metrics, home.counted[str(name), int(revision)]))
        yield unit


def test_the_published_warehouse_gives_no_small_group_away(home: Home) -> None:
    found = list(units(home))
    assert len(found) >= 20
    assert any(len(unit.released) > 1 for unit in found)
    for unit in found:
        if len({frozenset(one.metrics["department_id"]) for one in unit.released}) == 1:
            assert findings(unit, K) == []


def test_no_figure_stands_on_fewer_than_the_minimum(home: Home) -> None:
    rows = home.read("from mart.promoter_metrics where status = 'published'")
    for figure, base in STANDS_ON.items():
        shown = rows[rows[figure].notna()]
        assert (shown[base].astype(float).round(6) >= K).all(), figure
    assert rows["nps"].notna().any()
    assert rows["sharing_rate"].notna().any()
    assert (rows["nps_weighted"].isna() & (rows["responses"] >= K)).any()  # weights left fewer than the minimum
    rest = home.read(
        "select whole.responses - m.responses as rest, c.nps_rest from mart.comparisons c"
        " join mart.promoter_metrics m using (release_id, department_id)"
        " join mart.promoter_metrics whole on whole.release_id = c.release_id and whole.department_id = 'all'"
    )
    assert (rest.loc[rest["nps_rest"].notna(), "rest"] >= K).all()
    assert home.read(f"from mart.drivers where responses < {K}").empty
    assert home.read(f"from mart.themes where respondents < {K}").empty


def test_how_many_people_a_few_told_follows_from_no_figure(home: Home) -> None:
    rows = home.read("from mart.promoter_metrics where revision = 1")
    assert rows["reach"].notna().any()
    assert rows["conversion"].notna().any()
    assert (rows["reach"].isna() & (rows["told_known"] >= K)).any()  # where fewer told
    for figure, count in (("reach", "told"), ("conversion", "influence_known"), ("conversion", "superpromoters")):
        for _, own in rows.groupby("release_id"):
            parents = dict(zip(own["department_id"], own["parent_id"], strict=True))
            shown = own[own[figure].notna()].set_index("department_id")[count].astype(int)
            left = shown.copy()
            for name, many in shown.items():
                above = parents[name]
                while isinstance(above, str) and above not in shown.index:
                    above = parents[above]
                if isinstance(above, str):
                    left[above] -= many
            assert not left.between(1, K - 1).any(), figure


def test_what_is_hidden_stands_in_no_table_with_a_figure(home: Home) -> None:
    hidden = "(select release_id, department_id from mart.promoter_metrics where status <> 'published')"
    for table in ("comparisons", "changes", "trends", "drivers", "themes", "quotes", "highlights"):
        assert home.read(f"from mart.{table} semi join {hidden} using (release_id, department_id)").empty, table


def test_the_checks_count_no_few_alone_or_by_subtraction(home: Home) -> None:
    rows = home.read(
        "select q.*, m.responses + m.missing_scores as counted from mart.quality q"
        " join mart.promoter_metrics m using (release_id) where m.department_id = 'all'"
    )
    failing, of_rows = rows[rows["failed_count"] > 0], rows[rows["kind"] == "rows"]
    differences = (
        failing["failed_count"],
        failing["base_count"] - failing["failed_count"],
        of_rows["base_count"] - of_rows["counted"],
    )
    for few in differences:
        assert not few.dropna().abs().between(1, K - 1).any()
    told: Any = rows[rows["rule"] == "score_in_range"].set_index(["survey", "revision"])["failed_count"]
    assert pd.isna(told["o0", 1])
    assert told["o1", 1] == 12
    for _, own in of_rows.groupby(["survey", "rule"]):
        said = own["failed_count"].dropna()
        assert not said.sub(said.min()).between(1, K - 1).any()
