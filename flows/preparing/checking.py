"""The checks between figures and seal: of files, rows, the wave, its tallies and its metrics; and once more after."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from checks import metrics, releases, waves
from flows.departments import ended_by, out_of_time
from flows.errors import FlowError, StoppedByCheckError
from flows.preparing import wording
from flows.preparing.examination import Examination
from flows.preparing.intake import Intake, rule_parameters, rules_of
from flows.preparing.moves import moves_until
from flows.preparing.seal import read_manifest, read_table
from flows.releasing.publication import renew_if_free
from flows.run import Run
from transforms.comments import RAW_MOST
from transforms.current import current
from transforms.departments import SEPARATOR, department_id, path_of
from transforms.moves import placed
from transforms.responses import columns_needed
from transforms.sql import text
from transforms.waves import in_order
from warehouse.ledger import Ledger
from warehouse.marts import SEALED
from warehouse.records import Release
from warehouse.store import Store

if TYPE_CHECKING:
    from checks.gate import CheckResult
    from checks.rules import Rule
    from flows.release import Report


SAID = (
    "regrouped",
    "drivers",
    "themes",
    "quotes",
    "segments",
    "rolling",
)  # of these each rule speaks of the table's own rows, and many have none
COMPUTED = ("weights", "metrics", "comparisons", "changes", "trends", *SAID)
SCALE_ADVICE = (
    f"No score is above {waves.HIGHEST}: map another scale to 0-10 with values = {{ … }} of roles.score, "
    "or declare it with scale = [0, 10] if it is that one"
)


def check(
    store: Store,
    run: Run,
    found: Intake,
    examination: Examination,
    figures: pd.DataFrame,
    compared: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Every check of the wave but those of single rows, which ran file by file; what may be published of them all.

    `compared` has the tables that were made of the figures: comparisons, changes and trends.
    Raises StoppedByCheckError, with every critical check that failed, before anything is sealed.
    """
    from checks.quality import public

    settings = run.survey(found.survey)
    for name, frame in {"promoter_metrics": figures, **compared}.items():
        store.register(name, frame)
    without = tuple(name for name in SAID if name in compared and compared[name].empty)
    rules = rules_of(settings)
    if examination.is_material or _had_material(run, found.survey, examination.wave):
        rules["metrics"] = metrics.of_material(rules["metrics"])
    results = _results(store, run, found, examination, rules, without=without)
    failed = [result for result in results if result.outcome == "failed" and result.rule.severity == "critical"]
    if failed:
        raise StoppedByCheckError(
            _stopped(examination, failed, with_counts=True), public=_stopped(examination, failed, with_counts=False)
        )
    return public(
        results,
        counted=int(store.rows("select count(*) from counted")[0][0]),
        min_respondents=settings.min_respondents,
        earlier=_said_before(run, examination),
        language="en",
    )


def check_published(run: Run, report: "Report") -> None:
    """Check once again what everyone reads: in each table the rows that were sealed, and the rules of the metrics.

    It is out by then, so nothing is undone: a breach is recorded, published with the register, and told.
    """
    wrong = {release.release_id: found for release in report.releases if (found := _wrong(run, release))}
    if not wrong:
        return
    says = "; ".join(f"release {name}: {', '.join(found)}" for name, found in wrong.items())
    with Ledger.open(run.home.ledger) as ledger:
        with ledger.transaction():
            ledger.add(
                "breach",
                release_ids=list(wrong),
                moment_id=report.moment.moment_id,
                what="content",
                milliseconds=None,
                says=f"what is published is not what was sealed ({says})",
            )
        renew_if_free(ledger, run.home, run.settings)
    raise FlowError(f"What is published is not what was sealed: {says}. Look at who can write to {run.home.published}")


