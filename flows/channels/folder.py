"""A folder on this host: the files lie complete in a private folder beside, and one rename opens them.

<folder>/.zwerm-<delivery id>/   0700: being filled, held
<folder>/<survey>/<wave>/r<revision>/   release.json, pages and downloads
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.channels import Delivery, Open, Outcome, Refusal, Stop
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

    @property
    def private(self) -> Path:
        """Beside the final place, on the same file system."""
        return self.root / f".zwerm-{self.delivery_ids[0]}"

    @property
    def held(self) -> Path:
        """The complete folder before T."""
        return self.private / "release"


class FolderChannel:
    """The shared folders of one moment."""

    def __init__(self, deliveries: Sequence[Delivery], *, releases: Mapping[str, Path], settings: Settings) -> None:
        self._places = _places(deliveries, releases, settings)
        self._opened: frozenset[Path] = frozenset()  # the places that were to be opened at T

    def stage(self) -> list[Refusal]:
        """Try to write a private folder there, and see that nothing else has the place."""
        return self._each(_try)

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
        return self.complete([name for place in self._places for name in place.delivery_ids])

    def complete(self, delivery_ids: Sequence[str]) -> list[Outcome]:
        """Put what is not there yet; what is there with the same hashes is delivered."""
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

    def announce(self, event: Stop, reason: str) -> None:
        """Nothing here: the published site tells everyone that, and why, the results are held."""

    def _completed(self, place: Place, names: Sequence[str]) -> list[Outcome]:
        try:
            is_late = _complete(place)
        except (OSError, WarehouseError) as error:
            now, fault = datetime.now(UTC), _says(error)
            return [Outcome(name, "failed", now, fault) for name in names]
        now, attempts = datetime.now(UTC), 1 + (is_late and place.final in self._opened)
        sent_at = now if is_late else None
        return [Outcome(name, "delivered", now, attempts=attempts, sent_at=sent_at) for name in names]

    def _each(self, do: Callable[[Place], None]) -> list[Refusal]:
        refusals = []
        for place in self._places:
            try:
                if not is_there(place):
                    do(place)
            except (OSError, WarehouseError) as error:
                refusals += [Refusal(name, _says(error)) for name in place.delivery_ids]
        return refusals


def is_there(place: Place) -> bool:
    """Whether the place holds this release already, byte for byte."""
    if not place.final.is_dir():
        return False
    parts = publish.manifest_parts(place.sealed)
    return all(
        _sha256(place.final / name) == parts[str(source.relative_to(place.sealed))]
        for name, source in publish.contents(place.sealed).items()
    )


def _places(deliveries: Iterable[Delivery], releases: Mapping[str, Path], settings: Settings) -> tuple[Place, ...]:
    found: dict[Path, Place] = {}
    for delivery in deliveries:
        sealed = read_sealed(releases[delivery.release_id])
        root = settings.file.parent / str(delivery.target)
        final = root / safe_name(sealed.survey) / safe_name(sealed.wave) / f"r{sealed.revision}"
        earlier = found[final].delivery_ids if final in found else ()
        found[final] = Place((*earlier, delivery.delivery_id), sealed.folder, root, final)
    return tuple(found.values())


def _try(place: Place) -> None:
    _must_be_free(place)
    _make(place.root)
    _private(place)
    place.private.rmdir()


def _fill(place: Place) -> list[Path]:
    _must_be_free(place)
    _private(place)
    place.held.mkdir(mode=0o700)
    parts = publish.manifest_parts(place.sealed)
    for name, source in publish.contents(place.sealed).items():
        publish.copy_verified(source, place.held / name, sealed=place.sealed, parts=parts)
    changed = publish.set_modes(place.held)
    _make(place.final.parent)
    if place.final.parent.stat().st_dev != place.private.stat().st_dev:
        raise WarehouseError(f"{place.final.parent} is on another file system than {place.root}: no rename reaches it")
    return changed


def _look(place: Place) -> None:
    _must_be_free(place)
    if not place.held.is_dir():
        raise WarehouseError("the copy that was held for it is gone")


def _complete(place: Place) -> bool:
    """Put it there where it is not, and tell whether that was needed."""
    is_missing = not is_there(place)
    if is_missing:
        publish.keep(_fill(place))
        place.held.rename(place.final)
    shutil.rmtree(place.private, ignore_errors=True)
    return is_missing


def _must_be_free(place: Place) -> None:
    if place.final.exists():
        raise WarehouseError(f"{place.final} exists and is not this release; move it elsewhere")


def _private(place: Place) -> None:
    if place.private.exists():
        shutil.rmtree(place.private)
    place.private.mkdir(mode=0o700)


def _make(folder: Path) -> None:
    """Make a folder that everyone may read, whatever the umask; one that is there keeps its mode."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir()
        folder.chmod(0o755)


def _rename(place: Place) -> Callable[[], None]:
    held, final = os.fsencode(place.held), os.fsencode(place.final)

    def rename() -> None:
        os.rename(held, final)  # noqa: PTH104 - nothing but the call itself at T

    return rename


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _says(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the folder'}: {error.strerror or type(error).__name__}"
    return str(error)
