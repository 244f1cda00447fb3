"""What a survey's columns mean: from the mapping in `zwerm.toml` to one select that types a file's text columns."""

import hashlib
import json
import re
from base64 import b85encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from transforms import TransformError
from transforms.sql import literal, quote, text

VERSION = 1  # raised when the same mapping would make other rows
_UNREADABLE = "\x1a"  # stands for a value that a mapping does not know: no number, date or department's name
_NUMBERS = ("score", "weight", "told_count", "acted_count", "copied", "warned_count", "warned_acted_count")
_BANDS = ("told_count", "warned_count")
_COUNTS = ("told_count", "told_count_most", "acted_count", "warned_count", "warned_count_most", "warned_acted_count")
_IDS = ("response_id", "respondent_id")


class Role(Protocol):
    """Where one question's answers come from, and what they mean."""

    @property
    def column(self) -> str | None: ...  # noqa: D102
    @property
    def sql(self) -> str | None: ...  # noqa: D102
    @property
    def missing(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def values(self) -> Mapping[str, float | tuple[int, int] | str] | None: ...  # noqa: D102
    @property
    def scale(self) -> tuple[int, int] | None: ...  # noqa: D102
    @property
    def format(self) -> str | None: ...  # noqa: D102


class Roles(Protocol):
    """Which question plays which part; None is not asked."""

    @property
    def score(self) -> Role: ...  # noqa: D102
    @property
    def response_id(self) -> Role | None: ...  # noqa: D102
    @property
    def respondent_id(self) -> Role | None: ...  # noqa: D102
    @property
    def responded_at(self) -> Role | None: ...  # noqa: D102
    @property
    def department(self) -> tuple[Role, ...]: ...  # noqa: D102
    @property
    def weight(self) -> Role | None: ...  # noqa: D102
    @property
    def told_count(self) -> Role | None: ...  # noqa: D102
    @property
    def acted_count(self) -> Role | None: ...  # noqa: D102
    @property
    def copied(self) -> Role | None: ...  # noqa: D102
    @property
    def warned_count(self) -> Role | None: ...  # noqa: D102
    @property
    def warned_acted_count(self) -> Role | None: ...  # noqa: D102


class WaveColumn(Protocol):
    """The wave is a label that the data carry."""

    @property
    def column(self) -> str: ...  # noqa: D102


class WaveValue(Protocol):
    """All answers are of one wave."""

    @property
    def value(self) -> str: ...  # noqa: D102


Wave = str | WaveColumn | WaveValue  # 'month', 'quarter', 'year'


@dataclass(frozen=True)
class Conformed:
    """One select, and its parameters: they hold the home's secret and are never printed."""

    sql: str
    parameters: Mapping[str, str] = field(repr=False)


def conform(
    roles: Roles,
    columns: Collection[str],
    *,
    survey: str,
    wave: Wave,
    timezone: str,
    key: bytes,
    relation: str,
    duplicates: str = "keep",
    is_broken: str = "false",
) -> Conformed:
    """The select that makes core.incoming from the text relation `relation` with these columns, in the file's order.

    `is_broken` is a predicate over its columns; a row of which it holds keeps all its cells, as JSON, in `original`.
    """
    sql = _select(
        roles,
        columns,
        survey=survey,
        wave=wave,
        timezone=timezone,
        relation=relation,
        duplicates=duplicates,
        is_broken=is_broken,
    )
    return Conformed(sql, _key_parameters(roles, key))


def columns_needed(roles: Roles, wave: Wave) -> tuple[str, ...]:
    """The columns that a mapping names, in its order: a file without them is not this survey's."""
    named = [role.column for _, role in _mapped(roles) if role.column is not None]
    label = getattr(wave, "column", None)
    return tuple(dict.fromkeys([*named, *([label] if label else [])]))


def mapping_hash(roles: Roles, *, wave: Wave, timezone: str, duplicates: str = "keep") -> str:
    """SHA-256 over all that shapes conformed rows: the same file under the same hash makes the same rows."""
    said = {
        "version": VERSION,
        "select": hashlib.sha256(text("responses").encode()).hexdigest(),
        "roles": [[name, _said(role)] for name, role in _mapped(roles)],
        "wave": wave if isinstance(wave, str) else {n: getattr(wave, n, None) for n in ("column", "value")},
        "timezone": timezone,
        "duplicates": duplicates,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _said(role: Role) -> dict[str, object]:
    values = None if role.values is None else [[key, value] for key, value in role.values.items()]
    said = {"column": role.column, "sql": role.sql, "missing": role.missing, "values": values, "format": role.format}
    return {**said, "scale": role.scale}


def describe(
    roles: Roles, columns: Collection[str], *, wave: Wave, timezone: str, relation: str, most: int = 20
) -> str:
    """The select of (role, value, becomes, status) for the rehearsal: distinct raw values, and what each becomes.

    No counts, and no order by frequency: what a release says is seen by everyone first. At most `most` values per role,
    those that cannot be read first; status is 'read', 'missing' or 'not readable'. Ids are not shown.
    """
    sql = _select(
        roles, columns, survey="", wave=wave, timezone=timezone, relation=relation, duplicates="keep", shows_texts=True
    )
    parts = [
        f"select {literal(_called(name, roles))} as role, shown_{name} as value, max({becomes}) as becomes,"
        f" bool_and({is_readable}) as is_readable"
        for name, becomes, is_readable in _becomes(roles, timezone)
    ]
    parts.append("select 'wave', wave, max(wave), wave is not null")
    union = " union all ".join(f"({part} from conformed group by all)" for part in parts)
    return (
        f"with conformed as materialized ({sql}), described as ({union})"
        " select role, value, becomes, case when not is_readable then 'not readable'"
        " when becomes is null then 'missing' else 'read' end as status from described"
        " qualify row_number() over (partition by role order by is_readable, try_cast(value as double), value)"
        f" <= {most} order by role, is_readable, try_cast(value as double), value"
    )


def _becomes(roles: Roles, timezone: str) -> Iterator[tuple[str, str, str]]:
    """Per role that is shown: its name, what a value becomes, and whether it was readable."""
    for name, _ in _mapped(roles):
        if name in _BANDS:
            band = f"meant_{name} || '–' || meant_{name}_most"
            becomes = f"case when meant_{name} < meant_{name}_most then {band} else meant_{name}::varchar end"
            yield name, becomes, f"{name}_is_readable"
        elif name == "copied":
            yield name, "is_copied::varchar", "copied_is_readable"
        elif name.startswith("level_"):
            yield name, name, _are_text([name])
        elif name == "responded_at":
            zone = literal(timezone)  # the organisation's, in which the wave is told too
            local = f"timezone({zone}, timezone('UTC', responded_at))::varchar"
            yield name, f"{local} || ' ' || {zone}", "responded_at_is_readable"
        elif name == "weight":
            yield name, "rtrim(rtrim(weight::varchar, '0'), '.')", "weight_is_readable"
        elif name not in _IDS:
            meant = f"meant_{name}" if name in _COUNTS else name
            yield name, f"{meant}::varchar", f"{name}_is_readable"


def _called(name: str, roles: Roles) -> str:
    """A role as a person calls it: levels are departments, numbered from the top where there are several."""
    return name.replace("level_", "department ") if len(roles.department) > 1 else name.replace("level_1", "department")


def _mapped(roles: Roles) -> Iterator[tuple[str, Role]]:
    """Each mapped role by name; a department's levels are `level_1`, `level_2`, …, top first."""
    for name in (*_IDS, "responded_at", *_NUMBERS):
        role: Role | None = getattr(roles, name)
        if role is not None:
            yield name, role
    for number, level in enumerate(roles.department, start=1):
        yield f"level_{number}", level


def _key_parameters(roles: Roles, key: bytes) -> dict[str, str]:
    """Half of the key before the respondent's id and half after it: without it, a short id's hash could be guessed."""
    if roles.respondent_id is None:
        return {}
    text, half = b85encode(key).decode("ascii"), len(key) * 5 // 8  # short, so that most ids fit MD5's first block
    return {"key_head": text[:half], "key_tail": text[half:]}


def _select(
    roles: Roles,
    columns: Collection[str],
    *,
    survey: str,
    wave: Wave,
    timezone: str,
    relation: str,
    duplicates: str,
    is_broken: str = "false",
    shows_texts: bool = False,
) -> str:
    mapped = {name: role for name, role in _mapped(roles) if not (shows_texts and name in _IDS)}
    record = quote(_unlike(columns))
    texts = {"record": record} | {name: _text(name, role, columns) for name, role in mapped.items()}
    texts["response_key"] = _response_key(texts.pop("response_id", None), columns, duplicates)
    label = getattr(wave, "column", None)
    if label is not None:
        texts["wave_label"] = _trim(quote(_found(label, "wave", columns)))
    answers = {name: name for name in ("record", "response_key", "wave_label") if name in texts} | _answers(mapped)
    shown = {f"shown_{name}": name for name in mapped} if shows_texts else {}
    meant = [f"judged.{name} as meant_{name}" for name in _COUNTS]  # before contradictions made them void
    seen = [*shown, *meant, *(name for name in mapped if name.startswith("level_"))] if shows_texts else []
    parts = {
        "texts": _listed(texts),
        "blanks": _listed({name: _blank(name) for name in texts}),
        "answers": _listed(answers | shown),
        "relation": relation,
        "record": record,
        "is_broken": is_broken,
        **{f"{name.removesuffix('_count')}_most": _most(name, mapped.get(name)) for name in _BANDS},
        "survey": literal(survey),
        "wave": _wave(wave),
        "also": "".join(f", {name}" for name in seen),
        **_times(mapped.get("responded_at"), timezone),
        **_department(len(roles.department)),
    }
    return re.sub(r"\{(\w+)\}", lambda place: parts[place.group(1)], _without_comments(text("responses")))


def _without_comments(sql: str) -> str:
    return re.sub(r"^\s*--.*\n", "", sql, flags=re.MULTILINE)


def _listed(expressions: Mapping[str, str]) -> str:
    return ",\n        ".join(f"{expression} as {name}" for name, expression in expressions.items())


def _trim(expression: str) -> str:
    return f"trim({expression})"


def _blank(name: str) -> str:
    return name if name in ("record", "response_key") else f"nullif({name}, '')"


def _found(column: str, role: str, columns: Collection[str]) -> str:
    """The file's own spelling of a column; names are compared without regard to case, as SQL does."""
    for candidate in columns:
        if candidate.casefold() == column.casefold():
            return candidate
    raise TransformError(f"column '{column}' of role '{role}' is not in the file; mend the role in zwerm.toml")


def _unlike(columns: Collection[str]) -> str:
    """A name for the whole row that no column has: it would stand for that column."""
    taken, name = {column.casefold() for column in columns}, "record"
    while name in taken:
        name += "_"
    return name


def _text(name: str, role: Role, columns: Collection[str]) -> str:
    """A role's trimmed text, NULL where blank; an expression that fails on a row makes that answer unreadable."""
    if role.column is not None:
        return _trim(quote(_found(role.column, name, columns)))
    failed = "" if name in _IDS else _UNREADABLE
    return _trim(f"coalesce(try(coalesce(({role.sql}\n)::varchar, '')), {literal(failed)})")


def _response_key(response_id: str | None, columns: Collection[str], duplicates: str) -> str:
    """The response's id; the hash of the whole row without one, and where exact rows are what makes a duplicate."""
    cells = ", ".join(f"coalesce({quote(column)}, chr(30))" for column in columns)
    row = f"md5(concat_ws(chr(31), {cells}))"
    return row if response_id is None or duplicates == "drop" else f"coalesce(nullif({response_id}, ''), {row})"


def _answers(mapped: Mapping[str, Role]) -> dict[str, str]:
    """Per role the text that is to be typed: missing codes are NULL, mapped values stand for what they mean."""
    answers = {}
    for name in _NUMBERS:
        role = mapped.get(name)
        answers[name] = _answer(name, role, edge=0)
        if name in _BANDS:
            answers[f"{name}_most"] = _answer(name, role, edge=1) if _has_bands(role) else _answer(name, None, edge=1)
    responded, respondent = mapped.get("responded_at"), mapped.get("respondent_id")
    answers["responded"] = "null::varchar" if responded is None else _present("responded_at", responded)
    answers["respondent_key"] = "null::uhugeint"
    if respondent is not None:
        # MD5 is enough under a secret key: without the key nobody can try ids, nor prepare a collision.
        answers["respondent_key"] = f"md5_number($key_head || {_present('respondent_id', respondent)} || $key_tail)"
    for name, role in mapped.items():
        if name.startswith("level_"):
            answers[name] = f"nfc_normalize({_labelled(name, role)})"
    return answers


def _answer(name: str, role: Role | None, *, edge: int) -> str:
    if role is None:
        return "null::varchar"
    present = _present(name, role)
    if role.values is None:
        return present
    cases = " ".join(
        f"when {_equals(name, [raw])} then {literal(_edge(meant, edge))}" for raw, meant in role.values.items()
    )
    return f"case when ({present}) is null then null {cases} else {literal(_UNREADABLE)} end"


def _has_bands(role: Role | None) -> bool:
    return role is not None and any(isinstance(meant, (tuple, list)) for meant in (role.values or {}).values())


def _most(name: str, role: Role | None) -> str:
    """A count's upper bound: where no value is a band it is the lower one, and need not be typed a second time."""
    return f"{name.removesuffix('_count')}_most" if _has_bands(role) else name


def _labelled(name: str, role: Role) -> str:
    """A text role: values that a mapping names are renamed, others stay."""
    cases = [
        f"when {_equals(name, [raw])} then {literal(_edge(meant, 0))}" for raw, meant in (role.values or {}).items()
    ]
    present = _present(name, role)
    return f"case when ({present}) is null then null {' '.join(cases)} else {name} end" if cases else present


def _present(name: str, role: Role) -> str:
    return f"case when {_equals(name, role.missing)} then null else {name} end" if role.missing else name


def _equals(name: str, codes: Collection[str]) -> str:
    """Whether a text is one of the codes, as text or as a number: '11', '11.0' and ' 11' are the same answer."""
    codes = [code.strip() for code in codes]
    numbers = [number for number in map(_number, codes) if number is not None]
    same = f"{name} in ({', '.join(map(literal, codes))})"
    return f"({same} or try_cast({name} as double) in ({', '.join(map(repr, numbers))}))" if numbers else same


def _number(code: str) -> float | None:
    try:
        number = float(code)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def _edge(meant: float | tuple[int, int] | str, edge: int) -> str:
    """What a mapped value means, as text; of a band its lower (0) or upper (1) bound."""
    value = meant[edge] if isinstance(meant, (tuple, list)) else meant
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _times(role: Role | None, timezone: str) -> dict[str, str]:
    """Whether a time says its zone, and how it is read with one and without."""
    zoned, wall = "try_cast(responded as timestamptz)", "try_cast(responded as timestamp)"
    # A plus can only be an offset's, and so can a minus after a date's ten characters; a letter at the end is a zone's.
    is_zoned = "contains(responded, '+') or contains(substr(responded, 11), '-') or responded[-1] >= 'A'"
    if role is None:
        is_zoned = "false"
    elif role.format is not None:
        zoned = wall = f"try_strptime(responded, {literal(role.format)})"
        is_zoned = "true" if "%z" in role.format else "false"
        zoned, wall = (zoned, "null::timestamp") if is_zoned == "true" else ("null::timestamptz", wall)
    return {"is_zoned": is_zoned, "zoned": zoned, "wall": wall, "timezone": literal(timezone)}


def _wave(wave: Wave) -> str:
    if isinstance(wave, str):
        return {
            "month": "strftime(responded_local, '%Y-%m')",
            "quarter": "strftime(responded_local, '%Y') || '-Q' || quarter(responded_local)",
            "year": "strftime(responded_local, '%Y')",
        }[wave]
    value = getattr(wave, "value", None)
    return "wave_label" if value is None else literal(value)


def _department(levels: int) -> dict[str, str]:
    """The path of a response, ending before its first blank level, and whether every level is text."""
    names = [f"level_{number}" for number in range(1, levels + 1)]
    ends = "".join(f" when {name} is null then {_path(names[:place])}" for place, name in enumerate(names))
    path = f"case{ends} else {_path(names)} end" if names else _path(names)
    return {"department_key": path, "levels_are_text": _are_text(names)}


def _path(levels: Sequence[str]) -> str:
    return f"concat_ws(chr(31), {', '.join(levels)})" if levels else "''"


def _are_text(levels: Sequence[str]) -> str:
    """Whether no level holds a control character or is longer than a name can be."""
    if not levels:
        return "true"
    short = "".join(f" and coalesce(length({level}) <= 200, true)" for level in levels)
    return f"not regexp_matches(concat({', '.join(levels)}), '[\\x00-\\x1f\\x7f]'){short}"
