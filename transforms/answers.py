"""From a role's column to the text that is to be typed: trimmed, missing codes NULL, mapped values in their place."""

from collections.abc import Collection, Mapping

from transforms import TransformError
from transforms.roles import BANDS, DESIGN, IDS, NUMBERS, Role
from transforms.sql import literal, quote

UNREADABLE = "\x1a"  # stands for a value that a mapping does not know: no number, date or department's name


def trimmed(column: str) -> str:
    """A column's text without blanks around it.

    `trim` walks through every character; it is asked only where a text begins or ends with a space, or is not ASCII and
    might do so with another blank.
    """
    may_have = f"{column} < '!' or ends_with({column}, ' ') or strlen({column}) <> length({column})"
    return f"case when {may_have} then trim({column}) else {column} end"


def blank(name: str) -> str:
    """A text that is empty is none."""
    return name if name in ("record", "response_key") else f"nullif({name}, '')"


def found(column: str, role: str, columns: Collection[str]) -> str:
    """The file's own spelling of a column; names are compared without regard to case, as SQL does."""
    for candidate in columns:
        if candidate.casefold() == column.casefold():
            return candidate
    raise TransformError(f"column '{column}' of role '{role}' is not in the file; mend the role in zwerm.toml")


def unlike(columns: Collection[str]) -> str:
    """A name for the whole row that no column has: it would stand for that column."""
    taken, name = {column.casefold() for column in columns}, "record"
    while name in taken:
        name += "_"
    return name


def role_text(name: str, role: Role, columns: Collection[str]) -> str:
    """A role's trimmed text, NULL where blank; an expression that fails on a row makes that answer unreadable."""
    if role.column is not None:
        return trimmed(quote(found(role.column, name, columns)))
    failed = "" if name in (*IDS, *DESIGN) else UNREADABLE
    return f"trim(coalesce(try(coalesce(({role.sql}\n)::varchar, '')), {literal(failed)}))"


def response_key(response_id: str | None, columns: Collection[str], duplicates: str) -> str:
    """The response's id; the hash of the whole row without one, and where exact rows are what makes a duplicate."""
    cells = ", ".join(f"coalesce({quote(column)}, chr(30))" for column in columns)
    row = f"md5(concat_ws(chr(31), {cells}))"
    return row if response_id is None or duplicates == "drop" else f"coalesce(nullif({response_id}, ''), {row})"


def answers(mapped: Mapping[str, Role]) -> dict[str, str]:
    """Per role the text that is to be typed: missing codes are NULL, mapped values stand for what they mean."""
    made = {}
    for name in NUMBERS:
        role = mapped.get(name)
        made[name] = _answer(name, role, edge=0)
        if name in BANDS:
            made[f"{name}_most"] = _answer(name, role, edge=1) if _has_bands(role) else _answer(name, None, edge=1)
    responded, respondent = mapped.get("responded_at"), mapped.get("respondent_id")
    made["responded"] = "null::varchar" if responded is None else _present("responded_at", responded)
    made["respondent_key"] = "null::uhugeint"
    if respondent is not None:
        made["respondent_key"] = _hashed(_present("respondent_id", respondent))
    for name in DESIGN:
        if name in mapped:  # of a household or a journey only which answers are of the same one
            made[f"{name}_key"] = _hashed(_labelled(name, mapped[name]))
    for name, role in mapped.items():
        if name.startswith(("level_", "segment_")):
            made[name] = f"nfc_normalize({_labelled(name, role)})"
        elif name.startswith("driver_"):
            made[name] = _answer(name, role, edge=0)
        elif name in ("comment", "comment_language"):
            made[name] = _present(name, role)
    return made


def _hashed(expression: str) -> str:
    """MD5 is enough under a secret key: without the key nobody can try ids, nor prepare a collision."""
    return f"md5_number($key_head || {expression} || $key_tail)"


def _answer(name: str, role: Role | None, *, edge: int) -> str:
    if role is None:
        return "null::varchar"
    present = _present(name, role)
    if role.values is None:
        return present
    cases = " ".join(
        f"when {equals(name, [raw])} then {literal(_edge(meant, edge))}" for raw, meant in role.values.items()
    )
    return f"case when ({present}) is null then null {cases} else {literal(UNREADABLE)} end"


def _has_bands(role: Role | None) -> bool:
    return role is not None and any(isinstance(meant, (tuple, list)) for meant in (role.values or {}).values())


def most(name: str, role: Role | None) -> str:
    """A count's upper bound: where no value is a band it is the lower one, and need not be typed a second time."""
    return f"{name.removesuffix('_count')}_most" if _has_bands(role) else name


def _labelled(name: str, role: Role) -> str:
    """A text role: values that a mapping names are renamed, others stay."""
    cases = [
        f"when {equals(name, [raw])} then {literal(_edge(meant, 0))}" for raw, meant in (role.values or {}).items()
    ]
    present = _present(name, role)
    return f"case when ({present}) is null then null {' '.join(cases)} else {name} end" if cases else present


def _present(name: str, role: Role) -> str:
    return f"case when {equals(name, role.missing)} then null else {name} end" if role.missing else name


def equals(name: str, codes: Collection[str]) -> str:
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
