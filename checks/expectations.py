"""The rules as suites of Great Expectations: counts come out, observed values only into the private report."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    rules: Mapping[str, Sequence[Rule]],
    *,
    parameters: Parameters,
    whole: Collection[str] = (),
    report: Path | None = None,
) -> dict[str, dict[str, int | None]]:
    """Per table and rule the unexpected rows, None where the expectation raised; with a report, as Data Docs too.

    Of the tables that are `whole`, in which no row should break a rule, it is asked first whether one does, and only
    then how many: that takes half the queries.
    """
    from checks.engine import URL, engine_arguments, gx

    context = _context()
    # all at once: for each asset that is added later, the configuration is written anew
    queries = [{"type": "query", "name": table, "query": f"select * from {table}"} for table in rules]
    source = context.data_sources.add_sql(
        "warehouse", connection_string=URL, kwargs=engine_arguments(connection), assets=queries
    )
    assets = {asset.name: asset for asset in source.assets}
    suites = {
        table: gx.ExpectationSuite(table, expectations=[rule.expectation(parameters) for rule in own])
        for table, own in rules.items()
    }
    if report is None:
        validated = [_validated(asset, suites[name], is_whole=name in whole) for name, asset in assets.items()]
    else:
        validated = _reported(context, assets, suites=suites, report=report)
    connection.execute("select null").fetchall()  # an expectation may leave a result unread, which bars what follows
    return {one.suite_name: _counts(one.results) for one in validated}


def _counts(results: Iterable[Any]) -> dict[str, int | None]:
    return {one.expectation_config.meta["rule"]: _count(one.result, one.success) for one in results}


def _count(result: Mapping[str, int | None], success: bool) -> int | None:
    if success and not result:
        return 0  # it was asked no more
    if result.get("element_count") == 0:
        return 0  # the sum over no rows, which it leaves empty
    return result.get("unexpected_count", result.get("observed_value"))


def _context() -> Any:
    from checks.engine import base, gx

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=base.ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(project_config=config, mode="ephemeral")


def _validated(asset: Any, suite: Any, *, is_whole: bool) -> Any:
    batch = asset.get_batch(asset.build_batch_request())
    if is_whole and (answer := batch.validate(suite, result_format="BOOLEAN_ONLY")).success:
        return answer
    return batch.validate(suite, result_format=_format(shown=0))


def _site(report: Path) -> dict[str, object]:
    return {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(report)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _reported(context: Any, assets: Mapping[str, Any], *, suites: Mapping[str, Any], report: Path) -> list[Any]:
    """Run them as a checkpoint, whose results become Data Docs; that takes twice as long as validating alone."""
    from checks.engine import gx

    report.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    report.chmod(FOLDER)
    context.add_data_docs_site("report", _site(report))
    definitions = [
        gx.ValidationDefinition(
            name=table,
            data=asset.add_batch_definition_whole_table("whole"),
            suite=context.suites.add(suites[table]),
        )
        for table, asset in assets.items()
    ]
    checkpoint = gx.Checkpoint(
        name="gate",
        validation_definitions=[context.validation_definitions.add(one) for one in definitions],
        result_format=_format(shown=20),
    )
    ran = context.checkpoints.add(checkpoint).run()
    context.build_data_docs(site_names=["report"])  # once: as an action of the checkpoint, once for each table
    _close(report)
    return list(ran.run_results.values())


def _format(*, shown: int) -> dict[str, object]:
    return {"result_format": "BASIC", "partial_unexpected_count": shown}


def _close(report: Path) -> None:
    """Close every part of the report to others, whatever the umask was and however it was copied there."""
    for path in report.rglob("*"):
        path.chmod(FOLDER if path.is_dir() else FILE)
