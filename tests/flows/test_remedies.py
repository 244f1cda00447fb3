"""Where values cannot be read, the rehearsal tells the column, one of the values, and the line that would read it."""

from pathlib import Path

import openpyxl  # type: ignore[import-untyped]  # only tests write Excel
import pytest

from flows.command.doctor.sources import sources
from flows.command.rehearsal import rehearse
from flows.configuration import load
from flows.run import Run
from warehouse import WarehouseError

CONFIGURATION = """
home = "."
[surveys.guests]
wave = {{ value = "2026-10" }}
sources = [{{ path = "a.{ends}"{stated} }}]
[surveys.guests.roles]
{roles}
"""


def configured(folder: Path, roles: str, *, ends: str = "csv", stated: str = "") -> Path:
    written = CONFIGURATION.format(ends=ends, stated=stated, roles=roles)
    (folder / "zwerm.toml").write_text(written, encoding="utf-8")
    return folder / "zwerm.toml"


def rehearsed(config: Path) -> list[str]:
    """What would go to quarantine, and why."""
    lines = [line.strip() for line in rehearse(Run.begin(config), "guests").lines]
    return lines[lines.index("would go to quarantine:") + 1 : lines.index("departments: 0") - 1]


@pytest.mark.parametrize(
    ("role", "values", "line"),
    [
        ('responded_at = "at"', ["01/10/2026", "23/10/2026"], 'responded_at = { column = "at", format = "%d/%m/%Y" }'),
        ('responded_at = "at"', ["10-01-2026", "10-23-2026"], 'responded_at = { column = "at", format = "%m-%d-%Y" }'),
        (
            'responded_at = "at"',
            ["1.10.2026 9:05", "2.10.2026 10:15"],
            'responded_at = { column = "at", format = "%d.%m.%Y %H:%M" }',
        ),
        (
            'responded_at = "at"',
            ["46300", "46301.5"],
            "responded_at = { sql = '''date '1899-12-30' + floor(\"at\"::double)::int''' }",
        ),
        ('weight = "at"', ["0,5", "1,25"], "weight = { sql = '''replace(\"at\", ',', '.')''' }"),
        ('weight = "at"', ["n/a"], 'weight = { column = "at", missing = ["n/a"] }'),
        ('[surveys.guests.roles.drivers]\nspeed = "at"', ["4,5"], "speed = { sql = '''replace(\"at\", ',', '.')''' }"),
    ],
)
def test_the_line_that_is_told_reads_the_values(tmp_path: Path, role: str, values: list[str], line: str) -> None:
    (tmp_path / "a.csv").write_text("score;at\n" + "".join(f"9;{value}\n" for value in values * 20))
    told = rehearsed(configured(tmp_path, f'score = "score"\n{role}'))
    (remedy,) = (one for one in told if one.startswith("column "))
    assert remedy.startswith(f"column 'at' has \"{values[0]}\"; in [surveys.guests.roles")
    assert line in remedy
    *table, _ = role.split("\n")
    mended = rehearsed(configured(tmp_path, "\n".join(['score = "score"', *table, line])))
    assert mended == ["nothing"]


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ('{ column = "at", format = "%d/%m/%Y" }', 'mend format = "%d/%m/%Y", for instance to "%d-%m-%Y"'),
        (
            "{ sql = '''concat(\"at\", '!')''' }",
            'its sql fails, or gives texts such as "1-10-2026!": mend the expression',
        ),
    ],
)
def test_what_is_stated_already_is_to_be_mended(tmp_path: Path, role: str, says: str) -> None:
    (tmp_path / "a.csv").write_text("score;at\n" + "9;1-10-2026\n" * 20)
    told = rehearsed(configured(tmp_path, f'score = "score"\nresponded_at = {role}'))
    assert any(says in line for line in told)


def test_of_a_workbook_with_several_sheets_it_is_told_which_was_read_and_how_to_choose(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Legend"
    book.active.append(["This export", "was made"])
    book.active.append(["by", "us"])
    answers = book.create_sheet("answers")
    answers.append(["score"])
    answers.append([9])
    book.save(tmp_path / "a.xlsx")
    config = configured(tmp_path, 'score = "score"', ends="xlsx")
    told = "sheet 'Legend' was read, and there are others: 'answers'; choose with sheet = \"answers\" in the source"
    with pytest.raises(WarehouseError, match=r"lacks 'score'.*its columns are 'This export', 'was made'") as error:
        rehearse(Run.begin(config), "guests")
    assert told in str(error.value)
    (finding,) = sources(load(config))
    assert str(finding.do).startswith(told)
    assert rehearsed(configured(tmp_path, 'score = "score"', ends="xlsx", stated=', sheet = "answers"')) == ["nothing"]
