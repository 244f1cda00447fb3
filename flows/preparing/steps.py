"""What a run does to prepare one wave, in order, below any orchestrator: from the sources to a sealed release."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

import pandas as pd

from flows.errors import ConfigurationError, HeldError
from flows.preparing import checking, comparing, counting, crossing, figures, intake, listening, valuing, wording
from flows.preparing.comparing import Compared
from flows.preparing.edition import draft, earlier_releases, edition, previous_release
from flows.preparing.examination import Examination
from flows.preparing.seal import Draft, Sealed, seal
from flows.progress import counted, step
from flows.releasing.holding import withhold
from flows.releasing.mistyped import remark_on_strangers
from flows.releasing.moment import record
from flows.run import Run
from warehouse.ledger import Ledger
from warehouse.store import Store

P = ParamSpec("P")
R = TypeVar("R")


class AsStep(Protocol):
    """How a step is run: plainly, or as a task of an orchestrator."""

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """Give the function as it is to be called."""
        ...


@dataclass(frozen=True)
class Computed:
    """What is known of a wave before it is checked and sealed."""

    tree: pd.DataFrame
    pattern: pd.DataFrame  # what of the tree is shown
    compared: Compared
    tables: Mapping[str, pd.DataFrame]  # what stands beside the figures


@dataclass(frozen=True)
class Prepared:
    """What came of preparing a wave: a sealed release, or nothing and why."""

    examination: Examination
    sealed: Sealed | None


def plainly(function: Callable[P, R], /) -> Callable[P, R]:
    """The function itself."""
    return function


def fetch(store: Store, run: Run, survey: str) -> intake.Intake:
    """Land what the sources hold, conform and check what is new of it; what fails a row check goes to quarantine."""
    with step("Fetch and land") as notes:
        landed = intake.fetch(store, run, survey)
        notes.append(counted(len(landed), "file"))
    with step("Conform and check") as notes:
        found = intake.conform(store, run, survey, landed)
        notes.append(f"{found.records:,} records in, {found.quarantined:,} in quarantine")
        if found.dropped:
            notes.append(f"{counted(found.dropped, 'duplicate')} dropped")
    return found


def examine(store: Store, run: Run, found: intake.Intake, wave: str | None, *, material: bool = False) -> Examination:
    """Choose the wave, and see whether it is new, unchanged or changed since its release."""
    survey = run.survey(found.survey)
    with step("Compare with what was released") as notes, Ledger.open(run.home.ledger) as ledger:
        waves = counting.waves(store, survey, found.numbers)
        if wave is not None and wave not in waves:
            known = ", ".join(waves) or "none"
            raise ConfigurationError(f"{found.survey} has no wave '{wave}'; its data have: {known}")
        chosen = wave or counting.newest_closed(run, waves, found.survey)
        examination = counting.examine(
            store, ledger, run, survey=found.survey, wave=chosen, batches=found.numbers, material=material
        )
        notes.append(f"wave {chosen}: {examination.verdict}")
    return examination


def clean(store: Store, run: Run, examination: Examination) -> None:
    """Remove personal data from what respondents wrote, where comments are mapped: before anything else reads them."""
    if wording.is_read(run, examination.survey):
        with step("Remove personal data from comments") as notes:
            notes.append(f"{wording.clean(store, run, examination.survey):,} anew")


def weigh(store: Store, run: Run, examination: Examination) -> None:
    """Weight the answers to what is known of the population, where that is configured."""
    if run.survey(examination.survey).weighting is not None:
        with step("Weigh"):
            valuing.weigh(store, run, examination)


def tally(store: Store, run: Run, examination: Examination) -> pd.DataFrame:
    """Count: one heavy pass over the responses, for every department."""
    with step("Tally"):
        return figures.tally(store, run, examination)


def protect(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> pd.DataFrame:
    """Decide what is shown: nothing that tells a person, by itself or by subtraction."""
    with step("Protect small groups"):
        try:
            return figures.hide(store, run, examination, tree)
        except HeldError:
            withhold(run.home, run.settings, examination.survey, examination.wave, reason=figures.TO_PROTECT)
            raise


def compute(store: Store, run: Run, examination: Examination) -> pd.DataFrame:
    """Compute the figures of what is shown."""
    with step("Compute metrics"):
        return valuing.blunted(store, run, examination, figures.compute(store, run, examination))


def value(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> pd.DataFrame:
    """See what goes with the score: a pass of its own over the ratings, where drivers are mapped."""
    with step("Value what drives the score"):
        return valuing.value(store, run, examination, tree)


def listen(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Find the words that set promoters' comments apart, and quotes, where comments are mapped."""
    with step("Listen to what respondents say"):
        return listening.listen(store, run, examination, tree)


def cross(
    store: Store,
    run: Run,
    examination: Examination,
    tree: pd.DataFrame,
    pattern: pd.DataFrame,
    earlier: Sequence[Sealed],
) -> Mapping[str, pd.DataFrame]:
    """Compute the figures by segment and over rolling windows, where any are mapped, and audit all that overlaps."""
    with step("Cross segments and windows"):
        try:
            return crossing.cross(store, run, examination, tree=tree, pattern=pattern, earlier=earlier)
        except HeldError:
            withhold(run.home, run.settings, examination.survey, examination.wave, reason=figures.TO_PROTECT)
            raise


