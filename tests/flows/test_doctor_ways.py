import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.command.doctor import buckets as stores
from flows.command.doctor.buckets import buckets
from flows.command.doctor.chats import chats
from flows.command.doctor.findings import Finding
from flows.home import Home
from flows.settings import Settings
from tests.flows.s3_server import ObjectServer, object_server
from tests.flows.sealed import settings_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def store(server: ObjectServer) -> Iterator[ObjectServer]:
    server.behave({})
    yield server
    server.behave({})


def stored(folder: Path, *endpoints: str) -> Settings:
    keys = {"access_key_id": "AKIATEXEL", "secret_access_key": "hunter2"}
    ways = [{"object_store": {"url": "s3://results/zwerm", "endpoint": each, **keys}} for each in endpoints]
    return settings_for(Home(folder), audience=ways)


def kinds(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.says) for finding in findings]


def test_a_store_is_asked_with_an_empty_object_that_is_taken_away_again(tmp_path: Path, store: ObjectServer) -> None:
    found = kinds(buckets(stored(tmp_path, store.endpoint)))
    assert found == [("ok", "1 place: an object can be put, read and taken away")]
    assert store.objects() == {}
    assert all(b"zwerm/.zwerm-doctor-" in request.raw for request in store.log())


@pytest.mark.parametrize(
    ("on", "says"),
    [
        ("PUT", "does not let this access key do that"),
        ("GET", "what was put cannot be read: this access key has to be let get objects"),
        ("DELETE|POST", "what was put cannot be taken away: this access key has to be let delete objects"),
    ],
)
def test_a_right_that_an_access_key_lacks_is_named(tmp_path: Path, store: ObjectServer, on: str, says: str) -> None:
    store.behave({"requests": [{"on": f"^({on})", "do": "answer", "status": 403}]})
    ((kind, said),) = kinds(buckets(stored(tmp_path, store.endpoint)))
    assert kind == "problem"
    assert said.startswith(f"object store 127.0.0.1:{store.port}")
    assert said.endswith(says)
    store.behave({})
    for name in store.objects():
        store.delete(name)


def test_a_store_that_hangs_keeps_nobody_and_others_are_told_of(
    tmp_path: Path, store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "SECONDS", 1.0)
    store.behave({"requests": [{"on": ".", "do": "hang"}]})
    found = kinds(buckets(stored(tmp_path, store.endpoint, "http://127.0.0.1:9")))
    assert found == [
        ("problem", f"object store 127.0.0.1:{store.port} did not answer in time"),
        ("problem", "object store 127.0.0.1:9 cannot be reached"),
    ]


def test_an_address_that_apprise_does_not_know_is_a_problem_and_quoted_by_its_scheme_alone(tmp_path: Path) -> None:
    audience = [{"department": ["Ships"], "announce": ["json://hunter2@localhost", "nonsense://hunter2"]}]
    ((kind, said),) = kinds(chats(settings_for(Home(tmp_path), audience=audience)))
    assert kind == "problem"
    assert said.startswith("Ships #1: the chat service (nonsense://)")
    assert "hunter2" not in json.dumps(said)


def test_chats_are_understood_and_not_written_to(tmp_path: Path) -> None:
    audience = [{"announce": ["json://localhost:9/a", "json://localhost:9/b"]}]
    found = kinds(chats(settings_for(Home(tmp_path), audience=audience)))
    assert found == [("ok", "2 chats: Apprise understands each address; nobody was written to")]
