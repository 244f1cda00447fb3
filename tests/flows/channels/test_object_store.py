import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import pytest

from flows.channels import Delivery, Outcome, object_store
from flows.channels.envelope import key_of, unpack, unseal
from flows.channels.object_store import ObjectStoreChannel
from flows.home import Home
from flows.model import Language
from flows.recipients import ObjectStore
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage
from flows.settings import Settings
from tests.flows.s3_server import Fault, ObjectServer, Request, object_server
from tests.flows.sealed import sealed, settings_for
from warehouse.publish import contents

NPS = 41.8276
SECRET = "hunter2-of-texel"
IN_TEN_SECONDS = timedelta(seconds=10)
PLAIN = "zwerm/passengers/2026-10/r1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def store(running: ObjectServer) -> Iterator[ObjectServer]:
    """The server of this module, empty and without a fault."""
    running.behave({})
    for name in running.objects():
        running.delete(name)
    (running.folder / "raw.jsonl").write_text("")
    yield running
    running.behave({})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def settings(home: Home) -> Settings:
    return settings_for(home)


def test_before_t_there_is_a_closed_envelope_under_a_random_name_and_at_t_one_put_opens_it(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home, nps=NPS), store)
    channel = channel_of(home, settings, [wanted])
    assert channel.stage() == []
    assert channel.arm(until=datetime.now(UTC) + IN_TEN_SECONDS) == []
    assert channel.still_ready() == []
    ((name, envelope),) = store.objects().items()
    assert name == f"zwerm/.zwerm-{wanted.delivery_id}.sealed"
    assert unpack(unseal(envelope, key(home, wanted))) == sealed_files(home, wanted)
    (opening,) = channel.opens()
    time.sleep(0.3)
    before = store.log()

    opening.send()
    (outcome,) = channel.confirm(deadline=time.monotonic() + 20)

    assert_nothing_readable(before, home, wanted)
    assert (outcome.status, outcome.attempts, outcome.detail) == ("delivered", 1, "")
    assert outcome.sent_at is not None
    after = store.log()[len(before) :]
    assert after[0].line == f"PUT /results/zwerm/.zwerm-{wanted.delivery_id}.key"
    assert after[0].raw.endswith(key(home, wanted))
    assert after[0].connection == before[-1].connection  # the one that was held
    assert store.objects() == {f"{PLAIN}/{name}": content for name, content in sealed_files(home, wanted).items()}
    puts = [request.line for request in after if request.line.startswith("PUT ")]
    assert puts[-1] == f"PUT /results/{PLAIN}/release.json"


def test_all_keys_leave_side_by_side_and_a_slow_or_hanging_store_delays_no_other(
    home: Home, settings: Settings, store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "PUT_SECONDS", 1.0)
    release_id = sealed(home)
    wanted = [delivery(release_id, store, folder=f"d{number}") for number in range(8)]
    channel = armed(home, settings, wanted)
    store.behave({"requests": [fault(r"PUT .*/d0/.*\.key", "hang"), fault(r"PUT .*/d1/.*\.key", "slow", seconds=0.6)]})

    before = len(store.log())
    opens = channel.opens()
    for opening in opens:
        opening.send()
    outcomes = channel.confirm(deadline=time.monotonic() + 20)

    assert [outcome.status for outcome in outcomes] == ["delivered"] * 8
    assert [outcome.attempts for outcome in outcomes] == [2, *[1] * 7]
    keys = [request for request in store.log()[before:] if request.line.endswith(".key") and "PUT" in request.line]
    assert len(keys) == 8
    assert keys[-1].at - keys[0].at < 300e6  # nanoseconds
    late = {outcome.delivery_id: outcome.sent_at for outcome in outcomes}
    others = [at for each in wanted[2:] if (at := late[each.delivery_id])]
    assert (max(others) - min(others)).total_seconds() < 0.5


