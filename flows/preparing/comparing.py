"""What a wave's figures say beside others: earlier waves, with the people who answered both, and other departments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from flows.preparing.counting import view_released
from flows.preparing.examination import Examination
from flows.preparing.moves import moves_until
from flows.preparing.regrouping import Earlier, as_of_today, regroupings, view_moved
from flows.preparing.seal import Sealed, read_manifest, read_sealed, read_table
from flows.run import Run, in_languages
from flows.settings import Survey
from transforms.breaks import LANGUAGES, breaks
from transforms.change import change
from transforms.changes import Against, Basis, changes
from transforms.comparisons import comparisons
from transforms.moves import Move
from transforms.paired import paired
from transforms.sql import text
from transforms.trends import trends
from transforms.waves import year_before
from warehouse.store import Store


@dataclass(frozen=True)
class Compared:
    """The metrics with how they moved since the previous wave, and the tables that are made of them."""

    metrics: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    history: Sequence[pd.DataFrame]  # the metrics of earlier waves, oldest first, in today's tree
    moves: Sequence[Move]  # of departments, as far as this survey has had them


def compare(
    store: Store,
    run: Run,
    examination: Examination,
    metrics: pd.DataFrame,
    *,
    tree: pd.DataFrame,
    previous: Sealed | None,
    earlier: Sequence[Sealed],
) -> Compared:
    """Hold the metrics against earlier waves, and departments against each other; all of it of what is published.

    Where departments moved since an earlier wave, that one is first put into today's tree.
    """
    settings = run.survey(examination.survey)
    bases: dict[Basis, Sealed | None] = {"previous": previous, "year_before": _year_before(run, examination, earlier)}
    held = {basis: sealed for basis, sealed in bases.items() if sealed}
    moves = moves_until(store, run, survey=examination.survey, wave=examination.wave)
    today = {
        sealed.release_id: as_of_today(store, run, examination, tree, sealed=sealed, moves=moves)
        for sealed in (*earlier, *held.values())
    }
    answered = _first(store, run, examination, metrics)
    has_pairs = settings.roles.respondent_id is not None and _are_as_at_first(run, examination, moves)
    against = [
        _against(store, settings, answered, basis, today[sealed.release_id], has_pairs=has_pairs)
        for basis, sealed in held.items()
    ]
    history = [today[one.release_id].metrics for one in earlier]
    series = [*zip((one.wave for one in earlier), history, strict=True), (examination.wave, metrics)]
    tables = {
        "comparisons": comparisons(metrics, min_respondents=settings.min_respondents),
        "changes": changes(metrics, against),
        "trends": trends(series, _breaks(settings, examination.wave, earlier)),
        "regrouped": regroupings([*today.values()]),
    }
    return Compared(_since_previous(metrics, against), tables, history, moves)


def method_of(settings: Survey) -> dict[str, Any]:
    """What of a survey's settings its scores hang on: two waves that differ in it do not compare without a remark."""
    score = settings.roles.score.model_dump(mode="json", include={"scale", "values"})
    return {
        "score": {**score, "scale": score["scale"] or [0, 10]},
        "duplicates": settings.duplicates,
        "definition": settings.superpromoters.definition,
        "told_min": settings.superpromoters.told_min,
    }


def written(moves: Sequence[Move]) -> list[list[Any]]:
    """Moves as a manifest holds them."""
    return [[move.wave, list(move.was), list(move.now)] for move in moves]


def _year_before(run: Run, examination: Examination, earlier: Sequence[Sealed]) -> Sealed | None:
    """The release of the same wave a year before: a revision keeps that of the revision before, where it had one."""
    if examination.released is not None:
        folder = run.home.releases / examination.released.release_id
        if (folder / "tables" / "changes.parquet").exists():
            rows = read_table(folder, "changes")
            kept = rows.loc[rows["basis"] == "year_before", "compared_release_id"].tolist()
            if kept:
                return read_sealed(run.home.releases / kept[0])
    wanted = year_before(examination.wave)
    return next((one for one in earlier if one.wave == wanted), None)


def _first(store: Store, run: Run, examination: Examination, metrics: pd.DataFrame) -> pd.DataFrame:
    """The figures of the wave's first release, and in the view `first` the responses that it counts.

    Who answered both waves is taken from these in every revision: two widths would tell what a few late ones changed.
    """
    if examination.first_release_id is None:
        store.run("create or replace temporary view first as from counted")
        return metrics
    view_released(store, examination.first_release_id, wave=examination.wave, name="first")
    return read_table(run.home.releases / examination.first_release_id, "promoter_metrics")


def _against(
    store: Store, settings: Survey, first: pd.DataFrame, basis: Basis, earlier: Earlier, *, has_pairs: bool
) -> Against:
    """An earlier release, and who answered both: a pass over single responses, only where respondents are mapped."""
    before, sealed = earlier.metrics, earlier.sealed
    if not has_pairs:
        return Against(basis, sealed.release_id, before)
    view_released(store, sealed.release_id, wave=sealed.wave, name="earlier")
    if earlier.placed:
        view_moved(store, "earlier", earlier.placed)
    pairs = paired(store.frame(text("paired")), first, before, min_respondents=settings.min_respondents)
    return Against(basis, sealed.release_id, before, pairs)


def _since_previous(metrics: pd.DataFrame, against: Sequence[Against]) -> pd.DataFrame:
    """The metrics with how they moved since the previous wave; where there is none, nothing of that."""
    for one in against:
        if one.basis == "previous":
            return change(metrics, one.metrics, previous_release_id=one.release_id, pairs=one.pairs)
    return change(metrics, metrics.head(0), previous_release_id=None)


def _are_as_at_first(run: Run, examination: Examination, moves: Sequence[Move]) -> bool:
    """Whether departments moved as the wave's first release has it: else the pairs of two trees could be subtracted."""
    if examination.first_release_id is None:
        return True
    recorded = read_manifest(run.home.releases / examination.first_release_id).get("moves", [])
    return bool(recorded == written(moves))


def _breaks(settings: Survey, wave: str, earlier: Sequence[Sealed]) -> dict[str, Mapping[str, str]]:
    """The waves with which the method changed: as releases recorded it, and as the configuration says."""
    recorded = [(one.wave, _recorded(read_manifest(one.folder))) for one in earlier]
    written = {one.wave: in_languages(one.reason, LANGUAGES) for one in settings.breaks}
    return breaks([*recorded, (wave, method_of(settings))], written)


def _recorded(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The method as a manifest tells it; those of before it was recorded have the definition alone."""
    recorded: Mapping[str, Any] = manifest.get("method") or {"definition": manifest["definition"]}
    return recorded
