"""What `[[departments]]` tells of a department that the data cannot: its names, its time, and what it was before."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from flows.mistake import Mistake
from flows.model import Model, Text
from transforms.waves import has_begun, is_over

Path = tuple[str, ...]
Label = Annotated[str, Field(min_length=1)]
Place = Annotated[tuple[Label, ...], Field(min_length=1)]


def _places(value: Any) -> Any:
    """One path, or several: a department may have been made of more than one."""
    is_one = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    return (value,) if is_one else value


class DepartmentEntry(Model):
    """A department's path as the data name it, its names and order of writing, and from when until when it is there."""

    path: tuple[str, ...] = Field(min_length=1)
    name: Text | None = None
    valid_from: Label | None = None  # its first wave
    valid_until: Label | None = None  # its last wave
    was: Annotated[tuple[Place, ...], BeforeValidator(_places)] = ()  # what holds its answers of before valid_from

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.was and self.valid_from is None:
            raise ValueError(f'{shown(self.path)} was something else before: since which wave? Add valid_from = "…"')
        if self.valid_from and self.valid_until and is_over(self.valid_from, self.valid_until):
            raise ValueError(f"valid_from '{self.valid_from}' comes after valid_until '{self.valid_until}'")
        if self.path in self.was:
            raise ValueError(f"{shown(self.path)} cannot move to itself; name in was only what stood elsewhere before")
        return self


def shown(path: Path) -> str:
    """A path for a person to read."""
    return "'" + " > ".join(path) + "'"


def as_of(entries: Sequence[DepartmentEntry], wave: str | None) -> list[DepartmentEntry]:
    """One entry per path, in order of writing: the one that is valid in a wave, else the last that is written."""
    chosen: dict[Path, DepartmentEntry] = {}
    for entry in entries:
        known = chosen.get(entry.path)
        if known is None or wave is None or not _is_valid(known, wave):
            chosen[entry.path] = entry
    return list(chosen.values())


def ended_by(entries: Sequence[DepartmentEntry], wave: str) -> set[Path]:
    """The departments whose time is over in a wave."""
    return {entry.path for entry in as_of(entries, wave) if entry.valid_until and is_over(wave, entry.valid_until)}


def out_of_time(entries: Sequence[DepartmentEntry], wave: str, paths: Iterable[Path]) -> set[Path]:
    """Which of these departments should not be there in a wave: their time is not yet, or over, or they moved away."""
    known = {entry.path: entry for entry in as_of(entries, wave)}
    left = {was for one in entries if one.valid_from and has_begun(wave, one.valid_from) for was in one.was}
    return {path for path in paths if (not _is_valid(known[path], wave) if path in known else path in left)}


def contradictions(entries: Sequence[DepartmentEntry]) -> Iterator[Mistake]:
    """What of the entries cannot be so together."""
    yield from _overlapping(entries)
    yield from _divided(entries)
    yield from _in_circles(entries)
    yield from _moved_and_still_there(entries)


def _is_valid(entry: DepartmentEntry, wave: str) -> bool:
    has_come = entry.valid_from is None or has_begun(wave, entry.valid_from)
    return has_come and (entry.valid_until is None or not is_over(wave, entry.valid_until))


def _overlapping(entries: Sequence[DepartmentEntry]) -> Iterator[Mistake]:
    for place, entry in enumerate(entries):
        for other in entries[:place]:
            if other.path == entry.path and not (_ends_before(other, entry) or _ends_before(entry, other)):
                yield Mistake(
                    ("departments", place, "path"),
                    f"{shown(entry.path)} is written down twice for the same time",
                    f"{_time(other)}, and {_time(entry)}",
                    "one entry for each time: the valid_until of one before the valid_from of the next",
                )


def _divided(entries: Sequence[DepartmentEntry]) -> Iterator[Mistake]:
    known: dict[tuple[str | None, Path], Path] = {}
    for place, entry in enumerate(entries):
        for was in entry.was:
            first = known.setdefault((entry.valid_from, was), entry.path)
            if first != entry.path or entry.was.count(was) > 1:
                yield Mistake(
                    ("departments", place, "was"),
                    f"{shown(was)} cannot become two with {entry.valid_from}: its answers are not told apart",
                    f"{shown(first)} and {shown(entry.path)}",
                    "one department for each that moved; what was below it may have moves of its own",
                )


def _in_circles(entries: Sequence[DepartmentEntry]) -> Iterator[Mistake]:
    for place, entry in enumerate(entries):
        at_once = {was: one.path for one in entries if one.valid_from == entry.valid_from for was in one.was}
        path, met = at_once.get(entry.path), [entry.path]
        while path is not None and path not in met:
            met.append(path)
            path = at_once.get(path)
        if entry.was and path == entry.path:
            yield Mistake(
                ("departments", place, "was"),
                f"departments move in a circle with {entry.valid_from}",
                ", then ".join(map(shown, [*met, entry.path])),
                "moves that end somewhere; what only has another name gets it with name",
            )
            return


def _moved_and_still_there(entries: Sequence[DepartmentEntry]) -> Iterator[Mistake]:
    for place, entry in enumerate(entries):
        for was in entry.was:
            for other in entries:
                if other.path == was and entry.valid_from and _is_across(other, entry.valid_from):
                    yield Mistake(
                        ("departments", place, "was"),
                        f"{shown(was)} became {shown(entry.path)} with {entry.valid_from}, and is said to stay",
                        f"{shown(was)} {_time(other)}",
                        f"a valid_until of {shown(was)} that ends before {entry.valid_from}",
                    )


def _is_across(entry: DepartmentEntry, wave: str) -> bool:
    """Whether a department is there before a wave, and still in it."""
    is_there_before = entry.valid_from is None or not has_begun(entry.valid_from, wave)
    return is_there_before and _is_valid(entry, wave)


def _ends_before(entry: DepartmentEntry, other: DepartmentEntry) -> bool:
    return bool(entry.valid_until and other.valid_from and is_over(other.valid_from, entry.valid_until))


def _time(entry: DepartmentEntry) -> str:
    if entry.valid_from is None and entry.valid_until is None:
        return "at any time"
    return f"from {entry.valid_from or 'ever'} until {entry.valid_until or 'further notice'}"
