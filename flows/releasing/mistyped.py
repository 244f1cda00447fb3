"""Departments that the audience names and nothing has: likely mistyped, and then nobody they are meant for is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flows.home import Home
from flows.mistake import near
from flows.preparing.seal import read_table
from flows.progress import tell
from flows.releasing.audience import strangers
from flows.settings import Settings
from warehouse.ledger import Ledger

Path = tuple[str, ...]


@dataclass(frozen=True)
class Mistyped:
    """A department that a recipient is of and that is not there, and the one that was likely meant."""

    path: Path
    meant: Path | None

    def __str__(self) -> str:
        return f"a recipient is of {' > '.join(self.path)}, which is not among the departments"

    @property
    def do(self) -> str:
        """What to look at."""
        return f"did you mean {list(self.meant)}?" if self.meant else "see its spelling in the data with: zwerm check"

    @property
    def remark(self) -> str:
        """Both on a line of their own."""
        return f"remark: {self}; {self.do}"


def mistyped(settings: Settings, departments: Iterable[Sequence[str]]) -> list[Mistyped]:
    """What the audience names besides these departments, each with the nearest of them."""
    known = {" > ".join(path): tuple(path) for path in departments if path}
    return [Mistyped(path, _near(path, known)) for path in strangers(settings, known.values())]


def unheard_of(settings: Settings, home: Home, departments: Iterable[Sequence[str]]) -> list[Mistyped]:
    """What of the audience is not among the departments at hand, nor in a survey's newest release, nor configured.

    The departments at hand are of one wave, or of one survey of several: another may have what these lack.
    """
    if not settings.audience:
        return []
    return mistyped(settings, [*departments, *released(home), *(entry.path for entry in settings.departments)])


def remark_on_strangers(settings: Settings, home: Home, departments: Iterable[Sequence[str]]) -> None:
    """Tell the operator before a release is sealed: such a recipient receives it all the same."""
    for one in unheard_of(settings, home, departments):
        tell(f"         {one.remark}")


def released(home: Home) -> list[Path]:
    """The departments of each survey's newest release."""
    paths: dict[Path, None] = {}
    for release_id in _newest(home):
        folder = home.releases / release_id
        if (folder / "tables" / "departments.parquet").exists():
            found = (tuple(str(name) for name in path) for path in read_table(folder, "departments")["path"])
            paths |= dict.fromkeys(found)
    return list(paths)


def _near(path: Path, known: dict[str, Path]) -> Path | None:
    meant = near(" > ".join(path), known)
    return known[meant] if meant else None


def _newest(home: Home) -> list[str]:
    if not home.ledger.exists():
        return []
    with Ledger.open(home.ledger) as ledger:
        sealed = [release for release in ledger.releases() if release.state != "withdrawn"]
    by_time = sorted(sealed, key=lambda release: release.sealed_at)
    return list({release.survey: release.release_id for release in by_time}.values())
