import json
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.home import Home
from flows.preparing.seal import read_sealed
from tests.flows.sealed import files_below, sealed
from warehouse import WarehouseError, publish
from warehouse.marts import TABLES, Edition, check, comments
from warehouse.records import DeliveryState, Release

T = datetime(2026, 12, 8, 8, 30, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "a [home] of * kinds").prepare()


def edition(home: Home, *, is_latest: bool = True, is_out: bool = True, **said: object) -> Edition:
    one = read_sealed(home.releases / sealed(home, **said))  # type: ignore[arg-type]
    release = Release(
        release_id=one.release_id,
        survey=one.survey,
        wave=one.wave,
        revision=one.revision,
        reason=one.reason,
        previous_release_id=None,
        departments=one.departments,
        content_sha256="ab" * 32,
        sealed_at=T,
        state="confirmed" if is_out else "staged",
        changed_at=T,
        stated_reason=None,
        moment_id="m",
        planned_at=T,
        released_at=T if is_out else None,
        skew_ms=4.25 if is_out else None,
    )
    return Edition(release, one.folder, f"{one.survey}/{one.wave}/r{one.revision}", is_latest)


def deliveries(editions: Sequence[Edition]) -> list[DeliveryState]:
    return [
        DeliveryState(
            f"{number}{channel}", e.release.release_id, who, channel, "en", None, "delivered", T, T, "", is_breach=False
        )
        for number, e in enumerate(editions)
        for who, channel in (("everyone", "published"), ("Texel #1", "folder"))
    ]


def published(home: Home, *editions: Edition, **pages: bytes) -> publish.Publication:
    named = {name.replace("__", "/") + ".html": content for name, content in pages.items()}
    made = publish.assemble(home.published, editions, deliveries(editions), pages=named)
    publish.swap(made)
    publish.settle(home.published)
    return made


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str((home.published / "warehouse.duckdb").resolve()), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_every_table_of_the_published_warehouse_speaks_of_the_same_releases(home: Home) -> None:
    first, second = edition(home, is_latest=False), edition(home, revision=2, nps=41.5)
    published(home, first, second)
    both = {first.release.release_id, second.release.release_id}
    for table in ("promoter_metrics", "releases", "departments", "quality", "deliveries"):
        assert {row[0] for row in rows(home, f"select release_id from mart.{table}")} == both
    check(home.published / "warehouse.duckdb", both)
    with pytest.raises(WarehouseError, match="missing"):
        check(home.published / "warehouse.duckdb", {*both, "ffffffffffffffff"})


def test_the_columns_that_bi_tools_rely_on_are_there_in_order_and_each_says_what_it_is(home: Home) -> None:
    published(home, edition(home))
    columns = rows(
        home,
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'mart' "
        "order by table_name, column_index",
    )
    assert all(comment for _, _, comment in columns)
    assert {row[0]: row[1] for row in rows(home, "select table_name, comment from duckdb_tables()")}.keys() == {*TABLES}
    metrics = [name for table, name, _ in columns if table == "promoter_metrics"]
    assert " ".join(metrics[:10]) == (
        "release_id revision is_latest survey wave department_id department parent_id level status"
    )
    assert " ".join(metrics[-5:]) == "nps_change nps_change_low nps_change_high change_p_value is_change_significant"
    assert " ".join(name for table, name, _ in columns if table == "releases") == (
        "release_id survey wave revision reason released_at planned_at skew_ms departments recipients nps_interval"
        " definition told_min min_respondents invited response_rate content_sha256"
    )
    assert len(columns) == len([name for name in comments() if "." in name])


def test_figures_arrive_unchanged_and_what_is_suppressed_is_null(home: Home) -> None:
    published(home, edition(home, nps=39.8398))
    assert rows(home, "select department_id, status, nps, responses, is_latest from mart.promoter_metrics") == [
        ("all", "published", 39.8398, 40, True),
        ("ships", "published", 39.8398, 40, True),
        ("texel", "suppressed", None, None, True),
    ]
    assert rows(home, "select released_at, skew_ms, recipients, departments from mart.releases") == [
        (T.replace(tzinfo=None), 4.25, 1, 2)
    ]
    assert rows(home, "select path from mart.departments") == [("",), ("Ships",), ("Ships > Texel",)]
    assert rows(
        home, "select distinct type from parquet_schema('$') where name = 'nps'".replace("$", _parquet(home))
    ) == [("DOUBLE",)]


def test_the_method_of_a_release_s_interval_is_told_beside_it(home: Home) -> None:
    published(home, edition(home), edition(home, wave="2026-11", interval="score"))
    assert rows(home, "select wave, nps_interval from mart.releases order by wave") == [
        ("2026-10", "adjusted_wald"),
        ("2026-11", "score"),
    ]


