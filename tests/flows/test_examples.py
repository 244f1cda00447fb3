"""The examples load, need one variable, and say where their data are to be had."""

import tomllib
from pathlib import Path

import pytest

from flows.configuration import load
from flows.errors import ConfigurationError
from flows.roles import Role
from flows.settings import WaveValue

EXAMPLES = Path(__file__).parents[2] / "examples"
VARIABLES = {"sfo-2017.toml": "SFO_2017_CSV", "r-community-2018.toml": "R_COMMUNITY_2018_TSV"}
DOWNLOADS = {"sfo-2017.toml": "data.sfgov.org", "r-community-2018.toml": "github.com/rstudio/r-community-survey"}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.toml")} == set(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
def test_an_example_takes_its_file_from_one_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[name], "/data/responses.csv")
    settings = load(EXAMPLES / name)
    (survey,) = settings.surveys.values()
    assert [source.path for source in survey.sources] == ["/data/responses.csv"]
    assert settings.home.parent == EXAMPLES
    assert survey.min_respondents == 10
    assert not settings.audience
    assert (EXAMPLES / name).read_text(encoding="utf-8").split("${")[1].startswith(VARIABLES[name] + "}")


@pytest.mark.parametrize("name", VARIABLES)
def test_without_its_variable_an_example_says_where_to_download_the_file(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLES[name], raising=False)
    with pytest.raises(ConfigurationError) as error:
        load(EXAMPLES / name)
    assert VARIABLES[name] in str(error.value)
    assert DOWNLOADS[name] in str(error.value)


def test_the_airport_counts_eleven_as_missing_and_goes_from_boarding_area_to_gate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SFO_2017_CSV", "responses.csv")
    survey = load(EXAMPLES / "sfo-2017.toml").surveys["guests"]
    assert survey.roles.score == Role(column="NETPRO", scale=(0, 10), missing=("11",))
    assert [role.column for role in survey.roles.department] == ["BAREA", "GATE"]
    assert survey.wave == WaveValue(value="2017-05")


def test_the_r_community_declares_its_scale_and_its_delimiter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R_COMMUNITY_2018_TSV", "responses.tsv")
    survey = load(EXAMPLES / "r-community-2018.toml").surveys["community"]
    assert survey.roles.score.scale == (1, 10)
    assert survey.sources[0].delimiter == "\t"
    assert survey.duplicates == "keep"


@pytest.mark.parametrize(
    ("name", "folder"), [("sfo-2017.toml", "sfo-2017"), ("r-community-2018.toml", "r-community-2018")]
)
def test_the_columns_of_an_example_stand_in_its_file(name: str, folder: str, survey_data: Path) -> None:
    written = tomllib.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    (survey,) = written["surveys"].values()
    (file,) = (path for path in (survey_data / folder).iterdir() if path.suffix in {".csv", ".tsv"})
    with file.open(encoding="utf-8") as lines:
        header = next(lines).rstrip("\r\n").split(survey["sources"][0].get("delimiter", ","))
    assert set(_columns(survey["roles"])) <= set(header)


def _columns(value: object, key: str = "") -> list[str]:
    if isinstance(value, str):
        return [] if key == "sql" else [value]
    if isinstance(value, dict):
        items = [
            (name, item)
            for name, item in value.items()
            if name not in {"missing", "scale", "values", "format", "label"}
        ]
        return [column for name, item in items for column in _columns(item, name)]
    return [column for item in value for column in _columns(item)] if isinstance(value, list) else []
