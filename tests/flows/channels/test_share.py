"""A share holds what is closed before T, the key from T on, and then what people read; whoever runs it reads all."""

import os
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from threading import Timer

import pytest

from flows.channels import Delivery, Outcome
from flows.channels.envelope import MARK, unpack, unseal
from flows.channels.share import ShareChannel
from flows.home import Home
from flows.releasing.moment import record
from tests.flows.killed import killed, started_again
from tests.flows.sealed import files_below, sealed, settings_for
from warehouse.ledger import Ledger
from warehouse.publish import contents

READABLE = (b"39.8398", b"passengers", b"2026-10", b"Waddenlijn", b"nps")
PLACE = "passengers/2026-10/r1"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def release(home: Home) -> str:
    return sealed(home)


def deliveries(release: str, *targets: str | None) -> list[Delivery]:
    return [
        Delivery(secrets.token_hex(16), release, f"Ships > Texel #{number}", "share", "nl", target)
        for number, target in enumerate(targets, 1)
    ]


def channel(home: Home, some: Sequence[Delivery]) -> ShareChannel:
    releases = {each.release_id: home.releases / each.release_id for each in some}
    return ShareChannel(some, releases=releases, settings=settings_for(home))


def ready(home: Home, some: Sequence[Delivery], *, seconds: float = 30) -> ShareChannel:
    shares = channel(home, some)
    assert shares.stage() == []
    assert shares.arm(until=datetime.now(UTC) + timedelta(seconds=seconds)) == []
    return shares


def open_all(shares: ShareChannel, *roots: Path) -> None:
    """Open, and where a test looks at what lies there then, wait until all keys do."""
    for each in shares.opens():
        each.send()
    ends = time.monotonic() + 20
    while not all(list(root.glob("*.key")) for root in roots):
        assert time.monotonic() < ends
        time.sleep(0.01)


def confirmed(shares: ShareChannel, *, seconds: float = 20) -> dict[str, Outcome]:
    return {outcome.delivery_id: outcome for outcome in shares.confirm(deadline=time.monotonic() + seconds)}


def sealed_files(home: Home, release: str) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in contents(home.releases / release).items()}


def test_before_its_time_a_share_holds_nothing_that_can_be_read_and_no_name_that_tells(
    home: Home, release: str, tmp_path: Path
) -> None:
    some = deliveries(release, *(str(tmp_path / f"share{number}") for number in range(3)))
    shares = ready(home, some)
    assert shares.still_ready() == []
    for each in some:
        root = Path(str(each.target))
        held = files_below(root)
        assert set(held) == {f".zwerm-{each.delivery_id}.sealed", f".zwerm-{each.delivery_id}.key.part"}
        assert held[f".zwerm-{each.delivery_id}.key.part"] == b""
        assert held[f".zwerm-{each.delivery_id}.sealed"].startswith(MARK)
        assert not any(word in content for content in held.values() for word in READABLE)
        assert [path for path in root.rglob("*") if path.is_dir()] == []
    shares.abandon()


def test_the_key_opens_the_same_bytes_for_every_recipient_and_leaves_only_what_people_read(
    home: Home, release: str, tmp_path: Path
) -> None:
    some = deliveries(release, *(str(tmp_path / f"share{number}") for number in range(3)))
    shares = ready(home, some)
    open_all(shares, *(Path(str(each.target)) for each in some))
    for each in some:
        held = files_below(Path(str(each.target)))
        envelope, key = (held[f".zwerm-{each.delivery_id}.{kind}"] for kind in ("sealed", "key"))
        assert unpack(unseal(envelope, key)) == sealed_files(home, release)
    assert {outcome.status for outcome in confirmed(shares).values()} == {"delivered"}
    for each in some:
        root = Path(str(each.target))
        assert files_below(root) == {f"{PLACE}/{name}": text for name, text in sealed_files(home, release).items()}
        assert (root / PLACE / "release.json").stat().st_mode & 0o777 == 0o644


def test_the_key_is_another_for_each_recipient(home: Home, release: str, tmp_path: Path) -> None:
    some = deliveries(release, str(tmp_path / "a"), str(tmp_path / "b"))
    shares = ready(home, some)
    open_all(shares, tmp_path / "a", tmp_path / "b")
    keys = {(Path(str(each.target)) / f".zwerm-{each.delivery_id}.key").read_bytes() for each in some}
    assert len(keys) == 2
    confirmed(shares)


