"""Files on this host, by path or glob: what matches now, in a stable order, and only what is written to its end."""

import glob
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flows.errors import ConfigurationError, FlowError
from flows.settings import FilesSource

SETTLED_SECONDS = 2.0
LOOKS_APART_SECONDS = 0.3


@dataclass(frozen=True)
class Fetched:
    """One file that a source offers: as which source it is known, under which name, and how to read its bytes."""

    source: str  # the path as configured
    name: str  # the file's own name
    path: Path

    @property
    def stream(self) -> BinaryIO:
        """The bytes as they came, opened anew each time; whoever reads closes."""
        return self.path.open("rb")


def fetch(source: FilesSource, *, base: Path) -> Iterator[Fetched]:
    """Yield each matching file in the order of its path; `base` is the folder of `zwerm.toml`."""
    found = _matching(source, base)
    _settled(found)
    for path in found:
        yield Fetched(source=source.path, name=_name(path, base / source.path), path=path)


def _matching(source: FilesSource, base: Path) -> list[Path]:
    pattern = base / source.path  # an absolute path stays as it is
    matches = [pattern] if pattern.is_file() else [Path(m) for m in glob.glob(str(pattern), recursive=True)]  # noqa: PTH207
    found = sorted(path for path in matches if path.is_file() and not path.name.startswith("."))
    if not found:
        raise ConfigurationError(_nothing(source, pattern))
    return found


def _nothing(source: FilesSource, pattern: Path) -> str:
    folder = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    if not folder.is_dir():
        lies = f"the folder {folder} does not exist"
    else:
        names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in folder.iterdir())
        shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
        lies = f"in {folder} lies {shown}" if names else f"{folder} is empty"
    download = f"; the file is to be had at {source.download}" if source.download else ""
    return f"no file matches {pattern}: {lies}{download}"


def _name(path: Path, pattern: Path) -> str:
    """The file's own name; where the pattern looks in several folders, with the folders that it filled in."""
    if path == pattern:
        return path.name
    fixed = next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))
    return path.relative_to(fixed).as_posix()


def _settled(found: list[Path]) -> None:
    """Look twice at files of the last seconds: one that grows in between is still being written."""
    recent = [path for path in found if time.time() - path.stat().st_mtime < SETTLED_SECONDS]
    if not recent:
        return
    before = {path: _state(path) for path in recent}
    time.sleep(LOOKS_APART_SECONDS)
    growing = [path.name for path in recent if _state(path) != before[path]]
    if growing:
        raise FlowError(f"{', '.join(growing)}: still being written; run again when the export is done")


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
