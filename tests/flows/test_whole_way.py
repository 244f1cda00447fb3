"""From a real survey file to the published warehouse: the figures are those that others published."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.paper.check import differing
from tests.flows.paper.mart import Mart
from tests.flows.whole import Survey

EXAMPLES = Path(__file__).parents[2] / "examples"
READERS = ("1.4.4", "1.5.0", "2.0.0")


def example(name: str, folder: Path, *, change: tuple[str, str] = ("", "")) -> Survey:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert change[0] in text
    (folder / "zwerm.toml").write_text(text.replace(*change), encoding="utf-8")
    return Survey(folder)


@pytest.fixture(scope="module")
def sfo(survey_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Survey:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFO_2017_CSV", str(survey_data / "sfo-2017" / "responses.csv"))
        survey = example("sfo-2017.toml", tmp_path_factory.mktemp("sfo"))
        assert survey.release() is not None
        published = survey.published
    finished = Survey(survey.folder)
    assert published.is_dir()
    text = finished.config.read_text(encoding="utf-8")
    finished.config.write_text(text.replace("${SFO_2017_CSV}", "gone.csv"), encoding="utf-8")
    return finished


def test_the_airport_stands_in_the_published_warehouse_with_the_figures_that_others_published(sfo: Survey) -> None:
    (whole,) = sfo.read("from mart.promoter_metrics where department_id = 'all'").to_dict("records")
    assert (whole["responses"], whole["promoters"], whole["detractors"]) == (2746, 1436, 342)
    assert whole["missing_scores"] == 85  # 84 blanks, code 11, and one cell that is truly empty
    assert whole["nps"] == pytest.approx(39.8398, abs=5e-5)
    assert whole["nps_weighted"] == pytest.approx(40.3984, abs=5e-5)
    assert whole["superpromoter_rate"] is None or whole["superpromoter_rate"] != whole["superpromoter_rate"]


def test_the_seven_boarding_areas_are_as_published(sfo: Survey) -> None:
    areas = sfo.read("select department, responses, nps from mart.promoter_metrics where level = 1 order by department")
    found = {row["department"]: (row["responses"], round(row["nps"], 4)) for row in areas.to_dict("records")}
    assert found == {
        "A": (724, 39.9171),
        "B": (166, 43.3735),
        "C": (226, 46.9027),
        "D": (386, 43.5233),
        "E": (175, 46.8571),
        "F": (444, 38.5135),
        "G": (625, 32.96),
    }


def test_a_small_gate_is_named_and_shows_nothing(sfo: Survey) -> None:
    gates = sfo.read("from mart.promoter_metrics where level = 2")
    hidden = gates[gates["status"] == "suppressed"]
    assert 0 < len(hidden) < len(gates)
    figures = gates.columns[list(gates.columns).index("responses") :]
    assert hidden[list(figures)].isna().all(axis=None)
    assert gates.loc[gates["status"] == "published", "responses"].min() >= 10


def test_each_figure_on_every_page_of_the_airport_is_that_of_its_column_in_the_warehouse(sfo: Survey) -> None:
    assert differing(Mart(sfo), "guests/2017-05/r1") == []


@pytest.mark.parametrize("version", READERS)
def test_the_published_file_opens_in_every_duckdb_that_is_in_use(sfo: Survey, version: str, tmp_path: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:/usr/bin")
    assert uv, "uv is in requirements-dev.lock"
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv")], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(python), f"duckdb=={version}", "pandas", "pytz"], check=True
    )
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        "f = c.sql(\"select nps from mart.promoter_metrics where department_id = 'all'\").df();"
        "print(duckdb.__version__, round(f['nps'][0], 4))"
    )
    warehouse = sfo.published / "warehouse.duckdb"
    said = subprocess.run([str(python), "-c", script, str(warehouse)], check=True, capture_output=True, text=True)
    assert said.stdout.split() == [version, "39.8398"]


@pytest.mark.parametrize(("duplicates", "responses", "nps"), [("keep", 3018, 72.1339), ("drop", 3001, 72.1093)])
def test_the_r_community_counts_with_and_without_its_duplicates_and_hides_one_level_for_six_blanks(
    survey_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, duplicates: str, responses: int, nps: float
) -> None:
    monkeypatch.setenv("R_COMMUNITY_2018_TSV", str(survey_data / "r-community-2018" / "responses.tsv"))
    survey = example("r-community-2018.toml", tmp_path, change=('duplicates = "keep"', f'duplicates = "{duplicates}"'))
    assert survey.release(survey="community") is not None
    found = survey.read("select level, department, status, responses, nps from mart.promoter_metrics")
    (whole,) = found[found["level"] == 0].to_dict("records")
    assert (whole["responses"], round(whole["nps"], 4)) == (responses, nps)
    levels = found[found["level"] == 1]
    assert sorted(levels["department"]) == ["Beginner", "Expert", "Intermediate"]
    assert (levels["status"] == "suppressed").sum() == 1
    (wave,) = survey.read("select distinct wave from mart.releases")["wave"]
    assert differing(Mart(survey), f"community/{wave}/r1") == []
