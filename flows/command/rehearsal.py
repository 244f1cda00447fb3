"""`zwerm check`: fetch, conform and check, and nothing after; shows what a mapping makes of the data before anyone.

No count by score and no metric: what a release says is seen by everyone first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from checks.waves import SCALE
from flows.command.remedies import remedies
from flows.preparing import intake, wording
from flows.preparing.checking import SCALE_ADVICE
from flows.preparing.counting import wave_departments
from flows.preparing.standing import Gone, batches_known, gone_files
from flows.progress import counted
from flows.releasing.audience import Uncovered, uncovered
from flows.releasing.mistyped import Mistyped, unheard_of
from flows.run import Run
from flows.settings import FilesSource, Settings, Survey
from transforms.current import READ, dropped
from transforms.responses import describe
from transforms.waves import in_order
from warehouse.landing import LandedFile
from warehouse.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from checks.gate import CheckResult

INDENT = "  "


@dataclass(frozen=True)
class Rehearsal:
    """What the rehearsal of one survey found, as lines to read; whether a run would be stopped by a check, or held."""

    survey: str
    lines: tuple[str, ...]
    stops: bool
    is_held: bool
    facts: Mapping[str, Any]  # the same for a machine: counts of records, and never one by score


@dataclass(frozen=True)
class _Seen:
    """What one file has shown."""

    lines: Sequence[str]
    stops: bool
    departments: set[str]
    facts: Mapping[str, Any]


def rehearse(run: Run, survey: str) -> Rehearsal:
    """Go as far as the checks of rows, file by file; nothing of it is kept but the landed bytes."""
    with run.store() as store:
        landed = intake.fetch(store, run, survey)
        store.run(
            f"create or replace temporary table arrived as select batch, record_number, {READ} from core.responses"
            " limit 0"
        )
        lines: list[str] = [f"{next(iter(run.titles(survey).values()))} ({survey})"]
        keys: set[str] = set()
        files: list[_Seen] = []
        arrived: dict[str, int] = {}
        for number, (file, source) in enumerate(landed, start=1):
            if file.is_offered and file.file_id in arrived:
                lines += ["", f"{file.name}: its bytes are those of a file above; they count once"]
            elif file.is_offered:
                files.append(seen := _File(store, run, survey, file, source).look(-number))
                arrived[file.file_id] = -number
                lines += seen.lines
                keys |= seen.departments
        for gone in _gone(store, run.survey(survey), [file for file, _ in landed], arrived):
            lines += ["", gone.says]
            keys |= _departments(store, gone)
        doubles = int(store.rows(dropped("arrived", duplicates=run.survey(survey).duplicates))[0][0])
        lines += _duplicates(doubles, run.survey(survey))
        off, stopped = _scale(store, run, survey)
    tree = wave_departments(run, sorted(keys), wave=None)
    left_out = uncovered(run.settings, [tuple(path) for path in tree["path"]])
    told = (*lines, *off, *_tree(tree), *_audience(run.settings, left_out))
    stops = stopped or any(seen.stops for seen in files)
    facts = {
        "stops": stops,
        "records": sum(seen.facts["records"] for seen in files),
        "quarantined": sum(seen.facts["quarantined"] for seen in files),
        "duplicates_dropped": doubles,
        "files": [seen.facts for seen in files],
        "departments": [list(path) for path in tree["path"] if path],
        "left_out": [asdict(one) for one in left_out],
    }
    return Rehearsal(survey, told, stops, is_held=bool(left_out), facts=facts)


def strangers(run: Run, rehearsals: Sequence[Rehearsal]) -> list[Mistyped]:
    """The departments that the audience names and none of the surveys has; one survey may lack what another has."""
    known = (path for one in rehearsals for path in one.facts["departments"])
    return unheard_of(run.settings, run.home, known)


def _scale(store: Store, run: Run, survey: str) -> tuple[list[str], bool]:
    """The waves whose scores look like another scale's, and whether that stops a run."""
    settings = run.survey(survey)
    rule = next(rule for rule in intake.rules_of(settings)["waves"] if rule.name == SCALE)
    waves = store.rows(
        "select wave from (select wave, count(score) as responses, max(score) as largest_score from arrived"
        f" where wave is not null group by wave) where {rule.breaks(intake.rule_parameters(run, settings))}"
    )
    stops = bool(waves) and rule.severity == "critical"
    labels = ", ".join(_short(label) for label in in_order(label for (label,) in waves))
    ends = "; this stops the run" if stops else ""
    return (["", f"{SCALE}: not so in {labels}. {SCALE_ADVICE}{ends}"] if waves else []), stops


