"""Each rule for metrics, on the rows of a small release: an organisation, two departments, and the parts of one."""

import duckdb
import pytest

from checks.gate import gate
from checks.metrics import FIGURES, RULES
from tests.checks.conftest import made

TEXTS = ("previous_wave", "previous_release_id", "recommendation_currency")
FIELDS = {name: "varchar" if name in TEXTS else "boolean" if name.startswith("is_") else "double" for name in FIGURES}


def figures(promoters: int, passives: int, detractors: int) -> dict[str, object]:
    responses = promoters + passives + detractors
    nps = 100 * (promoters - detractors) / responses if responses else None
    counts = {"promoters": promoters, "passives": passives, "detractors": detractors, "responses": responses}
    bounds = {"nps": nps, "nps_low": nps and nps - 5, "nps_high": nps and min(nps + 5, 100)}
    return {
        **counts,
        **bounds,
        "missing_scores": int(responses > 0),
        "superpromoter_rate": 0.0,
        "superpromoter_rate_low": 0.0,
    }


SUPPRESSED: dict[str, object] = {"status": "suppressed"}
# the root's residual is ships' two parts that are suppressed: 24 of two classes
RELEASE: dict[str, dict[str, object]] = {
    "all": {"level": 0, **figures(40, 20, 24)},
    "ships": {"level": 1, "parent_id": "all", **SUPPRESSED},
    "texel": {"level": 2, "parent_id": "ships", **SUPPRESSED},
    "vlieland": {"level": 2, "parent_id": "ships", **figures(20, 10, 10)},
    "ports": {"level": 1, "parent_id": "all", **figures(10, 5, 5)},
    "quiet": {"level": 1, "parent_id": "all", **figures(0, 0, 0)},
}


@pytest.fixture
def release(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    columns = ", ".join(f"{name} {kind}" for name, kind in FIELDS.items())
    connection.execute(
        "create temp table promoter_metrics (department_id varchar, parent_id varchar, level integer, status varchar,"
        f" {columns})"
    )
    for department, row in RELEASE.items():
        values = {"department_id": department, "status": "published"} | row
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        connection.execute(f"insert into promoter_metrics ({names}) values ({marks})", list(values.values()))
    return connection


def failed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    made(connection, "metrics", {})
    verdict = gate(connection, table="checked_metrics", rules=RULES, parameters={"min_respondents": 10})
    assert verdict.stopped_by == tuple(r.rule.name for r in verdict.results if r.outcome == "failed")
    return list(verdict.stopped_by)


def test_a_release_that_is_right_passes(release: duckdb.DuckDBPyConnection) -> None:
    assert failed(release) == []


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("status = 'hidden' where department_id = 'texel'", ["status_is_known"]),
        ("nps_low = 3 where department_id = 'texel'", ["suppressed_is_empty"]),
        ("previous_wave = '2026-09' where department_id = 'texel'", ["suppressed_is_empty"]),
        ("promoters = promoters + 1 where department_id = 'ports'", ["classes_are_all_responses"]),
        ("nps = 101, nps_high = 102 where department_id = 'ports'", ["nps_is_possible", "nps_high_is_possible"]),
        ("nps_low = nps + 1 where department_id = 'ports'", ["figures_lie_in_their_intervals"]),
        ("nps_change_low = 2, nps_change_high = 1 where level = 0", ["figures_lie_in_their_intervals"]),
        ("nps_change = 250, previous_wave = '2026-09' where level = 0", ["nps_change_is_possible"]),
        ("sharing_rate = 12.5 where level = 0", ["shares_are_fractions"]),
        ("conversion_high = 1.5 where level = 0", ["shares_are_fractions"]),
        (
            "superpromoters = 9, sharers = 5, silent_promoters = 3, unknown_promoters = 24 where level = 0",
            ["kinds_are_all_promoters"],
        ),
        ("told_known = 9, told = 8, silent_promoters = 2 where level = 0", ["kinds_are_all_promoters"]),
        ("antipromoters = detractors + 1 where department_id = 'ports'", ["kinds_are_all_promoters"]),
        ("net_superpromoter = .2, net_superpromoter_low = .3 where level = 0", ["figures_lie_in_their_intervals"]),
        ("reach = -1 where level = 0", ["amounts_are_possible"]),
        ("reach = 3, told = 9 where level = 0", ["few_are_not_told_of"]),
        (
            "conversion = .1, conversion_low = .1, conversion_high = .1, told = 20 where level = 0",
            ["few_are_not_told_of"],
        ),
        ("missing_scores = 1 where department_id = 'quiet'", ["few_are_not_told_of"]),
        ("design_effect = .9 where level = 0", ["amounts_are_possible"]),
        ("nps_change = 2 where level = 0", ["change_has_a_previous_wave"]),
    ],
)
def test_a_figure_that_cannot_be_right_stops_the_run(
    release: duckdb.DuckDBPyConnection, change: str, names: list[str]
) -> None:
    release.execute(f"update promoter_metrics set {change}")
    assert failed(release) == names


def publish(connection: duckdb.DuckDBPyConnection, department: str, *classes: int) -> None:
    sets = ", ".join(f"{name} = {'null' if value is None else value}" for name, value in figures(*classes).items())
    connection.execute(f"update promoter_metrics set status = 'published', {sets} where department_id = '{department}'")


@pytest.mark.parametrize(
    ("classes", "is_shown"),
    [((3, 3, 3), False), ((4, 3, 3), True), ((12, 0, 0), False), ((20, 0, 0), True), ((0, 0, 0), True)],
)
def test_a_small_group_is_never_published(
    release: duckdb.DuckDBPyConnection, classes: tuple[int, int, int], *, is_shown: bool
) -> None:
    release.execute("delete from promoter_metrics where department_id in ('ships', 'texel', 'vlieland')")
    publish(release, "ports", *classes)
    publish(release, "all", *(a + b for a, b in zip(classes, (30, 30, 30), strict=True)))
    assert failed(release) == ([] if is_shown else ["published_is_large"])


@pytest.mark.parametrize(
    ("classes", "is_safe"), [((30, 15, 15), True), ((33, 18, 18), False), ((34, 18, 18), True), ((45, 15, 15), False)]
)
def test_what_can_be_computed_by_subtraction_is_never_small(
    release: duckdb.DuckDBPyConnection, classes: tuple[int, int, int], *, is_safe: bool
) -> None:
    publish(release, "all", *classes)
    assert failed(release) == ([] if is_safe else ["nothing_small_can_be_subtracted"])


def test_kinds_that_are_all_promoters_pass(release: duckdb.DuckDBPyConnection) -> None:
    kinds = "superpromoters = 9, sharers = 5, silent_promoters = 3, unknown_promoters = 23"
    release.execute(
        f"update promoter_metrics set {kinds}, told_known = 30, told = 27, influence_known = 14 where level = 0"
    )
    assert failed(release) == []


def test_a_release_whose_whole_is_suppressed_stops_the_run(release: duckdb.DuckDBPyConnection) -> None:
    nothing = ", ".join(f"{name} = null" for name in FIGURES)
    release.execute(f"update promoter_metrics set status = 'suppressed', {nothing}")
    assert failed(release) == ["organisation_is_published"]
