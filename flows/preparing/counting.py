"""Which responses a wave's figures count: all that stand for a first release; for a revision, what may enter."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Literal

import pandas as pd

from flows.departments import as_of
from flows.errors import ConfigurationError
from flows.preparing.examination import Examination
from flows.preparing.moves import moves_until
from flows.run import Run
from flows.settings import Survey
from transforms.current import current
from transforms.departments import departments
from transforms.method import method_hash
from transforms.protect import freeze
from transforms.revisions import answers_touched_sql, entering, near, revised
from transforms.sql import literal, text
from transforms.waves import in_order, is_closed
from warehouse.ledger import Ledger
from warehouse.records import OUT
from warehouse.store import Store

# What a revision counts, once `counted_rows` are chosen.
COUNTED = "select responses.* from core.responses as responses join counted_rows using (batch, record_number)"


def waves(store: Store, survey: Survey, batches: Sequence[int]) -> list[str]:
    """The waves that the standing responses are of, in order."""
    standing = current(batches, duplicates=survey.duplicates)
    return in_order(wave for (wave,) in store.rows(f"select distinct wave from ({standing})"))


def newest_closed(run: Run, found: Sequence[str], survey: str) -> str:
    """The newest wave that has ended, in the organisation's zone."""
    today = run.now.astimezone(run.settings.organisation.zone).date()
    closed = [wave for wave in found if is_closed(wave, today)]
    if not closed:
        still = f" ({', '.join(found)} has not ended)" if found else ""
        raise ConfigurationError(f"{survey}: no wave is closed yet{still}. Name one to release it now: --wave WAVE")
    return closed[-1]


def examine(
    store: Store, ledger: Ledger, run: Run, *, survey: str, wave: str, batches: Sequence[int], material: bool = False
) -> Examination:
    """Compare what stands with what was released; leaves the view `counted` behind: what a release now would count."""
    settings, method = run.survey(survey), _method(store, run, survey=survey, wave=wave)
    store.run(f"create or replace temporary view current as {_standing(settings, batches, wave)}")
    rows = int(store.rows("select count(*) from current")[0][0])
    released = ledger.latest_released(survey, wave)
    inputs = _inputs_hash(store, batches, settings, material=material, method=method)
    if released is None:
        store.run("create or replace temporary view counted as from current")
        return Examination(survey, wave, "new", None, None, inputs, rows)
    out = [release.release_id for release in ledger.releases(survey, wave) if release.is_out]
    first = out[0]
    if not material and _is_known(store, ledger, survey=survey, wave=wave, inputs=inputs):
        left = _left_waiting(store, run, settings, wave=wave, batches=batches, out=out)
        return Examination(survey, wave, "unchanged", released, first, inputs, rows, left)
    touched = _touched(store, run, settings, wave=wave, batches=batches, out=out, material=material)
    is_anew = _is_computed_anew(store, released.release_id, method)
    examination = Examination(survey, wave, "changed", released, first, inputs, rows, touched, is_anew, material)
    if is_anew or examination.entering():
        return examination
    if touched.empty:
        return Examination(survey, wave, "unchanged", released, first, inputs, rows)
    return Examination(survey, wave, "waiting", released, first, inputs, rows, touched)


def remember_examined(store: Store, examination: Examination, run: Run, *, release_id: str | None = None) -> None:
    """Record that these inputs were looked at, so that a second look does nothing even where answers wait.

    Of a release that came of it, how its figures are made is recorded too.
    """
    if release_id is not None:
        method = _method(store, run, survey=examination.survey, wave=examination.wave)
        made = {"id": release_id, "method": method}
        store.run("insert or replace into core.methods values ($id, $method)", made)
    store.run(
        "insert or replace into core.examined values ($survey, $wave, $inputs, $release_id, $at)",
        {
            "release_id": release_id,
            "survey": examination.survey,
            "wave": examination.wave,
            "inputs": examination.inputs_hash,
            "at": run.now.replace(tzinfo=None),
        },
    )


def remember_inputs(store: Store, release_id: str, batches: Sequence[int], *, is_listed: bool) -> None:
    """Record what a release was made from: its batches, and the very responses where these are not all of theirs."""
    with store.transaction():
        for table in ("inputs", "counted"):
            store.run(f"delete from core.{table} where release_id = $id", {"id": release_id})
        for batch in batches:
            store.run("insert into core.inputs values ($id, $batch)", {"id": release_id, "batch": batch})
        if is_listed:
            store.run("insert into core.counted select $id, batch, record_number from counted", {"id": release_id})


def pattern_of(store: Store, release_id: str) -> pd.DataFrame:
    """The pattern of what a release shows."""
    return store.frame(
        "select department_id, status, region from core.patterns where release_id = $id", {"id": release_id}
    )


def view_released(
    store: Store, release_id: str, *, wave: str, name: Literal["released", "earlier", "first"] = "released"
) -> None:
    """A view of the responses that a release counted: listed where they were chosen, else its batches whole."""
    store.run(f"create or replace temporary view {name} as {released_sql(store, release_id, wave=wave)}")


def released_sql(store: Store, release_id: str, *, wave: str) -> str:
    """A select of the responses that a release counted."""
    listed = store.rows("select 1 from core.counted where release_id = $id limit 1", {"id": release_id})
    if listed:
        chosen = f"select batch, record_number from core.counted where release_id = {literal(release_id)}"
        return f"select responses.* from core.responses as responses join ({chosen}) using (batch, record_number)"
    rows = store.rows("select batch from core.inputs where release_id = $id", {"id": release_id})
    return current([batch for (batch,) in rows], duplicates="keep", wave=wave)


