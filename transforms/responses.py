"""What a survey's columns mean: from the mapping in `zwerm.toml` to one select that types a file's text columns."""

import hashlib
import json
import re
from base64 import b85encode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from transforms.answers import answers, blank, equals, found, most, response_key, role_text, trimmed, unlike
from transforms.roles import BANDS, COUNTS, DESIGN, IDS, Role, Roles, Wave, called, mapped, said
from transforms.sql import literal, quote, text

VERSION = 2  # raised when the same mapping would make other rows
UNSHOWN = (*IDS, *DESIGN, "comment", "comment_language")  # in the rehearsal: they tell a person


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
    named = [role.column for _, role in mapped(roles) if role.column is not None]
    label = getattr(wave, "column", None)
    return tuple(dict.fromkeys([*named, *([label] if label else [])]))


def mapping_hash(roles: Roles, *, wave: Wave, timezone: str, duplicates: str = "keep") -> str:
    """SHA-256 over all that shapes conformed rows: the same file under the same hash makes the same rows."""
    shapes = {
        "version": VERSION,
        "select": hashlib.sha256(text("responses").encode()).hexdigest(),
        "roles": said(roles),
        "wave": wave if isinstance(wave, str) else {n: getattr(wave, n, None) for n in ("column", "value")},
        "timezone": timezone,
        "duplicates": duplicates,
    }
    return hashlib.sha256(json.dumps(shapes, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def describe(
    roles: Roles, columns: Collection[str], *, wave: Wave, timezone: str, relation: str, most: int = 20
) -> str:
    """The select of (role, value, becomes, status, distinct_values) for the rehearsal: raw values, what each becomes.

    No counts of answers, and no order by frequency: what a release says is seen by everyone first. Per role all values
    that its mapping names and at most `most` others, those that cannot be read first, and how many distinct ones there
    are; status is 'read', 'missing' or 'not readable'. Ids are not shown.
    """
    named = {name: [*role.missing, *(role.values or {})] for name, role in mapped(roles)}
    sql = _select(
        roles, columns, survey="", wave=wave, timezone=timezone, relation=relation, duplicates="keep", shows_texts=True
    )
    parts = [
        f"select {literal(called(name, roles))} as role, shown_{name} as value, max({becomes}) as becomes,"
        f" bool_and({is_readable}) as is_readable, {_is_named(name, named[name])} as is_named"
        for name, becomes, is_readable in _becomes(roles, timezone)
    ]
    parts.append("select 'wave', wave, max(wave), wave is not null, false")
    union = " union all ".join(f"({part} from conformed group by all)" for part in parts)
    return (
        f"with conformed as materialized ({sql}), described as ({union})"
        " select role, value, becomes, case when not is_readable then 'not readable'"
        " when becomes is null then 'missing' else 'read' end as status,"
        " count(*) over (partition by role) as distinct_values from described qualify is_named or row_number() over"
        " (partition by role, is_named order by is_readable, try_cast(value as double), value)"
        f" <= {most} order by role, is_readable, try_cast(value as double), value"
    )


def _is_named(name: str, texts: Sequence[str]) -> str:
    """Whether a mapping says what the value means."""
    return f"coalesce({equals(f'shown_{name}', texts)}, false)" if texts else "false"


def _becomes(roles: Roles, timezone: str) -> Iterator[tuple[str, str, str]]:
    """Per role that is shown: its name, what a value becomes, and whether it was readable."""
    for name, _ in mapped(roles):
        if name in BANDS:
            band = f"meant_{name} || '–' || meant_{name}_most"
            becomes = f"case when meant_{name} < meant_{name}_most then {band} else meant_{name}::varchar end"
            yield name, becomes, f"{name}_is_readable"
        elif name == "copied":
            yield name, "is_copied::varchar", "copied_is_readable"
        elif name.startswith(("level_", "segment_")):
            yield name, name, _are_text([name])
        elif name.startswith("driver_"):
            yield name, f"{name}_number::varchar", f"{name}_is_readable"
        elif name == "responded_at":
            zone = literal(timezone)  # the organisation's, in which the wave is told too
            local = f"timezone({zone}, timezone('UTC', responded_at))::varchar"
            yield name, f"{local} || ' ' || {zone}", "responded_at_is_readable"
        elif name == "weight":
            yield name, "rtrim(rtrim(weight::varchar, '0'), '.')", "weight_is_readable"
        elif name not in UNSHOWN:
            meant = f"meant_{name}" if name in COUNTS else name
            yield name, f"{meant}::varchar", f"{name}_is_readable"


def _key_parameters(roles: Roles, key: bytes) -> dict[str, str]:
    """Half of the key before what is hashed and half after it: without it, a short id's hash could be guessed."""
    if all(getattr(roles, name) is None for name in ("respondent_id", *DESIGN)):
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
    known = {name: role for name, role in mapped(roles) if not (shows_texts and name in UNSHOWN)}
    texts = _read(known, columns, wave=wave, duplicates=duplicates)
    asked = {name: name for name in ("record", "response_key", "wave_label") if name in texts} | answers(known)
    shown = {f"shown_{name}": name for name in known} if shows_texts else {}
    meant = [f"judged.{name} as meant_{name}" for name in COUNTS]  # before contradictions made them void
    seen = [*shown, *meant, *_shown_as(known)] if shows_texts else []
    beside = _drivers(known, roles) | _texts(known, roles)
    parts = {
        "texts": _listed(texts),
        "blanks": _listed({name: blank(name) for name in texts}),
        "answers": _listed(asked | shown),
        "relation": relation,
        "record": texts["record"],
        "is_broken": is_broken,
        **{f"{name.removesuffix('_count')}_most": most(name, known.get(name)) for name in BANDS},
        "survey": literal(survey),
        "wave": _wave(wave),
        "also": "".join(f", {name}" for name in seen),
        **beside,
        "where_mapped": _listed_behind(_where_mapped(known, beside)),
        **_times(known.get("responded_at"), timezone),
        **_department(len(roles.department)),
    }
    return re.sub(r"\{(\w+)\}", lambda place: parts[place.group(1)], _without_comments(text("responses")))


def _read(known: Mapping[str, Role], columns: Collection[str], *, wave: Wave, duplicates: str) -> dict[str, str]:
    """What is read of a row, as texts: its number, each role's columns, what makes its key, and its wave's label."""
    texts = {"record": quote(unlike(columns))} | {name: role_text(name, role, columns) for name, role in known.items()}
    texts["response_key"] = response_key(texts.pop("response_id", None), columns, duplicates)
    label = getattr(wave, "column", None)
    return texts if label is None else texts | {"wave_label": trimmed(quote(found(label, "wave", columns)))}


def _without_comments(sql: str) -> str:
    return re.sub(r"^\s*--.*\n", "", sql, flags=re.MULTILINE)


def _where_mapped(known: Mapping[str, Role], beside: Mapping[str, str]) -> dict[str, str]:
    """What only some surveys ask: a column that nobody mapped is not written, and costs nothing."""
    language = "comment_language" if "comment_language" in known else "null::varchar"
    words = {"comment": "comment", "comment_language": language} if "comment" in known else {}
    words |= {f"{name}_key": f"{name}_key" for name in DESIGN if name in known}
    return words | {name: beside[name] for name in ("drivers", "segments") if beside[name]}


def _listed_behind(expressions: Mapping[str, str]) -> str:
    return "".join(f",\n        {expression} as {name}" for name, expression in expressions.items())


def _listed(expressions: Mapping[str, str]) -> str:
    return ",\n        ".join(f"{expression} as {name}" for name, expression in expressions.items())


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


def _shown_as(known: Mapping[str, Role]) -> Iterator[str]:
    """What the rehearsal reads besides the columns of the table."""
    for name in known:
        if name.startswith(("level_", "segment_")):
            yield name
        elif name.startswith("driver_"):
            yield from (f"{name}_number", f"{name}_is_readable")


def _drivers(known: Mapping[str, Role], roles: Roles) -> dict[str, str]:
    """Each driver's rating as a number, whether it lies on its scale, and all of them by name."""
    names = [name for name in known if name.startswith("driver_")]
    numbers = "".join(f",\n        try_cast({name} as double) as {name}_number" for name in names)
    readable = "".join(f",\n        {_is_rating(name, known[name])} as {name}_is_readable" for name in names)
    pairs = ", ".join(f"{literal(key)}: {name}_number" for key, name in zip(roles.drivers, names, strict=True))
    return {
        "driver_numbers": numbers,
        "driver_flags": readable,
        "drivers": f"map {{{pairs}}}" if names else "",
        "drivers_are_readable": " and ".join(f"{name}_is_readable" for name in names) or "true",
    }


def _is_rating(name: str, role: Role) -> str:
    on_scale = (
        f"{name}_number between {role.scale[0]} and {role.scale[1]}" if role.scale else f"isfinite({name}_number)"
    )
    return f"({name} is null or coalesce({on_scale}, false))"


def _texts(known: Mapping[str, Role], roles: Roles) -> dict[str, str]:
    """The segments by name, and whether they are text."""
    names = [name for name in known if name.startswith("segment_")]
    pairs = ", ".join(f"{literal(key)}: {name}" for key, name in zip(roles.segments, names, strict=True))
    return {
        "segments": f"map {{{pairs}}}" if names else "",
        "segments_are_text": _are_text(names),
    }


def _department(levels: int) -> dict[str, str]:
    """The path of a response, ending before its first blank level, and whether every level is text."""
    names = [f"level_{number}" for number in range(1, levels + 1)]
    ends = "".join(f" when {name} is null then {_path(names[:place])}" for place, name in enumerate(names))
    path = f"case{ends} else {_path(names)} end" if names else _path(names)
    return {"department_key": path, "levels_are_text": _are_text(names)}


def _path(levels: Sequence[str]) -> str:
    return f"concat_ws(chr(31), {', '.join(levels)})" if levels else "''"


def _are_text(levels: Sequence[str]) -> str:
    """Whether no level holds a control character or is longer than a name can be.

    Bytes are written as they are where they are printable ASCII, and longer where they are not: only then they are
    looked through, which takes three times as long.
    """
    if not levels:
        return "true"
    short = "".join(f" and coalesce(length({level}) <= 200, true)" for level in levels)
    together = f"concat({', '.join(levels)})"
    is_plain = f"strlen(encode({together})::varchar) = strlen({together})"
    return f"case when {is_plain} then true else not regexp_matches({together}, '[\\x00-\\x1f\\x7f]') end{short}"