def _wrong(run: Run, release: Release) -> list[str]:
    """What does not hold of a release as it is published: its tables against the seal, then the rules of metrics."""
    folder = run.home.releases / release.release_id
    parameters = {"min_respondents": read_manifest(folder)["min_respondents"]}
    key = {"release_id": release.release_id}
    own = metrics.of_material(metrics.RULES) if _had_material(run, release.survey, release.wave) else metrics.RULES
    with Store.open(run.home.published / "warehouse.duckdb", scratch=run.home.scratch, read_only=True) as store:
        unlike = _beside_seal(store, release, folder / "tables")
        _table(store, "promoter_metrics", "from mart.promoter_metrics where release_id = $release_id", key)
        _table(store, "checked_metrics", _sql("metrics"), {})
        rules = {"releases": releases.RULES, "metrics": own}
        results = [one for found in _gates(store, run, rules, parameters).values() for one in found]
    failed = [one for one in results if one.outcome == "failed" and one.rule.severity == "critical"]
    return [*unlike, *(f"{one.rule.name} failed on {one.failed_count} of {one.base_count}" for one in failed)]


def _beside_seal(store: Store, release: Release, tables: Path) -> list[str]:
    """Set each sealed table beside the published one, in `checked_releases`; tells which are not the same."""
    selects = []
    for name in SEALED:
        if (tables / f"{name}.parquet").exists():
            parameters = {"table": name, "release_id": release.release_id, "sealed": str(tables / f"{name}.parquet")}
            _table(store, f"beside_{name}", releases.beside_seal(name), parameters)
            selects.append(f"from beside_{name}")
    _table(store, "checked_releases", " union all ".join(selects), {})
    rows = store.rows("from checked_releases where only_published + only_sealed > 0")
    return [f"mart.{name} has {more} rows that were not sealed, and lacks {less}" for name, more, less in rows]


def _had_material(run: Run, survey: str, wave: str) -> bool:
    """Whether a material revision of the wave is out: what it disclosed stays in every later one."""
    with Ledger.open(run.home.ledger) as ledger:
        out = [one.release_id for one in ledger.releases(survey, wave) if one.is_out]
    return any(read_manifest(run.home.releases / name).get("is_material") for name in out)


def _results(
    store: Store,
    run: Run,
    found: Intake,
    examination: Examination,
    rules: "Mapping[str, Sequence[Rule]]",
    *,
    without: Sequence[str],
) -> "list[CheckResult]":
    """The results in the order of the tables; those `without` rows hold of themselves and are not asked."""
    from checks.gate import CheckResult  # Great Expectations takes seconds to import

    settings = run.survey(found.survey)
    key = {"survey": examination.survey, "wave": examination.wave}
    parameters = {**rule_parameters(run, settings), "min_respondents": settings.min_respondents}
    store.run(f"create or replace temporary view standing as {current(found.numbers, duplicates=settings.duplicates)}")
    mapped, batches = list(columns_needed(settings.roles, settings.wave)), list(found.numbers)
    came = {"mapped": mapped, "batches": batches, "duplicates": settings.duplicates}
    _table(store, "checked_files", _sql("files"), came)
    earlier = _earlier(store, examination)
    since = {
        "earlier": earlier,
        "over": _over(store, run, examination, earlier),
        "strangers": _strangers(store, run, examination),
        "invited": settings.invited.get(examination.wave),
    }
    _table(store, "checked_waves", _sql("waves"), {**key, **since, "batches": batches})
    _table(store, "checked_tallies", _sql("tallies"), key)
    said = _comments(store, run, found.survey)
    _table(store, "lines", text("lines"), {})
    for name in COMPUTED:
        if name not in without:
            _table(store, f"checked_{name}", _sql(name), {})
    tables = ("files", "waves", "tallies", *said, *COMPUTED)
    results = {
        **_gates(store, run, {table: rules[table] for table in tables if table not in without}, parameters),
        **{name: [CheckResult(rule, 0, 0, "passed") for rule in rules[name]] for name in without},
    }
    of_rows = _rows(store, found, examination, rules["responses"])
    return [*results["files"], *of_rows, *(one for table in tables[1:] for one in results[table])]


def _comments(store: Store, run: Run, survey: str) -> tuple[str, ...]:
    """The table of what holds of cleaned comments, where they are read."""
    if not wording.is_read(run, survey):
        return ()
    version = {"version": wording.cleaner(run, survey).version, "longest": RAW_MOST}
    _table(store, "checked_comments", _sql("comments"), version)
    return ("comments",)


