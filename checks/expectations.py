"""The rules as one suite of Great Expectations: counts come out, observed values only into the private report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.conditions import Parameters
from checks.rules import Rule

if TYPE_CHECKING:
    import duckdb

FOLDER = 0o700
FILE = 0o600


def unexpected_counts(
    connection: "duckdb.DuckDBPyConnection",
    rules: Sequence[Rule],
    *,
    relation: str,
    parameters: Parameters,
    report: Path | None = None,
) -> dict[str, int | None]:
    """Per rule the rows that are unexpected, None where the expectation raised; with a report, as Data Docs too."""
    if report is not None:
        report.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        report.chmod(FOLDER)
    context = _context(report)
    validated = _validated(context, connection, rules=rules, relation=relation, parameters=parameters, report=report)
    if report is not None:
        _close(report)
    return {one.expectation_config.meta["rule"]: _count(one.result) for one in validated.results}


def _count(result: Mapping[str, int | None]) -> int | None:
    if result.get("element_count") == 0:
        return 0  # the sum over no rows, which it leaves empty
    return result.get("unexpected_count", result.get("observed_value"))


def _context(report: Path | None) -> Any:
    from checks.engine import base, gx

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=base.ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = gx.get_context(project_config=config, mode="ephemeral")
    if report is not None:
        context.add_data_docs_site("report", _site(report))
    return context


def _site(report: Path) -> dict[str, object]:
    return {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(report)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _validated(
    context: Any,
    connection: "duckdb.DuckDBPyConnection",
    *,
    rules: Sequence[Rule],
    relation: str,
    parameters: Parameters,
    report: Path | None,
) -> Any:
    from checks.engine import URL, engine_arguments, gx

    source = context.data_sources.add_sql("warehouse", connection_string=URL, kwargs=engine_arguments(connection))
    whole = source.add_query_asset("table", query=relation).add_batch_definition_whole_table("whole")
    suite = gx.ExpectationSuite("rules", expectations=[rule.expectation(parameters) for rule in rules])
    if report is None:
        return whole.get_batch().validate(suite, result_format=_format(shown=0))
    return _checkpoint(context, gx.ValidationDefinition(name="rules", data=whole, suite=context.suites.add(suite)))


def _checkpoint(context: Any, validation: Any) -> Any:
    """Run it as a checkpoint, which writes Data Docs; a quarter slower than validating alone."""
    from checks.engine import UpdateDataDocsAction, gx

    checkpoint = gx.Checkpoint(
        name="gate",
        validation_definitions=[context.validation_definitions.add(validation)],
        actions=[UpdateDataDocsAction(name="report", site_names=["report"])],
        result_format=_format(shown=20),
    )
    (validated,) = context.checkpoints.add(checkpoint).run().run_results.values()
    return validated


def _format(*, shown: int) -> dict[str, object]:
    return {"result_format": "BASIC", "partial_unexpected_count": shown}


def _close(report: Path) -> None:
    """Close every part of the report to others, whatever the umask was and however it was copied there."""
    for path in report.rglob("*"):
        path.chmod(FOLDER if path.is_dir() else FILE)
