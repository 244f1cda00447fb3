"""Opening what lay sealed with a recipient: envelope and key in, the release as it was sealed out."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from flows.channels.envelope import KEY_BYTES, is_packed, unpack, unseal
from flows.errors import ConfigurationError, FlowError

DOCUMENT, FOLDER = Path("release.json"), Path("release")


def open_envelope(envelope: Path, key: Path, *, to: Path | None = None) -> list[str]:
    """Decrypt an envelope and write what is in it: one document, or a folder of pages and downloads."""
    content = unseal(_read(envelope), _key(key))
    if not is_packed(content):
        place = to / DOCUMENT if to and to.is_dir() else to or DOCUMENT
        _write_document(place, content)
        return [f"{place} is written: {len(content):,} bytes."]
    files = unpack(content)
    place = to or FOLDER
    _write_folder(place, files)
    return [f"{place} is written: {len(files)} files. Begin with index.html of a language, or release.json."]


def _key(path: Path) -> bytes:
    said = _read(path)
    if len(said) == KEY_BYTES:
        return said
    try:
        return bytes.fromhex(said.decode("ascii").strip())
    except ValueError:
        raise FlowError(f"{path} is no key: that is {KEY_BYTES} bytes, or {2 * KEY_BYTES} hex digits") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None


def _write_document(place: Path, content: bytes) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise ConfigurationError(f"{place} is there already; say with --to where to write instead") from None
    except OSError as error:
        raise ConfigurationError(f"{place} cannot be written: {error.strerror}") from None


def _write_folder(place: Path, files: Mapping[str, bytes]) -> None:
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise ConfigurationError(f"{place} is there already and no empty folder; say with --to where to write instead")
    try:
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)  # it was empty: half a release would be taken for a whole one
        raise ConfigurationError(f"{place} cannot be written: {error.strerror}") from None
