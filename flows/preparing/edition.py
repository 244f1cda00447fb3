"""What a release says: its tables, and the edition that its pages are made from, with the waves that came before."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from checks.book import rules_by_table
from flows.home import Home
from flows.preparing.comparing import method_of
from flows.preparing.examination import Examination
from flows.preparing.figures import beyond_chance
from flows.preparing.seal import Draft, Sealed, read_sealed, read_table
from flows.preparing.valuing import driver_labels, driver_scales
from flows.preparing.wording import is_read
from flows.run import Run, in_languages
from transforms.report.beside import BESIDE
from transforms.report.edition import METRICS, Changed, Edition, changed
from transforms.response_rate import response_rate
from transforms.waves import in_order
from warehouse.ledger import Ledger

MATERIAL = "All late answers were let in at once, also where they were few."  # printed with the operator's own reason


def earlier_releases(
    ledger: Ledger, home: Home, *, survey: str, wave: str, also: Sequence[Sealed] = ()
) -> list[Sealed]:
    """The newest release of each earlier wave, oldest wave first: what was released, and what opens with this one."""
    newest: dict[str, Sealed] = {}
    for release in ledger.releases(survey):
        if release.is_out:
            newest[release.wave] = read_sealed(home.releases / release.release_id)
    for sealed in also:
        if sealed.survey == survey:
            newest[sealed.wave] = sealed
    waves = in_order([*newest, wave])
    return [newest[earlier] for earlier in waves[: waves.index(wave)]]


def previous_release(run: Run, examination: Examination, earlier: Sequence[Sealed]) -> Sealed | None:
    """The release that changes are measured against: a revision keeps that of the revision before."""
    if examination.released is not None and examination.released.previous_release_id is not None:
        return read_sealed(run.home.releases / examination.released.previous_release_id)
    return earlier[-1] if earlier else None


def draft(
    run: Run,
    examination: Examination,
    *,
    tree: pd.DataFrame,
    metrics: pd.DataFrame,
    beside: Mapping[str, pd.DataFrame],
    moves: Sequence[Sequence[Any]] = (),
    quality: pd.DataFrame,
    previous: Sealed | None,
    earlier: Sequence[Sealed] = (),
    reason: str | None,
) -> Draft:
    """The release's tables and the facts that stand beside them."""
    settings, organisation = run.survey(examination.survey), run.settings.organisation
    reason, invited = reason or examination.reason, settings.invited.get(examination.wave)
    return Draft(
        organisation=organisation.name,
        survey=examination.survey,
        title=run.titles(examination.survey),
        wave=examination.wave,
        revision=examination.revision,
        reason=f"{reason} {MATERIAL}" if examination.is_material else reason,
        is_material=examination.is_material,
        changes=_changes(run, examination, metrics),
        previous_release_id=previous.release_id if previous else None,
        definition=settings.superpromoters.definition,
        told_min=settings.superpromoters.told_min,
        min_respondents=settings.min_respondents,
        languages=organisation.languages,
        tables=_tables(tree, metrics, quality=quality, beside=beside),
        method=method_of(settings),
        moves=moves,
        interval=settings.interval,
        margin=settings.superpromoters.margin,
        currency=settings.superpromoters.currency,
        invited=invited,
        response_rate=response_rate(metrics, invited=invited),
        earlier_release_ids=tuple(one.release_id for one in earlier),
    )


def _tables(
    tree: pd.DataFrame, metrics: pd.DataFrame, *, quality: pd.DataFrame, beside: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The tables of a release, in the order of its document."""
    departments = tree.rename(columns={"name": "department"}).assign(path=tree["path"].map(list))
    return {
        "promoter_metrics": metrics,
        "departments": departments,
        "highlights": beyond_chance(metrics),
        "quality": quality,
        **beside,
    }


def edition(run: Run, drafted: Draft, tree: pd.DataFrame, history: Sequence[pd.DataFrame]) -> Edition:
    """What the pages are made from; `history` are the metrics of earlier waves, in today's tree."""
    settings = run.survey(drafted.survey)
    roles, called = settings.roles, settings.respondents
    names = {f"name_{language}": [names[language] for names in tree["names"]] for language in drafted.languages}
    return Edition(
        organisation=drafted.organisation,
        languages=drafted.languages,
        survey=drafted.survey,
        titles=drafted.title,
        wave=drafted.wave,
        revision=drafted.revision,
        reason=drafted.reason,
        changes=drafted.changes,
        definition=drafted.definition,
        told_min=drafted.told_min,
        min_respondents=drafted.min_respondents,
        metrics=drafted.tables["promoter_metrics"],
        departments=tree.assign(**names),
        highlights=drafted.tables["highlights"],
        quality=drafted.tables["quality"],
        history=_history(history),
        superpromoters_asked=roles.told_count is not None and (roles.acted_count or roles.copied) is not None,
        is_weighted=roles.weight is not None or settings.weighting is not None,
        respondents=None if called is None else in_languages(called, drafted.languages),
        check_words={rule.name: rule.says for rules in rules_by_table({}).values() for rule in rules},
        tables={name: drafted.tables[name] for name in BESIDE if name in drafted.tables},
        drivers_asked=bool(roles.drivers),
        comments_asked=is_read(run, drafted.survey),
        driver_labels=driver_labels(run, drafted.survey),
        driver_scale=_one_scale(driver_scales(settings).values()),
        interval=drafted.interval,
        margin=drafted.margin,
        invited=drafted.invited,
        response_rate=drafted.response_rate,
    )


def _one_scale(scales: Iterable[tuple[int, int] | None]) -> tuple[int, int] | None:
    """The scale of all drivers, where they have the same."""
    found = set(scales)
    return found.pop() if len(found) == 1 else None


def _history(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The figures of earlier waves; a column that their seals did not know yet is empty there."""
    return (
        pd.concat(frames, ignore_index=True).reindex(columns=list(METRICS))
        if frames
        else pd.DataFrame(columns=list(METRICS))
    )


def _changes(run: Run, examination: Examination, metrics: pd.DataFrame) -> tuple[Changed, ...]:
    if examination.released is None:
        return ()
    before = read_table(run.home.releases / examination.released.release_id, "promoter_metrics")
    return changed(metrics, before)
