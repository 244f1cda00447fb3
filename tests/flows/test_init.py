import os
import stat
from pathlib import Path

import pandas as pd
import pytest

from flows.command.doctor import doctor
from flows.command.init import write
from flows.configuration import load
from flows.errors import ConfigurationError

SEMICOLONS = (
    "NPS;Afdeling;Ingevuld op;Waarom\n9;Ships;2026-10-01;goed\n3;Quay;2026-10-02;te laat\n10;Quay;2026-10-02;fijn\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path


def problems(folder: Path) -> list[str]:
    found = doctor(folder / "zwerm.toml")["findings"]
    return [f"{finding['about']}: {finding['says']}" for finding in found if finding["kind"] == "problem"]


def roles(folder: Path) -> dict[str, str | None]:
    said = load(folder / "zwerm.toml").surveys["customers"].roles
    found = {"score": said.score, "responded_at": said.responded_at, "comment": said.comment, "weight": said.weight}
    columns = {name: role.column for name, role in found.items() if role is not None}
    return columns | ({"department": said.department[0].column} if said.department else {})


def test_in_an_empty_folder_it_writes_placeholders_that_load_and_pass_the_doctor(folder: Path) -> None:
    told = write(folder)
    assert "zwerm doctor" in told
    assert (folder / "exports").is_dir()
    survey = load(folder / "zwerm.toml").surveys["customers"]
    assert survey.sources[0].path == "exports/*.csv"
    assert survey.wave == "month"
    assert problems(folder) == []


def test_an_export_gives_the_path_its_columns_and_guesses_that_are_marked(folder: Path) -> None:
    (folder / "exports").mkdir()
    (folder / "exports" / "oktober.csv").write_text(SEMICOLONS)
    told = write(folder)
    text = (folder / "zwerm.toml").read_text()
    assert load(folder / "zwerm.toml").surveys["customers"].sources[0].path == "exports/oktober.csv"
    assert roles(folder) == {
        "score": "NPS",
        "responded_at": "Ingevuld op",
        "department": "Afdeling",
        "comment": "Waarom",
    }
    assert text.count("# a guess") == 4
    assert '"NPS", "Afdeling", "Ingevuld op", "Waarom"' in text
    assert 'score = "NPS"' in told
    assert problems(folder) == []


@pytest.mark.parametrize("ending", ["csv.gz", "tsv", "jsonl", "xlsx", "parquet"])
def test_exports_of_every_format_are_found(folder: Path, ending: str) -> None:
    frame = pd.DataFrame(
        {"recommend": ["9", "2", "7"], "submittedAt": ["2026-10-01 10:00"] * 3, "team": ["a", "b", "a"]}
    )
    path = folder / f"answers.{ending}"
    match ending:
        case "csv.gz" | "tsv":
            frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "xlsx":
            frame.to_excel(path, index=False)
        case "parquet":
            frame.to_parquet(path)
    write(folder)
    assert roles(folder) == {"score": "recommend", "responded_at": "submittedAt", "department": "team"}
    assert problems(folder) == []


def test_a_column_is_not_guessed_by_its_name_alone(folder: Path) -> None:
    (folder / "a.csv").write_text("score,date,department\n41,monday,7\n87,friday,8\n")
    told = write(folder)
    assert "No column is clearly the score" in told
    assert roles(folder) == {"score": "score"}
    assert load(folder / "zwerm.toml").surveys["customers"].wave != "month"


def test_without_a_column_that_is_clearly_the_score_the_doctor_says_which_there_are(folder: Path) -> None:
    (folder / "a.csv").write_text("q1,q2\n4,x\n5,y\n")
    write(folder)
    assert len(problems(folder)) == 1
    assert "lacks 'score'" in problems(folder)[0]
    assert "'q1', 'q2'" in problems(folder)[0]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("01-10-2026 09:30", "31-10-2026 18:00"), "%d-%m-%Y %H:%M"),
        (("10/01/2026", "10/31/2026"), "%m/%d/%Y"),
        (("1.10.2026 09:30:11",), "%d.%m.%Y %H:%M:%S"),
        (("2026-10-01T09:30:00",), None),
        (("2026-10-01", "2026-10-02", "31/31/2026", "2026-10-03"), None),  # one that is wrong changes no guess
    ],
)
def test_how_dates_are_written_is_guessed_along(folder: Path, dates: tuple[str, ...], expected: str | None) -> None:
    (folder / "a.csv").write_text("nps,date\n" + "".join(f"9,{date}\n" for date in dates))
    write(folder)
    role = load(folder / "zwerm.toml").surveys["customers"].roles.responded_at
    assert role is not None
    assert (role.column, role.format) == ("date", expected)


