"""Which files count: a file can be taken back, renamed, replaced or exported anew, and nothing counts twice unsaid."""

from pathlib import Path

import pandas as pd
import pytest

from flows.command.rehearsal import rehearse
from flows.command.status import status
from flows.preparing import intake, steps
from flows.preparing.intake import Intake
from flows.run import Run
from warehouse import WarehouseError

CONFIGURATION = """
[surveys.guests]
duplicates = "{duplicates}"
wave = {{ value = "2026-10" }}
sources = [{sources}]
[surveys.guests.roles]
score = "score"
{roles}
"""
IDS = 'response_id = "id"'


def answers(first: int, last: int) -> str:
    """Rows with an id, unlike each other."""
    return "id,score\n" + "".join(f"{number},{number % 11}\n" for number in range(first, last))


def configured(folder: Path, *paths: str, roles: str = "", duplicates: str = "keep") -> None:
    sources = ", ".join(f'{{ path = "{path}" }}' for path in paths or ("exports/*.csv",))
    written = CONFIGURATION.format(sources=sources, roles=roles, duplicates=duplicates)
    (folder / "zwerm.toml").write_text(written, encoding="utf-8")
    (folder / "exports").mkdir(exist_ok=True)


def taken_in(folder: Path) -> tuple[Intake, int]:
    """What a run takes in, and how many answers that is."""
    run = Run.begin(folder / "zwerm.toml")
    with run.store() as store:
        found = intake.conform(store, run, "guests", intake.fetch(store, run, "guests"))
        counted = store.rows(
            "select count(*) from core.responses where list_contains($batches, batch)", {"batches": list(found.numbers)}
        )
    return found, int(counted[0][0])


def names(found: Intake) -> list[str]:
    return [batch.name for batch in found.batches]


def test_a_file_that_no_run_could_read_is_forgotten_once_it_is_removed(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "exports/a.csv").write_text(answers(0, 40))
    stray = tmp_path / "exports/notes.csv"
    stray.write_text("remember\nmilk\n")
    with pytest.raises(WarehouseError, match=r"notes\.csv"):
        taken_in(tmp_path)
    stray.unlink()
    found, counted = taken_in(tmp_path)
    assert (names(found), counted, found.gone) == (["a.csv"], 40, ())


def test_an_empty_file_is_refused_before_it_is_landed_and_can_be_replaced(tmp_path: Path) -> None:
    configured(tmp_path)
    empty = tmp_path / "exports/a.csv"
    empty.touch()
    with pytest.raises(WarehouseError, match=r"a\.csv is empty"):
        taken_in(tmp_path)
    assert list((tmp_path / "landing").iterdir()) == []
    empty.unlink()
    (tmp_path / "exports/b.csv").write_text(answers(0, 40))
    assert taken_in(tmp_path)[1] == 40


def test_a_file_without_records_is_refused_every_time_and_can_be_taken_back(tmp_path: Path) -> None:
    configured(tmp_path, "exports/*")
    (tmp_path / "exports/a.csv").write_text(answers(0, 40))
    bare = tmp_path / "exports/b.parquet"
    pd.DataFrame({"id": ["1"], "score": ["9"]}).head(0).to_parquet(bare)
    for _ in range(2):
        with pytest.raises(WarehouseError, match=r"b\.parquet .*holds no records"):
            taken_in(tmp_path)
    bare.unlink()
    assert taken_in(tmp_path)[1] == 40


def test_what_an_earlier_path_held_does_not_count_once_the_path_is_corrected(tmp_path: Path) -> None:
    configured(tmp_path, "exports/old.csv")
    (tmp_path / "exports/old.csv").write_text(answers(0, 40))
    (tmp_path / "exports/new.csv").write_text(answers(100, 130))
    assert taken_in(tmp_path)[1] == 40
    configured(tmp_path, "exports/new.csv")
    found, counted = taken_in(tmp_path)
    assert (names(found), counted) == (["new.csv"], 30)