def test_what_lies_there_when_another_process_arms_is_not_put_again(home: Home, release: str, tmp_path: Path) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    assert channel(home, some).stage() == []
    envelope = tmp_path / "share" / f".zwerm-{one.delivery_id}.sealed"
    before = envelope.stat()
    shares = ready(home, some)
    assert (envelope.stat().st_ino, envelope.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    shares.abandon()


@pytest.mark.parametrize("change", ["gone", "one bit", "cut short", "another's"])
def test_an_envelope_that_was_changed_is_put_anew_before_the_moment(
    change: str, home: Home, release: str, tmp_path: Path
) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    assert channel(home, some).stage() == []
    envelope = tmp_path / "share" / f".zwerm-{one.delivery_id}.sealed"
    content = envelope.read_bytes()
    envelope.unlink()
    if change != "gone":
        flipped = content[:-1] + bytes([content[-1] ^ 1])
        envelope.write_bytes({"one bit": flipped, "cut short": content[:-9], "another's": b"x" * 4096}[change])
    shares = ready(home, some)
    open_all(shares, tmp_path / "share")
    key = (tmp_path / "share" / f".zwerm-{one.delivery_id}.key").read_bytes()
    assert unpack(unseal(envelope.read_bytes(), key)) == sealed_files(home, release)
    confirmed(shares)


def test_what_is_there_byte_for_byte_is_delivered_and_not_touched(home: Home, release: str, tmp_path: Path) -> None:
    root = tmp_path / "share"
    open_all(shares := ready(home, deliveries(release, str(root))))
    confirmed(shares)
    before = {path: path.stat().st_ctime_ns for path in root.rglob("*")}
    shares = ready(home, some := deliveries(release, str(root)))
    assert shares.still_ready() == []
    assert shares.opens() == []
    assert confirmed(shares)[some[0].delivery_id].status == "delivered"
    assert {path: path.stat().st_ctime_ns for path in root.rglob("*")} == before


def test_something_else_in_its_place_is_refused_and_left_alone(home: Home, release: str, tmp_path: Path) -> None:
    root = tmp_path / "share"
    (root / PLACE).mkdir(parents=True)
    (root / PLACE / "release.json").write_bytes(b"{}")
    shares = channel(home, some := deliveries(release, str(root)))
    (refusal,) = shares.stage()
    assert refusal.delivery_id == some[0].delivery_id
    assert "is not this release; move it elsewhere" in refusal.reason
    assert files_below(root) == {f"{PLACE}/release.json": b"{}"}


def test_two_deliveries_to_one_folder_are_one_parcel(home: Home, release: str, tmp_path: Path) -> None:
    some = deliveries(release, str(tmp_path / "share"), str(tmp_path / "share"))
    shares = ready(home, some)
    assert [each.delivery_ids for each in shares.opens()] == [tuple(each.delivery_id for each in some)]
    open_all(shares)
    assert {name: outcome.status for name, outcome in confirmed(shares).items()} == {
        each.delivery_id: "delivered" for each in some
    }


def test_an_abandoned_release_leaves_nothing_there_whichever_process_put_it(
    home: Home, release: str, tmp_path: Path
) -> None:
    some = deliveries(release, str(tmp_path / "share"))
    ready(home, some)
    channel(home, some).abandon()
    assert list((tmp_path / "share").iterdir()) == []


def test_a_hold_is_told_in_the_recipients_language_and_the_notice_goes_when_the_release_comes(
    home: Home, release: str, tmp_path: Path
) -> None:
    root = tmp_path / "share"
    shares = ready(home, some := deliveries(release, str(root)))
    shares.abandon()
    shares.announce("held", "not ready: Ships #1 by webhook")
    assert list(files_below(root)) == ["passengers/2026-10/held.txt"]
    text = files_below(root)["passengers/2026-10/held.txt"].decode()
    assert "Deze resultaten zijn aangehouden." in text
    assert "De reden: not ready: Ships #1 by webhook" in text
    assert "39.8398" not in text
    shares.announce("withdrawn", "a mistake in the answers")
    assert list(files_below(root)) == ["passengers/2026-10/withdrawn.txt"]
    open_all(shares := ready(home, some))
    assert confirmed(shares)[some[0].delivery_id].status == "delivered"
    assert set(files_below(root)) == {f"{PLACE}/{name}" for name in sealed_files(home, release)}


def test_who_was_not_ready_is_not_told(home: Home, release: str, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_bytes(b"")
    some = deliveries(release, str(tmp_path / "share"), str(tmp_path / "blocked" / "share"))
    shares = channel(home, some)
    assert [refusal.delivery_id for refusal in shares.stage()] == [some[1].delivery_id]
    shares.abandon()
    shares.announce("held", "not ready")
    assert list(files_below(tmp_path / "share")) == ["passengers/2026-10/held.txt"]


def test_what_is_lost_long_before_the_moment_is_made_anew_and_right_before_it_is_refused(
    home: Home, release: str, tmp_path: Path
) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    draft = tmp_path / "share" / f".zwerm-{one.delivery_id}.key.part"
    shares = ready(home, some)
    draft.unlink()
    assert shares.still_ready() == []
    assert draft.read_bytes() == b""
    shares.abandon()
    shares = ready(home, some, seconds=0.9)
    draft.write_bytes(b"not ours")
    (refusal,) = shares.still_ready()
    assert refusal.reason.endswith("what was put there for the moment is gone")
    shares.abandon()


def test_a_key_that_could_not_be_put_is_completed_late_and_counted(home: Home, release: str, tmp_path: Path) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    shares = ready(home, some)
    (opened,) = shares.opens()
    (tmp_path / "share" / f".zwerm-{one.delivery_id}.key.part").unlink()
    opened.send()
    outcome = confirmed(shares)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 2)
    assert outcome.sent_at is not None
    assert set(files_below(tmp_path / "share")) == {f"{PLACE}/{name}" for name in sealed_files(home, release)}


def test_a_share_that_hangs_at_the_moment_keeps_nobody_waiting(
    home: Home, release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.channels.share.ANSWER_SECONDS", 0.5)
    hanging, well = some = deliveries(release, str(tmp_path / "hanging"), str(tmp_path / "well"))
    shares = ready(home, some)
    (reader, writer), (opens, second) = os.pipe(), shares.opens()
    while True:  # a pipe that is full takes nothing more, as a server that is gone
        os.set_blocking(writer, False)
        try:
            os.write(writer, b"x" * 65536)
        except BlockingIOError:
            break
    os.set_blocking(writer, True)
    (held,) = (each for parcel, each in shares._held.items() if parcel.delivery_ids == (hanging.delivery_id,))
    os.dup2(writer, held.descriptor)
    began = time.monotonic()
    opens.send()
    second.send()
    assert time.monotonic() - began < 0.4
    outcomes = confirmed(shares)
    assert {name: outcome.attempts for name, outcome in outcomes.items()} == {
        hanging.delivery_id: 2,
        well.delivery_id: 1,
    }
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
    os.close(writer)
    os.read(reader, 1 << 20)
    assert held.done.wait(10)
    os.close(reader)


def test_plain_copies_that_fail_at_first_follow_without_a_second_opening(
    home: Home, release: str, tmp_path: Path
) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    shares = ready(home, some)
    (blocking := tmp_path / "share" / "passengers").write_bytes(b"")
    open_all(shares)
    Timer(0.6, blocking.unlink).start()
    outcome = confirmed(shares)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert outcome.sent_at is not None
    assert outcome.sent_at < outcome.at - timedelta(seconds=0.2), "what counts is when the key was there"


def test_who_has_the_key_and_no_plain_copies_is_unknown_and_completed_by_another_process(
    home: Home, release: str, tmp_path: Path
) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    shares = ready(home, some)
    (blocking := tmp_path / "share" / "passengers").write_bytes(b"")
    open_all(shares, tmp_path / "share")
    outcome = confirmed(shares, seconds=0.1)[one.delivery_id]
    assert outcome.status == "unknown"
    assert outcome.detail.startswith("has the key to the closed envelope")
    blocking.unlink()
    (late,) = channel(home, some).complete([one.delivery_id], deadline=inf)
    assert (late.status, late.attempts, late.sent_at) == ("delivered", 1, None)
    assert set(files_below(tmp_path / "share")) == {f"{PLACE}/{name}" for name in sealed_files(home, release)}


def test_a_share_whose_entry_is_gone_is_refused_and_told(home: Home, release: str) -> None:
    shares = channel(home, some := deliveries(release, None))
    (refusal,) = shares.stage()
    assert "stands in [[audience]] no more" in refusal.reason
    (outcome,) = shares.complete([some[0].delivery_id], deadline=inf)
    assert outcome.status == "failed"


def test_nobodys_link_is_followed(home: Home, release: str, tmp_path: Path) -> None:
    (one,) = some = deliveries(release, str(tmp_path / "share"))
    (precious := tmp_path / "precious").write_bytes(b"ours")
    (tmp_path / "share").mkdir()
    for name in (f".zwerm-{one.delivery_id}.sealed.part", f".zwerm-{one.delivery_id}.key.part"):
        (tmp_path / "share" / name).symlink_to(precious)
    open_all(shares := ready(home, some))
    assert confirmed(shares)[one.delivery_id].status == "delivered"
    assert precious.read_bytes() == b"ours"


def test_a_process_killed_right_after_the_key_was_put_is_completed_once(
    home: Home, release: str, tmp_path: Path
) -> None:
    root = tmp_path / "share"
    audience = [{"share": str(root)}]
    record(home, release)

    def has_key() -> bool:
        for envelope in root.glob("*.sealed"):
            envelope.with_suffix("").touch()  # where the plain copies would be made: they wait
        return bool(list(root.glob("*.key")))

    assert killed(home, audience, [release], until=has_key)
    (key,) = root.glob("*.key")
    assert len(key.read_bytes()) == 32
    assert not (root / PLACE).exists()
    key.with_suffix("").unlink()
    report, said = started_again(home, audience, [release])
    assert any("completed" in line for line in said)
    assert files_below(root) == {f"{PLACE}/{name}": text for name, text in sealed_files(home, release).items()}
    (delivery,) = (each for each in report.deliveries if each.channel == "share")
    assert (delivery.status, delivery.attempts) == ("delivered", 1)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    started_again(home, audience, [release])
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    with Ledger.open(home.ledger) as ledger:
        assert [each.status for each in ledger.deliveries(release) if each.channel == "share"] == ["delivered"]
