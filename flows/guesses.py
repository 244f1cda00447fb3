"""Which column of an export plays which part, where its name and its values leave little doubt."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warehouse.peek import Look

MOSTLY = 0.8


@dataclass(frozen=True)
class Hint:
    """What the name of a role's column looks like, the likeliest first, and what its values must look like."""

    names: tuple[str, ...]
    fits: Callable[[Sequence[str]], bool]


def guesses(look: Look) -> dict[str, str]:
    """Role → column, each column at most once; a role without a clear column is left out."""
    values = {name: _values(look, place) for place, name in enumerate(look.columns)}
    found: dict[str, str] = {}
    for role, hint in HINTS.items():
        free = [name for name in look.columns if name not in found.values() and "${" not in name]
        column = _best(free, hint, values)
        if column is not None:
            found[role] = column
    return found


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
    return _share(values, r"(10|[0-9])(\.0+)?") >= MOSTLY


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
