"""The checks between figures and seal: of files, rows, the wave, its tallies and its metrics."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pandas as pd

from flows.counting import Examination
from flows.errors import StoppedByCheckError
from flows.intake import Intake, rule_parameters, rules_of
from flows.run import Run
from transforms.current import current
from transforms.responses import columns_needed
from warehouse.store import Store

if TYPE_CHECKING:
    from checks.gate import CheckResult
    from checks.rules import Rule

FILES = """
    select
        files.file_id, files.columns, $mapped::varchar[] as mapped_columns, batches.in_count,
        coalesce(stands.rows, 0) as accepted_count,
        batches.accepted_count - coalesce(stands.rows, 0) as dropped_count,
        batches.quarantined_count,
        (select count(*) from core.quarantine q where q.batch = batches.batch and q.line_number is not null)
            as rejected_count,
        (
            select earlier.columns from raw.files as earlier
            where earlier.survey = files.survey and earlier.source = files.source and earlier.file_id <> files.file_id
                and earlier.fetched_at <= files.fetched_at and earlier.columns is not null
            order by earlier.fetched_at desc, earlier.name desc limit 1
        ) as columns_before
    from core.batches as batches
    join raw.files as files using (survey, file_id)
    left join (select batch, count(*) as rows from standing group by batch) as stands using (batch)
    where batches.batch in (select unnest($batches))
    qualify row_number() over (partition by batches.batch order by files.fetched_at) = 1
"""

BROKEN = """
    select batch, record_number, line_number, unnest(rules) as rule
    from core.quarantine
    where batch in (select unnest($batches)) and (wave = $wave or wave is null)
"""


def check(store: Store, run: Run, found: Intake, examination: Examination, metrics: pd.DataFrame) -> pd.DataFrame:
    """Every check of the wave but those of single rows, which ran file by file; what may be published of them all.

    Raises StoppedByCheckError, with every critical check that failed, before anything is sealed.
    """
    from checks.quality import public

    settings = run.survey(found.survey)
    results = _results(store, run, found, examination, metrics, rules_of(settings))
    failed = [result for result in results if result.outcome == "failed" and result.rule.severity == "critical"]
    if failed:
        raise StoppedByCheckError(_stopped(examination, failed))
    return public(
        results,
        min_respondents=settings.min_respondents,
        language="en",
    )


def _results(
    store: Store,
    run: Run,
    found: Intake,
    examination: Examination,
    metrics: pd.DataFrame,
    rules: "Mapping[str, Sequence[Rule]]",
) -> "list[CheckResult]":
    settings = run.survey(found.survey)
    key = {"survey": examination.survey, "wave": examination.wave}
    parameters = {**rule_parameters(run, settings), "min_respondents": settings.min_respondents}
    store.run(f"create or replace temporary view standing as {current(found.numbers, duplicates=settings.duplicates)}")
    mapped = list(columns_needed(settings.roles, settings.wave))
    _table(store, "checked_files", FILES, {"mapped": mapped, "batches": list(found.numbers)})
    _table(store, "checked_waves", _sql("waves"), key)
    _table(store, "checked_tallies", _sql("tallies"), key)
    store.register("promoter_metrics", metrics)
    _table(store, "checked_metrics", _sql("metrics"), {})
    results: list[CheckResult] = []
    for table in ("files", "waves", "tallies", "metrics"):
        results += _gate(store, run, f"checked_{table}", rules[table], parameters)
        if table == "files":
            results += _rows(store, found, examination, rules["responses"])
    return results


def _gate(
    store: Store, run: Run, table: str, rules: "Sequence[Rule]", parameters: Mapping[str, Any]
) -> "Sequence[CheckResult]":
    from checks.gate import gate  # Great Expectations takes seconds to import

    return gate(
        store.connection, table=table, rules=rules, parameters=parameters, report=run.home.check_reports
    ).results


def _rows(store: Store, found: Intake, examination: Examination, rules: "Sequence[Rule]") -> "Sequence[CheckResult]":
    """What the row rules left in quarantine of this wave; records of no wave count in each."""
    from checks.quality import told

    here = {"batches": list(found.numbers), "wave": examination.wave}
    failed = dict(store.rows(f"select rule, count(*) from ({BROKEN}) group by rule", here))
    quarantined = store.rows(f"select count(distinct (batch, record_number, line_number)) from ({BROKEN})", here)
    counted = store.rows("select count(*) from counted")  # without answers that wait: nobody is told how many do
    return told(rules, failed, base_count=int(counted[0][0]) + int(quarantined[0][0]))


def _table(store: Store, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
    store.run(f"create or replace temporary table {name} as {sql}", parameters)


def _sql(name: str) -> str:
    return (files("checks") / f"{name}.sql").read_text(encoding="utf-8")


def _stopped(examination: Examination, failed: "Sequence[CheckResult]") -> str:
    lines = [f"{examination.survey} {examination.wave} is stopped, nothing was sealed:"]
    for result in failed:
        count = f" ({result.failed_count} of {result.base_count})" if result.rule.kind == "rows" else ""
        lines.append(f"  {result.rule.name}: not so: {result.rule.says['en']}{count}")
    lines.append(
        "Look at `zwerm check`, and at the reports in working/checks; bounds are set in [surveys.NAME.checks]."
    )
    return "\n".join(lines)