def _gates(
    store: Store, run: Run, rules: "Mapping[str, Sequence[Rule]]", parameters: Mapping[str, Any]
) -> "Mapping[str, Sequence[CheckResult]]":
    """The results of each table's rules, which run on the table `checked_…` of its name."""
    from checks.gate import gates  # Great Expectations takes seconds to import

    verdicts = gates(
        store.connection,
        {f"checked_{table}": own for table, own in rules.items()},
        parameters=parameters,
        report=run.home.check_reports,
    )
    return {table: verdicts[f"checked_{table}"].results for table in rules}


def _said_before(run: Run, examination: Examination) -> list[pd.DataFrame]:
    """What the wave's earlier revisions published of their checks."""
    with Ledger.open(run.home.ledger) as ledger:
        out = [one for one in ledger.releases(examination.survey, examination.wave) if one.is_out]
    return [read_table(run.home.releases / one.release_id, "quality") for one in out]


def _earlier(store: Store, examination: Examination) -> list[str]:
    """The waves before this one that were counted, in order."""
    known = store.rows("select distinct wave from core.tallies where survey = $name", {"name": examination.survey})
    ordered = in_order([examination.wave, *(wave for (wave,) in known)])
    return ordered[: ordered.index(examination.wave)]


def _over(store: Store, run: Run, examination: Examination, earlier: Sequence[str]) -> list[str]:
    """The departments of the wave before that nobody expects again: they moved to one that is there, or have ended."""
    if not any(entry.was or entry.valid_until for entry in run.settings.departments) or not earlier:
        return []
    rows = store.rows(
        "select distinct department_key from core.responses where survey = $survey and wave = $wave",
        {"survey": examination.survey, "wave": earlier[-1]},
    )
    paths = {path_of(key)[:depth] for (key,) in rows for depth in range(1, len(path_of(key)) + 1)}
    moves = moves_until(store, run, survey=examination.survey, wave=examination.wave)
    now = placed(map(SEPARATOR.join, paths), moves, since=earlier[-1], until=examination.wave)
    there = {key for (key,) in store.rows("select department_key from departments")}
    ended = {SEPARATOR.join(path) for path in ended_by(run.settings.departments, examination.wave)}
    gone = {key for key, place in now.items() if key in ended or (place != key and place in there)}
    return sorted(department_id(path_of(key)) for key in gone)


def _strangers(store: Store, run: Run, examination: Examination) -> list[str]:
    """The departments of the wave that should not be there by what is configured of their time."""
    paths = [path_of(key) for (key,) in store.rows("select department_key from departments")]
    return sorted(map(department_id, out_of_time(run.settings.departments, examination.wave, paths)))


def _rows(store: Store, found: Intake, examination: Examination, rules: "Sequence[Rule]") -> "Sequence[CheckResult]":
    """What the row rules left in quarantine of this wave; records of no wave count in each."""
    from checks.quality import told

    broken = store.rows(_sql("responses"), {"batches": list(found.numbers), "wave": examination.wave})
    failed = {rule: count for rule, count, _ in broken}
    quarantined = broken[0][2] if broken else 0
    counted = store.rows("select count(*) from counted")  # without answers that wait: nobody is told how many do
    return told(rules, failed, base_count=int(counted[0][0]) + quarantined)


def _table(store: Store, name: str, sql: str, parameters: Mapping[str, Any]) -> None:
    store.run(f"create or replace temporary table {name} as {sql}", parameters)


def _sql(name: str) -> str:
    return (files("checks") / f"{name}.sql").read_text(encoding="utf-8")


def _stopped(examination: Examination, failed: "Sequence[CheckResult]", *, with_counts: bool) -> str:
    lines = [f"{examination.survey} {examination.wave} is stopped, nothing was sealed:"]
    for result in failed:
        is_counted = with_counts and result.failed_count is not None
        count = f" ({result.failed_count} of {result.base_count})" if is_counted else ""
        lines.append(f"  {result.rule.name}: not so: {result.rule.says['en']}{count}")
    if any(result.rule.name == waves.SCALE for result in failed):
        lines.append(f"{SCALE_ADVICE}.")
    bounds = f"bounds are set in [surveys.{examination.survey}.checks]"
    lines.append(f"Look at `zwerm check`, and at the reports in working/checks; {bounds}.")
    return "\n".join(lines)
