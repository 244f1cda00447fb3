"""Seals a release: its tables, pages and `release.json` in one private folder, named by the hash of its content."""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from flows.home import PRIVATE_FILE, PRIVATE_FOLDER, Home
from flows.preparing.document import PARTS, ReleaseDocument, records, schema
from flows.preparing.parts import Figures, Place, Revised
from flows.preparing.tables import TABLES
from transforms.report.edition import Changed

# Ids and times tell when something was found and after what, not what it is.
OUTSIDE_THE_ID = {"previous_release_id", "compared_release_id", "pooled_release_ids"}


@dataclass(frozen=True)
class Draft:
    """What a release says, before it is sealed; frames have the columns of `TABLES` but for survey and wave."""

    organisation: str
    survey: str
    title: Mapping[str, str]
    wave: str
    revision: int
    reason: str | None
    is_material: bool  # all late answers were let in at once, also where they were few
    changes: tuple[Changed, ...]
    previous_release_id: str | None
    definition: str
    told_min: int
    min_respondents: int
    languages: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]  # one that is not there has no rows
    method: Mapping[str, Any] = field(default_factory=dict)  # how the survey measures: where it changes, trends break
    moves: Sequence[Sequence[Any]] = ()  # of departments up to this wave: the wave, from where, to where
    interval: Literal["adjusted_wald", "score", "wald"] = "adjusted_wald"  # how nps_low and nps_high were computed
    margin: float | None = None  # on one customer who was brought in
    currency: str | None = None
    invited: int | None = None  # people who were asked, of the whole survey
    response_rate: float | None = None
    earlier_release_ids: tuple[str, ...] = ()  # whose figures stand in it too, in trends, changes or windows


@dataclass(frozen=True)
class Sealed:
    """A sealed release on disk."""

    release_id: str
    survey: str
    wave: str
    revision: int
    reason: str | None
    previous_release_id: str | None
    folder: Path
    departments: int
    suppressed: int


def seal(home: Home, draft: Draft, pages: Mapping[str, bytes], *, ledger_head: str) -> Sealed:
    """Write the release into `releases/<release_id>/` (0700), whole or not at all; the same content gives the same id.

    `release_id` is the first 16 hex digits of the SHA-256 over survey, wave, revision, the hashes of the tables without
    their id and time columns, and how many were invited where that is known. `ledger_head` stands in the manifest
    alone: with it a later edit of the ledger can be proven.
    """
    tables = {name: _table(draft, name) for name in TABLES}
    hashes = {name: table_hash(table) for name, table in tables.items()}
    release_id = _release_id(draft, hashes)
    folder = home.releases / release_id
    if not folder.exists():
        private = home.releases / f".{secrets.token_hex(16)}"
        private.mkdir(mode=PRIVATE_FOLDER)
        try:
            parts = _write_parts(private, tables, pages, document(draft, release_id).text())
            manifest = {**_manifest(draft, release_id, hashes, parts), "ledger_head": ledger_head}
            _write(private / "manifest.json", json.dumps(manifest, sort_keys=True, indent=1).encode() + b"\n")
            _sync(private)
            private.rename(folder)
            _sync_one(home.releases)
        except BaseException:
            shutil.rmtree(private, ignore_errors=True)
            raise
    return read_sealed(folder)


def read_sealed(folder: Path) -> Sealed:
    """A sealed release as its manifest tells it."""
    manifest = read_manifest(folder)
    names = ("release_id", "survey", "wave", "revision", "reason", "previous_release_id", "departments", "suppressed")
    return Sealed(folder=folder, **{name: manifest[name] for name in names})


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a sealed release."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def stands_on(folder: Path) -> frozenset[str]:
    """The releases whose figures stand in a sealed one: while one of them is not out, it cannot be either."""
    if not (folder / "manifest.json").exists():
        return frozenset()
    manifest = read_manifest(folder)
    named = [manifest["previous_release_id"], *manifest.get("earlier_release_ids", ())]
    return frozenset(release_id for release_id in named if release_id is not None)


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """One table of a sealed release, as it stood at its seal."""
    table: pd.DataFrame = pq.read_table(folder / "tables" / f"{name}.parquet").to_pandas()
    return table


