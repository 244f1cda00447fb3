"""`zwerm ledger verify`: whole, or which row is not as it was written; with the heads that releases keep."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.command.ledger import printed
from flows.home import Home
from flows.releasing.moment import plan, record
from tests.flows.sealed import sealed
from tests.flows.test_command import TOML, called
from warehouse.ledger import Ledger


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "zwerm.toml").write_text(TOML)
    home = Home(tmp_path).prepare()
    for survey in ("passengers", "staff"):
        record(home, sealed(home, survey=survey))
    return home


def without_triggers(home: Home, statement: str) -> None:
    with closing(sqlite3.connect(home.ledger, isolation_level=None)) as connection:
        triggers = connection.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"drop trigger {name}")
        connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


def test_a_whole_ledger_is_told_with_its_head_and_what_a_head_is_for(home: Home) -> None:
    said = called("ledger", "verify", folder=home.path)
    with Ledger.open(home.ledger) as ledger:
        assert f"{ledger.newest_event()} events, head {ledger.head()}, whole." in said.output
    assert said.exit_code == 0
    assert "agrees with the 2 heads" in said.output
    assert "zwerm ledger verify --head HASH" in said.output


def test_an_edit_is_told_by_its_row_and_ends_with_one(home: Home) -> None:
    without_triggers(home, "update releases set departments = 15 where survey = 'staff'")
    said = called("ledger", "verify", folder=home.path)
    assert said.exit_code == 1
    assert "NOT whole: 1 findings" in said.output
    assert "it was changed after event 3 introduced it" in said.output
    result = json.loads(called("ledger", "verify", "--json", folder=home.path).output)
    assert (result["is_whole"], len(result["findings"]), result["exit_code"]) == (False, 1, 1)


def test_a_head_that_was_kept_is_compared_and_one_of_another_ledger_is_found(home: Home) -> None:
    with Ledger.open(home.ledger) as ledger:
        kept = ledger.head()
    assert called("ledger", "verify", "--head", kept.upper(), folder=home.path).exit_code == 0
    said = called("ledger", "verify", "--head", "ab" * 32, folder=home.path)
    assert said.exit_code == 1
    assert "given with --head" in said.output
    assert called("ledger", "verify", "--head", "kop", folder=home.path).exit_code == 2


def test_the_manifest_of_each_release_proves_that_the_ledger_was_made_anew(home: Home) -> None:
    heads = dict(printed(home))
    assert len(heads) == 2
    home.ledger.unlink()
    for left in home.working.glob("ledger.sqlite-*"):
        left.unlink()
    record(home, next(path.name for path in home.releases.iterdir()))
    said = called("ledger", "verify", folder=home.path)
    assert said.exit_code == 1
    assert "manifest.json" in said.output


def test_it_looks_while_a_run_writes_and_changes_nothing(home: Home) -> None:
    one = next(path.name for path in home.releases.iterdir())
    with Ledger.open(home.ledger) as ledger, ledger.transaction():
        ledger.add("test")
        assert called("ledger", "verify", folder=home.path).exit_code == 0
    plan(home, [one])
    with Ledger.open(home.ledger) as ledger:
        before = ledger.head()
        assert called("ledger", "verify", folder=home.path).exit_code == 0
        assert ledger.head() == before


def test_where_there_is_no_ledger_yet_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "zwerm.toml").write_text(TOML)
    said = called("ledger", "verify", folder=tmp_path)
    assert said.exit_code == 2
    assert not (tmp_path / "working").exists()
