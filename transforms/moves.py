"""Departments that moved: with which wave, from where to where, and where an earlier wave's answers hang since."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from transforms.departments import Path, department_id, path_of
from transforms.reorganisations import moved
from transforms.waves import chronological, has_begun


@dataclass(frozen=True)
class Move:
    """From a wave on a department stands elsewhere, with all below it that has no move of its own."""

    wave: str
    was: Path
    now: Path


def placed(keys: Iterable[str], moves: Sequence[Move], *, since: str, until: str) -> dict[str, str]:
    """Each department key of the wave `since`, and the key that its answers hang on in the later wave `until`.

    Moves of one wave happen at once; those of several waves, one after the other.
    """
    held = [move for move in moves if has_begun(until, move.wave) and not has_begun(since, move.wave)]
    now = {key: key for key in keys}
    for wave in chronological(move.wave for move in held):
        at_once = {move.was: move.now for move in held if move.wave == wave}
        now = {key: moved(place, at_once) for key, place in now.items()}
    return now


def reshaped(placed: Mapping[str, str]) -> set[str]:
    """Ids of the departments that hold other answers of the earlier wave in today's tree than in that of its time."""
    found = set()
    for key, place in placed.items():
        was, now = path_of(key), path_of(place)
        common = next(
            (depth for depth, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now))
        )
        found |= {department_id(path[:depth]) for path in (was, now) for depth in range(common + 1, len(path) + 1)}
    return found