def wave_departments(run: Run, keys: Sequence[str], *, wave: str | None) -> pd.DataFrame:
    """The tree of a wave's departments with their names in the organisation's languages, as they are in that wave."""
    organisation, entries = run.settings.organisation, as_of(run.settings.departments, wave)
    return departments(keys, entries, organisation=organisation.name, languages=organisation.languages)


def register_departments(store: Store, tree: pd.DataFrame) -> None:
    """The tree as the tables that SQL reads."""
    nodes = tree[["department_id", "parent_id", "level", "department_key", "position", "name"]]
    for name in ("departments", "department_nodes"):
        store.register(name, nodes)


def _is_known(store: Store, ledger: Ledger, *, survey: str, wave: str, inputs: str) -> bool:
    """Whether these inputs were looked at to the end: nothing might enter, or what was sealed of them is out."""
    seen = store.rows(
        "select release_id from core.examined where survey = $survey and wave = $wave and inputs_hash = $inputs",
        {"survey": survey, "wave": wave, "inputs": inputs},
    )
    return bool(seen) and (seen[0][0] is None or ledger.state(seen[0][0]) in OUT)


def _standing(settings: Survey, batches: Sequence[int], wave: str) -> str:
    return current(batches, duplicates=settings.duplicates, wave=wave)


def _inputs_hash(store: Store, batches: Sequence[int], settings: Survey, *, material: bool, method: str) -> str:
    made = store.rows(
        "select file_id, mapping_hash from core.batches where batch in (select unnest($batches)) order by all",
        {"batches": list(batches)},
    )
    said = json.dumps([made, settings.duplicates, settings.min_respondents, material, method])
    return hashlib.sha256(said.encode()).hexdigest()


def _method(store: Store, run: Run, *, survey: str, wave: str) -> str:
    settings = run.survey(survey)
    chosen = settings.superpromoters
    return method_hash(
        told_min=chosen.told_min,
        definition=chosen.definition,
        interval=settings.interval,
        margin=chosen.margin,
        currency=chosen.currency,
        weighting=settings.weighting.model_dump() if settings.weighting else None,
        comments=settings.comments.model_dump() if settings.roles.comment else None,
        moves=[asdict(move) for move in moves_until(store, run, survey=survey, wave=wave)],
    )


def _is_computed_anew(store: Store, release_id: str, method: str) -> bool:
    """Whether a release's figures were made in another way than today's; false where that was not recorded."""
    made = store.rows("select method_hash from core.methods where release_id = $id", {"id": release_id})
    return made not in ([], [(method,)])


def _touched(
    store: Store,
    run: Run,
    settings: Survey,
    *,
    wave: str,
    batches: Sequence[int],
    out: Sequence[str],
    material: bool,
) -> pd.DataFrame:
    """Per region what came, went or changed since the newest release; leaves the view `counted` behind.

    `out` are the wave's releases, the first one first. What enters must be nobody or enough against each of them.
    """
    standing, margins = _standing(settings, batches, wave), margins_of(settings)
    _register_all_departments(store, run, standing, out, wave=wave)
    least, closed = settings.min_respondents, set[str]()
    while True:
        answers, kept = _since(store, out[-1], standing, wave=wave, margins=margins)
        chosen = entering(answers, kept, min_respondents=least, material=material, closed=closed)
        store.register("entering", chosen)
        store.run(f"create or replace temporary table counted_rows as {text('counted')}")
        found = set[str]()
        for release_id in [] if material else out[:-1]:
            since = _since(store, release_id, COUNTED, wave=wave, margins=margins)
            found |= near(*since, min_respondents=least)
        if found <= closed:
            break
        closed |= found
    store.run(f"create or replace temporary view current as {standing}")
    store.run(f"create or replace temporary view counted as {COUNTED}")
    return revised(answers, chosen)


def _left_waiting(
    store: Store, run: Run, settings: Survey, *, wave: str, batches: Sequence[int], out: Sequence[str]
) -> pd.DataFrame | None:
    """Per region what waits of inputs that were looked at to the end; None without a look where nothing can."""
    standing = _standing(settings, batches, wave)
    view_released(store, out[-1], wave=wave)
    if not any(
        store.rows(f"select 1 from {one} anti join {other} using (batch, record_number) limit 1")
        for one, other in (("current", "released"), ("released", "current"))
    ):
        return None
    _register_all_departments(store, run, standing, out, wave=wave)
    answers, _ = _since(store, out[-1], standing, wave=wave, margins=margins_of(settings))
    return revised(answers, pd.DataFrame({"touch": answers["touch"], "enters": False}))


def _register_all_departments(store: Store, run: Run, standing: str, out: Sequence[str], *, wave: str) -> None:
    """The tree of all that stands or was ever released of a wave, and the pattern of its first release over it."""
    keys = {key for (key,) in store.rows(f"select distinct department_key from ({standing})")}
    for release_id in out:
        view_released(store, release_id, wave=wave)
        keys |= {key for (key,) in store.rows("select distinct department_key from released")}
    tree = wave_departments(run, sorted(keys), wave=wave)
    register_departments(store, tree)
    store.register("pattern", freeze(pattern_of(store, out[0]), tree))


def margins_of(settings: Survey) -> list[str]:
    """The segments that answers are weighted by."""
    return [
        name for name in (settings.weighting.margins if settings.weighting else ()) if name in settings.roles.segments
    ]


def _since(
    store: Store, release_id: str, now: str, *, wave: str, margins: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The answers that a release and `now`, a select of responses, do not share, and whose others are, by region."""
    view_released(store, release_id, wave=wave)
    store.run(f"create or replace temporary view current as {now}")
    store.run(f"create or replace temporary table answers_touched as {answers_touched_sql(margins)}")
    return store.frame("from answers_touched"), store.frame(text("regions_kept"))