def test_send_is_one_call_that_does_not_wait_for_the_store(home: Home, settings: Settings, store: ObjectServer) -> None:
    channel = armed(home, settings, [delivery(sealed(home), store)])
    store.behave({"requests": [fault("PUT", "slow", seconds=0.3)]})
    (opening,) = channel.opens()

    began = time.perf_counter()
    opening.send()

    assert time.perf_counter() - began < 0.1
    assert channel.confirm(deadline=time.monotonic() + 20)[0].status == "delivered"


@pytest.mark.parametrize("do", ["hang", "close", "garble", "answer"])
def test_a_key_whose_answer_does_not_come_is_asked_for_before_anything_is_sent_again(
    home: Home, settings: Settings, store: ObjectServer, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    monkeypatch.setattr(object_store, "PUT_SECONDS", 0.5)
    wanted = delivery(sealed(home), store)
    channel = armed(home, settings, [wanted])
    store.behave({"requests": [fault(r"PUT .*\.key", do, status=503)]})

    before = len(store.log())
    outcome = opened(channel)

    assert (outcome.status, outcome.attempts) == ("delivered", 2)
    lines = [request.line.split("/")[-1] for request in store.log()[before:]]
    assert lines[1] == f".zwerm-{wanted.delivery_id}.key"  # asked for
    assert sum(request.line.startswith("PUT") for request in store.log()[before:] if "key" in request.line) == 1
    assert f"{PLAIN}/release.json" in store.objects()


def test_a_key_that_was_put_but_not_acknowledged_is_found_and_not_sent_again(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    channel = armed(home, settings, [delivery(sealed(home), store)])
    store.behave({"requests": [fault(r"PUT .*\.key", "swallow")]})

    outcome = opened(channel)

    assert (outcome.status, outcome.attempts) == ("delivered", 1)


def test_a_store_that_answers_503_after_the_commit_gets_it_when_it_lets_us(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home), store)
    channel = armed(home, settings, [wanted])
    store.behave({"requests": [fault(".", "answer", status=503, times=4)]})

    outcome = opened(channel)

    assert outcome.status == "delivered"
    assert store.objects() == {f"{PLAIN}/{name}": content for name, content in sealed_files(home, wanted).items()}


def test_what_is_not_right_at_the_deadline_is_completed_later_and_says_what_is_there(
    home: Home, settings: Settings, store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = delivery(sealed(home), store)
    channel = armed(home, settings, [wanted])
    store.behave({"requests": [fault(f"PUT .*{PLAIN}", "answer", status=500)]})
    (opening,) = channel.opens()
    opening.send()
    (outcome,) = channel.confirm(deadline=time.monotonic() + 1)
    assert (outcome.status, outcome.attempts) == ("unknown", 1)
    assert outcome.detail.startswith("has the key to the closed envelope, and no plain copies: object store 127.0.0.1:")
    assert outcome.detail.endswith("answered 500")

    store.behave({})
    (completed,) = channel.complete([wanted.delivery_id], deadline=inf)

    assert (completed.status, completed.attempts) == ("delivered", 1)


def test_a_store_that_is_away_after_the_commit_has_failed_and_another_process_completes_it(
    home: Home, settings: Settings, store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = delivery(sealed(home), store)
    channel = armed(home, settings, [wanted])
    store.behave({"requests": [fault(".", "close")]})
    (opening,) = channel.opens()
    opening.send()
    (outcome,) = channel.confirm(deadline=time.monotonic() + 0.8)
    assert outcome.status in ("failed", "unknown")

    store.behave({})
    another = channel_of(home, settings, [wanted])
    (completed,) = another.complete([wanted.delivery_id], deadline=inf)

    assert (completed.status, completed.attempts) == ("delivered", 1)
    assert store.objects() == {f"{PLAIN}/{name}": content for name, content in sealed_files(home, wanted).items()}


def test_another_process_finds_the_key_that_a_killed_one_put(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home), store)
    armed(home, settings, [wanted])
    store.put(f"zwerm/.zwerm-{wanted.delivery_id}.key", key(home, wanted))
    before = len(store.log())

    (completed,) = channel_of(home, settings, [wanted]).complete([wanted.delivery_id], deadline=inf)

    assert (completed.status, completed.attempts) == ("delivered", 1)
    assert not any(r.line.startswith("PUT") and ".zwerm" in r.line for r in store.log()[before:])
    assert set(store.objects()) == {f"{PLAIN}/{name}" for name in sealed_files(home, wanted)}


def test_what_is_there_already_is_not_put_again_and_what_was_changed_is(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home), store)
    opened(armed(home, settings, [wanted]))
    store.put(f"{PLAIN}/style.css", b"body { color: red }")
    before = len(store.log())

    (completed,) = channel_of(home, settings, [wanted]).complete([wanted.delivery_id], deadline=inf)

    assert completed.status == "delivered"
    puts = [request.line for request in store.log()[before:] if request.line.startswith("PUT")]
    assert puts == [f"PUT /results/{PLAIN}/style.css"]
    assert store.objects()[f"{PLAIN}/style.css"] == sealed_files(home, wanted)["style.css"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"on": "PUT", "do": "answer", "status": 403}, "does not let this access key do that"),
        ({"on": "PUT", "do": "answer", "status": 500}, "answered 500"),
        ({"on": ".", "do": "close"}, "closed the connection"),
        ({"on": "PUT", "do": "garble"}, "closed the connection, or does not speak"),
        ({"on": "GET .*sealed", "do": "answer", "status": 404}, "what was read back is not what was put"),
    ],
)
def test_a_store_that_does_not_take_the_envelope_is_refused_without_a_word_of_its_own(
    home: Home, settings: Settings, store: ObjectServer, broken: Fault, says: str
) -> None:
    store.behave({"requests": [broken]})
    wanted = delivery(sealed(home), store)

    (refusal,) = channel_of(home, settings, [wanted]).stage()

    assert refusal.delivery_id == wanted.delivery_id
    assert refusal.reason.startswith(f"object store 127.0.0.1:{store.port}")
    assert says in refusal.reason
    for word in (SECRET, "hunter2", "AKIATEXEL", "results", "zwerm", "http"):
        assert word not in refusal.reason