def safe_name(label: str) -> str:
    """`label` as a name in a path or an address: unchanged where it is plain, else a slug and a hash of the whole."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", label):
        return label
    slug = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:40]
    digest = hashlib.sha256(label.encode()).hexdigest()[:8]
    return f"{slug}-{digest}" if slug else digest


def table_hash(table: pa.Table) -> str:
    """SHA-256 over the rows as canonical JSON, without the id columns; the order of rows counts."""
    names = [name for name in table.column_names if name not in OUTSIDE_THE_ID]
    text = json.dumps([names, table.select(names).to_pylist()], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def document(draft: Draft, release_id: str) -> ReleaseDocument:
    """`release.json` of the draft."""
    tables = draft.tables
    return ReleaseDocument(
        release_id=release_id,
        organisation=draft.organisation,
        survey=draft.survey,
        title=dict(draft.title),
        wave=draft.wave,
        revision=draft.revision,
        reason=draft.reason,
        is_material=draft.is_material,
        revised=[Revised(**asdict(item)) for item in draft.changes],
        previous_release_id=draft.previous_release_id,
        definition=draft.definition,
        told_min=draft.told_min,
        interval=draft.interval,
        margin=draft.margin,
        currency=draft.currency,
        invited=draft.invited,
        response_rate=draft.response_rate,
        min_respondents=draft.min_respondents,
        departments=[Figures(**row) for row in records(tables["promoter_metrics"], Figures.model_fields)],
        tree=[Place(**row, path=path) for row, path in _places(tables["departments"])],
        **{
            name: [part(**row) for row in records(tables[name], part.model_fields)] if name in tables else []
            for name, part in PARTS.items()
        },
    )


def _places(departments: pd.DataFrame) -> Iterator[tuple[dict[str, Any], list[str]]]:
    known = departments.reindex(columns=["department_id", "valid_from", "valid_until"])
    yield from zip(records(known, known.columns), map(list, departments["path"]), strict=True)


def _table(draft: Draft, name: str) -> pa.Table:
    wanted = TABLES[name]
    if name not in draft.tables:
        return wanted.empty_table()
    of_wave = {
        label: value for label, value in (("survey", draft.survey), ("wave", draft.wave)) if label in wanted.names
    }
    frame = draft.tables[name].assign(**of_wave)
    return pa.Table.from_pandas(frame[wanted.names], schema=wanted, preserve_index=False).replace_schema_metadata(None)


def _release_id(draft: Draft, hashes: Mapping[str, str]) -> str:
    invited = [] if draft.invited is None else [draft.invited]
    said = json.dumps([draft.survey, draft.wave, draft.revision, sorted(hashes.items()), *invited])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _write_parts(
    private: Path, tables: Mapping[str, pa.Table], pages: Mapping[str, bytes], release_json: bytes
) -> dict[str, str]:
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        _write(private / "tables" / f"{name}.parquet", sink.getvalue().to_pybytes())
    for name, content in pages.items():
        _write(private / ("" if name.startswith("downloads/") else "pages") / name, content)
    _write(private / "release.json", release_json)
    _write(private / "release.schema.json", schema())
    files = sorted(path for path in private.rglob("*") if path.is_file())
    return {str(path.relative_to(private)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _manifest(draft: Draft, release_id: str, hashes: Mapping[str, str], parts: Mapping[str, str]) -> dict[str, Any]:
    status = draft.tables["promoter_metrics"]["status"]
    return {
        "release_id": release_id,
        "survey": draft.survey,
        "title": dict(draft.title),
        "wave": draft.wave,
        "revision": draft.revision,
        "reason": draft.reason,
        "is_material": draft.is_material,
        "previous_release_id": draft.previous_release_id,
        "earlier_release_ids": list(draft.earlier_release_ids),
        "definition": draft.definition,
        "told_min": draft.told_min,
        "interval": draft.interval,
        "margin": draft.margin,
        "currency": draft.currency,
        "invited": draft.invited,
        "response_rate": draft.response_rate,
        "method": dict(draft.method),
        "moves": list(draft.moves),
        "min_respondents": draft.min_respondents,
        "departments": len(status) - 1,  # the organisation itself is none of them
        "suppressed": int((status == "suppressed").sum()),
        "languages": list(draft.languages),
        "tables": dict(hashes),
        "parts": dict(parts),
    }


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _sync(folder: Path) -> None:
    """Have what was written below `folder` on disk before a name makes it count; many at once, as disks like it."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(_sync_one, [*folder.rglob("*"), folder]))


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
