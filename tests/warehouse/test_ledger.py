import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse import WarehouseError, confirming, decisions
from warehouse.confirming import Answer
from warehouse.decisions import OvertakenError
from warehouse.leases import Lease, LeaseLostError, give_back, held_by, hold_on, one_at_a_time, take
from warehouse.ledger import Ledger
from warehouse.moments import TooCloseError
from warehouse.records import DeliveryState, Facts

T = datetime(2026, 12, 8, 8, 30, tzinfo=UTC)
A = Facts("aaaaaaaaaaaaaaaa", "passengers", "2026-11", 1, None, None, 14, "00" * 32)
B = replace(A, release_id="bbbbbbbbbbbbbbbb", survey="staff")
C = replace(A, release_id="cccccccccccccccc", wave="2026-12", previous_release_id=A.release_id)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def delivery(number: int, release_id: str = A.release_id, **said: str | None) -> DeliveryState:
    known = DeliveryState(
        f"{number:032x}", release_id, f"Texel #{number}", "folder", "nl", '"x"', None, None, None, "", False
    )
    return replace(known, **said)  # type: ignore[arg-type]


def staged(ledger: Ledger, *facts: Facts, at: datetime | None = None) -> str:
    """The moment for which these are staged."""
    for one in facts:
        ledger.seal(one)
    moment = decisions.plan(ledger, [one.release_id for one in facts], planned_at=at)
    decisions.stage(ledger, [one.release_id for one in facts])
    return moment.moment_id


def held(ledger: Ledger, *, minutes_ago: float, refused: list[tuple[str, str]]) -> None:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    ledger.add("held", release_ids=[A.release_id], at=at, reason="not ready", refused=refused)


def leased(ledger: Ledger) -> Lease:
    lease = take(ledger, "moment")
    assert lease is not None
    return lease


def armed(ledger: Ledger, *facts: Facts) -> tuple[str, Lease, list[str]]:
    moment_id, lease = staged(ledger, *facts), leased(ledger)
    ids = [release.release_id for release in decisions.freeze(ledger, moment_id, lease=lease)]
    decisions.arm(ledger, moment_id, lease=lease, release_ids=ids, took={})
    return moment_id, lease, ids


def released(ledger: Ledger, *facts: Facts) -> str:
    moment_id, lease, ids = armed(ledger, *facts)
    decisions.commit(ledger, moment_id, lease=lease, release_ids=ids)
    confirming.confirm(ledger, moment_id, release_ids=ids, opened_at={}, answers=(), skew_ms=3.5, lease=lease)
    give_back(ledger, lease)
    return moment_id


def test_a_release_walks_through_its_states_in_order(ledger: Ledger) -> None:
    assert ledger.state(A.release_id) is None
    states = [ledger.seal(A)]
    moment = decisions.plan(ledger, [A.release_id], planned_at=T)
    lease = leased(ledger)
    for step in (
        lambda: decisions.stage(ledger, [A.release_id]),
        lambda: decisions.freeze(ledger, moment.moment_id, lease=lease),
        lambda: decisions.arm(ledger, moment.moment_id, lease=lease, release_ids=[A.release_id], took={}),
        lambda: decisions.commit(ledger, moment.moment_id, lease=lease, release_ids=[A.release_id]),
        lambda: confirming.confirm(
            ledger, moment.moment_id, release_ids=[A.release_id], opened_at={}, answers=(), skew_ms=3.5, lease=lease
        ),
    ):
        step()
        state = ledger.state(A.release_id)
        assert state is not None
        states.append(state)
    assert states == ["sealed", "staged", "staged", "armed", "released", "confirmed"]
    release = ledger.latest_released("passengers", "2026-11")
    assert release is not None
    assert (release.skew_ms, release.planned_at, release.is_out) == (3.5, T, True)
    assert ledger.released() == (release,)
    assert ledger.pending() == ()


