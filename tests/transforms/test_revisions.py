"""Revisions of a wave: late, edited and removed answers enter a region's figures together, or are in none at all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.transforms.waves import layers
from transforms import TransformError
from transforms.departments import department_id, departments, path_of
from transforms.protect import freeze, protect
from transforms.revisions import answers_touched_sql, entering, revised
from transforms.sql import text

SERIAL = count(1)
Figures = dict[str, tuple[int, int, int, int]]  # path -> promoters, passives, detractors, missing scores


@dataclass(frozen=True)
class Answer:
    """One record of a file; `cell` is a path such as 'A/a1'."""

    key: str
    cell: str
    score: int | None
    respondent: int | None = None
    told: int | None = None
    batch: int = 1
    minute: int = 0
    record: int = field(default_factory=lambda: next(SERIAL))

    @property
    def kind(self) -> str | None:
        if self.score is None:
            return None
        return "promoter" if self.score >= 9 else "passive" if self.score >= 7 else "detractor"

    @property
    def person(self) -> object:
        return self.record if self.respondent is None else -self.respondent


def answers(
    cell: str, number: int, *, prefix: str = "first", scores: Sequence[int | None] = (10, 8, 3)
) -> list[Answer]:
    """So many answers of different people, their scores taken in turn."""
    return [Answer(f"{prefix} {cell} {place}", cell, scores[place % len(scores)]) for place in range(number)]


def again(answer: Answer, *, score: int | None = None, cell: str | None = None, told: int | None = None) -> Answer:
    """The same answer in a later file, with what it says now."""
    return replace(
        answer,
        score=answer.score if score is None else score,
        cell=cell or answer.cell,
        told=told or answer.told,
        record=next(SERIAL),
    )


class Wave:
    """One wave in a real DuckDB: the pattern of its first release, and what its newest release counts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, first: Sequence[Answer], *, k: int = 10) -> None:
        self.connection, self.counted, self.k = connection, list(first), k
        self.nodes = self.tree(first)
        tallies = self.tallies(first)
        self.pattern = protect(tallies, self.nodes, min_respondents=k, noise=b"", wave="w")

    def revise(self, current: Sequence[Answer], *, material: bool = False) -> pd.DataFrame:
        """Make the next release from what the files say now; what enters and what waits, per region."""
        self.touch(current)
        kept, touched = self.frame(text("regions_kept")), self.frame("from answers_touched")
        enters = entering(touched, kept, min_respondents=self.k, material=material)
        self.put("entering", enters)
        rows = self.connection.sql(text("counted")).fetchall()
        by_record = {answer.record: answer for answer in (*self.counted, *current)}
        assert len({record for _, record in rows}) == len(rows)
        self.counted = [by_record[record] for _, record in rows]
        return revised(touched, enters).set_index("region")

    def touch(self, current: Sequence[Answer]) -> None:
        self.put_answers("released", self.counted)
        self.put_answers("current", current)
        self.nodes = self.tree([*self.counted, *current])
        self.put("department_nodes", self.nodes[["department_id", "department_key"]])
        self.pattern = freeze(self.pattern, self.nodes)
        self.put("pattern", self.pattern)
        self.connection.execute(f"create or replace temp table answers_touched as {answers_touched_sql()}")

    def figures(self) -> Figures:
        """What the newest release shows: its published rows."""
        shown = set(self.pattern.loc[self.pattern["status"] == "published", "department_id"])
        columns = ["promoters", "passives", "detractors", "missing_scores"]
        tallies = self.tallies(self.counted).set_index("department_id")[columns]
        paths = dict(zip(self.nodes["department_id"], ("/".join(path) for path in self.nodes["path"]), strict=True))
        return {paths[row[0]]: tuple(row[1:]) for row in tallies.itertuples() if row[0] in shown}

    def region(self, cell: str) -> str:
        """The region of an answer's cell."""
        regions: dict[str, str] = dict(zip(self.pattern["department_id"], self.pattern["region"], strict=True))
        return regions[department_id(path_of(cell.replace("/", chr(31))))]

    def tallies(self, rows: Sequence[Answer]) -> pd.DataFrame:
        self.put_answers("counted", rows)
        self.put("department_nodes", self.nodes[["department_id", "department_key"]])
        asked = {"told_min": 1, "acted_is_asked": True, "copied_is_asked": False}
        self.connection.execute(f"create or replace temp table cells as {text('cells')}", asked)
        return self.frame(text("tallies"), {"survey": "s", "wave": "w"})

    def put_answers(self, table: str, rows: Sequence[Answer]) -> None:
        """A relation with core.responses' columns."""
        said = pd.DataFrame(
            {
                "survey": "s",
                "wave": "w",
                "batch": [row.batch for row in rows],
                "record_number": [row.record for row in rows],
                "response_key": [row.key for row in rows],
                "respondent_key": pd.array([row.respondent for row in rows], dtype="Int64"),
                "responded_at": [datetime(2026, 10, 1) + timedelta(minutes=row.minute) for row in rows],
                "department_key": [row.cell.replace("/", chr(31)) for row in rows],
                "score": pd.array([row.score for row in rows], dtype="Int64"),
                "told_count": pd.array([row.told for row in rows], dtype="Int64"),
                "is_contradictory": False,
            }
        )
        self.connection.register("handed_over", said)
        self.connection.execute(f"create or replace temp table {table} as from core.responses limit 0")
        self.connection.execute(f"insert into {table} by name from handed_over")

    def put(self, table: str, frame: pd.DataFrame) -> None:
        self.connection.register("handed_over", frame)
        self.connection.execute(f"create or replace temp table {table} as from handed_over")

    def frame(self, sql: str, parameters: dict[str, object] | None = None) -> pd.DataFrame:
        frame: pd.DataFrame = self.connection.sql(sql, params=parameters).to_arrow_table().to_pandas()
        return frame

    @staticmethod
    def tree(rows: Iterable[Answer]) -> pd.DataFrame:
        return departments({row.cell.replace("/", chr(31)) for row in rows}, organisation="Ferries")


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        layers(opened)
        yield opened


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as opened:
        yield opened


