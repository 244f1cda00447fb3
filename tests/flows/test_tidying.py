"""What is over leaves nothing at a recipient's but the release, whatever cut the taking away short; others' stay."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from flows.home import Home
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage
from flows.releasing.recover import recover
from flows.releasing.tidying import ATTEMPTS, untidy
from flows.settings import Settings
from tests.flows.killed import killed, started_again
from tests.flows.s3_server import BUCKET, ObjectServer, object_server
from tests.flows.sealed import files_below, sealed, settings_for
from tests.flows.sftp_server import PASSWORD, SftpServer, sftp_server
from warehouse import decisions
from warehouse.ledger import Ledger
from warehouse.publish import contents

OTHERS = ".zwerm-0123456789abcdef0123456789abcdef.sealed"  # another home's, whose T is still to come
TAKING_AWAY = {
    "folder": "flows.channels.folder.swept",
    "share": "flows.channels.share.ShareChannel._cleared",
    "sftp": "flows.channels.sftp_place.SftpPlace.clear",
    "object_store": "flows.channels.object_store.ObjectStoreChannel._clear",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


class Recipients:
    """One recipient by each way out that puts more than the release, at places that are this test's alone."""

    def __init__(self, home: Home, folder: Path, host: SftpServer, store: ObjectServer) -> None:
        self.home, self.folder, self.host, self.store = home, folder, host, store
        self.place = folder.name
        host.behave({})
        store.behave({})
        known_hosts = str(host.known_hosts(folder / "known_hosts"))
        keys = {"access_key_id": "test", "secret_access_key": "test"}
        self.ways: Mapping[str, dict[str, Any]] = {
            "folder": {"folder": str(folder / "folder")},
            "share": {"share": str(folder / "share")},
            "sftp": {"sftp": {"url": host.url(self.place), "password": PASSWORD, "known_hosts": known_hosts}},
            "object_store": {
                "object_store": {"url": f"s3://{BUCKET}/{self.place}", "endpoint": store.endpoint, **keys}
            },
        }

    def settings(self, *ways: str) -> Settings:
        return settings_for(self.home, audience=[self.ways[way] for way in ways or self.ways])

    def put_others(self) -> None:
        """What another home put at the same places."""
        for root in (self.folder / "folder", self.folder / "share", self.host.root / self.place):
            root.mkdir(exist_ok=True)
            (root / OTHERS).write_bytes(b"closed")
        self.store.put(f"{self.place}/{OTHERS}", b"closed")

    def holds(self, way: str) -> Mapping[str, bytes]:
        """All that lies at a recipient's."""
        if way == "object_store":
            found = self.store.objects()
            return {name.removeprefix(f"{self.place}/"): found[name] for name in found if self.place in name}
        return files_below(self.host.root / self.place if way == "sftp" else self.folder / way)

    def release(self, release_id: str) -> Mapping[str, bytes]:
        """What should lie there: the release, and what another home put."""
        files = contents(self.home.releases / release_id)
        plain = {f"passengers/2026-10/r1/{name}": path.read_bytes() for name, path in files.items()}
        return {**plain, OTHERS: b"closed"}


@pytest.fixture
def recipients(tmp_path: Path, host: SftpServer, store: ObjectServer) -> Recipients:
    made = Recipients(Home(tmp_path / "home").prepare(), tmp_path, host, store)
    made.put_others()
    return made


@pytest.mark.parametrize("way", TAKING_AWAY)
def test_killed_between_delivery_and_clean_up_the_next_start_leaves_nothing_but_the_release(
    recipients: Recipients, way: str
) -> None:
    home, audience = recipients.home, [recipients.ways[way]]
    one = sealed(home)
    assert killed(home, audience, [one], function=TAKING_AWAY[way])
    assert recipients.holds(way).keys() & recipients.release(one).keys(), "it was delivered"

    report, said = started_again(home, audience, [one])

    assert any("completed" in line for line in said)
    assert {delivery.status for delivery in report.deliveries} == {"delivered"}
    assert recipients.holds(way) == recipients.release(one)
    with Ledger.open(home.ledger) as ledger:
        assert untidy(ledger) == ()


