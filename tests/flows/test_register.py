"""A real release's register: page, JSON and Parquet with the same rows; and what was read before the moment."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pyarrow.parquet as pq
import pytest

from flows.home import Home
from flows.orchestration.site_server import site
from flows.release import Report, open_moment
from flows.releasing.access_record import AccessRecord
from flows.releasing.moment import plan, record, stage
from flows.releasing.recover import recover
from flows.releasing.server_log import logged
from flows.settings import Settings
from tests.flows.sealed import files_below, sealed, settings_for
from warehouse import chain
from warehouse.ledger import Ledger

TWO = ({"department": [], "folder": "shares/all"}, {"department": ["Ships"], "folder": "shares/ships"})
PLACE = "passengers/2026-10/r1"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


@pytest.fixture
def settings(home: Home) -> Settings:
    return settings_for(home, audience=TWO, release={"tolerance_ms": 5000})


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    """The site as `zwerm serve` shows it, with its record."""
    with site(home.published / "site", host="127.0.0.1", port=0, record=AccessRecord(home.access_record)) as found:
        yield found


def ready(home: Home, settings: Settings, **said: Any) -> str:
    one = sealed(home, **said)
    record(home, one)
    plan(home, [one], at=None)
    return stage(home, settings, [one])[0].moment_id


def register(home: Home, name: str = "register.json") -> Any:
    content = (home.published / "site" / PLACE / name).read_bytes()
    return json.loads(content) if name.endswith("json") else content.decode()


def planted(home: Home, name: str = "en/index.html") -> Path:
    """A page under the place that can be guessed, as a careless copy would leave it there."""
    path = home.published / "current" / "site" / PLACE / name
    path.parent.mkdir(parents=True)
    path.write_text("leaked")
    return path


def events(home: Home, *kinds: str) -> list[dict[str, Any]]:
    with Ledger.open(home.ledger) as ledger:
        return [event.detail for event in ledger.events(kinds=kinds)]


def test_the_register_is_published_as_page_json_and_parquet_with_the_same_rows(home: Home, settings: Settings) -> None:
    moment = ready(home, settings)
    with Ledger.open(home.ledger) as ledger:
        (release,) = ledger.releases_of(moment)
        ledger.add("clock", release_ids=[release.release_id], moment_id=moment, says="the clock is not synchronised")
    open_moment(home, settings, moment)
    said = register(home)
    table = pq.read_table(BytesIO((home.published / "site" / PLACE / "register.parquet").read_bytes())).to_pylist()
    assert [row["recipient"] for row in said["deliveries"]] == ["everyone", "Our organisation #1", "Ships #1"]
    assert {row["outcome"] for row in said["deliveries"]} == {"delivered"}
    for mine, row in zip(said["deliveries"], table, strict=True):
        assert {name: row[name] for name in ("recipient", "channel", "language", "outcome", "attempts", "is_late")} == {
            name: mine[name] for name in ("recipient", "channel", "language", "outcome", "attempts", "is_late")
        }
        assert row["opened_at"] == datetime.fromisoformat(mine["opened_at"])
        assert (row["ledger_head"], row["skew_ms"]) == (said["ledger_head"], said["skew_ms"])
    assert "About the clock: the clock is not synchronised" in [remark["says"] for remark in said["remarks"]]
    assert "the clock is not synchronised" in register(home, "en/register.html")


def test_no_register_tells_an_address_a_target_or_a_figure(home: Home, settings: Settings) -> None:
    open_moment(home, settings, ready(home, settings, nps=12.3456))
    for path in (home.published / "site" / PLACE).rglob("register.*"):
        content = path.read_bytes()
        assert b"shares" not in content and b"12.3" not in content and str(home.path).encode() not in content


def test_the_heads_in_a_releases_register_and_manifest_prove_a_later_edit(home: Home, settings: Settings) -> None:
    open_moment(home, settings, ready(home, settings))
    (manifest,) = home.releases.glob("*/manifest.json")
    printed = register(home)["ledger_head"]
    sealed_with = json.loads(manifest.read_text())["ledger_head"]
    assert f'value="{printed}"' in register(home, "en/register.html")
    open_moment(home, settings, ready(home, settings, survey="staff"))
    assert register(home)["ledger_head"] == printed  # what did not change is not printed anew
    with Ledger.look(home.ledger) as ledger:
        verdict = chain.verify(ledger.connection, heads={printed: "register", sealed_with: "manifest"})
    assert verdict.findings == ()
    assert len({printed, sealed_with, verdict.head}) == 3


def test_a_page_that_was_read_before_the_moment_is_a_breach_in_ledger_page_and_json(
    home: Home, settings: Settings, address: str
) -> None:
    open_moment(home, settings, ready(home, settings, survey="staff"))
    planted(home)
    assert httpx.get(f"{address}{PLACE}/en/index.html").text == "leaked"
    assert httpx.head(f"{address}x/../{PLACE}/en/index.html").status_code == 200
    report = open_moment(home, settings, ready(home, settings))
    (breach,) = events(home, "breach")
    assert (breach["what"], "it was read 2 times before its moment" in breach["says"]) == ("early_read", True)
    assert 0 < breach["milliseconds"] < 60_000
    assert report.breaches == (breach["says"],)
    (told,) = register(home)["breaches"]
    assert (told["what"], told["milliseconds"]) == ("early_read", breach["milliseconds"])
    page = register(home, "en/register.html")
    assert "Somebody read it" in page and "Not everything went as promised." in page
    assert not (home.published / "site" / "staff/2026-10/r1" / "register.json").read_text().count("early_read")


def test_tries_that_found_nothing_are_counted_and_no_breach(home: Home, settings: Settings, address: str) -> None:
    open_moment(home, settings, ready(home, settings, survey="staff"))
    with httpx.Client() as client:
        for number in range(44):
            assert client.get(f"{address}{PLACE}/guess-{number}.html").status_code == 404
        assert client.get(f"{address}staff/2026-10/r1/en/index.html").status_code == 200
    report = open_moment(home, settings, ready(home, settings))
    assert report.breaches == ()
    assert [remark["says"] for remark in register(home)["remarks"] if remark["what"] == "tries"] == [
        "44 tries to read it at its address before the moment found nothing."
    ]
    assert "44 tries" in register(home, "en/register.html")


def test_what_is_read_after_the_moment_is_neither_breach_nor_remark(
    home: Home, settings: Settings, address: str
) -> None:
    httpx.get(address)
    read: list[int] = []

    def reading(step: str) -> None:
        if step in ("committed", "confirmed"):
            read.append(httpx.get(f"{address}{PLACE}/en/index.html").status_code)

    report = open_moment(home, settings, ready(home, settings), on_step=reading)
    assert (read[-1], report.breaches) == (200, ())
    assert "tries" not in {remark["what"] for remark in register(home)["remarks"]}
    assert events(home, "access") == [{"reads": 0, "tries": 0}]


def test_a_publication_whose_random_name_was_known_before_the_moment_is_a_breach(
    home: Home, settings: Settings
) -> None:
    kept = AccessRecord(home.access_record)
    kept.add(path="/", status=200, size=1, at=datetime.now(UTC) - timedelta(minutes=1))

    def known(step: str) -> None:
        if step == "armed":
            (name,) = (path.name for path in (home.published / ".next").iterdir() if path.is_dir())
            kept.add(path=f"/published/.r/{name}/warehouse.duckdb", status=206, size=9, at=datetime.now(UTC))

    report: Report = open_moment(home, settings, ready(home, settings), on_step=known)
    assert ["it was read once before its moment" in says for says in report.breaches] == [True]


def test_after_a_kill_the_next_start_looks_and_once_is_enough(home: Home, settings: Settings, address: str) -> None:
    open_moment(home, settings, ready(home, settings, survey="staff"))
    planted(home)
    httpx.get(f"{address}{PLACE}/en/index.html")

    def ends(step: str) -> None:
        if step == "confirmed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_moment(home, settings, ready(home, settings), on_step=ends)
    assert events(home, "breach") == []
    assert [line for line in recover(home, settings) if "passengers 2026-10: it was read once before" in line]
    assert recover(home, settings) == []
    assert [breach["what"] for breach in events(home, "breach")] == ["early_read"]
    assert register(home)["breaches"][0]["what"] == "early_read"


def test_a_record_that_cannot_be_read_stops_no_release_and_the_register_says_so(home: Home, settings: Settings) -> None:
    home.access_record.mkdir()
    report = open_moment(home, settings, ready(home, settings))
    assert {delivery.status for delivery in report.deliveries} == {"delivered"}
    assert "could not be read: whether anybody read it early is not known" in register(home, "en/register.html")


def test_a_release_from_before_the_record_began_is_not_looked_for(home: Home, settings: Settings) -> None:
    open_moment(home, settings, ready(home, settings))
    AccessRecord(home.access_record).add(path="/", status=200, size=1, at=datetime.now(UTC))
    assert recover(home, settings) == []
    assert events(home, "access") == []


def test_a_register_that_was_published_before_it_had_files_gets_them_with_the_next_release(
    home: Home, settings: Settings
) -> None:
    open_moment(home, settings, ready(home, settings))
    for name in ("register.json", "register.parquet"):
        (home.published / "site" / PLACE / name).unlink()
    open_moment(home, settings, ready(home, settings, survey="staff"))
    assert register(home)["release_id"]


def test_the_log_of_the_organisations_own_web_server_tells_of_early_reads_too(home: Home) -> None:
    log = home.path / "access.log"
    settings = settings_for(home, release={"access_log": "access.log"})
    now = datetime.now(UTC)
    lines = [
        (now - timedelta(hours=1), "/", 200),
        (now - timedelta(seconds=90), f"/zwerm/{PLACE}/en/index.html?who=jan", 404),
        (now - timedelta(seconds=60), "/zwerm/%70assengers/2026-10/./r1/release.json", 200),
        (now + timedelta(seconds=30), f"/zwerm/{PLACE}/en/index.html", 200),
    ]
    log.write_text("".join(line(*said) for said in lines))
    report = open_moment(home, settings, ready(home, settings))
    (says,) = report.breaches
    assert "it was read once before its moment, first" in says
    assert events(home, "access") == [{"reads": 1, "tries": 1}]
    assert "192.0.2" not in (home.published / "site" / PLACE / "register.json").read_text()


def line(at: datetime, target: str, status: int) -> str:
    when = at.astimezone(ZoneInfo("Europe/Amsterdam")).strftime("%d/%b/%Y:%H:%M:%S %z")
    return f'192.0.2.7 - jan [{when}] "GET {target} HTTP/1.1" {status} 512 "-" "Mozilla/5.0 (\\"x\\")"\n'


def test_a_second_that_may_lie_after_the_moment_is_not_called_early(home: Home) -> None:
    log = home.path / "access.log"
    settings = settings_for(home, release={"access_log": "access.log"})
    log.write_text(line(datetime.now(UTC) - timedelta(hours=1), "/", 200))

    def read(step: str) -> None:
        if step == "confirmed":
            with log.open("a") as file:
                file.write(line(decided(home), f"/{PLACE}/en/index.html", 200))

    assert open_moment(home, settings, ready(home, settings), on_step=read).breaches == ()
    assert events(home, "access") == [{"reads": 0, "tries": 0}]


def decided(home: Home) -> datetime:
    with Ledger.open(home.ledger) as ledger:
        (event,) = ledger.events(kinds=("released",))
    return event.at


def test_a_log_that_is_not_there_stops_no_release_and_the_register_says_so(home: Home) -> None:
    settings = settings_for(home, release={"access_log": "none.log"})
    open_moment(home, settings, ready(home, settings))
    assert "is not known" in register(home, "en/register.html")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b'[10/Oct/2026:25:61:99 +0000] "GET / HTTP/1.1" 200 1',
        b'[10/Oct/2026:13:55:36 +0000] "\\x16\\x03" 400 -',
        b'[10/Oct/2026:13:55:36 +0000] "GET" 400 -',
    ],
    ids=["empty", "no text", "no time", "no request", "half a request"],
)
def test_a_log_of_something_else_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content + b"\n" + line(datetime.now(UTC), "/page%0a.html", 304).encode())
    (access,) = logged(tmp_path / "log")
    assert (access.path, access.status, access.bytes) == ("/page\n.html", 304, 512)


def test_two_builds_differ_in_the_manifests_ledger_head_alone(tmp_path: Path) -> None:
    first, second = (Home(tmp_path / name).prepare() for name in ("first", "second"))
    record(second, sealed(second, survey="staff"))
    one, other = sealed(first), sealed(second)
    assert one == other
    said = [dict(files_below(home.releases / one)) for home in (first, second)]
    manifests = [json.loads(files.pop("manifest.json")) for files in said]
    heads = [manifest.pop("ledger_head") for manifest in manifests]
    assert said[0] == said[1]
    assert manifests[0] == manifests[1]
    assert heads[0] == chain.GENESIS != heads[1]
