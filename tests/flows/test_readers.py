"""Readers under another account, all the time while six releases open: each sees the old ones, then the new, whole."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from flows.home import Home
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage
from tests.flows.other_account import Reader, Seen, Stranger, files, warehouse
from tests.flows.sealed import sealed, settings_for
from warehouse.ledger import Ledger
from warehouse.marts import NEWER

RELEASES = 6
PRIVATE = (".next", "releases", "landing", "working")
MAY_BE_EMPTY = {"highlights", "plans", "reactions", *NEWER}  # of which these releases have none


@dataclass(frozen=True)
class Story:
    """What readers saw, and when each release was decided and was there for everyone (nanoseconds since 1970)."""

    home: Home
    ids: list[str]
    decided: list[int]
    shown: list[int]
    tables: list[Seen]
    files: list[Seen]
    stayed: list[Seen]
    refused: list[dict[str, str]]  # what came of a stranger's attempts, each time when all was armed
    followed: dict[str, str]  # and what he may follow, at last


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    if os.geteuid() != 0:
        pytest.skip(f"only root can become another account: sudo .venv/bin/python -m pytest {__file__}")
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    folder.chmod(0o755)
    umask = os.umask(0o077)  # as the pipeline has it
    try:
        yield _told(Home(folder / "home").prepare())
    finally:
        os.umask(umask)
        shutil.rmtree(folder)


def _told(home: Home) -> Story:
    stranger, refused = Stranger(), []
    ids = [_release(home, 1)]
    readers = [Reader(home.published, warehouse), Reader(home.published, files)]
    staying = Reader(home.published, warehouse, stays_open=True)
    for reader in (*readers, staying):
        reader.wait_for(3)
    for number in range(2, RELEASES + 1):
        ids.append(_release(home, number, lambda paths: refused.append(stranger.tries(paths))))
        for reader in readers:
            reader.wait_for(4)
    readers[0].wait_for(max(1, 105 - readers[0].count.value))
    tables, of_files, stayed = (reader.stop() for reader in (*readers, staying))
    current = [str(home.published / "current"), str(home.published / "current" / "site" / _place(RELEASES))]
    followed = stranger.tries(current)
    stranger.stop()
    with Ledger.open(home.ledger) as ledger:
        decided = [_ns(release.released_at) for release in ledger.known(ids)]
        published = {d.release_id: d.opened_at for d in ledger.deliveries(*ids) if d.channel == "published"}
    return Story(
        home, ids, decided, [_ns(published[name]) for name in ids], tables, of_files, stayed, refused, followed
    )


def _release(home: Home, number: int, attempt: Callable[[list[str]], None] = lambda paths: None) -> str:
    settings = settings_for(home, audience=[{"department": [], "folder": "shares/all"}])
    name = sealed(home, revision=number, nps=_nps(number))
    record(home, name)
    plan(home, [name])
    (moment,) = stage(home, settings, [name])

    def on_step(step: str) -> None:
        if step == "armed" and number > 1:
            attempt([str(path) for path in _closed(home, name, number)])

    open_moment(home, settings, moment.moment_id, on_step=on_step)
    return name


def _closed(home: Home, name: str, number: int) -> Iterator[Path]:
    """All that holds the new release when it is armed, by its real name: more than anybody could guess."""
    (made,) = (path for path in (home.published / ".next").iterdir() if path.is_dir())
    (held,) = (home.path / "shares" / "all").glob(".zwerm-*")
    below = ("warehouse.duckdb", "parquet", "site", f"site/{_place(number)}/release.json")
    yield from (home.published / ".next", home.published / ".r", made, made.with_name(f"{made.name}.link"))
    yield from (made / one for one in below)
    yield from (home.published / ".r" / made.name / one for one in ("", *below))
    yield from (home.published / "site" / _place(number), home.path / "shares" / "all" / _place(number))
    yield from (held, held / "release", held / "release" / "release.json")
    yield from (home.releases, home.releases / name, home.releases / name / "release.json")
    yield from (home.releases / name / "tables" / "promoter_metrics.parquet", home.landing, home.working)
    yield from (home.ledger, home.ledger.with_name("ledger.sqlite-wal"), home.warehouse, home.working / "secret")
    yield from (Path(f"/proc/{os.getpid()}/{one}") for one in ("fd", "environ", "mem", "cwd"))


def _place(number: int) -> str:
    return f"passengers/2026-10/r{number}"


def _nps(number: int) -> float:
    return round(20.5 + number * 1.0137, 4)


def _ns(at: datetime | None) -> int:
    assert at is not None
    return int(at.timestamp() * 1e9)


def must_have_seen(story: Story, look: Seen, number: int, *, is_there: bool) -> None:
    """Nothing before it was decided, and everything that was shown before the look began."""
    assert not is_there or look.ended >= story.decided[number], f"release {number + 1} was seen early"
    assert is_there or look.began <= story.shown[number] + 1_000_000, f"release {number + 1} was not seen"


def test_another_account_looked_often_enough_to_see_each_release_come(story: Story) -> None:
    assert len(story.tables) >= 100
    counts = [len(look.releases["promoter_metrics"]) for look in story.tables]
    assert counts == sorted(counts)
    assert set(counts) == set(range(1, RELEASES + 1))
    assert {len(look.releases["site"]) for look in story.files} == set(range(1, RELEASES + 1))


def test_it_never_met_an_error_and_each_table_was_of_the_same_releases(story: Story) -> None:
    assert {look.error for look in (*story.tables, *story.files, *story.stayed)} == {""}
    for look in story.tables:
        assert look.releases.keys() >= {"promoter_metrics", "releases", "departments", "quality", "deliveries"}
        assert {tuple(ids) for name, ids in look.releases.items() if ids or name not in MAY_BE_EMPTY} == {
            tuple(look.releases["releases"])
        }


def test_it_saw_no_release_before_the_decision_and_each_one_once_it_was_shown(story: Story) -> None:
    for number, name in enumerate(story.ids):
        for look in story.tables:
            must_have_seen(story, look, number, is_there=name in look.releases["promoter_metrics"])


def test_parquet_and_site_change_as_the_warehouse_does_and_each_file_is_whole(story: Story) -> None:
    pages = [f"<p>passengers 2026-10 r{number}: {_nps(number)}</p>" for number in range(1, RELEASES + 1)]
    for look in story.files:
        assert look.releases["site"] == pages[: len(look.releases["site"])]
        for number, name in enumerate(story.ids):
            must_have_seen(story, look, number, is_there=pages[number] in look.releases["site"])
            must_have_seen(story, look, number, is_there=name in look.releases["promoter_metrics.parquet"])


def test_a_connection_that_stays_open_keeps_the_release_on_which_it_was_opened(story: Story) -> None:
    assert len(story.stayed) > 50
    assert {tuple(look.releases["promoter_metrics"]) for look in story.stayed} == {(story.ids[0],)}


def test_before_the_moment_it_can_neither_list_nor_open_the_new_folder_even_by_its_name(story: Story) -> None:
    assert len(story.refused) == RELEASES - 1
    for came in story.refused:
        assert {what: got for what, got in came.items() if got.startswith("got")} == {}
        private = {error for what, error in came.items() if any(f"/{name}/" in what for name in PRIVATE)}
        assert private == {"EACCES"}
        above = {error for what, error in came.items() if what.endswith(PRIVATE)}
        assert above == {"EACCES", "EINVAL"}  # a folder is no link
        guessed = {error for what, error in came.items() if "/.r/" in what}
        assert guessed == {"ENOENT"}


def test_what_everyone_can_follow_leads_to_what_is_released(story: Story) -> None:
    current = story.home.published / "current"
    assert story.followed[f"readlink {current}"] == f"got {str(current.readlink())!r}"
    assert story.followed[f"list {current}/site/{_place(RELEASES)}"].startswith("got")