def test_what_a_host_or_store_keeps_is_taken_away_when_it_lets_us_and_the_register_does_not_wait_for_it(
    recipients: Recipients,
) -> None:
    home, settings = recipients.home, recipients.settings("sftp", "object_store")
    recipients.host.behave({"fail": ["remove"], "only": ".zwerm-"})
    recipients.store.behave({"requests": [{"on": r"^(DELETE|POST \S+delete)", "do": "answer", "status": 403}]})
    one = released(home, settings)
    with Ledger.open(home.ledger) as ledger:
        assert {d.status for d in ledger.deliveries(one)} == {"delivered"}
        assert {d.channel for d in untidy(ledger)} == {"sftp", "object_store"}
    assert all(len(recipients.holds(way)) > len(recipients.release(one)) for way in ("sftp", "object_store"))
    assert [line.rpartition(": ")[2] for line in recover(home, settings)] == [
        "what lay beside the release lies there still"
    ] * 2

    recipients.host.behave({})
    recipients.store.behave({})

    assert [line.rpartition(": ")[2] for line in recover(home, settings)] == [
        "what lay beside the release was taken away"
    ] * 2
    assert {way: recipients.holds(way) for way in ("sftp", "object_store")} == {
        way: recipients.release(one) for way in ("sftp", "object_store")
    }
    assert recover(home, settings) == []


def test_who_keeps_it_for_good_is_not_asked_for_ever(recipients: Recipients) -> None:
    home, settings = recipients.home, recipients.settings("sftp")
    recipients.host.behave({"fail": ["remove"], "only": ".zwerm-"})
    released(home, settings)
    tries = [recover(home, settings) for _ in range(ATTEMPTS)]
    assert [len(lines) for lines in tries] == [1] * (ATTEMPTS - 1) + [0]  # the first was right after the moment
    recipients.host.behave({})


def test_killed_right_after_a_withdrawal_the_next_start_takes_away_what_was_put(recipients: Recipients) -> None:
    home, settings = recipients.home, recipients.settings()
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    stage(home, settings, [one])
    with Ledger.open(home.ledger) as ledger:
        (sftp,) = (d for d in ledger.deliveries(one) if d.channel == "sftp")
        (folder,) = (d for d in ledger.deliveries(one) if d.channel == "folder")
        (recipients.host.root / recipients.place / f".zwerm-{sftp.delivery_id}.plain/en").mkdir(parents=True)
        (recipients.folder / "folder" / f".zwerm-{folder.delivery_id}").mkdir()
        decisions.withdraw(ledger, one, reason="the scale was wrong")
    assert any(len(recipients.holds(way)) > 1 for way in recipients.ways)

    assert recover(home, settings) == ["what is published was renewed from the ledger"]

    assert all(recipients.holds(way) == {OTHERS: b"closed"} for way in recipients.ways)
    left = [path.name for path in (recipients.host.root / recipients.place).iterdir()]
    assert left == [path.name for path in (recipients.folder / "folder").iterdir()] == [OTHERS]


def test_what_waits_for_its_moment_is_not_taken_for_a_leftover(recipients: Recipients) -> None:
    home, settings = recipients.home, recipients.settings("share", "sftp", "object_store")
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    (moment,) = stage(home, settings, [one])
    before = {way: recipients.holds(way) for way in ("share", "sftp", "object_store")}
    recover(home, settings)
    assert {way: recipients.holds(way) for way in before} == before
    assert open_moment(home, settings, moment.moment_id).missing == ()
    assert {way: recipients.holds(way) for way in before} == dict.fromkeys(before, recipients.release(one))


def released(home: Home, settings: Settings) -> str:
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    (moment,) = stage(home, settings, [one])
    assert open_moment(home, settings, moment.moment_id).missing == ()
    return one
