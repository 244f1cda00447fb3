"""What comes in: files fetched and landed, each conformed and checked once under one mapping."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from checks.book import rules_by_table
from checks.rules import Rule, broken_sql, quarantine_sql
from flows.errors import FlowError, StoppedByCheckError
from flows.preparing.expressions import see_that_they_can_be_read
from flows.preparing.standing import Gone, batches_known, duplicates_dropped, gone_files, remember, told
from flows.progress import tell
from flows.roles import Role, Roles
from flows.run import Run
from flows.settings import FilesSource, Survey
from flows.sources import fetched as offered
from transforms.responses import columns_needed, mapping_hash
from transforms.responses import conform as conforming
from warehouse.landing import LandedFile, TextRelation, land, landed_files, open_relation, parsed, rejected
from warehouse.store import Store


@dataclass(frozen=True)
class Batch:
    """One file version under one mapping: in = accepted + quarantined, duplicates being settled over all batches."""

    batch: int
    name: str
    in_count: int
    accepted_count: int
    quarantined_count: int
    remarks: tuple[str, ...] = ()
    is_new: bool = False


@dataclass(frozen=True)
class Intake:
    """The batches that stand for a survey now, in the order in which their files came."""

    survey: str
    batches: tuple[Batch, ...]
    gone: tuple[Gone, ...] = ()
    dropped: int = 0  # accepted, and there twice

    @property
    def numbers(self) -> tuple[int, ...]:
        """The batches' numbers."""
        return tuple(batch.batch for batch in self.batches)

    @property
    def quarantined(self) -> int:
        """How many records lie in quarantine."""
        return sum(batch.quarantined_count for batch in self.batches)

    @property
    def records(self) -> int:
        """How many records came in."""
        return sum(batch.in_count for batch in self.batches)


def fetch(store: Store, run: Run, survey: str) -> list[tuple[LandedFile, FilesSource]]:
    """Land what the sources hold now; beside it, what they no longer hold but was read once: its bytes are kept."""
    sources = {source.path: source for source in run.survey(survey).sources}
    found: set[tuple[str, str]] = set()
    for source in sources.values():
        for offer in offered(source, base=run.settings.file.parent):
            with offer.stream as stream:
                land(
                    store,
                    run.home.landing,
                    survey=survey,
                    source=offer.source,
                    name=offer.name,
                    stream=stream,
                    run_id=run.run_id,
                    now=run.now,
                )
            found.add((offer.source, offer.name))
    landed = landed_files(store, run.home.landing, survey=survey, sources=sources, offered=found)
    return [(file, sources[file.source]) for file in landed]


def conform(store: Store, run: Run, survey: str, landed: Sequence[tuple[LandedFile, FilesSource]]) -> Intake:
    """Conform and check each file that was not yet, under this mapping and these rules; a critical check stops."""
    settings = run.survey(survey)
    rules = rules_of(settings)["responses"]
    made_by = _made_by(settings, rules, run.settings.organisation.timezone)
    batches: dict[str, Batch] = {}

    def one(file: LandedFile, source: FilesSource) -> Batch:
        known = _known(store, file, made_by)
        return known or _conformed(store, run, file, source, rules=rules, made_by=made_by)

    for file, source in landed:
        if file.is_offered and file.file_id not in batches:
            batches[file.file_id] = one(file, source)
    gone = _gone(store, settings, [file for file, _ in landed])
    replaced = {left.file.file_id for left in gone if not left.is_counted}
    for file, source in landed:  # one that no longer counts need not fit the mapping of today
        if file.file_id not in batches and file.file_id not in replaced:
            batches[file.file_id] = one(file, source)
    remember(store, survey, [file for file, _ in landed], gone)
    order = dict.fromkeys(file.file_id for file, _ in landed if file.file_id in batches)
    stand = tuple(batches[file_id] for file_id in order)
    return Intake(survey, stand, gone, duplicates_dropped(store, settings, [batch.batch for batch in stand]))


