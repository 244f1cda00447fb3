"""What lies in the working warehouse, where no run holds it: records, quarantine, answers that wait. No metric."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from flows.home import Home
from flows.settings import Survey
from warehouse import WarehouseError

Newest = Mapping[tuple[str, str], str]  # by survey and wave: the id of its newest release


def working(home: Home, newest: Newest, surveys: Mapping[str, Survey]) -> dict[str, Any]:
    """Counts per survey; `newest` are the ids of each wave's newest release. A run that has the file open is named."""
    if not home.warehouse.exists():
        return {"surveys": {}}
    from warehouse.store import Store  # DuckDB, which the ledger's part does not need

    try:
        with Store.open(home.warehouse, scratch=home.scratch, read_only=True) as store:
            return {"surveys": _surveys(store, newest, surveys)}
    except WarehouseError as error:
        return {"surveys": {}, "is_busy": error.is_busy, "holder": error.holder, "says": str(error)}


def _surveys(store: Any, newest: Newest, surveys: Mapping[str, Survey]) -> dict[str, dict[str, Any]]:
    from flows.command.status.waiting import waiting
    from flows.preparing.standing import duplicates_dropped

    found: dict[str, dict[str, Any]] = {}
    batches: list[int] = []
    for survey, count, records, quarantined, conformed_at, own, gone in store.rows(_sql("records")):
        found[survey] = {
            "files": count,
            "records": records,
            "quarantined": quarantined,
            "rules": {},
            "dropped": duplicates_dropped(store, surveys[survey], own) if survey in surveys else 0,
            "waiting": waiting(store, surveys.get(survey), own, {w: i for (s, w), i in newest.items() if s == survey}),
            "gone": gone,
            "conformed_at": conformed_at,
        }
        batches += own
    if not batches:
        return found
    for survey, rule, records in store.rows(_sql("quarantine"), {"batches": batches}):
        found[survey]["rules"][rule] = records
    return found


def _sql(name: str) -> str:
    return (files("flows.command.status") / f"{name}.sql").read_text(encoding="utf-8")
