"""Each rule for a wave as a whole, on small real tables."""

from collections.abc import Iterator, Sequence

import duckdb
import pytest

from checks.gate import Verdict, gate
from checks.waves import RULES
from tests.checks.conftest import made

SURVEY = "o'neil's {batch} :survey"


@pytest.fixture
def wave(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A wave of 100 answers after two of 90 and 110, with the same two departments."""
    connection.execute(
        "create temp table counted as select 1 as batch, i as record_number, (i % 11)::tinyint as score,"
        " 1::decimal(18, 10) as weight, false as is_contradictory from range(100) numbers(i)"
    )
    connection.execute("create temp table departments as select unnest(['all', 'ships', 'ports']) as department_id")
    connection.execute("create table core.quarantine (survey varchar, wave varchar, batch integer)")
    connection.execute("create table core.tallies (survey varchar, wave varchar, department_id varchar, responses int)")
    for label, answered in (("2026-08", 90), ("2026-09", 110)):
        for department in ("all", "ships", "ports"):
            connection.execute("insert into core.tallies values (?, ?, ?, ?)", [SURVEY, label, department, answered])
    yield connection


def verdict(
    connection: duckdb.DuckDBPyConnection,
    *,
    declared: bool = False,
    over: Sequence[str] = (),
    strangers: Sequence[str] = (),
    invited: int | None = None,
) -> Verdict:
    known = connection.execute("select distinct wave from core.tallies order by wave").fetchall()
    parameters = {
        "survey": SURVEY,
        "wave": "2026-10",
        "earlier": [wave for (wave,) in known],
        "batches": [1, 3],
        "over": [*over],
        "strangers": [*strangers],
        "invited": invited,
    }
    made(connection, "waves", parameters)
    return gate(connection, table="checked_waves", rules=RULES, parameters={"scale_is_declared": declared})


def failed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [result.rule.name for result in verdict(connection).results if result.outcome == "failed"]


def test_a_wave_like_those_before_it_passes(wave: duckdb.DuckDBPyConnection) -> None:
    assert failed(wave) == []


def test_a_first_wave_has_nothing_to_be_compared_with(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("delete from core.tallies")
    assert failed(wave) == []


def test_half_as_many_answers_as_usual_is_a_warning(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("delete from counted where record_number >= 50")
    assert failed(wave) == []
    wave.execute("delete from counted where record_number >= 49")
    assert failed(wave) == ["response_volume"]
    assert not verdict(wave).stops


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("update counted set score = null where record_number < 21", "scores_are_given"),
        ("update counted set weight = null where record_number < 2", "weights_are_given"),
        ("update counted set is_contradictory = true where record_number < 6", "answers_agree"),
        ("delete from departments where department_id = 'ports'", "departments_remain"),
    ],
)
def test_what_is_odd_about_a_wave_is_a_warning(wave: duckdb.DuckDBPyConnection, change: str, name: str) -> None:
    wave.execute(change)
    assert failed(wave) == [name]
    assert not verdict(wave).stops


def test_a_department_that_moved_or_ended_is_not_missed_and_one_out_of_its_time_is_a_warning(
    wave: duckdb.DuckDBPyConnection,
) -> None:
    wave.execute("delete from departments where department_id = 'ports'")
    assert not [one for one in verdict(wave, over=["ports"]).results if one.outcome == "failed"]
    found = verdict(wave, over=["ports"], strangers=["ships"])
    assert [one.rule.name for one in found.results if one.outcome == "failed"] == ["departments_are_of_their_time"]
    assert not found.stops


@pytest.mark.parametrize(("invited", "warns"), [(None, False), (100, False), (250, False), (99, True)])
def test_more_answers_than_people_who_were_invited_are_a_warning(
    wave: duckdb.DuckDBPyConnection, invited: int | None, *, warns: bool
) -> None:
    found = verdict(wave, invited=invited)
    assert [one.rule.name for one in found.results if one.outcome == "failed"] == [
        name for name in ("answers_are_of_the_invited",) if warns
    ]
    assert not found.stops


def test_a_survey_without_weights_is_not_asked_for_them(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("update counted set weight = null")
    assert failed(wave) == []


def test_too_much_in_quarantine_stops_the_run(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("insert into core.quarantine select ?, '2026-10', 1 from range(6)", [SURVEY])
    found = verdict(wave)
    assert found.stopped_by == ("quarantine_is_small",)
    assert [(r.failed_count, r.base_count) for r in found.results if r.rule.name == "quarantine_is_small"] == [(6, 106)]


def test_quarantine_of_other_waves_surveys_and_batches_does_not_count(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("insert into core.quarantine select 'other', '2026-10', 1 from range(50)")
    wave.execute("insert into core.quarantine select ?, '2026-09', 1 from range(50)", [SURVEY])
    wave.execute("insert into core.quarantine select ?, '2026-10', 2 from range(50)", [SURVEY])
    assert failed(wave) == []


def test_a_batch_of_which_nothing_was_accepted_counts_in_the_quarantine(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("insert into core.quarantine select ?, '2026-10', 3 from range(6)", [SURVEY])
    assert verdict(wave).stopped_by == ("quarantine_is_small",)


def test_the_wave_before_is_the_last_of_those_given_whatever_its_label(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("update core.tallies set wave = case wave when '2026-08' then 'Wave 10' else 'Wave 9' end")
    wave.execute("insert into core.tallies values (?, 'Wave 10', 'buses', 12)", [SURVEY])
    for earlier, vanished in ((["Wave 9"], 0), (["Wave 9", "Wave 10"], 1)):
        nobody: dict[str, list[str] | None] = {"over": [], "strangers": [], "invited": None}
        made(wave, "waves", {"survey": SURVEY, "wave": "Wave 11", "earlier": earlier, "batches": [1], **nobody})
        assert wave.execute("select vanished_departments from checked_waves").fetchall() == [(vanished,)]


def test_a_scale_that_ends_at_5_stops_the_run_unless_it_is_declared(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("update counted set score = 1 + score % 5")
    assert verdict(wave).stopped_by == ("scale_is_used",)
    assert not verdict(wave, declared=True).stops
    wave.execute("update counted set score = 6 where record_number = 0")
    assert not verdict(wave).stops


def test_a_few_low_scores_are_no_other_scale(wave: duckdb.DuckDBPyConnection) -> None:
    wave.execute("update counted set score = case when record_number < 29 then 1 + score % 5 end")
    assert not verdict(wave).stops
    wave.execute("update counted set score = 2 where record_number = 30")
    assert verdict(wave).stopped_by == ("scale_is_used",)
