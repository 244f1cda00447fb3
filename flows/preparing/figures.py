"""From counted responses to protected figures: tally, protect, metrics; each step leaves its table behind."""

import pandas as pd

from flows.errors import HeldError
from flows.preparing.counting import pattern_of, register_departments, wave_departments
from flows.preparing.examination import Examination
from flows.preparing.seal import read_manifest, read_table
from flows.run import Run
from transforms import TransformError
from transforms.departments import SEPARATOR
from transforms.few import carried, guarded
from transforms.highlights import highlights
from transforms.interval import interval
from transforms.protect import freeze, protect
from transforms.sampled import sampled
from transforms.sql import text
from warehouse.store import Store

TO_PROTECT = "to protect small groups"  # all that anyone else is told: which groups, would narrow what is hidden


def tally(store: Store, run: Run, examination: Examination) -> pd.DataFrame:
    """One heavy pass over the view `counted`, into core.tallies for every node; returns the tree of departments.

    A revision keeps every department of the wave's first release, also one whose answers have all left.
    """
    survey, wave = examination.survey, examination.wave
    roles = run.survey(survey).roles
    store.run(
        f"create or replace temporary table cells as {text('cells')}",
        {
            "told_min": run.survey(survey).superpromoters.told_min,
            "acted_is_asked": roles.acted_count is not None,
            "copied_is_asked": roles.copied is not None,
        },
    )
    keys = {key for (key,) in store.rows("select department_key from cells")}
    if examination.first_release_id is not None:
        first = read_table(run.home.releases / examination.first_release_id, "departments")
        keys |= {SEPARATOR.join(path) for path in first["path"]}
    tree = wave_departments(run, sorted(keys), wave=wave)
    register_departments(store, tree)
    where = {"survey": survey, "wave": wave}
    store.replace("core.tallies", text("tallies"), where=where, parameters=where)
    store.run(
        "create or replace temporary table tallies as from core.tallies where survey = $survey and wave = $wave", where
    )
    return tree


def hide(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> pd.DataFrame:
    """The pattern of what is shown: frozen with the wave's first release, else of least loss; held where none is."""
    if examination.first_release_id is not None:
        pattern = freeze(pattern_of(store, examination.first_release_id), tree)
    else:
        try:
            pattern = protect(
                store.frame("from tallies"),
                tree,
                min_respondents=run.survey(examination.survey).min_respondents,
                noise=run.home.secret(),
                wave=f"{examination.survey} {examination.wave}",
            )
        except TransformError as error:
            what = f"{examination.survey} {examination.wave}"
            raise HeldError(f"{what} is held: {error}", public=f"{what} is held {TO_PROTECT}") from None
    store.register("pattern", pattern)
    return pattern


def compute(store: Store, run: Run, examination: Examination) -> pd.DataFrame:
    """One row per department in tree order: the figures of what is shown, without those that would tell of a few."""
    settings = run.survey(examination.survey)
    margin, currency = settings.superpromoters.margin, settings.superpromoters.currency
    least = {"min_respondents": settings.min_respondents}
    worth = {"margin": margin, "currency": currency}
    store.run(f"create or replace temporary table superpromoters as {text('superpromoters')}", {**least, **worth})
    made = store.frame(text("metrics"), {**least, "interval": settings.interval})
    tree = store.frame("select department_id, parent_id from departments order by position")
    metrics = interval(guarded(made, store.frame("from tallies"), tree, **least), method=settings.interval)
    if examination.released is not None:
        before = run.home.releases / examination.released.release_id
        was, margin_before = read_table(before, "promoter_metrics"), read_manifest(before).get("margin")
        metrics = carried(metrics, was, margin=margin, margin_before=margin_before, currency=currency)
    return sampled(metrics, store.frame(text("sampled")), **least) if settings.roles.is_sampled else metrics


def remember_pattern(store: Store, release_id: str, pattern: pd.DataFrame) -> None:
    """Keep what a release shows: later revisions of its wave show the same."""
    content = pattern[["department_id", "status", "region"]].assign(release_id=release_id)
    store.replace("core.patterns", content, where={"release_id": release_id})


def beyond_chance(metrics: pd.DataFrame) -> pd.DataFrame:
    """The departments that rose or fell beyond chance, in tree order."""
    return highlights(metrics)
