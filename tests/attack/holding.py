"""Many organisations below one holding, released by the pipeline itself into one home, of which outsiders read `mart`.

Their files are landed, read, held against earlier revisions, counted, compared, sealed and opened as any survey's. Two
steps are asked for otherwise: what is shown is decided for each organisation by itself, as if it stood alone, so that
each is one of its own; and no check looks before the seal, as all that one could do is to stop what is given away. A
step of `careless.py` in the place of one shows what the attack would find.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from flows.preparing import figures, steps
from flows.preparing.counting import released_sql
from flows.preparing.examination import Examination
from flows.preparing.steps import prepare
from flows.preparing.tables import TABLES
from flows.release import open_moment
from flows.releasing.staging import stage_together
from flows.run import Run
from tests.attack.organisations import SCORES, Answer, Organisation, configured
from transforms import TransformError
from transforms.departments import SEPARATOR
from transforms.protect import protect
from warehouse.store import Store

WAVES = ("2026-09", "2026-10")
ORDER = ((0, 0), (0, 1), (1, 0), (0, 2), (1, 1))  # the wave, and which state of its files: as it comes over time
LEVELS = 12
SECRET = "5e" * 32  # always the same, so that what was found is found again
COLUMNS = ("wave", "id", "nps", "told", "acted", "weight", *(f"l{level}" for level in range(LEVELS)))
CLASS = {scores[-1]: kind for kind, scores in SCORES.items()}
Step = Callable[..., Any]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Manner:
    """How releases are made; as it is given, an honest home's."""

    protect: Callable[..., pd.DataFrame] = protect
    is_frozen: bool = True  # the pattern of a wave's first release is kept
    material: bool = False  # late answers enter at once, also where they are few
    steps: Mapping[Step, Step] = field(default_factory=dict)  # of flows.preparing.steps, and what is done instead
    order: Sequence[tuple[int, int]] = ORDER


