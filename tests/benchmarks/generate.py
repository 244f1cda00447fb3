"""A seeded survey export of any size: an uneven tree of three levels, and one row in a thousand broken."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[2] / ".bench"
SEED = 20261
WAVE = "2026-10"
BROKEN = 0.001
PARTS, UNITS = 10, 50  # departments of the first and second level; all others are of the third
DIRECT = 0.01  # of the answers hang on a unit itself
REMARKS = [f"Antwoord {i}: vriendelijk geholpen, maar wel lang moeten wachten." for i in range(1000)]
SHARES = (0.02, 0.005, 0.008, 0.012, 0.015, 0.03, 0.05, 0.13, 0.22, 0.24, 0.27)  # of the scores 0 to 10

Draws = NDArray[np.float64]
Places = NDArray[np.int64]


def survey_csv(*, rows: int = 1_000_000, departments: int = 500, seed: int = SEED, folder: Path = FOLDER) -> Path:
    """The export of these parameters, made once and kept; a changed generator makes a new one."""
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    path = folder / f"responses-{rows}-{departments}-{seed}-{version}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        with duckdb.connect() as connection:
            connection.register("responses", responses(rows=rows, departments=departments, seed=seed))
            connection.execute("copy responses to $path (format csv, header)", {"path": str(draft)})
        draft.replace(path)
    return path


def responses(*, rows: int, departments: int, seed: int) -> pa.Table:
    """One text per cell, as an export has it; NULL where nothing was answered."""
    rng = np.random.default_rng(seed)
    told = np.where(rng.random(rows) < 0.6, 9 * rng.random(rows) ** 2, 0).astype(np.int64)
    acted = (told * rng.random(rows)).astype(np.int64)
    warned = (3 * rng.random(rows) ** 2).astype(np.int64)
    scores = np.searchsorted(np.cumsum(SHARES), rng.random(rows), side="right").clip(0, 10)
    return pa.table(
        {
            "response_id": _numbered("R", np.arange(rows)),
            "respondent_id": _numbered("C", (60 * rows * rng.random(rows)).astype(np.int64)),  # some answer twice
            "responded_at": _moments(rng.random(rows)),
            **_departments(rng, rows=rows, departments=departments),
            "score": _answers(scores, rng, missing=0.02, broken=("11", "elf", "-3")),
            "weight": _answers((3000 + 14_000 * rng.random(rows)) / 10_000, rng, broken=("-1.5", "zwaar")),
            "told": _answers(told, rng, missing=0.1, broken=("veel",)),
            "acted": _answers(acted, rng, missing=0.15),
            "warned": _answers(warned, rng, missing=0.1),
            "comment": _chosen(REMARKS, (rng.random(rows) * 5 * len(REMARKS)).astype(np.int64)),
        }
    )


def _numbered(prefix: str, numbers: Places) -> pa.Array:
    return pa.array(np.char.add(prefix, np.char.zfill(numbers.astype(str), 8)))


def _chosen(texts: Sequence[str], places: Places) -> pa.Array:
    """The text at each place; NULL beyond the last."""
    return pa.array(texts).take(pa.array(places, mask=places >= len(texts)))


def _moments(draws: Draws) -> pa.Array:
    """Local times between 6 and 22 hours, on all days of the wave, in the order in which they came."""
    seconds = (np.sort(draws) * 31 * 16 * 3600).astype(np.int64)
    since = (seconds // 57_600) * 86_400 + seconds % 57_600 + 6 * 3600
    times = np.datetime64(f"{WAVE}-01", "s") + since.astype("timedelta64[s]")
    return pa.array(np.char.replace(np.datetime_as_string(times), "T", " "))


def _departments(rng: np.random.Generator, *, rows: int, departments: int) -> dict[str, pa.Array]:
    """A tree of few or many departments to a branch, which have a handful or thousands of answers."""
    leaves = departments - PARTS - UNITS
    part_of_unit = np.r_[np.arange(PARTS), (PARTS * rng.random(UNITS - PARTS) ** 2).astype(np.int64)]
    unit_of_leaf = np.r_[np.arange(UNITS), (UNITS * rng.random(leaves - UNITS) ** 2).astype(np.int64)]
    sizes = np.cumsum(np.exp(2 * rng.standard_normal(leaves)))
    leaf = np.searchsorted(sizes / sizes[-1], rng.random(rows), side="right").clip(0, leaves - 1)
    unit = unit_of_leaf[leaf]
    names = [f"Department {i:04d}" for i in range(leaves)]
    return {
        "part": _chosen([f"Part {i:02d}" for i in range(PARTS)], part_of_unit[unit]),
        "unit": _chosen([f"Unit {i:03d}" for i in range(UNITS)], unit),
        "department": _chosen(names, np.where(rng.random(rows) < DIRECT, leaves, leaf)),
    }


def _answers(
    values: Draws | Places, rng: np.random.Generator, *, missing: float = 0, broken: Sequence[str] = ()
) -> pa.Array:
    texts = np.round(values, 4).astype(str).astype(object)
    texts[rng.random(len(values)) < missing] = None
    for text in broken:
        texts[rng.random(len(values)) < BROKEN / 6] = text
    return pa.array(texts, type=pa.string())