def test_a_store_that_hangs_or_is_not_there_is_refused_in_time(
    home: Home, settings: Settings, store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "STAGE_SECONDS", 1.0)
    store.behave({"requests": [fault("/a/", "hang")]})
    release_id = sealed(home)
    wanted = [delivery(release_id, store, folder="a"), delivery(release_id, store, endpoint="http://127.0.0.1:9")]

    began = time.monotonic()
    slow, away = channel_of(home, settings, wanted).stage()

    assert time.monotonic() - began < 3
    assert slow.reason == f"object store 127.0.0.1:{store.port} did not answer in time"
    assert away.reason == "object store 127.0.0.1:9 cannot be reached"


def test_a_bucket_that_does_not_exist_is_refused(home: Home, settings: Settings, store: ObjectServer) -> None:
    target = ObjectStore.model_validate({**said(store, "zwerm"), "url": "s3://nowhere/zwerm"})
    wanted = Delivery("0" * 32, sealed(home), "Ships #1", "object_store", "en", target)

    (refusal,) = channel_of(home, settings, [wanted]).stage()

    assert refusal.reason == f"object store 127.0.0.1:{store.port} has no such bucket"


def test_connections_dropped_while_armed_are_made_anew(home: Home, settings: Settings, store: ObjectServer) -> None:
    channel = armed(home, settings, [delivery(sealed(home), store)])
    store.behave({"drop": time.time_ns()})

    assert channel.still_ready() == []
    assert opened(channel).status == "delivered"