def _gone(store: Store, settings: Survey, landed: Sequence[LandedFile]) -> tuple[Gone, ...]:
    """What the sources no longer offer, told to the operator."""
    if all(file.is_offered for file in landed):
        return ()
    store.run(
        "create or replace temporary view arrived as select batch, record_number, response_key from core.responses"
    )
    gone = gone_files(store, settings, landed, batches_known(store, landed[0].survey, landed))
    for line in told(gone):
        tell(line)
    return gone


def rules_of(settings: Survey) -> dict[str, tuple[Rule, ...]]:
    """The rules of each table with the survey's severities and bounds, which fit: they were read with the file."""
    return rules_by_table({name: one.model_dump() for name, one in settings.checks.items()})


def rule_parameters(run: Run, settings: Survey) -> Mapping[str, Any]:
    """What the rules compare with: the scale and whether it is declared, and the latest time an answer can have."""
    score = settings.roles.score
    low, high = score.scale or (0, 10)
    return {
        "score_low": low,
        "score_high": high,
        "scale_is_declared": score.scale is not None or score.values is not None,
        "latest_response_at": run.now.replace(tzinfo=None) + timedelta(days=1),
    }


def incoming(store: Store, run: Run, survey: str, file: LandedFile, source: FilesSource) -> TextRelation:
    """Parse a landed file, in its order, into the temporary table `incoming`; returns the relation for its rejects."""
    settings = run.survey(survey)
    relation = open_relation(
        store,
        file,
        expected=columns_needed(settings.read_roles, settings.wave),
        delimiter=source.delimiter,
        encoding=source.encoding,
        sheet=source.sheet,
    )
    see_that_they_can_be_read(store, run.settings, survey, relation.columns)
    select = conforming(
        settings.read_roles,
        relation.columns,
        survey=survey,
        wave=settings.wave,
        timezone=run.settings.organisation.timezone,
        key=run.home.secret(),
        relation=relation.sql,
        duplicates=settings.duplicates,
        is_broken=broken_sql(rules_of(settings)["responses"], rule_parameters(run, settings)),
    )
    store.run(f"create or replace temporary table incoming as {select.sql}", select.parameters)
    rejected(store, relation, records=store.rows("select count(*) from incoming")[0][0])
    return relation


def _conformed(
    store: Store, run: Run, file: LandedFile, source: FilesSource, *, rules: Sequence[Rule], made_by: str
) -> Batch:
    from checks.gate import gate  # Great Expectations takes seconds to import, and only a new file needs it

    settings = run.survey(file.survey)
    relation = incoming(store, run, file.survey, file, source)
    parameters = rule_parameters(run, settings)
    verdict = gate(
        store.connection, table="incoming", rules=rules, parameters=parameters, report=run.home.check_reports
    )
    broken = quarantine_sql(rules, parameters, table="incoming", broken="original is not null")
    store.run(f"create or replace temporary table broken as {broken}")
    _see_that_all_are_kept(store, verdict.results)
    if verdict.stops:
        public = f"{file.name} is stopped by {', '.join(verdict.stopped_by)}; nothing was sealed. See `zwerm check`."
        raise StoppedByCheckError(_stopped(store, file, run.survey(file.survey).roles, verdict.results), public=public)
    return _kept(store, run, file, relation, made_by)


def _see_that_all_are_kept(store: Store, results: Sequence[Any]) -> None:
    """What the rules find in the table is what was kept of it on its way in, rule by rule."""
    kept = dict(store.rows("select rule, count(*) from (select unnest(rules) as rule from broken) group by rule"))
    for result in results:
        if kept.get(result.rule.name, 0) != result.failed_count:
            raise FlowError(f"{result.rule.name}: the rows kept and the rows counted differ; please report this")


