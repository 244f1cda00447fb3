"""What share, SFTP and object store put at others: a closed envelope, its key at T, and plain copies right after.

<root>/.zwerm-<delivery id>.sealed   before T: everything, closed, under a name that tells nothing
<root>/.zwerm-<delivery id>.key      from T on: the 32 bytes that open it; both go once the plain copies are right
<root>/<survey>/<wave>/r<revision>/  for people: release.json, pages and downloads
"""

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from flows.channels import Delivery, Target
from flows.channels.envelope import SMALLEST, key_of, pack, seal, unpack, unseal
from flows.channels.leftovers import PREFIX
from flows.errors import FlowError
from flows.home import Home
from flows.model import Language
from flows.preparing.seal import Sealed, read_sealed, safe_name
from warehouse import WarehouseError
from warehouse.publish import contents, manifest_parts


@dataclass(frozen=True)
class Parcel:
    """One release for one place of one recipient; deliveries that go to the same place are one parcel."""

    delivery_ids: tuple[str, ...]
    release: Sealed
    target: Target
    language: Language

    @property
    def delivery_id(self) -> str:
        """The id after which it is named, in whichever order its deliveries come."""
        return min(self.delivery_ids)

    def is_among(self, delivered: Collection[str]) -> bool:
        """Whether one of its deliveries is, and so it came."""
        return not set(self.delivery_ids).isdisjoint(delivered)

    @property
    def name(self) -> str:
        """What all of it that lies there before T is called: a random delivery id, and no word."""
        return f"{PREFIX}{self.delivery_id}"

    @property
    def envelope_name(self) -> str:
        """The closed envelope, below the root."""
        return f"{self.name}.sealed"

    @property
    def key_name(self) -> str:
        """The key from T on, below the root."""
        return f"{self.name}.key"

    @property
    def wave_name(self) -> str:
        """The folder of its wave, below the root; it is not made before T, since it tells survey and wave."""
        return f"{safe_name(self.release.survey)}/{safe_name(self.release.wave)}"

    @property
    def plain_name(self) -> str:
        """The folder for people, below the root."""
        return f"{self.wave_name}/r{self.release.revision}"


def parcels(
    deliveries: Iterable[Delivery], releases: Mapping[str, Path], *, root: Callable[[Delivery], Hashable]
) -> tuple[Parcel, ...]:
    """The parcels of these deliveries; `root` tells which of them go to the same folder or bucket."""
    read = {name: read_sealed(folder) for name, folder in releases.items()}
    found: dict[Hashable, Parcel] = {}
    for each in deliveries:
        place = (root(each), each.release_id)
        earlier = found[place].delivery_ids if place in found else ()
        first = found.get(place) or Parcel((), read[each.release_id], each.target, each.language)
        found[place] = Parcel((*earlier, each.delivery_id), first.release, first.target, first.language)
    return tuple(found.values())


class Contents:
    """What is in the parcels: each release is packed once, and compared with its manifest, when it is first needed."""

    def __init__(self, home: Path) -> None:
        self._home = Home(home)
        self._lock = Lock()
        self._packed: dict[str, tuple[bytes, Mapping[str, bytes]]] = {}

    def key(self, parcel: Parcel) -> bytes:
        """The 32 bytes that open this parcel's envelope, the same in every process of this home."""
        return key_of(parcel.delivery_id, secret=self._home.secret())

    def envelope(self, parcel: Parcel) -> bytes:
        """The parcel closed; each closing differs, so what lies there is known by opening it (`is_closed`)."""
        return seal(self._of(parcel)[0], self.key(parcel))

    def most_bytes(self, parcel: Parcel) -> int:
        """No envelope of this parcel is longer: what is, need not be read to its end."""
        return 2 * (len(self._of(parcel)[0]) + SMALLEST)

    def is_closed(self, parcel: Parcel, envelope: bytes | None) -> bool:
        """Whether what was read back is this parcel, whole, under its own key."""
        try:
            return envelope is not None and unseal(envelope, self.key(parcel)) == self._of(parcel)[0]
        except FlowError:
            return False

    def plain(self, parcel: Parcel) -> Mapping[str, bytes]:
        """The files for people by name below the parcel's place, as they were sealed."""
        return self._of(parcel)[1]

    def hashes(self, parcel: Parcel) -> Mapping[str, str]:
        """The SHA-256 of each of these files."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.plain(parcel).items()}

    def _of(self, parcel: Parcel) -> tuple[bytes, Mapping[str, bytes]]:
        with self._lock:
            folder = parcel.release.folder
            if folder.name not in self._packed:
                packed = pack(folder)
                files = unpack(packed)
                _must_be_as_sealed(folder, files)
                self._packed[folder.name] = packed, files
            return self._packed[folder.name]


def _must_be_as_sealed(folder: Path, files: Mapping[str, bytes]) -> None:
    parts = manifest_parts(folder)
    for name, source in contents(folder).items():
        if hashlib.sha256(files[name]).hexdigest() != parts.get(str(source.relative_to(folder))):
            raise WarehouseError(f"{source} is not what was sealed (its SHA-256 differs); seal it anew")