@pytest.mark.parametrize("table", ["events", "releases", "moments", "deliveries"])
def test_nothing_in_the_ledger_is_ever_changed_or_deleted(ledger: Ledger, table: str) -> None:
    staged(ledger, A, at=T)
    decisions.want(ledger, [delivery(1)], release_id=A.release_id)
    before = [tuple(row) for row in ledger.connection.execute(f"select * from {table}")]
    column = ledger.connection.execute(f"select * from {table}").description[1][0]
    for statement in (
        f"update {table} set {column} = 'x'",
        f"delete from {table}",
        f"insert or replace into {table} select * from {table}",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            ledger.connection.execute(statement)
    assert [tuple(row) for row in ledger.connection.execute(f"select * from {table}")] == before != []


def test_only_the_pipelines_account_can_read_the_ledger(ledger: Ledger) -> None:
    ledger.seal(A)
    modes = {path.name: path.stat().st_mode & 0o777 for path in ledger.path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "ledger.sqlite-wal" in modes


def test_every_commit_is_on_disk_before_it_counts(ledger: Ledger) -> None:
    assert ledger.connection.execute("pragma synchronous").fetchone()[0] == 2  # full
    assert ledger.connection.execute("pragma journal_mode").fetchone()[0] == "wal"


def test_one_row_releases_all_the_releases_of_a_moment(ledger: Ledger) -> None:
    moment_id, lease, ids = armed(ledger, A, B)
    decisions.commit(ledger, moment_id, lease=lease, release_ids=ids)
    rows = ledger.events(kinds=["released"])
    assert len(rows) == 1
    assert set(rows[0].release_ids) == {A.release_id, B.release_id}
    assert [release.state for release in ledger.released()] == ["released", "released"]


def test_sealing_the_same_content_again_changes_nothing(ledger: Ledger) -> None:
    released(ledger, A)
    events = ledger.newest_event()
    assert ledger.seal(A) == "confirmed"
    assert ledger.newest_event() == events


def test_after_the_commit_there_is_no_way_back(ledger: Ledger) -> None:
    released(ledger, A)
    assert decisions.hold(ledger, [A.release_id], reason="too late") == ()
    with pytest.raises(WarehouseError, match="confirmed and cannot be withdrawn"):
        decisions.withdraw(ledger, A.release_id, reason="too late")
    with pytest.raises(WarehouseError, match="cannot be planned"):
        decisions.plan(ledger, [A.release_id], planned_at=None)
    assert ledger.state(A.release_id) == "confirmed"


def test_a_second_planned_moment_less_than_two_minutes_away_is_refused(ledger: Ledger) -> None:
    first = staged(ledger, A, at=T)
    ledger.seal(B)
    for seconds in (-119, 1, 119):
        with pytest.raises(TooCloseError, match="two minutes"):
            decisions.plan(ledger, [B.release_id], planned_at=T + timedelta(seconds=seconds))
    assert decisions.plan(ledger, [B.release_id], planned_at=T).moment_id == first
    later = decisions.plan(ledger, [B.release_id], planned_at=T + timedelta(minutes=2))
    assert later.moment_id != first


def test_a_withdrawn_moment_leaves_its_time_to_others(ledger: Ledger) -> None:
    staged(ledger, A, at=T)
    decisions.withdraw(ledger, A.release_id, reason="a wrong file")
    ledger.seal(B)
    assert decisions.plan(ledger, [B.release_id], planned_at=T + timedelta(seconds=60)).planned_at is not None


def test_what_is_sealed_after_a_moment_has_armed_goes_to_the_next(ledger: Ledger) -> None:
    first = staged(ledger, A, at=T)
    ledger.seal(B)
    assert decisions.plan(ledger, [B.release_id], planned_at=T).moment_id == first
    lease = leased(ledger)
    assert [r.release_id for r in decisions.freeze(ledger, first, lease=lease)] == [A.release_id]
    (moment,) = decisions.stage(ledger, [B.release_id])
    assert moment.moment_id != first
    assert moment.planned_at is None
    ledger.seal(C)
    assert decisions.plan(ledger, [C.release_id], planned_at=T).moment_id != first


def test_what_comes_too_late_for_a_moment_takes_the_next_planned_one_where_there_is_one(ledger: Ledger) -> None:
    first = staged(ledger, A, at=T)
    second = staged(ledger, B, at=T + timedelta(days=1))
    decisions.freeze(ledger, first, lease=leased(ledger))
    ledger.seal(C)
    assert decisions.plan(ledger, [C.release_id], planned_at=T).moment_id == second


def test_withdrawing_a_release_withdraws_those_that_are_measured_against_it(ledger: Ledger) -> None:
    staged(ledger, A, B, C)
    withdrawn = decisions.withdraw(ledger, A.release_id, reason="a wrong file")
    assert {release.release_id for release in withdrawn} == {A.release_id, C.release_id}
    assert ledger.state(B.release_id) == "staged"
    assert {release.stated_reason for release in ledger.stopped()} == {"a wrong file"}


def test_a_withdrawal_between_arm_and_commit_keeps_everything_from_opening(ledger: Ledger) -> None:
    moment_id, lease, ids = armed(ledger, A, B)
    decisions.withdraw(ledger, A.release_id, reason="a wrong file")
    with pytest.raises(OvertakenError, match="withdrawn meanwhile: a wrong file"):
        decisions.commit(ledger, moment_id, lease=lease, release_ids=ids)
    assert ledger.released() == ()


def test_a_delivery_keeps_its_key_when_it_is_drawn_up_again(ledger: Ledger) -> None:
    ledger.seal(A)
    first = decisions.want(ledger, [delivery(1), delivery(2)], release_id=A.release_id)
    again = [delivery(7, recipient="Texel #1"), delivery(8, recipient="Texel #2", target='"moved"')]
    second = decisions.want(ledger, again, release_id=A.release_id)
    assert second[0].delivery_id == first[0].delivery_id
    assert second[1].delivery_id == f"{8:032x}"
    assert len(second) == 2


def test_an_outcome_is_the_newest_answer_and_a_breach_stays(ledger: Ledger) -> None:
    moment_id, lease, ids = armed(ledger, A)
    decisions.want(ledger, [delivery(1)], release_id=A.release_id)
    decisions.commit(ledger, moment_id, lease=lease, release_ids=ids)
    name = f"{1:032x}"
    confirming.confirm(
        ledger,
        moment_id,
        release_ids=ids,
        opened_at={name: T},
        answers=[Answer(name, "unknown", T, "no answer", is_breach=True)],
        skew_ms=1,
        lease=lease,
    )
    confirming.answer(ledger, [Answer(name, "delivered", T + timedelta(minutes=1), "completed late")])
    (state,) = ledger.deliveries(A.release_id)
    assert (state.status, state.opened_at, state.is_breach) == ("delivered", T, True)


def test_what_was_acknowledged_stays_so_whatever_one_that_comes_later_says(ledger: Ledger) -> None:
    moment_id, lease, ids = armed(ledger, A)
    decisions.want(ledger, [delivery(1), delivery(2)], release_id=A.release_id)
    decisions.commit(ledger, moment_id, lease=lease, release_ids=ids)
    one, other = f"{1:032x}", f"{2:032x}"
    delivered = Answer(one, "delivered", T)
    confirming.confirm(ledger, moment_id, release_ids=ids, opened_at={}, answers=[delivered], skew_ms=1, lease=lease)
    late = T + timedelta(minutes=1)
    confirming.answer(ledger, [Answer(one, "failed", late, is_breach=True), Answer(other, "failed", late)])
    states = ledger.deliveries(A.release_id)
    assert [state.status for state in states] == ["delivered", "failed"]
    assert not states[0].is_breach


def test_whom_two_holds_in_a_row_name_holds_nobody_a_third_time(ledger: Ledger) -> None:
    staged(ledger, A)
    texel, vlieland = ("Texel #1", "webhook"), ("Vlieland #1", "folder")
    held(ledger, minutes_ago=30, refused=[texel, vlieland])
    assert decisions.tried_in_vain(ledger) == frozenset()
    decisions.hold(ledger, [A.release_id], reason="its time passed")
    decisions.hold(ledger, [A.release_id], reason="not ready", refused=[texel])
    assert decisions.tried_in_vain(ledger) == {texel}
    released(ledger, B)
    assert decisions.tried_in_vain(ledger) == frozenset()


def test_holds_within_minutes_of_each_other_are_one_and_who_was_ready_in_between_is_not_named(ledger: Ledger) -> None:
    staged(ledger, A)
    texel, vlieland = ("Texel #1", "webhook"), ("Vlieland #1", "folder")
    for minutes_ago in (9, 6, 3, 0):
        held(ledger, minutes_ago=minutes_ago, refused=[texel, vlieland])
    assert decisions.tried_in_vain(ledger) == frozenset()
    held(ledger, minutes_ago=-2, refused=[vlieland])
    assert decisions.tried_in_vain(ledger) == {vlieland}


def test_holds_of_different_times_are_two(ledger: Ledger) -> None:
    texel = ("Texel #1", "webhook")
    staged(ledger, A, at=T)
    decisions.hold(ledger, [A.release_id], reason="not ready", refused=[texel])
    decisions.hold(ledger, [A.release_id], reason="not ready", refused=[texel])
    assert decisions.tried_in_vain(ledger) == frozenset()
    staged(ledger, A, at=T + timedelta(days=1))
    decisions.hold(ledger, [A.release_id], reason="not ready", refused=[texel])
    assert decisions.tried_in_vain(ledger) == {texel}


def test_only_one_process_holds_the_lease_and_a_dead_one_is_followed(ledger: Ledger) -> None:
    script = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from warehouse.leases import take
        from warehouse.ledger import Ledger
        ledger = Ledger.open(Path({str(ledger.path)!r}))
        print(take(ledger, "moment", moment_id="m") is not None, flush=True)
        time.sleep(60)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "True"
        assert take(ledger, "moment") is None
        holder = held_by(ledger, "moment")
        assert holder is not None
        assert (holder.pid, holder.moment_id) == (process.pid, "m")
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie still, and yet gone
        assert take(ledger, "moment") is not None
    finally:
        process.kill()
        process.communicate()


def test_who_hung_past_his_time_is_followed_and_cannot_commit_any_more(ledger: Ledger) -> None:
    moment_id = staged(ledger, A)
    slow = take(ledger, "moment", seconds=-1)
    assert slow is not None
    quick = leased(ledger)
    (release,) = decisions.freeze(ledger, moment_id, lease=quick)
    for late in (
        lambda: decisions.freeze(ledger, moment_id, lease=slow),
        lambda: decisions.undo(ledger, moment_id, reason="it ended", lease=slow),
        lambda: decisions.hold(ledger, [release.release_id], reason="not ready", lease=slow),
        lambda: hold_on(ledger, slow),
    ):
        with pytest.raises(LeaseLostError):
            late()
    give_back(ledger, slow)
    assert hold_on(ledger, quick) > time.monotonic()
    assert ledger.known([release.release_id]) == (release,)


def test_one_that_stands_still_in_the_middle_of_a_write_is_told_as_busy(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.ledger.BUSY_SECONDS", 0.1)
    with ledger.transaction(), Ledger.open(ledger.path) as other:
        with pytest.raises(WarehouseError, match="another process has been writing to") as error:
            take(other, "moment")
        assert error.value.is_busy


def test_a_full_disk_is_what_is_told_and_nothing_half_is_left(ledger: Ledger) -> None:
    pages = ledger.connection.execute("pragma page_count").fetchone()[0]
    ledger.connection.execute(f"pragma max_page_count = {pages + 2}").fetchone()
    with pytest.raises(sqlite3.OperationalError, match="disk is full"), ledger.transaction():
        ledger.add("withheld", says="small")
        ledger.add("withheld", says="x" * 100_000)
    assert ledger.events() == ()
    ledger.connection.execute(f"pragma max_page_count = {pages + 100}").fetchone()
    ledger.seal(A)


def test_a_lease_is_taken_once_however_many_ask_at_the_same_time(ledger: Ledger) -> None:
    taken: list[Lease | None] = []

    def ask() -> None:
        with Ledger.open(ledger.path) as own:
            taken.append(take(own, "moment"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([lease for lease in taken if lease is not None]) == 1
    assert len(taken) == 8


def test_many_processes_may_make_the_ledger_at_once(tmp_path: Path) -> None:
    path = tmp_path / "new.sqlite"
    script = f"from pathlib import Path; from warehouse.ledger import Ledger; Ledger.open(Path({str(path)!r})).close()"
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(6)]
    assert [process.wait(60) for process in processes] == [0] * 6


def test_the_ledger_can_be_read_while_another_writes(ledger: Ledger) -> None:
    ledger.seal(A)
    with ledger.transaction(), Ledger.open(ledger.path) as reader:
        ledger.add("staged", release_ids=[A.release_id])
        assert reader.state(A.release_id) == "sealed"


def test_two_connections_of_one_process_and_another_process_lose_nothing(ledger: Ledger) -> None:
    with ledger.transaction():
        ledger.add("test", number=1)
    with Ledger.open(ledger.path) as second:  # as the moment's threads do
        assert second.newest_event() == 1
    look = f"""
        from pathlib import Path
        from warehouse.ledger import Ledger
        with Ledger.open(Path({str(ledger.path)!r})) as ledger:
            print(ledger.newest_event())
    """

    def seen_by_another() -> str:
        command = [sys.executable, "-c", textwrap.dedent(look)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert seen_by_another() == "1"  # and it closes as one that is not the last
    with ledger.transaction():
        ledger.add("test", number=2)
    assert seen_by_another() == "2"
    with Ledger.open(ledger.path) as third:
        assert third.newest_event() == 2


def test_a_ledger_of_a_newer_zwerm_is_left_alone(ledger: Ledger) -> None:
    ledger.connection.execute("pragma user_version = 99")
    with pytest.raises(WarehouseError, match="newer Zwerm"):
        Ledger.open(ledger.path)


def test_what_is_done_one_at_a_time_is_never_done_by_two_and_the_dead_keep_nobody_waiting(tmp_path: Path) -> None:
    inside, most = 0, []

    def work() -> None:
        nonlocal inside
        with Ledger.open(tmp_path / "ledger.sqlite") as own, one_at_a_time(own, "staging"):
            inside += 1
            most.append(inside)
            time.sleep(0.02)
            inside -= 1

    workers = [threading.Thread(target=work) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert most == [1] * 5
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert held_by(ledger, "staging") is None
        take(ledger, "staging", seconds=0)  # whoever had it is gone
        with one_at_a_time(ledger, "staging", patience=0):
            assert held_by(ledger, "staging") is not None
        take(ledger, "staging")
        with one_at_a_time(ledger, "staging", patience=0.1):
            pass  # whoever hangs is not waited for any longer
        assert held_by(ledger, "staging") is not None