@pytest.fixture
def wave(connection: duckdb.DuckDBPyConnection) -> Wave:
    """A with a1 and a2, thirty each, and B with forty: all shown, and each its own region."""
    return Wave(connection, [*answers("A/a1", 30), *answers("A/a2", 30), *answers("B", 40)])


def responses(figures: Figures) -> dict[str, int]:
    return {path: sum(shown[:3]) for path, shown in figures.items()}


BEFORE = {"": 100, "A": 60, "A/a1": 30, "A/a2": 30, "B": 40}


def test_late_answers_enter_where_they_are_enough_and_wait_where_they_are_not(wave: Wave) -> None:
    late = [*answers("A/a1", 12, prefix="late"), *answers("A/a2", 3, prefix="late")]
    regions = wave.revise([*wave.counted, *late])
    assert responses(wave.figures()) == {"": 112, "A": 72, "A/a1": 42, "A/a2": 30, "B": 40}
    assert dict(regions.loc[department_id(("A", "a1"))]) == {
        "added": 12, "removed": 0, "edited": 0, "waiting_added": 0, "waiting_removed": 0, "waiting_edited": 0
    }  # fmt: skip
    assert regions.loc[department_id(("A", "a2")), "waiting_added"] == 3


def test_what_waited_enters_once_enough_have_come(wave: Wave) -> None:
    files = [*wave.counted, *answers("A/a1", 12, prefix="late"), *answers("A/a2", 3, prefix="late")]
    wave.revise(files)
    files += answers("A/a2", 6, prefix="later")
    wave.revise(files)
    assert responses(wave.figures())["A/a2"] == 30
    files += answers("A/a2", 1, prefix="last")
    wave.revise(files)
    assert responses(wave.figures()) == {"": 122, "A": 82, "A/a1": 42, "A/a2": 40, "B": 40}
    assert wave.revise(files).empty


def test_late_answers_of_one_class_wait(wave: Wave) -> None:
    files = [*wave.counted, *answers("B", 25, prefix="late", scores=(9, 10))]
    wave.revise(files)
    assert responses(wave.figures()) == BEFORE
    wave.revise([*files, *answers("B", 1, prefix="later", scores=(7,))])
    assert responses(wave.figures())["B"] == 66


def test_many_answers_of_a_few_people_wait(wave: Wave) -> None:
    late = [replace(answer, respondent=place % 9) for place, answer in enumerate(answers("B", 30, prefix="late"))]
    wave.revise([*wave.counted, *late])
    assert responses(wave.figures()) == BEFORE
    wave.revise([*wave.counted, *late, Answer("one more", "B", 7, respondent=9)])
    assert responses(wave.figures())["B"] == 71