@dataclass(frozen=True)
class Holding:
    """A home with the organisations of one holding; and which answers each release counts, for the judge."""

    folder: Path
    organisations: Mapping[str, Organisation]
    k: int
    counted: dict[str, dict[str, list[Answer]]] = field(default_factory=dict)  # release → organisation → answers

    @property
    def published(self) -> Path:
        """The file that everyone reads."""
        return self.folder / "published" / "warehouse.duckdb"

    def publish(self, manner: Manner | None = None) -> None:
        """Release the waves and their revisions, in the order of time."""
        manner = manner or Manner()
        (self.folder / "working").mkdir(parents=True)
        (self.folder / "working" / "secret").write_text(SECRET, encoding="ascii")
        (self.folder / "zwerm.toml").write_text(self._configuration(), encoding="utf-8")
        for wave, state in manner.order:
            self._write(wave, state)
            self._release(WAVES[wave], manner)

    def _release(self, wave: str, manner: Manner) -> None:
        run = Run.begin(self.folder / "zwerm.toml")
        instead: dict[Step, Step] = {
            steps.protect: self._each_by_itself(manner),
            steps.check: _unchecked,
            **manner.steps,
        }

        def as_step(function: Callable[P, R], /) -> Callable[P, R]:
            return instead.get(function, function)

        made = prepare(
            run,
            "staff",
            wave,
            may_revise=True,
            reason="later",
            material=manner.material,
            with_pages=False,
            as_step=as_step,
        )
        if made.sealed is None:
            return
        with run.store() as store:
            self.counted[made.sealed.release_id] = _by_organisation(counted_by(store, made.sealed.release_id, wave))
        for moment in stage_together(run, [made]).moments:
            open_moment(run.home, run.settings, moment.moment_id)

    def _each_by_itself(self, manner: Manner) -> Step:
        def step(store: Store, run: Run, examination: Examination, tree: pd.DataFrame) -> pd.DataFrame:
            if manner.is_frozen and examination.first_release_id is not None:
                return figures.hide(store, run, examination, tree)
            settings = {"min_respondents": self.k, "noise": run.home.secret(), "wave": examination.wave}
            pattern = by_organisation(store.frame("from tallies"), tree, manner.protect, settings)
            store.register("pattern", pattern)
            return pattern

        return step

    def _configuration(self) -> str:
        moved = "".join(self._moves(name, one.moves) for name, one in self.organisations.items())
        return configured("staff", "answers-*.csv", k=self.k, levels=LEVELS) + moved

    @staticmethod
    def _moves(name: str, moves: Mapping[str, str]) -> str:
        into: dict[str, list[list[str]]] = {}
        for was, now in moves.items():
            into.setdefault(now, []).append([name, *was.split("/")])
        return "".join(
            f'[[departments]]\npath = {json.dumps([name, *filter(None, now.split("/"))])}\nvalid_from = "{WAVES[1]}"\n'
            f"was = {json.dumps(was)}\n"
            for now, was in into.items()
        )

    def _write(self, wave: int, state: int) -> None:
        rows = [",".join(COLUMNS)]
        for name, organisation in self.organisations.items():
            states = organisation.waves[wave] if wave < len(organisation.waves) else [[]]
            for one in states[min(state, len(states) - 1)]:
                path = [name, *filter(None, one.cell.split("/"))]
                rows.append(_row(WAVES[wave], one, key=f"{name} {one.key}", path=path))
        rows += [_row(WAVES[wave], one, key=one.key, path=[]) for one in _directors(self.k)]
        (self.folder / f"answers-{WAVES[wave]}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def holding(folder: Path, organisations: Sequence[Organisation], *, k: int, manner: Manner | None = None) -> Holding:
    """The organisations, released; each has a name of its own content, and so the same one wherever it is tried."""
    made = Holding(folder, {name_of(one): one for one in organisations}, k)
    made.publish(manner)
    return made


def name_of(organisation: Organisation) -> str:
    """What its people call it."""
    return sha256(repr(organisation).encode()).hexdigest()[:12]


def by_organisation(
    tallies: pd.DataFrame, tree: pd.DataFrame, protect: Callable[..., pd.DataFrame], settings: Mapping[str, Any]
) -> pd.DataFrame:
    """The holding itself is shown, and of each organisation what it may show; of one that is held, nothing."""
    top = tree["department_id"].iloc[0]
    patterns = [pd.DataFrame({"department_id": [top], "status": ["published"], "region": [top]})]
    names = pd.Series([path[0] if path else None for path in tree["path"]], index=tree.index)
    counts = tallies.groupby(tallies["department_id"].map(dict(zip(tree["department_id"], names, strict=True))))
    of_each = dict(iter(counts))
    for name, own in tree.groupby(names, sort=False):
        alone = own.assign(parent_id=own["parent_id"].where(own["level"] > 1, None))
        try:
            patterns.append(protect(of_each[name], alone, **{**settings, "wave": f"{settings['wave']} {name}"}))
        except TransformError:
            patterns.append(own[["department_id"]].assign(status="suppressed", region=top))
    return pd.concat(patterns, ignore_index=True)


def _unchecked(*_: object) -> pd.DataFrame:
    return pd.DataFrame(columns=TABLES["quality"].names).drop(columns=["survey", "wave"])


def _directors(k: int) -> list[Answer]:
    """Some who hang on the holding itself: enough of each class, so that its own row may stand."""
    kinds = tuple(SCORES)
    return [Answer(f"director {place}", "", kinds[place % 3], place, told=3, acted=1) for place in range(3 * k)]


def _row(wave: str, one: Answer, *, key: str, path: Sequence[str]) -> str:
    weight = 1.0 if one.weight is None else one.weight
    said = (wave, key, SCORES[one.kind][-1], one.told, one.acted, weight, *path, *[""] * (LEVELS - len(path)))
    return ",".join("" if value is None else str(value) for value in said)


def counted_by(store: Store, release_id: str, wave: str) -> list[Answer]:
    """Which answers a release counts, as the working warehouse has it: for the judge alone."""
    counted = released_sql(store, release_id, wave=wave)
    rows = store.rows(f"select response_key, department_key, score from ({counted}) order by batch, record_number")
    return [
        Answer(key, department.replace(SEPARATOR, "/"), CLASS[score], place)
        for place, (key, department, score) in enumerate(rows)
    ]


def _by_organisation(counted: Sequence[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in counted:
        name, *path = answer.cell.split("/")
        found.setdefault(name, []).append(replace(answer, cell="/".join(path)))
    return found
