"""A folder on this host: the files lie complete in a private folder beside, and one rename opens them.

<folder>/.zwerm-<delivery id>/   0700: being filled, held
<folder>/.zwerm-<delivery id>.notice   a notice until it is whole
<folder>/<survey>/<wave>/r<revision>/   release.json, pages and downloads
<folder>/<survey>/<wave>/held.txt       or withdrawn.txt: why they did not come; gone once they are there
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.channels import Delivery, Open, Outcome, Refusal, Stop
from flows.channels.leftovers import PREFIX, sweep
from flows.channels.notices import NAMES, notice
from flows.model import Language
from flows.preparing.seal import read_sealed, safe_name
from flows.settings import Settings
from warehouse import WarehouseError, publish


@dataclass(frozen=True)
class Place:
    """Where one release goes in one folder; deliveries with the same place are one rename."""

    delivery_ids: tuple[str, ...]
    sealed: Path
    root: Path
    final: Path
    language: Language

    @property
    def private(self) -> Path:
        """Beside the final place, on the same file system."""
        return self.root / f"{PREFIX}{self.delivery_ids[0]}"

    @property
    def held(self) -> Path:
        """The complete folder before T."""
        return self.private / "release"


class FolderChannel:
    """The shared folders of one moment."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._settings = settings
        self._places = _places(deliveries, releases, settings)
        self._ready: frozenset[Path] | None = None  # None: another process asked, and all were ready
        self._opened: frozenset[Path] = frozenset()  # the places that were to be opened at T

    def stage(self) -> list[Refusal]:
        """Try to write a private folder there, and see that nothing else has the place."""
        refusals = self._each(_try)
        refused = {refusal.delivery_id for refusal in refusals}
        self._ready = frozenset(place.final for place in self._places if refused.isdisjoint(place.delivery_ids))
        return refusals

    def arm(self, *, until: datetime) -> list[Refusal]:
        """Copy the content into the private folder and compare its hashes; on disk before anything is decided."""
        changed: list[Path] = []
        refusals = self._each(lambda place: changed.extend(_fill(place)))
        publish.keep(changed)
        return refusals

    def still_ready(self) -> list[Refusal]:
        """Whether the copies are where they were put and their places still free."""
        return self._each(_look)

    def opens(self) -> list[Open]:
        """One rename per place."""
        closed = [place for place in self._places if not is_there(place)]
        self._opened = frozenset(place.final for place in closed)
        return [Open(place.delivery_ids, _rename(place)) for place in closed]

    def confirm(self, *, deadline: float) -> list[Outcome]:
        """See that the content is in its place, and put it there if not."""
        return self.complete([name for place in self._places for name in place.delivery_ids], deadline=deadline)

    def complete(self, delivery_ids: Sequence[str], *, deadline: float) -> list[Outcome]:
        """Put what is not there yet; what is there with the same hashes is delivered, whoever put it and when."""
        wanted = set(delivery_ids)
        outcomes = []
        for place in self._places:
            outcomes += self._completed(place, [name for name in place.delivery_ids if name in wanted])
        publish.keep([place.final.parent for place in self._places if place.final.parent.is_dir()])
        return outcomes

    def abandon(self) -> None:
        """Remove the private copies, and the empty folders that were made for them."""
        for place in self._places:
            shutil.rmtree(place.private, ignore_errors=True)
            with suppress(OSError):
                place.final.parent.rmdir()
                place.final.parent.parent.rmdir()

    def tidy(self, *, delivered: Collection[str]) -> list[str]:
        """Take away what a process that ended left beside the releases."""
        done = (p for p in self._places if swept(p, is_delivered=not set(p.delivery_ids).isdisjoint(delivered)))
        return [name for place in done for name in place.delivery_ids]

    def announce(self, event: Stop, reason: str) -> None:
        """Say in the folder of each wave that its results are held or withdrawn, and why, to those who were ready."""
        for place in self._places:
            if (self._ready is None or place.final in self._ready) and not is_there(place):
                with suppress(Exception):  # whatever it meets, the hold stands, and the published site tells it too
                    tell(place, event, reason, settings=self._settings)

    def _completed(self, place: Place, names: Sequence[str]) -> list[Outcome]:
        try:
            is_late = put(place)
            leaves = not swept(place, is_delivered=True)
        except (OSError, WarehouseError) as error:
            now, fault = datetime.now(UTC), says(error)
            return [Outcome(name, "failed", now, fault) for name in names]
        now, attempts = datetime.now(UTC), 1 + (is_late and place.final in self._opened)
        sent_at = now if is_late else None
        return [Outcome(name, "delivered", now, "", attempts, sent_at, leaves) for name in names]

    def _each(self, do: Callable[[Place], None]) -> list[Refusal]:
        refusals = []
        for place in self._places:
            try:
                if not is_there(place):
                    do(place)
            except (OSError, WarehouseError) as error:
                refusals += [Refusal(name, says(error)) for name in place.delivery_ids]
        return refusals