def test_answers_without_a_score_wait_with_their_region(wave: Wave) -> None:
    silent = answers("B", 14, prefix="silent", scores=(None,))
    files = [*wave.counted, *silent, *answers("A/a1", 12, prefix="late")]
    wave.revise(files)
    assert wave.figures()["B"][3] == wave.figures()[""][3] == 0
    wave.revise([*files, *answers("B", 9, prefix="late")])
    assert wave.figures()["B"][3] == 0
    wave.revise([*files, *answers("B", 10, prefix="late")])
    assert wave.figures()["B"][3] == wave.figures()[""][3] == 14


def test_removed_answers_are_counted_apart_from_added_ones(wave: Wave) -> None:
    first = wave.counted
    late = answers("B", 12, prefix="late")
    regions = wave.revise([*first[:-3], *late])
    assert responses(wave.figures())["B"] == 52
    assert list(regions.loc[department_id(("B",)), ["added", "removed", "waiting_removed"]]) == [12, 0, 3]
    wave.revise([*first[:60], *late])  # all forty of the first are gone by now
    assert responses(wave.figures()) == {"": 72, "A": 60, "A/a1": 30, "A/a2": 30, "B": 12}


def test_nobody_leaves_where_too_few_would_stay(wave: Wave) -> None:
    first = wave.counted
    wave.revise(first[:-35])
    assert responses(wave.figures()) == BEFORE
    wave.revise(first[:60])
    assert responses(wave.figures()) == BEFORE | {"": 60, "B": 0}


def test_edits_of_enough_people_enter_and_a_removal_among_them_waits(wave: Wave) -> None:
    edited = [again(answer, told=4) for answer in wave.counted[60:72]]
    regions = wave.revise([*wave.counted[:60], *edited, *wave.counted[72:99]])
    assert responses(wave.figures()) == BEFORE
    assert sum(answer.told == 4 for answer in wave.counted) == 12
    assert list(regions.loc[department_id(("B",)), ["edited", "waiting_removed"]]) == [12, 1]


def test_a_few_edits_wait_also_beside_many_late_answers(wave: Wave) -> None:
    edited = [again(answer, score=10) for answer in wave.counted[61:65]]
    current = [*wave.counted[:61], *edited, *wave.counted[65:], *answers("B", 30, prefix="late")]
    before = wave.figures()["B"]
    wave.revise(current)
    after = wave.figures()["B"]
    assert [now - then for now, then in zip(after, before, strict=True)] == [10, 10, 10, 0]


def test_edited_scores_of_enough_people_enter(wave: Wave) -> None:
    mirrored = [again(answer, score={10: 3, 3: 10, 8: 9}[answer.score or 0]) for answer in wave.counted[60:90]]
    wave.revise([*wave.counted[:60], *mirrored, *wave.counted[90:]])
    assert wave.figures()["B"] == (24, 3, 13, 0)


def test_scores_that_were_missing_enter_like_added_ones(connection: duckdb.DuckDBPyConnection) -> None:
    silent = answers("B", 12, prefix="silent", scores=(None,))
    wave = Wave(connection, [*answers("A", 30), *answers("B", 40), *silent])
    first, given = wave.counted[:70], [again(answer, score=(10, 5)[place % 2]) for place, answer in enumerate(silent)]
    wave.revise([*first, *given[:9], *silent[9:]])
    assert wave.figures()["B"][3] == 12
    wave.revise([*first, *given])
    assert (responses(wave.figures())["B"], wave.figures()["B"][3]) == (52, 0)


def test_an_answer_moves_only_if_both_regions_let_it(wave: Wave) -> None:
    first = wave.counted
    moved = [again(answer, cell="A/a2") for answer in first[:3]]
    wave.revise([*moved, *first[3:], *answers("A/a2", 9, prefix="late")])
    assert responses(wave.figures()) == BEFORE  # three may not leave a1, and without them nine are too few for a2
    late = answers("A/a2", 12, prefix="late")
    wave.revise([*moved, *first[3:], *late])
    assert responses(wave.figures()) == {"": 112, "A": 72, "A/a1": 30, "A/a2": 42, "B": 40}
    wave.revise([*(again(answer, cell="A/a2") for answer in first[:12]), *first[12:], *late])
    assert responses(wave.figures()) == {"": 112, "A": 72, "A/a1": 18, "A/a2": 54, "B": 40}


