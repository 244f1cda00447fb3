"""`zwerm init`: a `zwerm.toml` that explains itself, made from an export where one lies at hand."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import available_timezones

from jinja2 import Environment, StrictUndefined

from flows.command.guesses import Guess, guesses
from flows.errors import ConfigurationError
from flows.home import PUBLIC_FOLDER
from warehouse import WarehouseError
from warehouse.peek import Look, look

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".xlsx", ".parquet")
PLACEHOLDER = "exports/*.csv"
WIDTH = 116
AT = 42  # where comments begin
FEW = 3


@dataclass(frozen=True)
class Export:
    """A file that answers may come from, with its columns and what they seem to be."""

    path: Path
    look: Look
    roles: Mapping[str, Guess]
    others: tuple[Path, ...]


def write(folder: Path) -> str:
    """Write `zwerm.toml` into `folder`, never over another; says what it is made of and what to do next."""
    file = folder / "zwerm.toml"
    if file.exists():
        raise ConfigurationError(f"{file} exists already and is left as it is; move it elsewhere to have a new one")
    try:
        _make(folder)
        export = _export(folder)
        if export is None:
            (folder / "exports").mkdir(exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(text(folder, export, today=date.today()))  # noqa: DTZ011  # the operator's own day
    except OSError as error:
        raise ConfigurationError(f"{error.filename or folder}: {error.strerror or type(error).__name__}") from None
    return _next(folder, export)


def text(folder: Path, export: Export | None, *, today: date) -> str:
    """The file's text: what is known of the export filled in, everything else explained."""
    environment = Environment(  # noqa: S701  # TOML; texts go through `_quoted`
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["text"] = _quoted
    template = environment.from_string(Path(__file__).with_name("init.toml.jinja").read_text(encoding="utf-8"))
    roles = export.roles if export else PLACEHOLDERS
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    announced = _working_day((next_month + timedelta(days=32)).replace(day=8))
    return template.render(
        timezone=_timezone(),
        this_month=f"{today:%Y-%m}",
        next_month=f"{next_month:%Y-%m}",
        announced_at=f"{announced}T09:30",
        meeting=announced + timedelta(days=8),
        path=_relative(export.path, folder) if export else PLACEHOLDER,
        file=_relative(export.path, folder) if export else None,
        others=[_relative(path, folder) for path in export.others[:FEW]] if export else [],
        column_lines=list(_wrapped(export.look.columns)) if export else [],
        roles=roles,
        described=[
            {"says": says, "line": _line(role, roles, example, is_guess=export is not None)}
            for role, says, example in ROLES
        ],
    )


def _make(folder: Path) -> None:
    """The folder, which everyone passes through to `published`, whatever the umask; one that exists keeps its mode."""
    if not folder.exists():
        _make(folder.parent)
        folder.mkdir()
        folder.chmod(PUBLIC_FOLDER)


def _export(folder: Path) -> Export | None:
    """The newest export that can be read, in the folder or in exports/."""
    found = [path for place in (folder, folder / "exports") if place.is_dir() for path in place.iterdir()]
    files = [path for path in found if _is_export(path)]
    files.sort(key=lambda path: (path.stat().st_mtime, path.name), reverse=True)
    for path in files:
        try:
            seen = look(path)
        except WarehouseError:
            continue
        return Export(path, seen, guesses(seen), tuple(sorted(other for other in files if other != path)))
    return None


def _is_export(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    is_plain = path.name.isprintable() and "${" not in path.name  # others cannot be written as a source
    return path.is_file() and name.endswith(ENDINGS) and is_plain and not name.startswith((".", "~"))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _quoted(value: str) -> str:
    """A TOML string, also within a comment: control characters escaped."""
    plain = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", plain)


def _wrapped(columns: Sequence[str], most: int = 200) -> Iterator[str]:
    """The columns' names, several on a line."""
    line = ""
    for name in (_quoted(_short(column)) for column in columns[:most]):
        if line and len(line) + len(name) + 2 > WIDTH:
            yield f"{line},"
            line = name
        else:
            line = f"{line}, {name}" if line else name
    yield f"{line} and {len(columns) - most} more" if len(columns) > most else line


def _short(name: str, most: int = 80) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _line(role: str, roles: Mapping[str, Guess], example: str, *, is_guess: bool) -> str:
    """The role's line: mapped where a column is known, else out of use with an example."""
    guess = roles.get(role)
    if guess is None and role == "score":
        return _remarked('score = "score"', "no column is clearly it: write its name here")
    if guess is None:
        return f"# {role} = {example}"
    column = _quoted(guess.column)
    said = f"{{ column = {column}, format = {_quoted(guess.format)} }}" if guess.format else column
    if not is_guess:
        return _remarked(f"{role} = {said}", "your column's name")
    off = ", ".join(_quoted(_short(value, 20)) for value in guess.off_scale)
    also = f"\n# Among its values: {off}. Name those that mean no answer: missing = […]" if off else ""
    return _remarked(f"{role} = {said}", "a guess: see whether it is right") + also


def _remarked(line: str, remark: str) -> str:
    return f"{line:<{AT - 1}} # {remark}"


def _next(folder: Path, export: Export | None) -> str:
    here = folder.resolve() == Path.cwd()
    file = folder / "zwerm.toml"
    config = "" if here else f" --config {file}"
    if export is None:
        made_of = f"Wrote {file}, with placeholders: put an export into {folder / 'exports'} and map its columns."
    else:
        took = ", ".join(f"{role} = {_quoted(_short(guess.column))}" for role, guess in export.roles.items())
        made_of = f"Wrote {file} for {_relative(export.path, folder)}"
        made_of += f"; guessed from its columns: {took}." if took else "."
        if "score" not in export.roles:
            made_of += "\nNo column is clearly the score: write its name into the file before anything else."
    return "\n".join(
        [
            made_of,
            "",
            "Next:",
            f"  1. read {file} and mend the roles",
            f"  2. zwerm doctor{config:<24}  does all of it work?",
            f"  3. zwerm check{config:<25}  what becomes of your data?",
            f"  4. zwerm run{config:<27}  release the newest wave that has ended",
        ]
    )


def _working_day(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _timezone() -> str:
    """This host's zone where it has a name, else UTC."""
    named = os.environ.get("TZ", "").removeprefix(":")
    link = os.path.realpath("/etc/localtime").split("zoneinfo/")[-1]
    known = available_timezones()
    return next(
        (name for name in (named, link) if name in known and name.count("/") and not name.startswith("Etc/")), "UTC"
    )


PLACEHOLDERS = {
    "score": Guess("score"),
    "responded_at": Guess("answered_at"),
    "department": Guess("department"),
}
ROLES = (
    ("score", "How likely are you to recommend us, 0 to 10? 9 and 10 are promoters, 0 to 6 detractors.", '"q1"'),
    ("responded_at", "When it was answered; tells the wave.", '"answered_at"'),
    (
        "department",
        'Whom the answer is about: one column, or a path, top first: ["area", "team"].',
        '["area", "team"]',
    ),
    ("response_id", "What tells one response from another; needed to let the latest of each count.", '"id"'),
    (
        "respondent_id",
        "Who answered; kept as a keyed hash only, so that one person counts once where it must.",
        '"customer"',
    ),
    ("weight", "What one answer stands for; weighted figures then stand beside the plain ones.", '"weight"'),
    ("stratum", "How the sample was drawn: with it and the next one weighted figures say how sure they are.", '"line"'),
    ("cluster", "Whose answers were drawn together: a journey, a household; kept as a hash.", '"journey"'),
    (
        "told_count",
        "How many people did you tell about us? Makes superpromoters visible, with one of the next two.",
        '{ column = "q2", values = { "nobody" = 0, "1-3" = [1, 3], "4 or more" = [4, 99] } }',
    ),
    ("acted_count", "How many of them then came to us as well?", '"q3"'),
    (
        "copied",
        "Did somebody follow your example unasked?",
        '{ column = "q4", values = { "yes" = true, "no" = false } }',
    ),
    ("warned_count", "How many people did you warn? The other side: antipromoters.", '"q5"'),
    ("warned_acted_count", "How many of them then stayed away?", '"q6"'),
    ("comment", "Why? In the respondent's own words.", '{ column = "q7", language = "lang" }'),
    (
        "drivers",
        "What may lie behind the score, each on its own scale: drivers, of strengths and of what would help.",
        '{ crew = { column = "q8", scale = [1, 5] } }',
    ),
    ("segments", "What cuts across departments.", '{ ticket = "ticket_type" }'),
)