def test_what_a_superpromoter_was_and_how_few_were_hidden_are_told_beside_each_release(home: Home) -> None:
    first = edition(home)
    second = edition(home, wave="2026-11", definition="2026-2", told_min=3, min_respondents=12)
    manifest = json.loads((first.sealed / "manifest.json").read_text(encoding="utf-8"))
    del manifest["told_min"]  # a seal of before it was told
    (first.sealed / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    published(home, first, second)
    assert rows(home, "select wave, definition, told_min, min_respondents from mart.releases order by wave") == [
        ("2026-10", "2026-1", None, 10),
        ("2026-11", "2026-2", 3, 12),
    ]


def _parquet(home: Home) -> str:
    path = str((home.published / "parquet").resolve() / "promoter_metrics.parquet")
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


@pytest.mark.parametrize("table", ["promoter_metrics", "segments", "rolling", "regrouped"])
def test_a_suppressed_row_that_carries_a_figure_is_never_published(home: Home, table: str) -> None:
    made = published(home, edition(home))
    path = made.shown / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        columns = connection.execute(f"describe mart.{table}").fetchall()
        asked = [(name, kind) for name, kind, is_null, *_ in columns if is_null == "NO" or name == "responses"]
        told = {"release_id": "(select release_id from mart.releases)", "status": "'suppressed'", "responses": "7"}
        values = ", ".join(
            told.get(name) or {"BOOLEAN": "true", "VARCHAR": "'x'", "VARCHAR[]": "['x']"}.get(kind, "1")
            for name, kind in asked
        )
        connection.execute(f"insert into mart.{table} ({', '.join(name for name, _ in asked)}) values ({values})")
    with pytest.raises(WarehouseError, match="although suppressed"):
        check(path, {row[0] for row in rows(home, "select release_id from mart.releases")})


def test_before_it_is_swapped_in_nobody_else_can_list_or_reach_it(home: Home) -> None:
    one = edition(home, is_out=False)
    made = publish.assemble(home.published, [one], deliveries([one]), pages={"index.html": b"list"})
    assert stat.S_IMODE((home.published / ".next").stat().st_mode) == 0o700
    assert list((home.published / ".r").iterdir()) == []
    assert publish.current(home.published) is None
    assert not (home.published / "warehouse.duckdb").exists()
    with pytest.raises(PermissionError):
        _as_nobody(made.private / "warehouse.duckdb")
    with pytest.raises(PermissionError):
        _as_nobody(home.published / ".next")
    publish.swap(made)
    with pytest.raises(PermissionError):
        _as_nobody(home.published / ".r")


def _as_nobody(path: Path) -> None:
    """Open or list a path as an account that owns nothing."""
    if os.geteuid() != 0:
        pytest.fail("this test gives up root's rights for those of another account: run the tests as root, as CI does")
    code = "import os, sys; p = sys.argv[1]; os.listdir(p) if os.path.isdir(p) else open(p)"
    run = subprocess.run(
        [sys.executable, "-c", code, str(path)], user=65534, group=65534, extra_groups=[], capture_output=True
    )
    if b"PermissionError" in run.stderr:
        raise PermissionError(str(path))
    assert run.returncode == 0, run.stderr


def test_what_is_published_is_for_everyone_to_read_and_for_nobody_to_change(home: Home) -> None:
    made = published(home, edition(home), index=b"list")
    modes = {path.is_dir(): set[int]() for path in made.shown.rglob("*")}
    for path in [made.shown, *made.shown.rglob("*")]:
        modes[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {True: {0o755}, False: {0o644}}
    assert stat.S_IMODE((home.published / ".r").stat().st_mode) == 0o711


def test_publishing_leaves_the_sealed_files_as_private_as_they_were(home: Home) -> None:
    one = edition(home)
    published(home, one)
    published(home, one)
    assert {stat.S_IMODE(path.stat().st_mode) for path in one.sealed.rglob("*") if path.is_file()} == {0o600}


def test_the_site_holds_the_sealed_pages_byte_for_byte_beside_the_assembled_ones(home: Home) -> None:
    one = edition(home)
    made = published(home, one, index=b"list", passengers__2026_10=b"x")
    site = files_below(made.shown / "site" / one.place)
    assert site == {name: path.read_bytes() for name, path in publish.contents(one.sealed).items()}
    assert set(site) == {
        *("en/index.html", "style.css", "downloads/promoter_metrics.csv", "release.json", "release.schema.json")
    }
    assert (home.published / "site" / "index.html").read_bytes() == b"list"


def test_a_sealed_file_that_was_altered_is_never_published(home: Home) -> None:
    one = edition(home, is_out=False)
    (one.sealed / "pages" / "en" / "index.html").write_bytes(b"other figures")
    with pytest.raises(WarehouseError, match="not what was sealed"):
        publish.assemble(home.published, [one], deliveries([one]), pages={})


def test_what_was_published_before_is_linked_and_not_copied(home: Home) -> None:
    one = edition(home)
    first = published(home, one)
    second = published(home, one, edition(home, wave="2026-11"))
    name = Path("site", one.place, "en", "index.html")
    assert (first.shown / name).samefile(second.shown / name)


def test_a_page_cannot_be_written_outside_of_the_site(home: Home) -> None:
    with pytest.raises(WarehouseError, match="outside"):
        publish.assemble(home.published, [], [], pages={"../warehouse.duckdb": b"x"})


def test_nothing_is_published_and_yet_the_site_can_say_why(home: Home) -> None:
    published(home, index=b"held")
    assert rows(home, "select count(*) from mart.promoter_metrics") == [(0,)]
    assert (home.published / "site" / "index.html").read_bytes() == b"held"


def test_what_stands_in_the_way_of_a_link_is_named(home: Home) -> None:
    (home.published / "site").mkdir()
    with pytest.raises(WarehouseError, match="in the way"):
        publish.prepare(home.published)


def test_several_that_make_the_fixed_links_at_once_and_one_that_assembles_do_not_trip_each_other(home: Home) -> None:
    def work(number: int) -> None:
        for again in range(10):
            folder = home.path / f"published-{again}"
            if number == 0:
                publish.assemble(folder, [], [], pages={})
            else:
                publish.prepare(folder)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    for again in range(10):
        links = {name: str((home.path / f"published-{again}" / name).readlink()) for name in publish.FIXED}
        assert links == {name: f"current/{name}" for name in publish.FIXED}


def test_a_swap_that_was_cut_short_is_finished_by_the_next(home: Home) -> None:
    made = publish.assemble(home.published, [], [], pages={"index.html": b"1"})
    made.private.rename(made.shown)  # the first of its two renames
    publish.swap(made)
    publish.swap(made)
    assert publish.is_current(made)


def test_what_was_left_half_made_is_gone_at_the_next_assembly(home: Home) -> None:
    left = publish.assemble(home.published, [], [], pages={})
    made = publish.assemble(home.published, [], [], pages={})
    assert not left.private.exists()
    assert {path.name for path in (home.published / ".next").iterdir()} == {made.name, f"{made.name}.link"}


def test_at_least_three_earlier_publications_stay_for_readers_on_their_way(home: Home) -> None:
    made = [published(home, index=str(number).encode()) for number in range(7)]
    assert len(list((home.published / ".r").iterdir())) == 7  # all of them within a minute
    publish.settle(home.published, grace_seconds=0)
    kept = {path.name for path in (home.published / ".r").iterdir()}
    assert kept == {one.name for one in made[-1 - publish.EARLIER_KEPT :]}
    assert publish.EARLIER_KEPT >= 3


READER = """
import os, sys
import duckdb
root, seen, count = sys.argv[1], [], 0
print("ready", flush=True)
while not os.path.exists(root + "/stop"):
    site = int(open(root + "/published/site/number.html").read())
    path = os.path.realpath(root + "/published/warehouse.duckdb")
    count += 1
    if count % 10 == 0:
        with duckdb.connect(path, read_only=True) as connection:
            tables = [connection.execute(f"select count(distinct release_id) from mart.{t}").fetchone()[0]
                      for t in ("promoter_metrics", "releases", "departments", "deliveries")]
        assert len(set(tables)) == 1, tables
    assert not seen or site >= seen[-1], "an older release came back"
    seen.append(site)
print(count, len(set(seen)))
"""


def test_two_hundred_swaps_under_readers_show_no_mixture_and_no_error(home: Home) -> None:
    one = edition(home)
    base = published(home, one, number=b"0")
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(READER), str(home.path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    for number in range(1, 201):
        made = replace(base, name=f"{number:032x}")
        _copy_linked(base.shown if number == 1 else replace(base, name=f"{number - 1:032x}").shown, made, number)
        publish.swap(made)
        publish.settle(home.published)
    (home.path / "stop").touch()
    for reader in readers:
        out, error = reader.communicate(timeout=60)
        assert reader.returncode == 0, error
        assert int(out.split()[1]) > 1


def _copy_linked(earlier: Path, made: publish.Publication, number: int) -> None:
    """A publication like the earlier one with another number on its page; cheap, so that swaps come fast."""
    subprocess.run(["cp", "-rl", str(earlier), str(made.private)], check=True)
    (made.private / "site" / "number.html").unlink()
    (made.private / "site" / "number.html").write_text(str(number))
    made.link.symlink_to(f".r/{made.name}")
