import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.channels import Channel, Delivery
from flows.channels.email import EmailChannel
from flows.channels.webhook import WebhookChannel
from flows.demo.receivers import Receivers, receivers
from flows.home import Home
from flows.recipients import Email, Webhook
from flows.settings import Settings

RELEASE = "0f1e2d3c4b5a6978"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Receivers]:
    with receivers(tmp_path / "received", webhooks=3, secret="demo-secret") as started:
        yield started


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home").prepare()
    sealed = home.releases / RELEASE
    sealed.mkdir()
    (sealed / "release.json").write_bytes(b'{"nps":41.8276}')
    titles = {"en": "Passenger survey"}
    manifest = {"survey": "passengers", "title": titles, "wave": "2026-10", "revision": 1, "reason": None}
    manifest["languages"] = ["en"]
    (sealed / "manifest.json").write_text(json.dumps(manifest))
    return home


def settings(home: Home, mail_port: int) -> Settings:
    server = {"smtp": f"smtp://127.0.0.1:{mail_port}", "from": "Zwerm <z@w.example>", "tls": "none"}
    survey = {"wave": {"value": "2026-10"}, "sources": [{"path": "s.csv"}], "roles": {"score": "score"}}
    return Settings.model_validate({"home": home.path, "surveys": {"s": survey}, "servers": {"relay": server}})


def deliver(channel: Channel) -> list[str]:
    assert channel.stage() == []
    assert channel.arm(until=datetime.now(UTC)) == []
    for each in channel.opens():
        each.send()
    return [outcome.status for outcome in channel.confirm(deadline=time.monotonic() + 5)]


def test_the_demos_receivers_keep_what_they_got(home: Home, running: Receivers) -> None:
    configured, releases = settings(home, running.mail_port), {RELEASE: home.releases / RELEASE}
    hooks = [
        Delivery(secrets.token_hex(16), RELEASE, "#1", "webhook", "en", Webhook.model_validate(target))
        for target in ({"url": url, "secret": "demo-secret"} for url in running.webhooks)
    ]
    target = Email(to=("a@w.example", "b@w.example"), server="relay")
    mails = [Delivery(secrets.token_hex(16), RELEASE, "#4", "email", "en", target)]
    assert deliver(WebhookChannel(hooks, releases=releases, settings=configured)) == ["delivered"] * 3
    assert deliver(EmailChannel(mails, releases=releases, settings=configured)) == ["delivered"]
    came = running.received()
    assert [one.event for one in came] == ["ready"] * 3 + ["release"] * 3 + ["message"]
    assert {Path(one.file).read_bytes() for one in came if one.event == "release"} == {b'{"nps":41.8276}'}
    assert came[-1].receiver == "a@w.example, b@w.example"
    assert b"Passenger survey" in Path(came[-1].file).read_bytes()


def test_the_demos_webhooks_believe_only_what_is_signed(home: Home, running: Receivers) -> None:
    target = Webhook.model_validate({"url": running.webhooks[0], "secret": "another"})
    hook = Delivery(secrets.token_hex(16), RELEASE, "#1", "webhook", "en", target)
    channel = WebhookChannel([hook], releases={RELEASE: home.releases / RELEASE}, settings=settings(home, 1))
    [refusal] = channel.stage()
    assert "answered 401" in refusal.reason
    assert running.received() == []
