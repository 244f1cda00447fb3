"""The gate on a real DuckDB: verdicts, bounds, agreement of expectation and predicate, privacy, and speed."""

import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks import CheckError
from checks.conditions import Among, Between, Condition, IsTrue, NotNull, Satisfies, Share
from checks.gate import Verdict, gate
from checks.responses import RULES
from checks.rules import Rule, quarantine_sql
from tests.checks.conftest import PARAMETERS, Fill


def rule(condition: Condition, **more: object) -> Rule:
    return Rule(**({"name": "tried", "kind": "rows", "says": {"en": "It holds."}, "condition": condition} | more))  # type: ignore[arg-type]


def verdict(connection: duckdb.DuckDBPyConnection, *rules: Rule, report: Path | None = None) -> Verdict:
    return gate(connection, table="core.incoming", rules=rules or RULES, parameters=PARAMETERS, report=report)


def test_clean_rows_pass_every_rule(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming({}, {}, {})
    passed = verdict(connection)
    assert not passed.stops
    assert [(r.failed_count, r.base_count, r.outcome) for r in passed.results] == [(0, 3, "passed")] * len(RULES)


def test_broken_rows_up_to_the_bound_pass_and_one_more_stops_the_run(
    connection: duckdb.DuckDBPyConnection, incoming: Fill
) -> None:
    for broken, stopped_by in ((2, ()), (3, ("score_in_range",))):
        incoming(*[{"score": 11}] * broken, *[{}] * (100 - broken))
        found = verdict(connection)
        assert found.stopped_by == stopped_by
        assert {r.rule.name: r.failed_count for r in found.results}["score_in_range"] == broken


def test_a_warning_fails_and_does_not_stop(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming({"score": 11})
    found = verdict(connection, rule(Between("score", 0, 10), severity="warning"))
    assert [r.outcome for r in found.results] == ["failed"]
    assert not found.stops


def test_an_empty_table_passes_row_rules(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming()
    assert not verdict(connection).stops


def test_a_share_tells_its_part_and_whole(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table core.incoming as select 3 as missing, 100 as accepted, null::double as median")
    bound = rule(Share("missing", "accepted"), most=0.02)
    unknown = rule(Share("accepted", "median"), name="volume", lowest=0.5)
    found = verdict(connection, bound, unknown)
    assert [(r.failed_count, r.base_count, r.outcome) for r in found.results] == [
        (3, 100, "failed"),
        (None, 1, "passed"),
    ]


def test_a_share_as_large_as_its_bound_passes_exactly(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table core.incoming as select 29 as missing, 100 as accepted")
    assert not verdict(connection, rule(Share("missing", "accepted"), most=0.29)).stops


def test_the_pipelines_connection_goes_on_after_the_gate(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming({})
    connection.execute("create temp table mine as select 1 as kept")
    for turn in range(10):  # Great Expectations leaves a result unread in about every other run
        verdict(connection)
        connection.register(f"frame_{turn}", pd.DataFrame({"a": [turn]}))
    assert connection.execute("select kept from mine").fetchone() == (1,)


def test_braces_quotes_and_percent_signs_in_a_condition_mean_themselves(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table core.incoming as select unnest(['{batch}', '%s', ':x', 'it''s', null]) as word")
    condition = Satisfies("word not in ('{batch}', '%s', ':x', 'it''s')")
    assert [r.failed_count for r in verdict(connection, rule(condition)).results] == [4]


CONDITIONS: tuple[Condition, ...] = (
    Between("i", -1, 3),
    Between("i", None, 2),
    Between("d", -0.5, 2.5),
    Between("f", -1, 1),
    Among("t", ("a", "it's", "")),
    IsTrue("b"),
    NotNull("t"),
    NotNull("f"),
    Satisfies("i >= 0 and f >= 0 or b"),
    Satisfies("isfinite(f) and t <> '{a}'"),
)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-3, 5),
        st.none() | st.decimals(-3, 3, places=2),
        st.none() | st.floats(-2, 2) | st.sampled_from([float("nan"), float("inf"), float("-inf")]),
        st.none() | st.sampled_from(["", "a", "b", "c", "it's", "{a}"]),
        st.none() | st.booleans(),
    ),
    max_size=30,
)


@given(ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_expectation_and_predicate_never_drift_apart(
    connection: duckdb.DuckDBPyConnection, rows: list[tuple[object, ...]]
) -> None:
    connection.execute(
        "create or replace table core.incoming (i integer, d decimal(9, 2), f double, t varchar, b boolean)"
    )
    if rows:
        connection.executemany("insert into core.incoming values (?, ?, ?, ?, ?)", rows)
    rules = [rule(condition, name=f"rule_{place}") for place, condition in enumerate(CONDITIONS)]
    found = verdict(connection, *rules)  # raises where the two counts differ
    taken = [name for _, names in connection.execute(quarantine_sql(rules, {})).fetchall() for name in names]
    assert {r.rule.name: r.failed_count for r in found.results} == {r.name: taken.count(r.name) for r in rules}


class Drifted(Between):
    """A condition whose predicate forgot a bound."""

    def breaks(self, parameters: object) -> str:
        return '"score" < 0'


def test_a_rule_whose_predicate_drifted_is_refused(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming({"score": 8731})
    with pytest.raises(CheckError, match=r"^tried on core\.incoming: .* disagree") as caught:
        verdict(connection, rule(Drifted("score", 0, 10)))
    assert "8731" not in str(caught.value)


def test_errors_name_rule_and_table_and_no_figure(connection: duckdb.DuckDBPyConnection, incoming: Fill) -> None:
    incoming({"response_key": "x8731.4142"})
    with pytest.raises(CheckError, match=r"^tried on core\.incoming: ") as caught:
        verdict(connection, rule(NotNull("wave"), name="fine"), rule(Satisfies("response_key::double > 0")))
    assert "8731" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_nothing_is_logged_or_printed(
    connection: duckdb.DuckDBPyConnection,
    incoming: Fill,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    incoming({"score": 8731})
    verdict(connection)
    assert not [r for r in caplog.records if r.name.startswith("great_expectations")]
    assert capfd.readouterr() == ("", "")


def test_the_report_is_for_the_operators_eyes_only(
    connection: duckdb.DuckDBPyConnection, incoming: Fill, tmp_path: Path
) -> None:
    incoming({"score": 8731})
    report = tmp_path / "checks" / "run-1"
    verdict(connection, report=report)
    parts = list(report.rglob("*"))
    assert (report / "index.html").is_file()
    assert any("8731" in p.read_text() for p in parts if p.suffix == ".html")
    assert {stat.S_IMODE(p.stat().st_mode) for p in parts if p.is_file()} == {0o600}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (report, *parts) if p.is_dir()} == {0o700}


def test_where_nothing_is_broken_there_is_no_report(
    connection: duckdb.DuckDBPyConnection, incoming: Fill, tmp_path: Path
) -> None:
    incoming({})
    verdict(connection, report=tmp_path / "checks")
    assert not (tmp_path / "checks").exists()


def test_a_million_rows_pass_the_gate_in_the_blink_of_an_eye(connection: duckdb.DuckDBPyConnection) -> None:
    flags = ", ".join(f"i % 1000 <> 3 as {name}" for name in (r.name for r in RULES) if "_readable" in name)
    connection.execute(
        "create table core.incoming as select '2026-10' as wave, (i % 12 - 1)::smallint as score, i % 7 <> 0 as"
        " department_levels_are_text, true as segments_are_text,"
        " timestamp '2026-10-01' + interval (i % 40) day as responded_at,"
        " (i % 3)::decimal(18, 10) as weight, (i % 5)::integer as told_count, 5 as told_count_most,"
        f" 1 as acted_count, 1 as warned_count, 1 as warned_count_most, 1 as warned_acted_count, {flags}"
        " from range(1_000_000) numbers(i)"
    )
    verdict(connection)  # warm
    assert min(seconds(lambda: verdict(connection)) for _ in range(3)) < 1.5  # 0.2 s where nothing else runs


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


QUIET_END = """
import duckdb
from checks.conditions import NotNull
from checks.gate import gate
from checks.rules import Rule
connection = duckdb.connect()
connection.execute("create table told as select 1 as answer")
rule = Rule(name="given", kind="rows", says={"en": "It is given."}, condition=NotNull("answer"))
print(gate(connection, table="told", rules=[rule], parameters={}).stops)
"""


def test_a_process_that_checked_ends_without_a_word() -> None:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", QUIET_END], capture_output=True, text=True, timeout=120)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("False\n", "", 0)