def is_there(place: Place) -> bool:
    """Whether the place holds this release already, byte for byte."""
    return _is_whole(place.final, place.sealed)


def put(place: Place) -> bool:
    """Put the release there where it is not, and tell whether anything was to be put."""
    is_missing = not is_there(place)
    if is_missing:
        publish.keep(_fill(place))
        if not _is_whole(place.held, place.sealed):
            raise WarehouseError(f"what was read back below {place.root} is not what was written")
        place.held.rename(place.final)
    return is_missing


def swept(place: Place, *, is_delivered: bool) -> bool:
    """Take away what was put for the moment, and the notices where the release has come; whether nothing is left."""
    notices = [place.final.parent / name for name in NAMES.values()] if is_delivered else []
    return sweep(place.root, place.delivery_ids, also=notices)


def tell(place: Place, event: Stop, reason: str, *, settings: Settings) -> None:
    """Write the notice of a hold or withdrawal, whole or not at all, in the place of an earlier one."""
    wave = place.final.parent
    make(wave)
    draft = place.private.with_name(f"{place.private.name}.notice")
    draft.unlink(missing_ok=True)
    write(draft, notice(event, reason, sealed=place.sealed, language=place.language, settings=settings))
    draft.rename(wave / NAMES[event])
    for other in NAMES.values():
        if other != NAMES[event]:
            (wave / other).unlink(missing_ok=True)


def write(path: Path, content: bytes) -> None:
    """Write a new file that everyone may read, whatever the umask; it follows nobody's link."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _places(deliveries: Iterable[Delivery], releases: Mapping[str, Path], settings: Settings) -> tuple[Place, ...]:
    found: dict[Path, Place] = {}
    for delivery in deliveries:
        sealed = read_sealed(releases[delivery.release_id])
        root = settings.file.parent / str(delivery.target)
        final = root / safe_name(sealed.survey) / safe_name(sealed.wave) / f"r{sealed.revision}"
        earlier = found[final].delivery_ids if final in found else ()
        language = found[final].language if final in found else delivery.language
        found[final] = Place((*earlier, delivery.delivery_id), sealed.folder, root, final, language)
    return tuple(found.values())


def _try(place: Place) -> None:
    must_be_free(place)
    make(place.root)
    Path(tempfile.mkdtemp(prefix=f"{place.private.name}.", dir=place.root)).rmdir()


def _fill(place: Place) -> list[Path]:
    must_be_free(place)
    _private(place)
    place.held.mkdir(mode=0o700)
    parts = publish.manifest_parts(place.sealed)
    for name, source in publish.contents(place.sealed).items():
        publish.copy_verified(source, place.held / name, sealed=place.sealed, parts=parts)
    changed = publish.set_modes(place.held)
    make(place.final.parent)
    if place.final.parent.stat().st_dev != place.private.stat().st_dev:
        raise WarehouseError(f"{place.final.parent} is on another file system than {place.root}: no rename reaches it")
    return changed


def _look(place: Place) -> None:
    must_be_free(place)
    if not place.held.is_dir():
        raise WarehouseError("the copy that was held for it is gone")


def must_be_free(place: Place) -> None:
    """Refuse where something else has the place."""
    if place.final.exists():
        raise WarehouseError(f"{place.final} exists and is not this release; move it elsewhere")


def _private(place: Place) -> None:
    if place.private.exists():
        shutil.rmtree(place.private)
    place.private.mkdir(mode=0o700)


def make(folder: Path) -> None:
    """Make a folder that everyone may read, whatever the umask; one that is there keeps its mode."""
    if not folder.is_dir():
        make(folder.parent)
        try:
            folder.mkdir()
        except FileExistsError:  # another process made it in between
            if not folder.is_dir():
                raise
        else:
            folder.chmod(0o755)


def _rename(place: Place) -> Callable[[], None]:
    held, final = os.fsencode(place.held), os.fsencode(place.final)

    def rename() -> None:
        os.rename(held, final)  # noqa: PTH104 - nothing but the call itself at T

    return rename


def _is_whole(folder: Path, sealed: Path) -> bool:
    if not folder.is_dir():
        return False
    parts = publish.manifest_parts(sealed)
    return all(
        _sha256(folder / name) == parts[str(source.relative_to(sealed))]
        for name, source in publish.contents(sealed).items()
    )


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def says(error: Exception) -> str:
    """What did not work, by name and reason."""
    if isinstance(error, OSError):
        return f"{error.filename or 'the folder'}: {error.strerror or type(error).__name__}"
    return str(error)
