"""What kind of bytes these are, and as UTF-8 text: gzip, byte order marks, Windows-1252, mixtures."""

import codecs
import gzip
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from warehouse import WarehouseError

CHUNK_BYTES = 1 << 20
GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Landed(Protocol):
    """What is asked of a landed file here."""

    @property
    def file_id(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> Path: ...  # noqa: D102


def format_of(path: Path, name: str) -> str:
    """csv, jsonl, parquet or excel, by the first bytes; a zip that is no workbook, and a JSON array, are errors."""
    head = _head(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"{"):
        return "jsonl"
    if text.startswith(b"[") and name.lower().removesuffix(".gz").endswith((".json", ".jsonl", ".ndjson")):
        raise WarehouseError(f"{name} is one JSON array; export it as JSON Lines, one object per line")
    return "csv"


def _head(path: Path, size: int = 4096) -> bytes:
    with path.open("rb") as file:
        head = file.read(size)
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, size)
    except zlib.error:
        return head  # damaged: told when it is unpacked


def unpacked(landed: Landed, scratch: Path) -> tuple[Path, tuple[str, ...]]:
    """The file itself, or its unpacked copy in scratch where its first bytes are those of gzip."""
    with landed.path.open("rb") as file:
        if file.read(2) != GZIP:
            return landed.path, ()
    copy = scratch / f"{landed.file_id}.unpacked"
    try:
        with gzip.open(landed.path, "rb") as packed, private(copy) as file:
            shutil.copyfileobj(packed, file, CHUNK_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        copy.unlink(missing_ok=True)
        raise WarehouseError(
            f"{landed.name} is gzip, and cut off or damaged ({type(error).__name__}); fetch it again"
        ) from None
    if copy.stat().st_size == 0:
        raise WarehouseError(f"{landed.name} is empty inside its gzip; see whether the export finished")
    return copy, ()


@contextmanager
def private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only the pipeline's account can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file


@dataclass
class _Look:
    """What one pass over the bytes shows."""

    is_utf8: bool = True
    is_mixed_endings: bool = False
    is_blank: bool = True
    ends_with_newline: bool = True


def as_utf8(path: Path, name: str, scratch: Path, encoding: str | None) -> tuple[Path, list[str]]:
    """The text as UTF-8 with one kind of line end: the file itself where it is so already, else a copy in scratch."""
    with path.open("rb") as file:
        head = file.read(4)
    if encoding is not None:
        encoding = _known(encoding, name)
    encoding = encoding or next((known for mark, known in _MARKS if head.startswith(mark)), None)
    copy = scratch / f"{path.name}.utf8"
    if encoding is not None and encoding not in ("utf-8", "utf-8-sig", "ascii"):
        _transcoded(path, name, copy, encoding)
        path, remarks = copy, [f"{name}: read as {encoding}"]
    else:
        remarks = []
    look = _looked(path)
    if look.is_blank:
        raise WarehouseError(f"{name} holds nothing but blanks; see whether the export finished, and fetch it again")
    if not look.ends_with_newline:
        remarks.append(f"{name}: its last line has no line end; see whether the export finished")
    if not look.is_utf8 or look.is_mixed_endings:
        if path == copy:
            path = copy.rename(copy.with_suffix(".first"))
        remarks += _mended(path, name, copy)
        path = copy
    return path, remarks


def _known(encoding: str, name: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise WarehouseError(f"{name}: '{encoding}' is not an encoding; allowed are such as utf-8, cp1252") from None


def _looked(path: Path) -> _Look:
    look, decoder, crlf, lf, last = _Look(), codecs.getincrementaldecoder("utf-8")(), 0, 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if look.is_utf8 and not (chunk.isascii() and decoder.getstate()[0] == b""):
                look.is_utf8 = _decodes(decoder, chunk)
            if b"\r" in chunk or last == b"\r":
                crlf += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
                lf += chunk.count(b"\n")
            else:
                lf += b"\n" in chunk  # one is as good as many: none of them follows a carriage return
            look.is_blank = look.is_blank and not chunk.removeprefix(codecs.BOM_UTF8).strip()
            last = chunk[-1:]
    look.is_utf8 = look.is_utf8 and decoder.getstate()[0] == b""
    look.is_mixed_endings = 0 < crlf < lf
    look.ends_with_newline = last in (b"\n", b"\r")
    return look


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


def _transcoded(path: Path, name: str, copy: Path, encoding: str) -> None:
    try:
        with path.open("r", encoding=encoding, newline="") as text, private(copy) as file:
            while part := text.read(CHUNK_BYTES):
                file.write(part.removeprefix("\ufeff").encode())
    except UnicodeError:
        raise WarehouseError(
            f"{name} cannot be read as {encoding}; state the source's encoding in zwerm.toml"
        ) from None


def _mended(path: Path, name: str, copy: Path) -> list[str]:
    """Line by line: what is UTF-8 stays, what is not is Windows-1252; every line ends in the same way."""
    counts = {"ascii": 0, "utf-8": 0, "cp1252": 0}
    with path.open("rb") as lines, private(copy) as file:
        for line in lines:
            line = line[:-2] + b"\n" if line.endswith(b"\r\n") else line
            if line.isascii():
                counts["ascii"] += 1
            else:
                line, used = _as_either(line)
                counts[used] += 1
            file.write(line)
    if counts["cp1252"] and counts["utf-8"]:
        return [f"{name}: mixes encodings: {counts['cp1252']} lines were read as Windows-1252, the others as UTF-8"]
    return [f"{name}: is not UTF-8; read as Windows-1252"] if counts["cp1252"] else []


def _as_either(line: bytes) -> tuple[bytes, str]:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace").encode(), "cp1252"
    return line, "utf-8"
