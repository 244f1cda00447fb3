"""A sealed envelope: what may lie with others before T, since only the key opens it and its length tells little.

16 bytes   ZWERM-SEALED-1 and a line break
12 bytes   nonce, drawn from key and content
the rest   AES-256-GCM with the first 16 bytes as associated data, the tag at its end; inside: the length of the
           content (8 bytes, big-endian), the content, zeros; the whole file is a power of two long
"""

import hashlib
import hmac
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flows.errors import FlowError

MARK = b"ZWERM-SEALED-1\r\n"
NONCE_BYTES, TAG_BYTES, LENGTH_BYTES, KEY_BYTES = 12, 16, 8, 32
SMALLEST = 4096
AROUND = len(MARK) + NONCE_BYTES + LENGTH_BYTES + TAG_BYTES
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def key_of(delivery_id: str, *, secret: bytes) -> bytes:
    """The 32-byte key of one delivery: made from the home's secret, so that another process has it after a kill."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"envelope {delivery_id}".encode()).derive(secret)


def sealed_length(length: int) -> int:
    """How long the envelope of so many bytes is: a power of two."""
    return max(SMALLEST, 1 << (AROUND + length - 1).bit_length())


def seal(content: bytes, key: bytes) -> bytes:
    """Close an envelope; the same content under the same key gives the same bytes, in another process too.

    A receiver that is sent them again under one idempotency key must find what it has: some refuse other bytes. So the
    nonce is not random but a keyed hash of the content: to others it looks random, and no two contents share one.
    """
    nonce = hmac.digest(key, b"nonce" + hashlib.sha256(content).digest(), "sha256")[:NONCE_BYTES]
    padded = sealed_length(len(content)) - AROUND
    inside = len(content).to_bytes(LENGTH_BYTES, "big") + content.ljust(padded, b"\0")
    return MARK + nonce + AESGCM(key).encrypt(nonce, inside, MARK)


def unseal(envelope: bytes, key: bytes) -> bytes:
    """Open an envelope; FlowError where it is none, was changed, or the key is another's."""
    if not envelope.startswith(MARK):
        raise FlowError("this is no sealed envelope of Zwerm: it does not begin with ZWERM-SEALED-1")
    if len(key) != KEY_BYTES:
        raise FlowError(f"a key has {KEY_BYTES} bytes; this one has {len(key)}")
    if len(envelope) < SMALLEST:
        raise FlowError(f"this envelope was cut off: it has {len(envelope)} bytes, and none has less than {SMALLEST}")
    nonce, inside = envelope[len(MARK) :][:NONCE_BYTES], envelope[len(MARK) + NONCE_BYTES :]
    try:
        opened = AESGCM(key).decrypt(nonce, inside, MARK)
    except InvalidTag:
        raise FlowError("the key does not open this envelope: it is another's, or one of the two was changed") from None
    length = int.from_bytes(opened[:LENGTH_BYTES], "big")
    return opened[LENGTH_BYTES:][:length]


def pack(sealed: Path) -> bytes:
    """All that readers get of a sealed release in one ZIP archive; the same release gives the same bytes."""
    from warehouse import publish  # loads DuckDB, which whoever opens an envelope needs not

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(publish.contents(sealed).items()):
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def is_packed(content: bytes) -> bool:
    """Whether it is an archive, of pages and downloads, and not one document."""
    return content.startswith(b"PK\x03\x04")


def unpack(packed: bytes) -> dict[str, bytes]:
    """The files of an archive by name; FlowError where a name would lie outside of a folder, or twice in one place."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            _refuse_names(names)
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise FlowError(f"the archive cannot be read ({type(error).__name__}); ask for it again") from None


def _refuse_names(names: Sequence[str]) -> None:
    for name in names:
        parts = re.split(r"[/\\]", name)  # a backslash parts folders on some hosts
        if not all(parts) or {".", ".."} & {*parts} or ":" in parts[0] or not name.isprintable():
            raise FlowError(f"{name!r} in the archive would lie outside of the folder; nothing was written")
    files = [PurePosixPath(name) for name in names]
    if len({*files}) < len(files) or {*files} & {folder for file in files for folder in file.parents}:
        raise FlowError("two files in the archive would lie in one place; nothing was written")