def compare(
    store: Store,
    run: Run,
    examination: Examination,
    metrics: pd.DataFrame,
    tree: pd.DataFrame,
    previous: Sealed | None,
    earlier: Sequence[Sealed],
) -> Compared:
    """Hold the figures against earlier waves, and departments against each other."""
    with step("Compare waves and departments"):
        return comparing.compare(store, run, examination, metrics, tree=tree, previous=previous, earlier=earlier)


def check(
    store: Store,
    run: Run,
    found: intake.Intake,
    examination: Examination,
    metrics: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Check the batch, the tallies and the figures; a critical check stops the run before anything is sealed."""
    with step("Check before sealing") as notes:
        quality = checking.check(store, run, found, examination, metrics, tables)
        failed = int((quality["outcome"] == "failed").sum())
        notes.append(f"{failed} warnings" if failed else "all well")
        return quality


def write(run: Run, drafted: Draft, tree: pd.DataFrame, history: Sequence[pd.DataFrame]) -> Mapping[str, bytes]:
    """Write the pages."""
    from transforms.report.pages import pages  # the chart library takes seconds to import

    with step("Write the pages") as notes:
        written = {**pages(edition(run, drafted, tree, history)), **crossing.downloads(drafted.tables, tree)}
        notes.append(counted(len(written), "file"))
        return written


def close(
    store: Store, run: Run, found: intake.Intake, drafted: Draft, pages: Mapping[str, bytes], pattern: pd.DataFrame
) -> Sealed:
    """Seal the release, and remember what it was made from and what it shows."""
    with step("Seal") as notes:
        with Ledger.open(run.home.ledger) as ledger:
            head = ledger.head()
        sealed = seal(run.home, drafted, pages, ledger_head=head)
        figures.remember_pattern(store, sealed.release_id, pattern)
        is_listed = drafted.revision > 1 or run.survey(drafted.survey).duplicates != "keep"
        counting.remember_inputs(store, sealed.release_id, found.numbers, is_listed=is_listed)
        record(run.home, sealed.release_id)
        if drafted.is_material:
            with Ledger.open(run.home.ledger) as ledger, ledger.transaction():
                ledger.add("material", release_ids=[sealed.release_id], reason=drafted.reason)
        notes.append(f"{sealed.departments - sealed.suppressed} departments shown, {sealed.suppressed} hidden")
    return sealed


def prepare(
    run: Run,
    survey: str,
    wave: str | None = None,
    *,
    may_revise: bool = False,
    reason: str | None = None,
    material: bool = False,
    with_pages: bool = True,
    as_step: AsStep = plainly,
) -> Prepared:
    """Fetch a wave, check it, compute it, protect and seal it; nothing is sealed where nothing may or need be."""
    with run.store() as store:
        found = as_step(fetch)(store, run, survey)
        examination = as_step(examine)(store, run, found, wave, material=material)
        if examination.verdict == "changed" and not may_revise:
            return Prepared(examination, None)
        return prepare_wave(
            store,
            run,
            found,
            examination,
            reason=reason,
            with_pages=with_pages,
            as_step=as_step,
        )


def prepare_wave(
    store: Store,
    run: Run,
    found: intake.Intake,
    examination: Examination,
    *,
    reason: str | None = None,
    also: Sequence[Sealed] = (),
    with_pages: bool = True,
    as_step: AsStep = plainly,
) -> Prepared:
    """From the examined wave to its sealed release; `also` are releases that will open at the same moment."""
    if examination.verdict in ("unchanged", "waiting"):
        counting.remember_examined(store, examination, run)
        return Prepared(examination, None)
    with Ledger.open(run.home.ledger) as ledger:
        earlier = earlier_releases(ledger, run.home, survey=found.survey, wave=examination.wave, also=also)
    previous = previous_release(run, examination, earlier)
    made = compute_wave(store, run, examination, previous=previous, earlier=earlier, as_step=as_step)
    if not also:  # said once of several waves
        remark_on_strangers(run.settings, run.home, made.tree["path"])
    quality = as_step(check)(store, run, found, examination, made.compared.metrics, made.tables)
    drafted = draft(
        run,
        examination,
        tree=made.tree,
        metrics=made.compared.metrics,
        beside=made.tables,
        moves=comparing.written(made.compared.moves),
        quality=quality,
        previous=previous,
        earlier=earlier,
        reason=reason,
    )
    pages = as_step(write)(run, drafted, made.tree, made.compared.history) if with_pages else {}
    sealed = as_step(close)(store, run, found, drafted, pages, made.pattern)
    counting.remember_examined(store, examination, run, release_id=sealed.release_id)
    return Prepared(examination, sealed)


def compute_wave(
    store: Store,
    run: Run,
    examination: Examination,
    *,
    previous: Sealed | None,
    earlier: Sequence[Sealed],
    as_step: AsStep = plainly,
) -> Computed:
    """From the examined wave to its figures: what is counted, what of it is shown, and all that is made of that."""
    as_step(clean)(store, run, examination)
    as_step(weigh)(store, run, examination)
    tree = as_step(tally)(store, run, examination)
    pattern = as_step(protect)(store, run, examination, tree)
    metrics = as_step(compute)(store, run, examination)
    compared = as_step(compare)(store, run, examination, metrics, tree, previous, earlier)
    tables = {**compared.tables, "drivers": as_step(value)(store, run, examination, tree)}
    tables |= as_step(listen)(store, run, examination, tree)
    tables |= as_step(cross)(store, run, examination, tree, pattern, earlier)
    return Computed(tree, pattern, compared, tables)
