"""A mistake in a role's SQL or format is told where it stands, before an answer is read."""

from pathlib import Path

import pytest

from flows.command.doctor.sources import sources
from flows.command.rehearsal import rehearse
from flows.configuration import load
from flows.errors import ConfigurationError
from flows.preparing.expressions import unreadable
from flows.run import Run
from warehouse.peek import empty_store

CONFIGURATION = """
[surveys.guests]
wave = { value = "2026-10" }
sources = [{ path = "*.csv" }]
[surveys.guests.roles]
"""
COLUMNS = ("id", "recommend", "on", "team", "w")


def configured(folder: Path, roles: str) -> Path:
    (folder / "zwerm.toml").write_text(CONFIGURATION + roles, encoding="utf-8")
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("id,recommend,on,team,w\n1,9,2026-10-04,North,0.5\n" + f"{name},9,,,\n")
    return folder / "zwerm.toml"


@pytest.mark.parametrize(
    ("roles", "place", "says", "allowed"),
    [
        (
            'score = { sql = "recomend::int" }',
            "line 6, surveys.guests.roles.score",
            'Referenced column "recomend" not found',
            "'id', 'recommend', 'on', 'team', 'w'. Did you mean 'recommend'?",
        ),
        (
            'score = "recommend"\nresponded_at = { column = "on", format = "%Q" }',
            "line 7, surveys.guests.roles.responded_at",
            "Unrecognized format for strftime/strptime: %Q",
            '"%d/%m/%Y"',
        ),
        (
            'score = "recommend"\ndepartment = ["team", { sql = "upper(tem)" }]',
            "line 7, surveys.guests.roles.department.1",
            '"tem" not found',
            "Did you mean 'team'?",
        ),
        (
            'score = "recommend"\n[surveys.guests.roles.drivers]\nspeed = { sql = "nofunction(w)" }',
            "line 8, surveys.guests.roles.drivers.speed",
            "nofunction does not exist",
            "one expression",
        ),
        (
            'score = "recommend"\n[surveys.guests.roles.segments]\nage = "w"\n"by team" = { sql = "team + 1" }',
            "line 9, surveys.guests.roles.segments.by team",
            "explicit type casts",
            "one expression",
        ),
        (
            'score = { sql = "(select 1; drop table x)" }',
            "line 6, surveys.guests.roles.score",
            "syntax error",
            "one expression, without a select in it",
        ),
        (
            "score = { sql = \"(select count(*) from read_csv('/etc/passwd'))\" }",
            "line 6, surveys.guests.roles.score",
            "scalar subquery",
            "one expression, without a select in it",
        ),
        (
            "score = { sql = \"1)::varchar, '')), '')); select (((1\" }",
            "line 6, surveys.guests.roles.score",
            "",
            "one expression",
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key_what_was_found_and_what_is_allowed(
    tmp_path: Path, roles: str, place: str, says: str, allowed: str
) -> None:
    settings = load(configured(tmp_path, roles))
    with empty_store() as store:
        (told,) = unreadable(store, settings, "guests", COLUMNS)
    first, found, last = told.splitlines()
    assert first.startswith(f"{settings.file}, {place}: ")
    assert says in first
    assert found.startswith(("  found:   sql = ", "  found:   format = "))
    assert last.startswith("  allowed: ")
    assert allowed in last


def test_all_mistakes_are_told_at_once_and_nothing_is_an_error_that_can_be_read(tmp_path: Path) -> None:
    right = "score = { sql = \"try_cast(recommend as int) -- of ten\" }\nweight = { sql = \"replace(w, ',', '.')\" }\n"
    with empty_store() as store:
        assert list(unreadable(store, load(configured(tmp_path, right)), "guests", COLUMNS)) == []
        wrong = right.replace("recommend", "recomend").replace("(w,", "(v,")
        assert len(list(unreadable(store, load(configured(tmp_path, wrong)), "guests", COLUMNS))) == 2


def test_the_rehearsal_ends_as_with_a_wrong_configuration_and_the_doctor_tells_it_once(tmp_path: Path) -> None:
    config = configured(tmp_path, 'score = { sql = "recomend::int" }')
    with pytest.raises(ConfigurationError, match=r"line 6, surveys\.guests\.roles\.score: .*recomend") as error:
        rehearse(Run.begin(config), "guests")
    assert error.value.exit_code == 2
    assert "warehouse.duckdb" not in str(error.value)
    (finding,) = sources(load(config))
    assert finding.kind == "problem"
    assert finding.says == str(error.value)
