"""The ledger's chain: what somebody does to a row by hand is found, and a chain computed anew contradicts a head."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse import WarehouseError, chain, confirming, decisions, layout
from warehouse.chain import EVENT, FACTS, GENESIS, Verdict
from warehouse.confirming import Answer, Breach
from warehouse.leases import give_back, take
from warehouse.ledger import Ledger
from warehouse.records import DeliveryState, Facts

T = datetime(2026, 12, 8, 8, 30, tzinfo=UTC)
A = Facts("aaaaaaaaaaaaaaaa", "passengers", "2026-11", 1, None, None, 14, "00" * 32)
B = replace(A, release_id="bbbbbbbbbbbbbbbb", survey="staff", revision=2, reason="late answers")
C = replace(A, release_id="cccccccccccccccc", wave="2026-12", previous_release_id=A.release_id)
TABLES = {"events": (*EVENT, "hash"), **FACTS}
Edit = Callable[[sqlite3.Connection], object]


def lived(path: Path) -> str:
    """A ledger with a hold, a release with its answers and breaches, and a withdrawal; the head as A came out."""
    with Ledger.open(path) as ledger:
        for facts in (A, B, C):
            ledger.seal(facts)
        drawn_up = [
            DeliveryState(f"{n:032x}", A.release_id, f"Texel #{n}", "folder", "nl", target, None, None, None, "", False)
            for n, target in ((1, '"x"'), (2, None))
        ]
        decisions.want(ledger, drawn_up, release_id=A.release_id)
        moment = decisions.plan(ledger, [A.release_id], planned_at=T)
        decisions.hold(
            ledger, [A.release_id], reason="not ready: Škoda\u2028 \U0001f6a2", refused=[("Texel #1", "folder")]
        )
        decisions.stage(ledger, [A.release_id])
        lease = take(ledger, "moment")
        assert lease is not None
        decisions.freeze(ledger, moment.moment_id, lease=lease)
        ledger.add("armed", release_ids=[A.release_id], moment_id=moment.moment_id)
        decisions.commit(ledger, moment.moment_id, lease=lease, release_ids=[A.release_id])
        confirming.confirm(
            ledger,
            moment.moment_id,
            release_ids=[A.release_id],
            opened_at={f"{1:032x}": T},
            answers=[Answer(f"{1:032x}", "delivered", T), Answer(f"{2:032x}", "unknown", T, "none", is_breach=True)],
            skew_ms=340.0,
            breaches=[Breach("skew", 340.0, "too wide")],
            lease=lease,
        )
        give_back(ledger, lease)
        head = ledger.head()
        decisions.plan(ledger, [B.release_id], planned_at=None)
        decisions.withdraw(ledger, C.release_id, reason="a wrong file")
    return head


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    path = tmp_path_factory.mktemp("kept") / "ledger.sqlite"
    head = lived(path)
    return path.read_bytes(), head


@pytest.fixture
def path(tmp_path: Path, kept: tuple[bytes, str]) -> Path:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(kept[0])
    return path


@contextmanager
def by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection without triggers, which are put back as they were: only the rows tell."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")
        for name, _ in (triggers := _triggers(connection)):
            connection.execute(f"drop trigger {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


def _triggers(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()


def verified(path: Path, **heads: str) -> Verdict:
    with Ledger.look(path) as ledger:
        return chain.verify(ledger.connection, heads={head: where for where, head in heads.items()})


def edited(path: Path, edit: Edit, kept: tuple[bytes, str]) -> Verdict:
    for aside in path.parent.glob("ledger.sqlite-*"):
        aside.unlink()
    path.write_bytes(kept[0])
    with by_hand(path) as connection:
        edit(connection)
    return verified(path)


def rows(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {', '.join(TABLES[table])} from {table} order by rowid").fetchall()


def chained_anew(connection: sqlite3.Connection) -> None:
    """What somebody does who knows how it works: every digest and every hash, computed from what stands there now."""
    told = {(table, key): digest for table, key, digest in chain.facts(connection)}
    previous = GENESIS
    for row in rows(connection, "events"):
        detail = json.loads(row[6])
        for table, known in detail.get("facts", {}).items():
            detail["facts"][table] = {key: told[table, key] for key in known if (table, key) in told}
        event = (*row[:6], json.dumps(detail, ensure_ascii=False, sort_keys=True))
        previous = chain.link(previous, event)
        connection.execute("update events set detail = ?, hash = ? where event_id = ?", [event[6], previous, row[0]])


def test_what_was_only_ever_added_to_is_whole(path: Path) -> None:
    verdict = verified(path)
    assert verdict.findings == ()
    with Ledger.open(path) as ledger:
        assert (verdict.events, verdict.head) == (ledger.newest_event(), ledger.head())
        ledger.add("test")
        assert ledger.head() != verdict.head
    assert verified(path).findings == ()


def test_an_edit_of_any_column_of_any_row_is_found_and_the_row_is_named(path: Path, kept: tuple[bytes, str]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        whole = {table: rows(connection, table) for table in TABLES}
    assert min(map(len, whole.values())) >= 2
    unseen, tried = [], 0
    for table, columns in TABLES.items():
        for row in whole[table]:
            for column, value in zip(columns, row, strict=True):
                for new in others(value):
                    named = named_after(
                        path, kept, f"update {table} set {column} = ? where {columns[0]} = ?", new, row[0]
                    )
                    if named is None:
                        continue
                    tried += 1
                    if not named or (column not in (columns[0], "hash") and f"{table} {row[0]}" not in named):
                        unseen.append((table, row[0], column, new))
    assert unseen == []
    assert tried > 300


def named_after(path: Path, kept: tuple[bytes, str], change: str, *values: object) -> set[str] | None:
    """The rows that are named after a change; None where the tables themselves refuse it."""
    changed = True

    def edit(connection: sqlite3.Connection) -> None:
        nonlocal changed
        try:
            connection.execute(change, values)
        except sqlite3.IntegrityError:  # no value where there must be one, or one that another row has
            changed = False

    found = edited(path, edit, kept).findings
    return {finding.where for finding in found} if changed else None


def others(value: object) -> tuple[object, ...]:
    """Values that are not this one, the nearest among them."""
    if isinstance(value, int):
        return (value + 1000, -value)
    return ("", " ") if value is None else (f"{value} ", None)


@pytest.mark.parametrize("table", list(TABLES))
def test_a_row_that_is_deleted_is_found_whichever_it_is(path: Path, kept: tuple[bytes, str], table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        keys = [row[0] for row in rows(connection, table)]
    for key in keys:
        verdict = edited(path, partial(_deleted, table=table, key=key), kept)
        said = {finding.where for finding in verdict.findings}
        assert said & {f"{table} {key}", "sqlite_sequence events"}, key


def _deleted(connection: sqlite3.Connection, *, table: str, key: object) -> None:
    connection.execute(f"delete from {table} where {TABLES[table][0]} = ?", [key])


def test_two_events_that_changed_places_are_found(path: Path, kept: tuple[bytes, str]) -> None:
    def swap(first: int) -> Edit:
        def edit(connection: sqlite3.Connection) -> None:
            for old, new in ((first, -1), (first + 1, first), (-1, first + 1)):
                connection.execute("update events set event_id = ? where event_id = ?", [new, old])

        return edit

    for first in range(1, verified(path).events):
        named = {finding.where for finding in edited(path, swap(first), kept).findings}
        assert {f"events {first}", f"events {first + 1}"} <= named


def test_a_forged_event_is_found_wherever_it_is_put(path: Path, kept: tuple[bytes, str]) -> None:
    columns = ", ".join((*EVENT, "hash"))
    for number in (-1, 0, verified(path).events + 1, verified(path).events + 7):

        def edit(connection: sqlite3.Connection, number: int = number) -> None:
            forged = [
                number,
                "2026-01-01T00:00:00.000000+00:00",
                "withdrawn",
                None,
                None,
                f'["{A.release_id}"]',
                "{}",
                "ab" * 32,
            ]
            connection.execute(f"insert into events ({columns}) values (?, ?, ?, ?, ?, ?, ?, ?)", forged)

        assert edited(path, edit, kept).findings


def test_a_release_a_moment_or_a_delivery_that_no_event_introduced_is_found(
    path: Path, kept: tuple[bytes, str]
) -> None:
    for table, columns in FACTS.items():

        def edit(connection: sqlite3.Connection, table: str = table, columns: tuple[str, ...] = columns) -> None:
            copied = ", ".join(("'forged'", *columns[1:]))
            connection.execute(f"insert into {table} ({', '.join(columns)}) select {copied} from {table} limit 1")

        (finding,) = edited(path, edit, kept).findings
        assert (finding.where, finding.says) == (f"{table} forged", "no event introduces it: it was added")


def test_a_fact_cannot_be_introduced_anew_by_a_later_event_with_a_right_hash(path: Path) -> None:
    with by_hand(path) as connection:
        connection.execute("update releases set content_sha256 = ? where release_id = ?", ["11" * 32, A.release_id])
    with Ledger.open(path) as ledger:
        changed = {key: digest for table, key, digest in chain.facts(ledger.connection) if table == "releases"}
        ledger.add("drafted", facts={"releases": {A.release_id: changed[A.release_id]}})
    assert {"for a second time" in finding.says for finding in verified(path).findings} == {True, False}


def test_whoever_kept_an_earlier_release_can_prove_a_later_edit(path: Path, kept: tuple[bytes, str]) -> None:
    assert verified(path, kept=kept[1]).findings == ()
    with by_hand(path) as connection:
        connection.execute("update events set detail = '{\"skew_ms\": 3.5}' where kind = 'confirmed'")
        connection.execute("update deliveries set recipient = 'Vlieland #1' where recipient = 'Texel #1'")
        chained_anew(connection)
    assert verified(path).findings == ()  # by itself it is as good as another
    (finding,) = verified(path, kept=kept[1]).findings
    assert finding.where == f"head {kept[1]}"
    assert "(kept)" in finding.says and "edited or removed since" in finding.says


def test_what_was_cut_off_at_the_end_is_found_by_the_count_or_by_a_head(path: Path) -> None:
    head = verified(path).head
    with by_hand(path) as connection:
        connection.execute("delete from events where event_id > 5")
        assert [finding.where for finding in verified(path).findings if "sqlite" in finding.where]
        connection.execute("update sqlite_sequence set seq = 5")
        for table in FACTS:
            introduced = {
                key for row in rows(connection, "events") for key in json.loads(row[6]).get("facts", {}).get(table, ())
            }
            connection.execute(
                f"delete from {table} where {FACTS[table][0]} not in (select value from json_each(?))",
                [json.dumps([*introduced])],
            )
    assert verified(path).findings == ()
    assert [finding.where for finding in verified(path, kept=head).findings] == [f"head {head}"]


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("drop trigger events_stay", "trigger events_stay"),
        ("create trigger more after insert on leases begin delete from leases; end", "trigger more"),
        ("drop view release_events", "view release_events"),
        ("drop index events_of_moment", "index events_of_moment"),
        ("create table more (n integer)", "table more"),
    ],
)
def test_a_trigger_a_view_or_a_table_that_is_missing_or_added_is_found(path: Path, statement: str, where: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)
    assert where in {finding.where for finding in verified(path).findings}


def test_a_view_that_tells_something_else_is_found(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("drop view release_events")
        connection.execute("create view release_events as select 1 as event_id, 2 as release_id")
    (finding,) = verified(path).findings
    assert (finding.where, finding.says) == ("view release_events", "it was changed")


def test_bytes_that_are_no_text_are_found_and_read_past(path: Path, kept: tuple[bytes, str]) -> None:
    verdict = edited(
        path, lambda c: c.execute("update events set kind = cast(x'ff00fe' as text) where event_id = 2"), kept
    )
    assert [finding.where for finding in verdict.findings] == ["events 2"]


def test_a_file_that_is_damaged_is_told_and_not_an_accident(path: Path, kept: tuple[bytes, str]) -> None:
    path.write_bytes(kept[0][:8192] + b"\x00" * 12000)
    assert verified(path).findings


keys = st.integers(min_value=1, max_value=20)
edits = st.one_of(
    st.tuples(st.just("update events set at = at || 'x' where event_id = ?"), keys),
    st.tuples(st.just("update events set detail = '{}' where event_id = ?"), keys),
    st.tuples(st.just("update events set moment_id = delivery_id, delivery_id = moment_id where event_id = ?"), keys),
    st.tuples(st.just("delete from events where event_id = ?"), keys),
    st.tuples(st.just("update events set event_id = 100 - event_id where event_id in (?, 100 - ?)"), keys),
    st.tuples(st.just("update releases set revision = ? where rowid = 1"), keys),
    st.tuples(st.just("delete from deliveries where rowid = ?"), keys),
    st.tuples(st.just("update deliveries set target = null where rowid = ?"), keys),
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(edits, min_size=1, max_size=6))
def test_any_number_of_edits_is_found_unless_they_undo_each_other(
    path: Path, kept: tuple[bytes, str], edits: list[tuple[str, int]]
) -> None:
    def edit(connection: sqlite3.Connection) -> None:
        before = [rows(connection, table) for table in TABLES]
        for statement, key in edits:
            connection.execute(statement, [key] * statement.count("?"))
        is_other.append(before != [rows(connection, table) for table in TABLES])

    is_other: list[bool] = []
    assert bool(edited(path, edit, kept).findings) == is_other[0]


def test_it_can_be_looked_through_while_another_writes_and_nothing_is_changed(path: Path) -> None:
    with Ledger.open(path) as writer, writer.transaction():
        before = verified(path)
        writer.add("test")
        assert verified(path) == before
    assert verified(path).events == before.events + 1
    with Ledger.look(path) as ledger, pytest.raises(sqlite3.OperationalError, match="readonly"):
        ledger.add("test")


# -- ledgers from before the chain


def without_chain(path: Path) -> None:
    """The same ledger as version 1 had it."""
    with by_hand(path) as connection:
        views = connection.execute("select name from sqlite_master where type = 'view'").fetchall()
        for (name,) in views:
            connection.execute(f"drop view {name}")
        connection.execute("alter table events drop column hash")
        sql = (Path(layout.__file__).parent / "ledger.sql").read_text()
        for statement in layout._statements(sql):
            if "create view" in statement:
                connection.execute(statement)
        connection.execute("pragma user_version = 1")


def test_an_older_ledger_gets_its_chain_and_becomes_like_a_new_one(path: Path) -> None:
    with Ledger.open(path) as ledger:
        before, newest = ledger.events(), ledger.newest_event()
    without_chain(path)
    with Ledger.open(path) as ledger:
        *events, chained = ledger.events()
        assert tuple(events) == before
        assert (chained.event_id, chained.kind) == (newest + 1, "chained")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            ledger.connection.execute("update events set kind = 'x'")
    told = {finding.says for finding in verified(path).findings}
    assert all("for a second time" in says for says in told)


def test_an_older_ledger_without_facts_in_its_events_is_whole_once_it_has_its_chain(path: Path) -> None:
    with by_hand(path) as connection:
        connection.execute("update events set detail = json_remove(detail, '$.facts')")
    without_chain(path)
    Ledger.open(path).close()
    assert verified(path).findings == ()
    assert edited_one(path).findings[0].where == f"releases {A.release_id}"


def edited_one(path: Path) -> Verdict:
    with by_hand(path) as connection:
        connection.execute("update releases set wave = '2027-01' where release_id = ?", [A.release_id])
    return verified(path)


def test_two_processes_that_open_an_older_ledger_at_once_give_it_one_chain(path: Path) -> None:
    without_chain(path)
    script = f"from pathlib import Path; from warehouse.ledger import Ledger; Ledger.open(Path({str(path)!r})).close()"
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(5)]
    assert [process.wait(60) for process in processes] == [0] * 5
    with Ledger.open(path) as ledger:
        assert len(ledger.events(kinds=("chained",))) == 1


def test_a_kill_while_an_older_ledger_gets_its_chain_leaves_it_as_it_was(path: Path) -> None:
    without_chain(path)
    with closing(sqlite3.connect(path)) as connection:
        before = list(connection.iterdump())
    script = f"""
        import os
        from pathlib import Path
        from warehouse import chain
        from warehouse.ledger import Ledger
        chain.facts = lambda connection: os.kill(os.getpid(), 9)
        Ledger.open(Path({str(path)!r}))
    """
    process = subprocess.run([sys.executable, "-c", dedent(script)], check=False)
    assert process.returncode == -9
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before
    with Ledger.open(path) as ledger:
        assert len(ledger.events(kinds=("chained",))) == 1


def test_a_version_that_was_set_back_does_not_wash_an_edit_away(path: Path) -> None:
    with by_hand(path) as connection:
        connection.execute("update events set kind = 'withdrawn' where event_id = 3")
        connection.execute("pragma user_version = 1")
    with pytest.raises(WarehouseError, match="set back by hand"):
        Ledger.open(path)
    assert {"version", "events 3"} <= {finding.where for finding in verified(path).findings}


def test_an_older_ledger_that_nobody_has_opened_since_has_no_chain_to_look_at(path: Path) -> None:
    without_chain(path)
    with pytest.raises(WarehouseError, match="has no chain yet"):
        Ledger.look(path)
