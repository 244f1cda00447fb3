"""The edges inward: one file per platform or kind; each yields bytes and where they came from, and parses nothing."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from flows.settings import FilesSource
from flows.sources import files
from flows.sources.files import Fetched

__all__ = ["KINDS", "Fetched", "fetched"]


class Fetch(Protocol):
    """What each module here offers."""

    def __call__(self, source: FilesSource, *, base: Path) -> Iterator[Fetched]:
        """Yield what the source holds now."""


KINDS: Mapping[str, str] = MappingProxyType(
    {"files": "files on this host, by path or glob: CSV, TSV, JSON Lines, Parquet, Excel, gzip included"}
)
_FETCH: Mapping[str, Fetch] = MappingProxyType({"files": files.fetch})


def fetched(source: FilesSource, *, base: Path) -> Iterator[Fetched]:
    """Yield what a source holds now, in a stable order; `base` is the folder of `zwerm.toml`."""
    return _FETCH[source.type](source, base=base)