@pytest.mark.parametrize("roles", [IDS, ""])
def test_a_renamed_export_with_more_in_it_counts_once_and_it_is_told(
    tmp_path: Path, roles: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(tmp_path, roles=roles)
    old = tmp_path / "exports/oct.csv"
    old.write_text(answers(0, 200))
    assert taken_in(tmp_path)[1] == 200
    old.unlink()
    (tmp_path / "exports/october.csv").write_text(answers(0, 201))
    for _ in range(2):
        found, counted = taken_in(tmp_path)
        assert (names(found), counted) == (["october.csv"], 201)
        assert "oct.csv is gone from exports/*.csv and its answers came back" in capsys.readouterr().err


def test_a_file_that_is_gone_keeps_counting_where_nothing_replaces_it_and_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(tmp_path, roles=IDS)
    (tmp_path / "exports/september.csv").write_text(answers(0, 100))
    taken_in(tmp_path)
    (tmp_path / "exports/september.csv").unlink()
    (tmp_path / "exports/october.csv").write_text(answers(60, 200))  # less than half of it came back
    found, counted = taken_in(tmp_path)
    assert (names(found), counted) == (["september.csv", "october.csv"], 240)
    assert "september.csv is gone from exports/*.csv; its answers keep counting" in capsys.readouterr().err


def test_rows_that_are_much_alike_are_no_replacement_unless_the_new_file_begins_with_them(tmp_path: Path) -> None:
    configured(tmp_path)
    scores = [number * 7 % 11 for number in range(200)]
    october = tmp_path / "exports/october.csv"
    october.write_text("score\n" + "".join(f"{score}\n" for score in scores))
    taken_in(tmp_path)
    october.unlink()
    november = tmp_path / "exports/november.csv"
    november.write_text("score\n" + "".join(f"{score}\n" for score in [3, *scores]))
    assert taken_in(tmp_path)[1] == 401
    november.write_text("score\n" + "".join(f"{score}\n" for score in [*scores, 3]))
    assert taken_in(tmp_path)[1] == 201


def test_a_file_under_another_name_is_the_same_file(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "exports/a.csv").write_text(answers(0, 40))
    taken_in(tmp_path)
    (tmp_path / "exports/a.csv").rename(tmp_path / "exports/b.csv")
    found, counted = taken_in(tmp_path)
    assert (counted, found.gone) == (40, ())


def test_a_replaced_file_need_not_fit_the_mapping_of_today(tmp_path: Path) -> None:
    configured(tmp_path, roles=IDS)
    (tmp_path / "exports/oct.csv").write_text(answers(0, 40))
    taken_in(tmp_path)
    (tmp_path / "exports/oct.csv").unlink()
    more = "".join(f"{line},North\n" for line in answers(0, 41).splitlines()[1:])
    (tmp_path / "exports/october.csv").write_text("id,score,team\n" + more)
    configured(tmp_path, roles=f'{IDS}\ndepartment = "team"')
    found, counted = taken_in(tmp_path)
    assert (names(found), counted) == (["october.csv"], 41)


def test_the_rehearsal_tells_what_is_gone_before_a_run_counts_without_it(tmp_path: Path) -> None:
    configured(tmp_path, roles=IDS)
    for name, rows in (("september.csv", answers(1000, 1100)), ("oct.csv", answers(0, 40))):
        (tmp_path / "exports" / name).write_text(rows)
    taken_in(tmp_path)
    for name in ("september.csv", "oct.csv"):
        (tmp_path / "exports" / name).unlink()
    (tmp_path / "exports/october.csv").write_text(answers(0, 41))
    said = rehearse(Run.begin(tmp_path / "zwerm.toml"), "guests").lines
    gone = [line for line in said if "is gone from" in line]
    assert [line.split()[0] for line in gone] == ["oct.csv", "september.csv"]
    assert ["keep counting" in line for line in gone] == [False, True]


@pytest.mark.parametrize(("duplicates", "dropped"), [("keep", 0), ("drop", 30), ("latest", 40)])
def test_duplicates_that_are_dropped_are_counted_and_printed_before_a_run_in_it_and_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], duplicates: str, dropped: int
) -> None:
    configured(tmp_path, roles=IDS, duplicates=duplicates)
    changed = "".join(f"{number},{(number + 1) % 11}\n" for number in range(60, 70))
    (tmp_path / "exports/a.csv").write_text(answers(0, 100))
    (tmp_path / "exports/b.csv").write_text(answers(70, 130) + changed)
    run = Run.begin(tmp_path / "zwerm.toml")
    counted = f"{dropped} duplicates"
    rehearsed = [line for line in rehearse(run, "guests").lines if "duplicates" in line]
    assert rehearsed == ([f'{counted} would be dropped: duplicates = "{duplicates}"'] if dropped else [])
    capsys.readouterr()
    with run.store() as store:
        steps.fetch(store, run, "guests")
    ended = f", {counted} dropped" if dropped else ""
    assert f"Conform and check: 170 records in, 0 in quarantine{ended}\n" in capsys.readouterr().err
    told = status(tmp_path / "zwerm.toml", release=None)["lines"]
    assert [line.strip() for line in told if line.endswith("duplicates dropped")] == (
        [f"{counted} dropped"] if dropped else []
    )