def test_values_off_the_scale_are_shown_beside_the_score(folder: Path) -> None:
    (folder / "a.csv").write_text("nps\n" + "9\n" * 40 + "99\n" * 2 + "n/a\n")
    write(folder)
    assert '# Among its values: "99", "n/a". Name those that mean no answer' in (folder / "zwerm.toml").read_text()


def test_the_real_airport_survey_gets_its_score_and_weight(folder: Path, survey_data: Path) -> None:
    (folder / "guests.csv").write_bytes((survey_data / "sfo-2017" / "responses.csv").read_bytes())
    write(folder)
    assert roles(folder) == {"score": "NETPRO", "weight": "WEIGHT"}
    assert problems(folder) == []


def test_hostile_names_of_files_and_columns_stay_text(folder: Path) -> None:
    name = "a]b'\"#.csv"
    columns = ['"\n[surveys.evil]', "${HOME}", "nps\x7f\x1b[31m", "=cmd|x", "é" * 300]
    pd.DataFrame([["1", "2", "9", "4", "5"], ["1", "2", "3", "4", "5"]], columns=columns).to_parquet(
        folder / "b.parquet"
    )
    (folder / name).write_text("nps,x\n9,1\n2,2\n")
    os.utime(folder / "b.parquet", (0, 0))
    write(folder)
    settings = load(folder / "zwerm.toml")
    assert settings.surveys["customers"].sources[0].path == name
    assert list(settings.surveys) == ["customers"]
    (folder / "zwerm.toml").unlink()
    (folder / name).unlink()
    write(folder)
    assert list(load(folder / "zwerm.toml").surveys) == ["customers"]


def test_a_zwerm_toml_that_is_there_is_never_overwritten(folder: Path) -> None:
    (folder / "zwerm.toml").write_text("mine")
    with pytest.raises(ConfigurationError, match="exists already"):
        write(folder)
    assert (folder / "zwerm.toml").read_text() == "mine"


def test_a_folder_that_it_makes_can_be_passed_to_what_is_published_and_exports_stay_private(folder: Path) -> None:
    earlier = os.umask(0o077)
    try:
        write(folder / "new" / "deep")
    finally:
        os.umask(earlier)
    assert stat.S_IMODE((folder / "new" / "deep").stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "new" / "deep" / "exports").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "new" / "deep" / "zwerm.toml").stat().st_mode) == 0o600


def test_everything_that_is_commented_out_loads_once_it_is_not(folder: Path) -> None:
    write(folder)
    file = folder / "zwerm.toml"
    lines = file.read_text().splitlines()
    begun = next(place for place, line in enumerate(lines) if line == "[surveys.customers]")
    lines[begun:] = [_used(line) for line in lines[begun:]]
    text = "\n".join(lines).replace("${HOOK_SECRET}", "x").replace("${RELAY_PASSWORD}", "x")
    file.write_text(text)
    settings = load(file)
    assert settings.audience[0].webhook is not None
    assert settings.servers["relay"].user == "zwerm"
    survey = settings.surveys["customers"]
    assert survey.schedule is not None
    assert (survey.interval, len(survey.breaks), survey.superpromoters.margin) == ("adjusted_wald", 1, 40)
    assert survey.comments.names and survey.comments.order_numbers and survey.roles.drivers and survey.roles.is_sampled
    assert survey.weighting is not None and [*survey.invited.values()] == [12000]
    assert settings.calendar["customers"][0].meeting is not None


def _used(line: str) -> str:
    said = line.removeprefix("# ")
    return said if said.startswith("[") or (" = " in said.split("#")[0] and said[0].islower()) else line
