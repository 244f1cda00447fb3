import hashlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import warehouse
from warehouse import WarehouseError
from warehouse.store import Store, literal, quoted

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch", threads=2) as opened:
        yield opened


def child(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_nobody_else_can_read_the_working_warehouse_nor_what_it_spills(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.scratch.stat().st_mode) == 0o700
    assert store.rows("select value from duckdb_settings() where name = 'temp_directory'") == [(str(store.scratch),)]


def test_a_loosened_mode_is_tightened_at_the_next_opening(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    for _ in range(2):
        with Store.open(path, scratch=tmp_path / "scratch"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)


def test_it_installs_no_extension_and_tells_time_in_utc(store: Store) -> None:
    settings = dict(store.rows("select name, value from duckdb_settings()"))
    assert settings["autoinstall_known_extensions"] == "false"
    assert settings["TimeZone"] == "UTC"


def test_a_survey_s_sql_cannot_see_python_s_variables(store: Store) -> None:
    secret = pd.DataFrame({"answer": ["hidden"]})
    with pytest.raises(WarehouseError, match="secret"):
        store.rows("select * from secret")
    assert len(secret) == 1


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    for _ in range(2):
        with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch") as store:
            applied = store.rows("select number, name from migrations order by number")
            assert applied[0] == (1, "0001_layers.sql")
            assert store.rows("select count(*) from raw.files") == [(0,)]


def test_responses_of_an_earlier_version_are_kept_in_their_order(tmp_path: Path) -> None:
    path, schema = tmp_path / "warehouse.duckdb", Path(warehouse.__file__).parent / "schema"
    earlier = [file for file in sorted(schema.glob("*.sql")) if file.name < "0007"]
    answers = [(number, f"key {number}", "lovely" if number % 2 else None) for number in (3, 1, 2)]
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table migrations (number integer, name varchar, sha256 varchar, applied_at timestamp)"
        )
        for number, file in enumerate(earlier, start=1):
            connection.execute(file.read_text(encoding="utf-8"))
            known = [number, file.name, hashlib.sha256(file.read_bytes()).hexdigest()]
            connection.execute("insert into migrations values (?, ?, ?, now()::timestamp)", known)
        connection.executemany(
            "insert into core.responses by name select 's' as survey, 1 as batch, ? as record_number,"
            " ? as response_key, 'w' as wave, '' as department_key, false as is_contradictory, ? as comment",
            answers,
        )
    with Store.open(path, scratch=tmp_path / "scratch") as store:
        assert store.rows("select record_number, response_key, comment from core.responses") == answers


def test_an_altered_migration_is_an_error_that_names_it(tmp_path: Path) -> None:
    with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch") as store:
        store.run("update migrations set sha256 = 'other' where number = 1")
    with (
        pytest.raises(WarehouseError, match=r"0001_layers\.sql was altered"),
        Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch"),
    ):
        pass


def test_a_warehouse_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    with Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch") as store:
        store.run("insert into migrations values (9999, '9999_later.sql', 'x', now()::timestamp)")
    with (
        pytest.raises(WarehouseError, match=r"newer Zwerm.*9999_later"),
        Store.open(tmp_path / "warehouse.duckdb", scratch=tmp_path / "scratch"),
    ):
        pass


def test_frames_go_in_and_come_out(store: Store) -> None:
    store.register("some answers", pd.DataFrame({"label": ["a", None], "count": [1, 2], "nothing": [None, None]}))
    frame = store.frame('select label, count + $more as count, nothing from "some answers" order by count', {"more": 1})
    assert frame["count"].tolist() == [2, 3]
    assert frame["label"].isna().tolist() == [False, True]
    assert store.rows('select typeof(nothing) from "some answers" limit 1') == [("VARCHAR",)]


def test_replace_puts_rows_in_the_place_of_those_that_it_names(store: Store) -> None:
    store.run("create table core.kept (survey varchar, wave varchar, n integer, primary key (survey, wave))")
    store.run("insert into core.kept values ('a', '1', 1), ('a', '2', 2), ('b', '1', 3)")
    store.replace("core.kept", pd.DataFrame({"n": [9], "wave": ["1"], "survey": ["a"]}), where={"survey": "a"})
    store.replace("core.kept", "select 'b' as survey, $w as wave, 4 as n", where={"survey": "b"}, parameters={"w": "1"})
    assert store.rows("from core.kept order by survey") == [("a", "1", 9), ("b", "1", 4)]


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.run("create table core.half (n integer)")
        raise ZeroDivisionError
    with pytest.raises(WarehouseError, match="half"):
        store.rows("from core.half")


def test_errors_speak_of_the_sql_and_never_quote_data(store: Store) -> None:
    with pytest.raises(WarehouseError, match='"nonsense" not found'):
        store.rows("select nonsense from raw.files")
    with pytest.raises(WarehouseError) as told:
        store.rows("select cast('mrs. jones' as integer)")
    assert "jones" not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_a_second_process_is_told_which_one_holds_the_warehouse(store: Store) -> None:
    code = """
import sys
from pathlib import Path
from warehouse import WarehouseError
from warehouse.store import Store
for read_only in (False, True):
    try:
        with Store.open(Path(sys.argv[1]), scratch=Path(sys.argv[2]), read_only=read_only): pass
    except WarehouseError as error:
        print(error.is_busy, error.holder, f"process {error.holder}" in str(error))
"""
    told, wrong = child(code, store.path, store.scratch).communicate(timeout=60)
    assert told.split("\n")[:2] == [f"True {os.getpid()} True"] * 2, wrong


def test_reading_only_needs_a_warehouse_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with (
        pytest.raises(WarehouseError, match="no warehouse at"),
        Store.open(path, scratch=tmp_path / "scratch", read_only=True),
    ):
        pass
    with Store.open(path, scratch=tmp_path / "scratch"):
        pass
    with Store.open(path, scratch=tmp_path / "scratch", read_only=True) as store:
        assert store.rows("select count(*) from core.responses") == [(0,)]
        with pytest.raises(WarehouseError):
            store.run("create table core.more (n integer)")


def test_kill_9_in_a_transaction_leaves_committed_rows_only(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from warehouse.store import Store
with Store.open(Path(sys.argv[1]), scratch=Path(sys.argv[2])) as store:
    store.run("create table core.kept (n integer)")
    with store.transaction():
        store.run("insert into core.kept from range(1000)")
    with store.transaction():
        store.run("insert into core.kept from range(500000)")
        print("under way", flush=True)
        time.sleep(60)
"""
    path = tmp_path / "warehouse.duckdb"
    process = child(code, path, tmp_path / "scratch")
    assert process.stdout is not None
    assert process.stdout.readline() == "under way\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with Store.open(path, scratch=tmp_path / "scratch") as store:
        assert store.rows("select count(*) from core.kept") == [(1000,)]


def test_names_and_texts_are_quoted(store: Store) -> None:
    name, text = 'a"; drop table raw.files; --', "it's; drop table raw.files; --"
    sql = f"select {literal(text)} as {quoted(name)}"
    result = store.connection.sql(sql)
    assert (result.columns, result.fetchall()) == ([name], [(text,)])


def test_long_lists_do_not_disturb_the_order_of_rows(store: Store) -> None:
    codes = ", ".join(f"'{n}'" for n in range(0, 400, 3))
    store.run(
        "create table core.ordered as select i, i::varchar in (" + codes + ") as is_listed from range(300000) as t(i)"
    )
    assert store.rows("select count(*) from core.ordered where i <> rowid") == [(0,)]


KILLED_AS_SOON_AS_IT_IS_THERE = """
import os, signal, sys
from pathlib import Path
from warehouse.store import Store

folder, left = Path(sys.argv[1]), []


def opened(path):
    with Store.open(path, scratch=folder / "scratch", threads=1) as store:
        return store.rows("select count(*) > 0 from migrations")


for number in range(20):
    path = folder / f"{number}.duckdb"
    child = os.fork()
    if child == 0:
        opened(path)
        os._exit(0)
    while not path.exists() and os.waitpid(child, os.WNOHANG) == (0, 0):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    again = os.fork()
    if again == 0:
        os._exit(0 if opened(path) == [(True,)] else 1)
    left.append(os.waitpid(again, 0)[1])
print(left)
"""


def test_killed_as_soon_as_there_is_a_warehouse_the_next_start_opens_it(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED_AS_SOON_AS_IT_IS_THERE, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str([0] * 20)
