"""A folder on this host opens by one rename, and says why results did not come."""

import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.channels import Delivery
from flows.channels.folder import FolderChannel
from flows.home import Home
from tests.flows.sealed import files_below, sealed, settings_for

PLACE = "passengers/2026-10/r1"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def release(home: Home) -> str:
    return sealed(home)


def deliveries(release: str, *targets: str) -> list[Delivery]:
    return [
        Delivery(secrets.token_hex(16), release, f"Ships #{number}", "folder", "en", target)
        for number, target in enumerate(targets, 1)
    ]


def channel(home: Home, some: Sequence[Delivery]) -> FolderChannel:
    releases = {each.release_id: home.releases / each.release_id for each in some}
    return FolderChannel(some, releases=releases, settings=settings_for(home))


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=30)


def release_to(home: Home, some: Sequence[Delivery]) -> None:
    folders = channel(home, some)
    assert folders.stage() == []
    assert folders.arm(until=soon()) == []
    for each in folders.opens():
        each.send()
    assert {outcome.status for outcome in folders.confirm(deadline=time.monotonic() + 20)} == {"delivered"}


def test_a_hold_is_told_in_the_folder_with_its_reason_and_no_figure(home: Home, release: str, tmp_path: Path) -> None:
    folders = channel(home, deliveries(release, str(tmp_path / "texel")))
    assert folders.stage() == []
    assert folders.arm(until=soon()) == []
    folders.abandon()
    folders.announce("held", "not ready: Ships #1 by webhook")
    (name,) = files_below(tmp_path / "texel")
    assert name == "passengers/2026-10/held.txt"
    text = (tmp_path / "texel" / name).read_text()
    assert text.splitlines()[0] == "Our organisation: Passengers, 2026-10: held"
    assert "The reason: not ready: Ships #1 by webhook" in text
    assert "39.8398" not in text
    assert (tmp_path / "texel" / name).stat().st_mode & 0o777 == 0o644


def test_a_withdrawal_takes_the_place_of_a_hold_and_the_release_that_of_both(
    home: Home, release: str, tmp_path: Path
) -> None:
    some = deliveries(release, str(tmp_path / "texel"))
    channel(home, some).announce("held", "one")
    channel(home, some).announce("withdrawn", "two")
    assert set(files_below(tmp_path / "texel")) == {"passengers/2026-10/withdrawn.txt"}
    release_to(home, some)
    assert {name.rpartition("/")[0] for name in files_below(tmp_path / "texel")} >= {PLACE}
    assert not list(tmp_path.rglob("*.txt"))


def test_a_revision_that_is_held_is_told_beside_the_release_that_is_there(
    home: Home, release: str, tmp_path: Path
) -> None:
    release_to(home, deliveries(release, str(tmp_path / "texel")))
    before = files_below(tmp_path / "texel")
    revision = sealed(home, revision=2, nps=41.8276)
    channel(home, deliveries(revision, str(tmp_path / "texel"))).announce("held", "late answers are looked at")
    after = files_below(tmp_path / "texel")
    assert after.keys() - before.keys() == {"passengers/2026-10/held.txt"}
    assert b"2026-10, revision 2: held" in after["passengers/2026-10/held.txt"]
    assert b"41.8276" not in after["passengers/2026-10/held.txt"]


def test_who_was_not_ready_is_not_told_and_a_folder_that_cannot_be_written_stops_nobody(
    home: Home, release: str, tmp_path: Path
) -> None:
    (tmp_path / "blocked").write_bytes(b"")
    some = deliveries(release, str(tmp_path / "texel"), str(tmp_path / "blocked" / "ships"))
    folders = channel(home, some)
    assert [refusal.delivery_id for refusal in folders.stage()] == [some[1].delivery_id]
    folders.announce("held", "not ready")
    assert list(files_below(tmp_path / "texel")) == ["passengers/2026-10/held.txt"]
    channel(home, some[::-1]).announce("withdrawn", "a mistake")
    assert list(files_below(tmp_path / "texel")) == ["passengers/2026-10/withdrawn.txt"]


def test_a_reason_is_one_line_whatever_signs_it_holds(home: Home, release: str, tmp_path: Path) -> None:
    channel(home, deliveries(release, str(tmp_path / "texel"))).announce("held", "no {figure}\r\n\x1b[2J\u202ehere")
    text = (tmp_path / "texel/passengers/2026-10/held.txt").read_text()
    assert "The reason: no {figure} [2J here\n" in text