def _duplicates(count: int, settings: Survey) -> Iterator[str]:
    """How many of the answers that have arrived would not count, being there twice."""
    if count:
        yield ""
        yield f'{counted(count, "duplicate")} would be dropped: duplicates = "{settings.duplicates}"'


def _gone(store: Store, settings: Survey, landed: Sequence[LandedFile], arrived: Mapping[str, int]) -> Sequence[Gone]:
    """The files that are gone, measured against those that were just looked at."""
    known = batches_known(store, landed[0].survey, [file for file in landed if not file.is_offered])
    store.run(
        f"insert into arrived by name select batch, record_number, {READ} from core.responses"
        " where list_contains($batches::integer[], batch)",
        {"batches": list(known.values())},
    )
    return gone_files(store, settings, landed, {**known, **arrived})


def _departments(store: Store, gone: Gone) -> set[str]:
    """The departments that a file names whose answers keep counting."""
    if not gone.is_counted:
        return set()
    known = batches_known(store, gone.file.survey, [gone.file])
    rows = store.rows(
        "select distinct department_key from core.responses where list_contains($batches::integer[], batch)",
        {"batches": list(known.values())},
    )
    return {key for (key,) in rows}


@dataclass(frozen=True)
class _File:
    """One landed file under the rehearsal's eyes."""

    store: Store
    run: Run
    survey: str
    file: LandedFile
    source: FilesSource

    def look(self, number: int) -> _Seen:
        """Read it, and see what the checks say of it; its answers' keys are kept in `arrived`, under the number."""
        from checks.gate import gate

        settings = self.run.survey(self.survey)
        relation = intake.incoming(self.store, self.run, self.survey, self.file, self.source)
        rules, parameters = intake.rules_of(settings)["responses"], intake.rule_parameters(self.run, settings)
        verdict = gate(self.store.connection, table="incoming", rules=rules, parameters=parameters)
        records = self.store.rows("select count(*) from incoming")[0][0]
        rejected = self.store.rows("select count(*) from rejects")[0][0]
        lines = ["", f"{self.file.name}: {records + rejected:,} records, {len(relation.columns)} columns"]
        lines += [f"{INDENT}remark: {remark}" for remark in relation.remarks]
        described = describe(
            settings.roles,
            relation.columns,
            wave=settings.wave,
            timezone=self.run.settings.organisation.timezone,
            relation=relation.again,
        )
        seen = self.store.rows(described)
        lines += _roles(seen)
        lines += [f"{INDENT}{line}" for line in wording.personal(self.store, self.run, self.survey)]
        broken = [*self._broken(verdict.results, _unreadable(seen)), *self._rejected(rejected)]
        lines += _quarantine(broken)
        quarantined = self.store.rows("select count(*) from incoming where original is not null")[0][0] + rejected
        keys = {key for (key,) in self.store.rows("select distinct department_key from incoming")}
        self._leave(number)
        facts = {
            "name": self.file.name,
            "records": records + rejected,
            "quarantined": quarantined,
            "columns": len(relation.columns),
            "remarks": list(relation.remarks),
            "quarantine": broken,
        }
        return _Seen(lines, verdict.stops, keys, facts)

    def _leave(self, number: int) -> None:
        """Keep what was read of it, and make room for the next file."""
        self.store.run(
            f"insert into arrived by name select $number as batch, rowid + 1 as record_number, {READ} from incoming"
            " where original is null",
            {"number": number},
        )
        self.store.run("drop table incoming")

    def _broken(
        self, results: "Sequence[CheckResult]", unreadable: Mapping[str, Sequence[str]]
    ) -> Iterator[dict[str, Any]]:
        """What would go to quarantine: the rule, how many records, the first of them, and what would mend it."""
        roles = self.run.survey(self.survey).roles
        for result in (result for result in results if result.failed_count):
            first = self.store.rows(
                f"select rowid + 1 from incoming where {result.rule.breaks(self._parameters())} limit 3"
            )
            numbers = [number for (number,) in first]
            yield {
                "rule": result.rule.name,
                "count": result.failed_count,
                "first": numbers,
                "says": f"record {', '.join(map(str, numbers))}",
                "stops": result.outcome == "failed" and result.rule.severity == "critical",
                "remedies": list(remedies(self.survey, roles, result.rule.name, unreadable)),
            }

    def _rejected(self, count: int) -> Iterator[dict[str, Any]]:
        """The lines that a parser rejected."""
        if count:
            first = self.store.rows("select line_number, reason from rejects order by line_number limit 3")
            yield {
                "rule": "record_is_readable",
                "count": count,
                "first": [line for line, _ in first],
                "says": "; ".join(f"line {line}: {reason}" for line, reason in first),
                "stops": False,
                "remedies": [],
            }

    def _parameters(self) -> Mapping[str, Any]:
        return intake.rule_parameters(self.run, self.run.survey(self.survey))