def test_a_move_between_hidden_departments_of_one_region_shows_nowhere(connection: duckdb.DuckDBPyConnection) -> None:
    wave = Wave(connection, [*answers("x", 9), *answers("y", 4), *answers("z", 87)])
    before = wave.figures()
    assert set(before) == {"", "z"}
    files = [again(wave.counted[0], cell="y"), *wave.counted[1:], *answers("y", 7, prefix="late")]
    wave.revise(files)
    assert wave.figures() == before
    wave.revise([*files, *answers("x", 4, prefix="late")])
    assert responses(wave.figures()) == {"": 111, "z": 87}


def test_a_department_that_is_new_stays_hidden_and_its_answers_enter_above_it(wave: Wave) -> None:
    late = [*answers("A/new/deep", 6, prefix="late"), *answers("A", 6, prefix="late", scores=(9, 2))]
    wave.revise([*wave.counted, *late])
    assert responses(wave.figures()) == BEFORE | {"": 112, "A": 72}


def test_a_material_revision_lets_everything_enter(wave: Wave) -> None:
    current = [*wave.counted[:98], again(wave.counted[98], score=1), *answers("A/a1", 1, prefix="late")]
    regions = wave.revise(current, material=True)
    assert responses(wave.figures()) == {"": 100, "A": 61, "A/a1": 31, "A/a2": 30, "B": 39}
    assert not regions.filter(like="waiting").any(axis=None)


def test_a_file_that_says_the_same_again_touches_nothing(wave: Wave) -> None:
    doubled = [again(answer, told=place % 3 or None) for place, answer in enumerate(wave.counted)]
    wave.revise([*wave.counted, *doubled], material=True)  # two under each key, most unlike each other
    assert len(wave.counted) == 200
    assert wave.revise([replace(again(answer), batch=7) for answer in reversed(wave.counted)]).empty
    assert {answer.batch for answer in wave.counted} == {7}


def test_who_answered_and_when_are_in_no_figure_and_touch_nothing(wave: Wave) -> None:
    assert wave.revise([replace(again(answer), respondent=5, minute=9) for answer in wave.counted]).empty


def test_departments_without_a_region_are_an_error_that_says_what_to_do(wave: Wave) -> None:
    wave.touch([*wave.counted, *answers("B/new", 1)])
    touched = wave.frame("from answers_touched").assign(current_region=None)
    with pytest.raises(TransformError, match="freeze the pattern of the wave's first release"):
        entering(touched, wave.frame(text("regions_kept")), min_respondents=10)


CELLS = ["", "A", "A/a1", "A/a2", "A/a2/x", "B", "B/b1", "B/b2", "C"]
cells, scores = st.sampled_from(CELLS), st.sampled_from([None, 10, 9, 8, 3, 0])
people = st.one_of(st.none(), st.integers(1, 12))
one_answer = st.tuples(cells, scores, people, st.sampled_from([None, 0, 3]))
edits = st.tuples(st.integers(0, 60), st.sampled_from(["removed", "moved", "scored", "told"]), cells, scores)


def made(said: Iterable[tuple[str, int | None, int | None, int | None]], prefix: str) -> list[Answer]:
    return [Answer(f"{prefix} {place}", *fields, minute=place % 7) for place, fields in enumerate(said)]


def altered(files: Sequence[Answer], changes: Iterable[tuple[int, str, str, int | None]]) -> list[Answer]:
    """The files after corrections at their source."""
    now: dict[int, Answer | None] = dict(enumerate(files))
    for place, what, cell, score in changes:
        answer = now.get(place)
        if answer is not None:
            as_said: dict[str, dict[str, Any]] = {
                "moved": {"cell": cell},
                "scored": {"score": score},
                "told": {"told": 7},
            }
            now[place] = None if what == "removed" else replace(again(answer), **as_said[what])
    return [answer for answer in now.values() if answer is not None]


def is_nobody_or_enough(group: Sequence[Answer], k: int) -> bool:
    """Nobody at all, or enough people of two classes; those without a score only beside those."""
    scored = [answer for answer in group if answer.kind]
    return not group or (
        len({answer.person for answer in scored}) >= k and len({answer.kind for answer in scored}) >= 2
    )


