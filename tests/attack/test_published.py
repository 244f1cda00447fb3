"""Organisations, each a survey, through the whole pipeline, attacked in the warehouse that BI tools read alone.

Some have two waves, of which the first is revised before and after the second came, and departments that moved between.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.errors import HeldError
from flows.preparing.steps import Prepared, prepare
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.attack import reading
from tests.attack.holding import ORDER, SECRET, WAVES, counted_by
from tests.attack.judge import few_by_subtraction, findings
from tests.attack.organisations import SCORES, Answer, Chance, Organisation, configured
from tests.attack.units import Unit

K = 5
SEEDS = (0, 1, 2, 4, 5, 8, 10, 11, 14, 16)  # of organisations with one wave
REORGANISED = 18  # the last one's seed: its two waves are revised, and its departments move, as all surveys are told
LEVELS = 9
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
    organisations: dict[str, Organisation]
    counted: dict[str, dict[str, list[Answer]]]  # release → organisation → answers

    @property
    def published(self) -> Path:
        return self.folder / "published" / "warehouse.duckdb"

    def read(self, sql: str) -> pd.DataFrame:
        return reading.read(self.published, sql)

    def units(self) -> Iterator[Unit]:
        return reading.units(self.published, self.organisations, self.counted, is_below=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("organisations")
    made = [
        *(Chance(1000 + n, k=K).organisation(waves=1, changes=0, nodes=6) for n in SEEDS),
        Chance(1000 + REORGANISED, k=K).reorganised(changes=2, nodes=6, later=1),
    ]
    moves = made[-1].moves
    (folder / "working").mkdir()
    (folder / "working" / "secret").write_text(SECRET, encoding="ascii")
    home = Home(folder, {f"o{number}": replace(one, moves=moves) for number, one in enumerate(made)}, {})
    (folder / "zwerm.toml").write_text("".join(map(survey, range(len(made)))) + moved(moves), encoding="utf-8")
    for wave, state in ORDER:
        there = [number for number, one in enumerate(made) if wave < len(one.waves) and state < len(one.waves[wave])]
        for number in there:
            write(folder, number, WAVES[wave], made[number].waves[wave][state])
        release(home, there, WAVES[wave])
    return home


def survey(number: int) -> str:
    checks = '{ quarantine_is_small = { severity = "warning" }, score_in_range = { severity = "warning" } }'
    return configured(f"o{number}", f"o{number}-*.csv", k=K, levels=LEVELS, more=f"checks = {checks}")


def moved(moves: Mapping[str, str]) -> str:
    return "".join(
        f'[[departments]]\npath = {now.split("/")}\nvalid_from = "{WAVES[1]}"\nwas = {was.split("/")}\n'
        for was, now in moves.items()
    )


def write(folder: Path, number: int, wave: str, answers: Any) -> None:
    lines = ["wave,id,nps,told,acted,weight," + ",".join(f"l{level}" for level in range(LEVELS))]
    for one in answers:
        path = [*(one.cell.split("/") if one.cell else []), *[""] * LEVELS][:LEVELS]
        said = (wave, one.key, SCORES[one.kind][-1], one.told, one.acted, one.weight, *path)
        lines.append(",".join("" if value is None else str(value) for value in said))
    lines += [f"{wave},wrong {place},99,,,1.0{',' * LEVELS}" for place in range(ASIDE.get(number, 0))]
    (folder / f"o{number}-{wave}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def release(home: Home, numbers: list[int], wave: str) -> None:
    run = Run.begin(home.folder / "zwerm.toml")
    prepared: list[Prepared] = []
    for number in numbers:
        try:
            one = prepare(run, f"o{number}", wave, may_revise=True, reason="later", with_pages=False)
        except HeldError:
            continue
        if one.sealed is not None:
            prepared.append(one)
            with run.store() as store:
                counted = counted_by(store, one.sealed.release_id, wave)
            home.counted[one.sealed.release_id] = {f"o{number}": counted}
    for moment in stage_together(run, prepared).moments:
        open_moment(run.home, run.settings, moment.moment_id)


def test_the_published_warehouse_gives_no_small_group_away(home: Home) -> None:
    units = list(home.units())
    assert len(units) >= 10
    assert any(len(unit.released) > 2 for unit in units)
    assert any(unit.today for unit in units)
    for unit in units:
        assert few_by_subtraction(unit, K) == []
        assert findings(unit, K) == []


def test_no_change_tells_a_figure_that_is_hidden(home: Home) -> None:
    assert home.read("from mart.changes where is_regrouped").size
    assert home.read(reading.UNSAID).empty


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