def _quarantine(broken: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What would go to quarantine, by rule."""
    yield f"{INDENT}would go to quarantine:"
    for one in broken:
        stops = "; this stops the run" if one["stops"] else ""
        yield f"{INDENT * 2}{one['rule']}: {one['count']:,} ({one['says']}){stops}"
        yield from (f"{INDENT * 3}{line}" for line in one["remedies"])
    if not broken:
        yield f"{INDENT * 2}nothing"


def _roles(rows: list[tuple[str, str | None, str | None, str, int]]) -> Iterator[str]:
    """Per role the distinct raw values and what each becomes, and how many more there are."""
    for role, group in groupby(rows, key=itemgetter(0)):
        yield f"{INDENT}{role}"
        values = list(group)
        for _, value, becomes, status, _ in values:
            shown = "(blank)" if value is None else _short(value)
            meaning = _short(becomes) if status == "read" and becomes is not None else status
            yield f"{INDENT * 2}{shown}" if shown == meaning else f"{INDENT * 2}{shown} → {meaning}"
        if more := values[0][-1] - len(values):
            yield f"{INDENT * 2}… and {counted(more, 'more distinct value')}"


def _unreadable(rows: Sequence[tuple[Any, ...]]) -> Mapping[str, Sequence[str]]:
    """Per role the values that cannot be read."""
    found: dict[str, list[str]] = {}
    for name, value, _, status, *_ in rows:
        if status == "not readable" and value:
            found.setdefault(name, []).append(value)
    return found


def _short(text: str, most: int = 60) -> str:
    """A cell on one line, whatever it holds."""
    plain = "".join(letter if letter.isprintable() else "�" for letter in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _tree(tree: "pd.DataFrame") -> Iterator[str]:
    """The departments as the data name them."""
    yield ""
    yield f"departments: {len(tree) - 1}"
    for level, name in zip(tree["level"], tree["name"], strict=True):
        yield INDENT * (int(level) + 1) + _short(str(name))


def _audience(settings: Settings, left_out: Sequence[Uncovered]) -> Iterator[str]:
    """Whom the audience leaves out; a release is then held."""
    if left_out:
        yield "the audience leaves out:"
        yield from (f"{INDENT}{one}" for one in left_out)
        yield "a release would be held: add an [[audience]] for each, or one with department = [] for everybody"
    elif not settings.audience:
        yield "no [[audience]] is configured: a release goes to the published folder alone"