def changes_by_region(wave: Wave, before: Sequence[Answer]) -> dict[str, dict[str, list[Answer]]]:
    """Who came, who left and who changed otherwise in each region's figures, told from the answers' keys alone."""
    then, now = ({answer.key: answer for answer in rows} for rows in (before, wave.counted))
    found: dict[str, dict[str, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for key in then.keys() | now.keys():
        old, new = then.get(key), now.get(key)
        if old and new and (old.kind, wave.region(old.cell)) == (new.kind, wave.region(new.cell)):
            if (old.told, old.cell) != (new.told, new.cell):
                found[wave.region(new.cell)]["changed"].append(new)
            continue
        is_here = old is not None and new is not None and wave.region(old.cell) == wave.region(new.cell)
        if old and not (is_here and old.kind is None):
            found[wave.region(old.cell)]["left"].append(old)
        if new and not (is_here and new.kind is None):
            found[wave.region(new.cell)]["came"].append(new)
    return found


@settings(max_examples=20, deadline=None, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    first=st.lists(one_answer, min_size=20, max_size=70),
    steps=st.lists(st.tuples(st.lists(one_answer, max_size=30), st.lists(edits, max_size=40)), min_size=1, max_size=3),
)
def test_between_two_revisions_no_region_changes_by_a_few_people_or_one_class(
    first: list[tuple[str, int | None, int | None, int | None]],
    steps: list[tuple[list[tuple[str, int | None, int | None, int | None]], list[tuple[int, str, str, int | None]]]],
) -> None:
    with warehouse() as connection:
        try:
            wave = Wave(connection, made(first, "first"), k=3)
        except TransformError:
            return
        files, shown = wave.counted, wave.figures()
        for number, (late, changes) in enumerate(steps):
            before = wave.counted
            files = altered([*files, *made(late, f"late {number}")], changes)
            wave.revise(files)
            regions = changes_by_region(wave, before)
            assert all(is_nobody_or_enough(group, 3) for groups in regions.values() for group in groups.values())
            assert_each_answer_counts_once_as_it_was_or_is(wave, before, files)
            before_figures, shown = shown, wave.figures()
            for path, figures in shown.items():
                assert figures == before_figures[path] or any(is_below(wave, region, path) for region in regions)
        wave.revise(files, material=True)
        assert {answer.key for answer in wave.counted} == {answer.key for answer in files}
        assert wave.revise(files).empty


def assert_each_answer_counts_once_as_it_was_or_is(
    wave: Wave, before: Sequence[Answer], files: Sequence[Answer]
) -> None:
    keys = [answer.key for answer in wave.counted]
    assert len(keys) == len(set(keys))
    assert {answer.record for answer in wave.counted} <= {answer.record for answer in (*before, *files)}
    assert {answer.key for answer in before} & {answer.key for answer in files} <= set(keys)


def is_below(wave: Wave, region: str, path: str) -> bool:
    paths: dict[str, tuple[str, ...]] = dict(zip(wave.nodes["department_id"], wave.nodes["path"], strict=True))
    above = tuple(path.split("/")) if path else ()
    return paths[region][: len(above)] == above


@settings(max_examples=8, deadline=None, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
@given(late=st.lists(one_answer, max_size=40))
def test_figures_stay_additive_and_leave_out_what_waits(
    late: list[tuple[str, int | None, int | None, int | None]],
) -> None:
    with warehouse() as connection:
        first = [answer for cell in CELLS for answer in answers(cell, 12)]
        wave = Wave(connection, first, k=5)
        regions = wave.revise([*first, *made(late, "late")])
        entered = len(wave.counted) - len(first)
        assert regions["added"].sum() == entered
        assert regions["waiting_added"].sum() == len(late) - entered
        figures = wave.figures()
        assert set(figures) == set(CELLS)
        for path in CELLS:
            direct = [answer for answer in wave.counted if answer.cell == path]
            below = [figures[child] for child in CELLS if child and "/".join(child.split("/")[:-1]) == path]
            kinds = Counter(answer.kind for answer in direct)
            own = [kinds[kind] for kind in ("promoter", "passive", "detractor", None)]
            assert list(figures[path]) == [sum(column) for column in zip(own, *below, strict=True)]