def test_an_envelope_that_is_gone_is_put_anew_while_there_is_time_and_refused_when_there_is_none(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home), store)
    channel = armed(home, settings, [wanted])
    name = f"zwerm/.zwerm-{wanted.delivery_id}.sealed"
    store.put(name, b"somebody else's")
    assert channel.still_ready() == []
    assert unpack(unseal(store.objects()[name], key(home, wanted))) == sealed_files(home, wanted)

    store.delete(name)
    channel._round.until = datetime.now(UTC) + timedelta(seconds=0.5)
    (refusal,) = channel.still_ready()

    assert "what was put there for the moment is gone" in refusal.reason


def test_a_store_that_allows_few_connections_gets_all_of_it(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    release_id = sealed(home)
    store.behave({"most_connections": 6, "drop": time.time_ns()})  # what other tests left open counts too
    wanted = [delivery(release_id, store, folder=f"d{number}") for number in range(4)]
    channel = armed(home, settings, wanted)
    store.behave({"most_connections": 3})

    (opening,) = channel.opens()
    opening.send()
    outcomes = channel.confirm(deadline=time.monotonic() + 20)

    assert [outcome.status for outcome in outcomes] == ["delivered"] * 4


def test_a_hold_takes_everything_away_and_leaves_the_reason(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home, nps=NPS), store, language="nl")
    channel = armed(home, settings, [wanted])
    channel.opens()
    channel.abandon()
    assert store.objects() == {}
    assert_nothing_readable(store.log(), home, wanted)

    channel.announce("held", "not ready: Ships > Texel #1 by webhook")

    ((name, said),) = store.objects().items()
    assert name == "zwerm/passengers/2026-10/held.txt"
    assert "De reden: not ready: Ships > Texel #1 by webhook" in said.decode()
    assert str(NPS).encode() not in said
    channel.announce("withdrawn", "a mistake")
    assert list(store.objects()) == ["zwerm/passengers/2026-10/withdrawn.txt"]
    opened(armed(home, settings, [wanted]))
    assert "withdrawn.txt" not in "".join(store.objects())


