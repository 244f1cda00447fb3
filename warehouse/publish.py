"""What everyone reads: a complete folder, made in private, then shown whole by one rename of one link.

    published/.next/<name>/   0700 above it: being assembled; nobody else can reach it
    published/.r/<name>/      0711 above it: reachable through the link, not listable; a few earlier ones stay
    published/current         the link that decides
    published/warehouse.duckdb, site, parquet   fixed links through it

Every publication is made anew from the sealed releases that the ledger calls released, and those of the moment: never
from an earlier publication. So no moment can bring back the state in which another one had found things.
"""

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from warehouse import WarehouseError
from warehouse.marts import Edition, build, check
from warehouse.records import DeliveryState

FIXED = ("warehouse.duckdb", "site", "parquet")
EARLIER_KEPT = 4  # a reader may be between the link and the file: at least three
GRACE_SECONDS = 60.0  # for a reader who waits for his turn while publications follow closely
MANY = 200
FOLDER, FILE = 0o755, 0o644


@dataclass(frozen=True)
class Publication:
    """A publication that is complete and that nobody can read yet."""

    published: Path
    name: str

    @property
    def private(self) -> Path:
        """Where it is before it is shown."""
        return self.published / ".next" / self.name

    @property
    def shown(self) -> Path:
        """Where it is afterwards."""
        return self.published / ".r" / self.name

    @property
    def link(self) -> Path:
        """The link that becomes `current`; made in private, because it tells the name."""
        return self.published / ".next" / f"{self.name}.link"


def prepare(published: Path) -> None:
    """Make the folders and the fixed links, which tell nothing; done again it changes nothing."""
    for folder, mode in ((published, FOLDER), (published / ".r", 0o711), (published / ".next", 0o700)):
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        folder.chmod(mode)
    current_link = published / "current"
    if current_link.exists() and not current_link.is_symlink():
        raise WarehouseError(f"{current_link} is in the way of the link that Zwerm makes there; move it elsewhere")
    for name in FIXED:
        _have_link(published / name, f"current/{name}")


def _have_link(link: Path, target: str) -> None:
    """Made at its place and by one call: whoever assembles clears the private folder, and others may be at it too."""
    try:
        link.symlink_to(target)
    except FileExistsError:
        if not link.is_symlink():
            raise WarehouseError(
                f"{link} is in the way of the link that Zwerm makes there; move it elsewhere"
            ) from None
        if str(link.readlink()) != target:
            link.unlink()
            link.symlink_to(target)


def assemble(
    published: Path, editions: Sequence[Edition], deliveries: Sequence[DeliveryState], *, pages: Mapping[str, bytes]
) -> Publication:
    """Make a publication, whole and checked, under a random name in the private folder; `pages` lie below `site/`.

    Only the holder of the moment's lease does this: what others left in the private folder was never shown.
    """
    prepare(published)
    _clear(published / ".next")
    made = Publication(published, secrets.token_hex(16))
    made.private.mkdir(mode=0o700)
    build(made.private, editions, deliveries)
    check(made.private / "warehouse.duckdb", {edition.release.release_id for edition in editions})
    for edition in editions:
        _add(made.private / "site", edition, earlier=published / "current" / "site", anew=pages.keys())
    for name, content in pages.items():
        _write(_below(made.private / "site", name), content)
    (made.private / "site").mkdir(exist_ok=True)
    keep(set_modes(made.private))
    made.link.symlink_to(f".r/{made.name}")
    return made


def swap(made: Publication) -> None:
    """Show a publication: after the second rename everyone reads it. What was done already is not done again."""
    if made.private.exists():
        made.private.rename(made.shown)
    if made.link.is_symlink():
        made.link.rename(made.published / "current")


def discard(made: Publication) -> None:
    """Remove a publication that is not to be shown."""
    shutil.rmtree(made.private, ignore_errors=True)
    made.link.unlink(missing_ok=True)


def is_current(made: Publication) -> bool:
    """Whether everyone reads this publication now."""
    return current(made.published) == made.shown


def has(published: Path, name: str) -> bool:
    """Whether a file below the site is in what everyone reads now."""
    return (published / "current" / "site" / name).is_file()


def current(published: Path) -> Path | None:
    """The folder that everyone reads now, None before the first publication."""
    link = published / "current"
    return published / link.readlink() if link.is_symlink() else None


def settle(published: Path, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Have the links on disk, and remove what no reader can still be on his way to."""
    keep([published, published / ".r"])
    shown = current(published)
    folders = [(path.stat().st_ctime, path) for path in (published / ".r").iterdir()]  # when it was shown
    earlier = sorted((one for one in folders if one[1] != shown), reverse=True)
    replaced_at = [max((at for at, path in folders if path == shown), default=0.0), *(at for at, _ in earlier)]
    for (_, path), at in list(zip(earlier, replaced_at, strict=False))[EARLIER_KEPT:]:
        if time.time() - at >= grace_seconds:
            shutil.rmtree(path)


def contents(sealed: Path) -> dict[str, Path]:
    """What readers get of a sealed release, by its name below the release's place: pages, downloads, release.json."""
    pages = {str(path.relative_to(sealed / "pages")): path for path in _files(sealed / "pages")}
    downloads = {str(path.relative_to(sealed)): path for path in _files(sealed / "downloads")}
    documents = {name: sealed / name for name in ("release.json", "release.schema.json") if (sealed / name).exists()}
    return {**pages, **downloads, **documents}


def copy_verified(source: Path, target: Path, *, sealed: Path, parts: Mapping[str, str]) -> None:
    """Copy a part of a sealed release, private still, and compare its hash with the manifest's."""
    content = source.read_bytes()
    name = str(source.relative_to(sealed))
    if hashlib.sha256(content).hexdigest() != parts.get(name):
        raise WarehouseError(f"{source} is not what was sealed (its SHA-256 differs from the manifest's); seal it anew")
    _write(target, content)


def manifest_parts(sealed: Path) -> dict[str, str]:
    """The SHA-256 of each part, as the manifest of a sealed release tells it."""
    parts: dict[str, str] = json.loads((sealed / "manifest.json").read_text(encoding="utf-8"))["parts"]
    return parts


def _add(site: Path, edition: Edition, *, earlier: Path, anew: Set[str]) -> None:
    """Link what is published already and not made anew, copy what is new."""
    place, published = site / edition.place, earlier / edition.place
    files = contents(edition.sealed)
    linked = {str(path.relative_to(published)) for path in _files(published)} if edition.release.is_out else set()
    for name in sorted(linked):
        if f"{edition.place}/{name}" not in anew:
            (place / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(published / name, place / name)
    parts = manifest_parts(edition.sealed)
    for name in files.keys() - linked:
        copy_verified(files[name], place / name, sealed=edition.sealed, parts=parts)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _below(folder: Path, name: str) -> Path:
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise WarehouseError(f"{name!r} would lie outside of {folder}")
    return path


def set_modes(folder: Path) -> list[Path]:
    """Let everyone read it once it can be reached; what was changed, for `keep` to have it on disk before."""
    changed = []
    for path in [*folder.rglob("*"), folder]:
        mode = FOLDER if path.is_dir() else FILE
        if path.stat().st_mode & 0o777 != mode:  # linked files are as they should be, and on disk already
            path.chmod(mode)
            changed.append(path)
    return changed


def keep(paths: Sequence[Path]) -> None:
    """Have files and folders on disk: one by one, or where they are many, everything at once."""
    if len(paths) > MANY:
        os.sync()
        return
    for path in paths:
        sync(path)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())
