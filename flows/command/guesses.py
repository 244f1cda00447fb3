"""Which column of an export plays which part, where its name and its values leave little doubt."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.peek import Look

MOSTLY = 0.8
ON_SCALE = r"(10|[0-9])(\.0+)?"
CODES_SHOWN = 5


@dataclass(frozen=True)
class Hint:
    """What the name of a role's column looks like, the likeliest first, and what its values must look like."""

    names: tuple[str, ...]
    fits: Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class Guess:
    """A column for a role; for a time how it is written where that is not ISO, for a score what is off the scale."""

    column: str
    format: str | None = None
    off_scale: tuple[str, ...] = ()


def guesses(look: Look) -> dict[str, Guess]:
    """Role → column, each column at most once; a role without a clear column is left out."""
    values = {name: _values(look, place) for place, name in enumerate(look.columns)}
    found: dict[str, Guess] = {}
    free = [name for name in look.columns if "${" not in name]
    for role, hint in HINTS.items():
        column = _best(free, hint, values)
        if column is None:
            continue
        free.remove(column)
        found[role] = Guess(
            column,
            format=date_format(values[column]) if role == "responded_at" else None,
            off_scale=_off_scale(values[column]) if role == "score" else (),
        )
    return found


def date_format(values: Sequence[str]) -> str | None:
    """How dates such as 31-12-2026 are written; None where most are ISO. The day comes first where nothing tells."""
    parts = [found for value in values if (found := re.match(r"(\d{1,2})([-/.])(\d{1,2})[-/.]\d{4}(.*)", value))]
    if len(parts) <= len(values) / 2:
        return None
    month_first = any(int(found[3]) > 12 for found in parts) and not any(int(found[1]) > 12 for found in parts)
    order = ("%m", "%d", "%Y") if month_first else ("%d", "%m", "%Y")
    clock = {1: " %H:%M", 2: " %H:%M:%S"}.get(parts[0][4].count(":"), "")
    return parts[0][2].join(order) + clock


def _best(columns: Sequence[str], hint: Hint, values: Mapping[str, Sequence[str]]) -> str | None:
    for pattern in hint.names:
        for column in columns:
            if re.search(pattern, _plain(column)) and hint.fits(values[column]):
                return column
    return None


def _plain(name: str) -> str:
    """A name in small letters, its words parted by blanks: submittedAt, submitted_at and Submitted At are one."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"[\W_]+", " ", words).strip().lower()


def _values(look: Look, place: int) -> list[str]:
    return [value.strip() for row in look.rows if (value := row[place]) is not None and value.strip()]


def _share(values: Sequence[str], pattern: str) -> float:
    return sum(bool(re.fullmatch(pattern, value)) for value in values) / len(values) if values else 0.0


def _are_scores(values: Sequence[str]) -> bool:
    return _share(values, ON_SCALE) >= MOSTLY


def _off_scale(values: Sequence[str]) -> tuple[str, ...]:
    """What stands among scores and is none, the most frequent first: codes, most likely."""
    counts = Counter(value for value in values if not re.fullmatch(ON_SCALE, value))
    return tuple(value for value, _ in counts.most_common(CODES_SHOWN))


def _are_dates(values: Sequence[str]) -> bool:
    return _share(values, r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?") >= MOSTLY


def _are_groups(values: Sequence[str]) -> bool:
    """Few names for many answers; with few rows to look at, anything that is not a number."""
    is_text = _share(values, r"[\d.,]+") < MOSTLY
    return bool(values) and is_text and (len(values) < 20 or len(set(values)) <= len(values) / 3)


def _are_unlike(values: Sequence[str]) -> bool:
    return bool(values) and len(set(values)) == len(values)


def _are_weights(values: Sequence[str]) -> bool:
    return _share(values, r"\d*[.,]?\d+") >= MOSTLY


def _are_any(values: Sequence[str]) -> bool:
    return bool(values)


HINTS: Mapping[str, Hint] = {
    "score": Hint(
        (r"\bnps\b", r"net ?pro", r"recommend", r"aanbevel|aanbeveling", r"\bscore\b|\bcijfer\b"), _are_scores
    ),
    "responded_at": Hint(
        (
            r"respond|answered|submit|complet|finish|ingevuld|afgerond|voltooid",
            r"\bend(ed)?\b|\beind",
            r"\bdate\b|\bdatum\b|timestamp|\btime\b|\btijd\b|recorded",
            r"creat|start",
        ),
        _are_dates,
    ),
    "department": Hint(
        (
            r"\bdepartment\b|\bdept\b|\bafdeling\b",
            r"\bonderdeel\b|\bvestiging\b|\bbranch\b|\bunit\b|\bdivision\b",
            r"\blocation\b|\blocatie\b|\bstore\b|\bwinkel\b|\bteam\b|\bregion\b|\bregio\b",
        ),
        _are_groups,
    ),
    "response_id": Hint((r"\bresp(onse)? ?(id|num|number|nr)\b", r"^id$"), _are_unlike),
    "respondent_id": Hint((r"\b(respondent|customer|client|klant|member)( ?(id|num|number|nr))?$",), _are_any),
    "weight": Hint((r"^weights?$|^gewicht$|^wgt$",), _are_weights),
    "comment": Hint((r"\bcomments?\b|\bwhy\b|\breason\b|toelichting|opmerking|\bwaarom\b|\bverbatim\b",), _are_any),
}