def test_a_withdrawal_in_another_process_takes_the_envelope_away(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    wanted = delivery(sealed(home), store)
    armed(home, settings, [wanted])

    channel_of(home, settings, [wanted]).abandon()

    assert store.objects() == {}


def test_an_entry_that_is_gone_is_refused_and_its_delivery_fails(home: Home, settings: Settings) -> None:
    wanted = Delivery("0" * 32, sealed(home), "Ships > Texel #1", "object_store", "en", None)
    channel = channel_of(home, settings, [wanted])

    (refusal,) = channel.stage()
    (outcome,) = channel.complete([wanted.delivery_id], deadline=inf)

    assert "stands in [[audience]] no more" in refusal.reason
    assert (outcome.status, outcome.attempts, outcome.detail) == ("failed", 0, refusal.reason)
    assert channel.opens() == []


def test_two_recipients_of_one_folder_share_one_parcel(home: Home, settings: Settings, store: ObjectServer) -> None:
    release_id = sealed(home)
    wanted = [delivery(release_id, store), delivery(release_id, store)]
    channel = armed(home, settings, wanted)

    (opening,) = channel.opens()
    assert set(opening.delivery_ids) == {each.delivery_id for each in wanted}
    opening.send()
    outcomes = channel.confirm(deadline=time.monotonic() + 20)

    assert [outcome.status for outcome in outcomes] == ["delivered"] * 2
    assert sum(bool(re.search(r"PUT .*\.key", request.line)) for request in store.log()) == 1


def test_a_large_release_goes_in_parts_and_its_key_in_one_request(
    home: Home, settings: Settings, store: ObjectServer
) -> None:
    release_id = sealed(home, filler=os.urandom(6_000_000))
    wanted = delivery(release_id, store)

    outcome = opened(armed(home, settings, [wanted]))

    assert outcome.status == "delivered"
    lines = [request.line for request in store.log()]
    assert any("partNumber=" in line and ".sealed" in line for line in lines)
    assert not any("partNumber=" in line or "uploads" in line for line in lines if ".key" in line)


def test_a_whole_moment_opens_it_within_the_tolerance_and_the_ledger_has_no_credential(
    home: Home, store: ObjectServer
) -> None:
    audience = [{"department": [], "object_store": said(store, folder)} for folder in ("ships", "ground")]
    settings = settings_for(home, audience=audience, release={"tolerance_ms": 2_000})
    release_id = sealed(home, nps=NPS)
    record(home, release_id)
    plan(home, [release_id])
    (moment,) = stage(home, settings, [release_id])

    report = open_moment(home, settings, moment.moment_id)

    told = [state for state in report.deliveries if state.channel == "object_store"]
    assert [(state.status, state.is_breach, state.detail) for state in told] == [("delivered", False, "")] * 2
    assert all(state.opened_at for state in told)
    (release,) = report.releases
    assert release.skew_ms is not None
    assert 0 < release.skew_ms < 2_000
    assert {name.split("/")[0] for name in store.objects()} == {"ships", "ground"}
    written = b"".join(path.read_bytes() for path in home.ledger.parent.glob("ledger*"))
    assert not any(word in written for word in (SECRET.encode(), b"AKIATEXEL", b"s3://"))


def fault(on: str, do: str, *, status: int = 503, seconds: float = 0.0, times: int = 1_000_000) -> Fault:
    return {"on": on, "do": do, "status": status, "seconds": seconds, "times": times}


def said(store: ObjectServer, folder: str, *, endpoint: str | None = None) -> dict[str, str]:
    return {
        "url": f"s3://results/{folder}",
        "endpoint": endpoint or store.endpoint,
        "access_key_id": "AKIATEXEL",
        "secret_access_key": SECRET,
    }


_count = iter(range(1_000_000))


def delivery(
    release_id: str,
    store: ObjectServer,
    *,
    folder: str = "zwerm",
    endpoint: str | None = None,
    language: Language = "en",
) -> Delivery:
    target = ObjectStore.model_validate(said(store, folder, endpoint=endpoint))
    return Delivery(f"{next(_count):032x}", release_id, "Ships > Texel #1", "object_store", language, target)


def channel_of(home: Home, settings: Settings, wanted: Sequence[Delivery]) -> ObjectStoreChannel:
    releases = {each.release_id: home.releases / each.release_id for each in wanted}
    return ObjectStoreChannel(wanted, releases=releases, settings=settings)


def armed(home: Home, settings: Settings, wanted: Sequence[Delivery]) -> ObjectStoreChannel:
    channel = channel_of(home, settings, wanted)
    assert channel.stage() == []
    assert channel.arm(until=datetime.now(UTC) + IN_TEN_SECONDS) == []
    assert channel.still_ready() == []
    return channel


def opened(channel: ObjectStoreChannel) -> Outcome:
    (opening,) = channel.opens()
    opening.send()
    (outcome,) = channel.confirm(deadline=time.monotonic() + 20)
    return outcome


def key(home: Home, wanted: Delivery) -> bytes:
    return key_of(wanted.delivery_id, secret=home.secret())


def sealed_files(home: Home, wanted: Delivery) -> dict[str, bytes]:
    files = contents(home.releases / wanted.release_id)
    return {name: path.read_bytes() for name, path in files.items()}


def assert_nothing_readable(log: Sequence[Request], home: Home, wanted: Delivery) -> None:
    """No key, no piece of any file, and no name that tells anything, in whatever went over the line."""
    raw = b"".join(request.raw for request in log)
    assert raw
    assert key(home, wanted) not in raw
    document = sealed_files(home, wanted)["release.json"]
    pieces = {document[start : start + 24] for start in range(0, len(document) - 24, 24)}
    assert not any(piece in raw for piece in pieces)
    for word in (str(NPS), "passengers", "2026-10", wanted.release_id):
        assert word.encode() not in raw
