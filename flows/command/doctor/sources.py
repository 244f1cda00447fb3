"""Whether each source has files, and whether the columns that a survey maps are in them."""

import difflib
import glob
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.errors import ConfigurationError, FlowError
from flows.preparing.expressions import unreadable
from flows.progress import counted
from flows.settings import FilesSource, Settings
from flows.sources import Fetched, fetched
from transforms.expressions import alone
from transforms.responses import columns_needed
from warehouse import WarehouseError
from warehouse.peek import empty_store, look

Mistakes = Callable[[Sequence[str]], Sequence[str]]

NEAR = 0.5
FILES_LOOKED_AT = 3  # the newest: older ones were read by earlier runs


def sources(settings: Settings) -> Iterator[Finding]:
    """Look at the newest files of each source, at their beginning only; nothing is landed."""
    for name, survey in settings.surveys.items():
        needed = columns_needed(survey.roles, survey.wave)
        mistakes = partial(_mistakes, settings, name)
        for source in survey.sources:
            yield from _source(f"survey {name}", source, needed, mistakes, base=settings.file.parent)


def _source(
    about: str, source: FilesSource, needed: Sequence[str], mistakes: Mistakes, *, base: Path
) -> Iterator[Finding]:
    try:
        found = list(fetched(source, base=base))
    except ConfigurationError as error:
        if _is_waiting(base / source.path):
            yield remark(about, f"{source.path}: no file yet", f"put an export into {(base / source.path).parent}")
        else:
            yield problem(about, str(error), "mend the source's path, or put the export there")
        return
    except FlowError as error:
        yield remark(about, str(error), "wait until the export is done")
        return
    newest = sorted(found, key=lambda file: file.path.stat().st_mtime, reverse=True)[:FILES_LOOKED_AT]
    found_wrong = (finding for file in newest for finding in _file(about, source, needed, file, mistakes))
    wrong = list(dict.fromkeys(found_wrong))  # a mistake in the mapping is one, for however many files
    yield from wrong
    if not wrong:
        looked = f", the newest {len(newest)} of them looked at" if len(found) > len(newest) else ""
        mapped = "every mapped column is there" if needed else "no column is mapped by name"
        yield ok(about, f"{source.path}: {counted(len(found), 'file')}{looked}; {mapped}")


def _file(
    about: str, source: FilesSource, needed: Sequence[str], file: Fetched, mistakes: Mistakes
) -> Iterator[Finding]:
    looked = partial(look, file.path, delimiter=source.delimiter, encoding=source.encoding, sheet=source.sheet)
    try:
        seen = looked(expected=needed)
    except WarehouseError as error:
        try:
            seen = looked()
        except WarehouseError:
            yield problem(about, str(error), f"mend or fetch {file.name} again; until then no run takes it")
            return
    folded = {column.casefold() for column in seen.columns}
    missing = [column for column in needed if column.casefold() not in folded]
    if missing and seen.format == "jsonl":
        yield remark(about, f"{file.name}: its first lines lack {_listed(missing)}", "zwerm check reads all of them")
    elif missing:
        yield problem(
            about,
            f"{file.name} lacks {_listed(missing)}, which roles or wave name; its columns are {_listed(seen.columns)}",
            f"{seen.sheets}; or {_advice(missing, seen.columns)}" if seen.sheets else _advice(missing, seen.columns),
        )
    else:
        for says in mistakes(seen.columns):
            yield problem(about, says, "mend it; then zwerm check shows what becomes of the values")


def _mistakes(settings: Settings, survey: str, columns: Sequence[str]) -> list[str]:
    """What of the survey's expressions and formats cannot be read."""
    if not any(alone(settings.surveys[survey].roles, columns)):
        return []
    with empty_store() as store:
        return list(unreadable(store, settings, survey, columns))


def _advice(missing: Sequence[str], columns: Sequence[str]) -> str:
    by_folded = {column.casefold(): column for column in columns}
    near = [difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=NEAR) for name in missing]
    meant = [f"'{by_folded[found[0]]}' for '{name}'" for name, found in zip(missing, near, strict=True) if found]
    hint = f"; did you mean {', '.join(meant)}?" if meant else ""
    return f"write each column as the file names it, or state the source's delimiter{hint}"


def _listed(names: Sequence[str], most: int = 30) -> str:
    shown = [f"'{_short(name)}'" for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _short(name: str, most: int = 60) -> str:
    plain = "".join(letter if letter.isprintable() else "�" for letter in name)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _is_waiting(pattern: Path) -> bool:
    """Whether the folder is there and empty: made for exports that have not come yet."""
    folder = pattern.parent
    return not glob.has_magic(str(folder)) and folder.is_dir() and not any(folder.iterdir())
