"""Killed around the commit with object stores and chats among the ways out: nothing early, nothing lost, once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.home import Home
from tests.flows.killed import killed, started_again
from tests.flows.receivers import Receivers, webhook_receivers
from tests.flows.s3_server import ObjectServer, object_server
from tests.flows.sealed import sealed
from warehouse.publish import contents


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectServer]:
    with object_server(tmp_path / "s3") as server:
        yield server


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "chat", 1) as receivers:
        yield receivers


@pytest.mark.parametrize("step", ["armed", "opened:1"])
def test_killed_around_the_commit_the_next_start_finishes_or_undoes_it(
    tmp_path: Path, store: ObjectServer, chat: Receivers, step: str
) -> None:
    home = Home(tmp_path / "home").prepare()
    keys = {"access_key_id": "AKIATEXEL", "secret_access_key": "hunter2"}
    audience: list[dict[str, Any]] = [
        {"object_store": {"url": "s3://results/zwerm", "endpoint": store.endpoint, **keys}},
        {"announce": [f"json://localhost:{chat.ports[0]}/"]},
    ]
    one = sealed(home)
    assert killed(home, audience, [one], step=step)
    if step != "opened:1":
        assert [name.rpartition(".")[2] for name in store.objects()] == ["sealed"]
    assert chat.calls() == []

    report, _ = started_again(home, audience, [one])

    assert {delivery.status for delivery in report.deliveries} == {"delivered"}
    sealed_files = {name: path.read_bytes() for name, path in contents(home.releases / one).items()}
    assert store.objects() == {f"zwerm/passengers/2026-10/r1/{name}": data for name, data in sealed_files.items()}
    told = [call.body.decode() for call in chat.calls()]
    assert ["are open" in said for said in told] == [True]
    sent_keys = [request for request in store.log() if request.line.startswith("PUT") and "key" in request.line]
    assert len({request.raw[-32:] for request in sent_keys}) <= 1