def _kept(store: Store, run: Run, file: LandedFile, relation: TextRelation, made_by: str) -> Batch:
    """Move what passed into core.responses and the rest into quarantine, in one transaction."""
    accepted, broken, rejected = store.rows(
        "select (select count(*) from incoming) - (select count(*) from broken),"
        " (select count(*) from broken), (select count(*) from rejects)"
    )[0]
    batch = int(store.rows("select coalesce(max(batch), 0) + 1 from core.batches")[0][0])
    records = accepted + broken + rejected
    at = run.now.replace(tzinfo=None)
    with store.transaction():
        store.run(
            "insert into core.batches values"
            " ($batch, $survey, $file_id, $made_by, $at, $records, $accepted, $quarantined)",
            {
                "batch": batch,
                "survey": file.survey,
                "file_id": file.file_id,
                "made_by": made_by,
                "at": at,
                "records": records,
                "accepted": accepted,
                "quarantined": broken + rejected,
            },
        )
        _insert_accepted(store, batch)
        _insert_quarantined(store, file.survey, batch, at)
        store.run("drop table incoming")
        parsed(store, file, records=records)  # refuses a file without any, and then nothing of it is kept
    return Batch(batch, file.name, records, accepted, broken + rejected, relation.remarks, is_new=True)


def _insert_accepted(store: Store, batch: int) -> None:
    flags = "name like '%_is_readable' or name like '%_are_readable' or name like '%_are_text' or name = 'original'"
    store.run(
        "insert into core.responses by name"
        f" select $batch as batch, rowid + 1 as record_number, columns(lambda name: not ({flags})) from incoming"
        " where rowid + 1 not in (select record_number from broken)",
        {"batch": batch},
    )


def _insert_quarantined(store: Store, survey: str, batch: int, at: Any) -> None:
    common = {"survey": survey, "batch": batch, "at": at}
    store.run(
        "insert into core.quarantine by name select $survey as survey, $batch as batch, record_number, wave, rules,"
        " original, $at as quarantined_at from broken join (select rowid + 1 as record_number, wave, original"
        " from incoming where original is not null) using (record_number)",
        common,
    )
    store.run(
        "insert into core.quarantine by name select $survey as survey, $batch as batch, line_number,"
        " ['record_is_readable'] as rules, reason, original, $at as quarantined_at from rejects",
        common,
    )


def _stopped(store: Store, file: LandedFile, roles: Roles, results: Sequence[Any]) -> str:
    """Which critical rules failed, on how many rows of which file, and the first records, for whoever mends them."""
    lines = []
    for result in results:
        if result.outcome == "failed" and result.rule.severity == "critical":
            first = store.rows(
                "select record_number from broken where list_contains(rules, $rule) order by record_number limit 5",
                {"rule": result.rule.name},
            )
            numbers = ", ".join(str(number) for (number,) in first)
            lines.append(
                f"{file.name}: {result.rule.name} failed on {result.failed_count} of {result.base_count} records "
                f"(first: {numbers}){_column(roles, result.rule.name)}; at most {result.rule.most or 0:.0%} may."
            )
    return (
        "\n".join(lines) + "\nNothing was sealed. See `zwerm check` for what the mapping makes of the values; mend the"
        f" roles in zwerm.toml or the export, or allow more with [surveys.{file.survey}.checks]."
    )


def _column(roles: Roles, rule: str) -> str:
    """Where a rule's role comes from, as far as it is a column."""
    names = (name for name in type(roles).model_fields if rule.startswith(f"{name}_"))
    role = getattr(roles, max(names, key=len, default=""), None)
    return f", from column {role.column!r}" if isinstance(role, Role) and role.column else ""


def _known(store: Store, file: LandedFile, made_by: str) -> Batch | None:
    rows = store.rows(
        "select batch, in_count, accepted_count, quarantined_count from core.batches"
        " where survey = $survey and file_id = $file_id and mapping_hash = $made_by",
        {"survey": file.survey, "file_id": file.file_id, "made_by": made_by},
    )
    return Batch(rows[0][0], file.name, *rows[0][1:]) if rows else None


def _made_by(settings: Survey, rules: Sequence[Rule], timezone: str) -> str:
    """What the rows of a batch depend on, beside the file: the mapping, the row rules and their bounds."""
    mapping = mapping_hash(settings.read_roles, wave=settings.wave, timezone=timezone, duplicates=settings.duplicates)
    said = [[rule.name, repr(rule.condition), rule.severity, rule.most] for rule in rules]
    return hashlib.sha256(json.dumps([mapping, said]).encode()).hexdigest()
