"""Answers that came, changed or went since their wave's newest release: how many, and nothing else of them."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from flows.preparing.counting import margins_of, view_released
from flows.settings import Survey
from transforms.current import current
from transforms.revisions import said
from warehouse.store import Store


def waiting(store: Store, survey: Survey | None, batches: Sequence[int], newest: Mapping[str, str]) -> dict[str, int]:
    """Per wave with any: how many; `newest` is the id of each wave's newest release, by wave."""
    duplicates, margins = (survey.duplicates, margins_of(survey)) if survey else ("keep", [])
    sql = (files("flows.command.status") / "waiting.sql").read_text(encoding="utf-8").replace("{said}", said(margins))
    counts = {}
    for wave, release_id in sorted(newest.items()):
        standing = current(batches, duplicates=duplicates, wave=wave)
        store.run(f"create or replace temporary view current as {standing}")
        view_released(store, release_id, wave=wave)
        counts[wave] = int(store.rows(sql)[0][0])
    return {wave: count for wave, count in counts.items() if count}
