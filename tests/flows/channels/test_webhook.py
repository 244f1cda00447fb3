import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from flows.channels import Delivery, Outcome
from flows.channels.webhook import WebhookChannel
from flows.channels.webhook_request import compose, key_for
from flows.home import Home
from flows.recipients import Webhook
from flows.settings import Settings
from tests.flows.receivers import ROOT, Behaviour, Call, Receivers, webhook_receivers

SECRET = "hunter2-of-texel"
BODY = json.dumps({"nps": 41.8276, "filler": "x" * 12_000}, sort_keys=True).encode()
SETTINGS = Settings.model_validate(
    {"surveys": {"s": {"wave": {"value": "2026-10"}, "sources": [{"path": "s.csv"}], "roles": {"score": "score"}}}}
)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "localhost.pem")
    return tmp_path / "localhost.pem"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return sealed(tmp_path / "releases" / "0f1e2d3c4b5a6978")


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "plain", 3) as receivers:
        yield receivers


@pytest.fixture
def encrypted(tmp_path: Path, certificate: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "encrypted", 3, certificate=certificate) as receivers:
        yield receivers


def sealed(folder: Path, body: bytes = BODY) -> Path:
    folder.mkdir(parents=True)
    (folder / "release.json").write_bytes(body)
    manifest = {"release_id": folder.name, "survey": "passengers", "wave": "2026-10", "revision": 1, "reason": ""}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def delivery(url: str, *, secret: str | None = SECRET, number: int = 1) -> Delivery:
    target = Webhook.model_validate({"url": url, "secret": secret})
    return Delivery(secrets.token_hex(16), "0f1e2d3c4b5a6978", f"Ships > Texel #{number}", "webhook", "nl", target)


def channel(release: Path, *deliveries: Delivery) -> WebhookChannel:
    own = SETTINGS.model_copy(update={"home": Home(release.parents[1]).prepare().path})
    return WebhookChannel(deliveries, releases={release.name: release}, settings=own)


def soon(seconds: float = 30) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def now() -> datetime:
    return datetime.now(UTC)


def open_all(webhooks: WebhookChannel) -> None:
    for each in webhooks.opens():
        each.send()


def confirm(webhooks: WebhookChannel, *, seconds: float = 5) -> dict[str, Outcome]:
    return {outcome.delivery_id: outcome for outcome in webhooks.confirm(deadline=time.monotonic() + seconds)}


def signed_by(call: Call, secret: str) -> bool:
    signed = call.headers["zwerm-timestamp"].encode() + b"." + call.body
    return call.headers["zwerm-signature"] == "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def test_fifty_recipients_have_nothing_before_the_opening_and_the_same_bytes_after_it(
    tmp_path: Path, release: Path, certificate: Path
) -> None:
    with (
        webhook_receivers(tmp_path / "http", 25) as http,
        webhook_receivers(tmp_path / "https", 25, certificate=certificate) as https,
    ):
        urls = [receivers.url(number) for receivers in (http, https) for number in range(25)]
        webhooks = channel(release, *(delivery(url, number=number) for number, url in enumerate(urls, 1)))
        assert webhooks.arm(until=soon()) == []
        assert webhooks.still_ready() == []
        time.sleep(0.3)
        held = [came.what for receivers in (http, https) for came in receivers.log()]
        assert held == ["connected"] * 50
        opened_at = time.time_ns()
        open_all(webhooks)
        assert {outcome.status for outcome in confirm(webhooks).values()} == {"delivered"}
        calls = [call for receivers in (http, https) for call in receivers.calls()]
        assert [call.body for call in calls] == [BODY] * 50
        first = min(came.at for receivers in (http, https) for came in receivers.log() if came.what == "bytes")
        assert first > opened_at


def test_readiness_is_asked_without_content_and_a_signature_proves_both_calls(release: Path, plain: Receivers) -> None:
    webhooks = channel(release, one := delivery(plain.url(0, "/texel?token=t")))
    assert webhooks.stage() == []
    planned = soon()
    assert webhooks.arm(until=planned) == []
    open_all(webhooks)
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    ready, released = plain.calls()
    assert (ready.event, ready.body, released.event, released.body) == ("ready", b"{}", "release", BODY)
    assert signed_by(ready, SECRET) and signed_by(released, SECRET)
    assert released.headers["zwerm-timestamp"] == str(int(planned.timestamp()))
    assert released.headers["content-type"] == "application/json"
    assert released.target == "/texel?token=t"
    assert ready.headers["idempotency-key"] != released.headers["idempotency-key"]
    assert one.delivery_id not in json.dumps(released.headers)


def test_before_the_opening_no_byte_names_the_release(release: Path, plain: Receivers) -> None:
    webhooks = channel(release, delivery(plain.url(0)))
    webhooks.stage()
    webhooks.arm(until=soon())
    raw = b"".join(came.data for came in plain.log())
    assert release.name.encode() not in raw and hashlib.sha256(BODY).hexdigest().encode() not in raw
    assert b"passengers" not in raw
    webhooks.abandon()
    webhooks.announce("held", "somebody is not ready")


def test_without_a_secret_nothing_is_signed(release: Path, plain: Receivers) -> None:
    webhooks = channel(release, delivery(plain.url(0), secret=None))
    assert webhooks.stage() == []
    assert "zwerm-signature" not in plain.calls()[0].headers


@pytest.mark.parametrize("status", [500, 403, 302])
def test_a_receiver_that_does_not_answer_2xx_is_not_ready(release: Path, plain: Receivers, status: int) -> None:
    plain.behave({1: {"ready": [status]}})
    good, bad = delivery(plain.url(0)), delivery(plain.url(1))
    [refusal] = channel(release, good, bad).stage()
    assert refusal.delivery_id == bad.delivery_id
    assert refusal.reason == f"localhost:{plain.ports[1]} answered {status} when asked whether it is ready"
    assert len(plain.calls("ready")) == 2


def test_each_asking_for_readiness_is_an_event_of_its_own(release: Path, plain: Receivers) -> None:
    plain.behave({0: {"ready": [503, 204]}})
    webhooks = channel(release, delivery(plain.url(0)))
    assert len(webhooks.stage()) == 1
    assert webhooks.stage() == []
    assert len({call.headers["idempotency-key"] for call in plain.calls("ready")}) == 2


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://user:pa55word@localhost:1/s3cret?token=t0ken", "localhost:1 refuses connections"),
        ("http://no-such-host.invalid/s3cret", "no-such-host.invalid:80 cannot be found"),
        ("http://user:pa55word@localhost:port/s3cret", "the webhook has an address that cannot be understood"),
        ("http:///s3cret", "the webhook has an address that cannot be understood"),
    ],
)
def test_reasons_name_the_host_and_never_what_opens_it(release: Path, url: str, says: str) -> None:
    webhooks = channel(release, one := delivery(url))
    texts = [refusal.reason for refusal in (*webhooks.stage(), *webhooks.arm(until=soon()))]
    texts += [confirm(webhooks, seconds=1)[one.delivery_id].detail]
    assert all(text.startswith(says) or "not reached" in text for text in texts)
    assert not any(word in text for text in texts for word in ("pa55word", "s3cret", "t0ken", SECRET, "user"))


def test_a_certificate_that_is_not_trusted_is_a_refusal(
    release: Path, encrypted: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    [refusal] = channel(release, delivery(encrypted.url(0))).arm(until=soon())
    assert "shows a certificate that is not accepted" in refusal.reason


def test_plain_http_behind_an_https_address_is_a_refusal(release: Path, plain: Receivers) -> None:
    [refusal] = channel(release, delivery(plain.url(0).replace("http:", "https:"))).arm(until=soon(3))
    assert "TLS" in refusal.reason or "closed the connection" in refusal.reason or "in time" in refusal.reason


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_a_connection_lost_right_before_the_moment_is_a_refusal(
    release: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    receivers: Receivers = request.getfixturevalue(kind)
    receivers.behave({1: {"drop_seconds": 0.2}})
    good, bad = delivery(receivers.url(0)), delivery(receivers.url(1))
    webhooks = channel(release, good, bad)
    assert webhooks.arm(until=soon(1.2)) == []
    time.sleep(0.6)
    [refusal] = webhooks.still_ready()
    assert refusal.delivery_id == bad.delivery_id
    assert refusal.reason == f"localhost:{receivers.ports[1]} closed the connection held for T"
    webhooks.abandon()
    webhooks.announce("held", "not ready")


@pytest.mark.parametrize("until", [soon, now])
def test_a_connection_lost_long_before_the_moment_is_made_anew(release: Path, plain: Receivers, until: object) -> None:
    plain.behave({0: {"drop_seconds": 0.1}})
    webhooks = channel(release, delivery(plain.url(0)))
    assert webhooks.arm(until=soon() if until is soon else now()) == []
    time.sleep(0.3)
    plain.behave({})
    assert webhooks.still_ready() == []
    open_all(webhooks)
    assert [outcome.status for outcome in confirm(webhooks).values()] == ["delivered"]
    assert len(plain.calls("release")) == 1


def test_what_was_lost_while_armed_is_sent_after_the_moment(release: Path, plain: Receivers) -> None:
    plain.behave({0: {"drop_seconds": 0.1}})
    webhooks = channel(release, one := delivery(plain.url(0)))
    webhooks.arm(until=soon())
    time.sleep(0.3)
    open_all(webhooks)
    plain.behave({})
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    assert [call.body for call in plain.calls("release")] == [BODY]


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_an_error_is_answered_by_sending_again_under_the_same_key(
    release: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    receivers: Receivers = request.getfixturevalue(kind)
    receivers.behave({0: {"release": [503, 500, 200]}})
    webhooks = channel(release, one := delivery(receivers.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    calls = receivers.calls("release")
    assert [call.status for call in calls] == [503, 500, 200]
    assert len({(call.headers["idempotency-key"], call.body) for call in calls}) == 1
    assert all(signed_by(call, SECRET) for call in calls)


def test_what_was_sent_again_tells_how_often_and_when(release: Path, plain: Receivers) -> None:
    plain.behave({0: {"release": [503, 500, 200]}})
    again, once = delivery(plain.url(0)), delivery(plain.url(1))
    webhooks = channel(release, again, once)
    webhooks.arm(until=now())
    opened_at = now()
    open_all(webhooks)
    outcomes = confirm(webhooks)
    assert (outcomes[once.delivery_id].attempts, outcomes[once.delivery_id].sent_at) == (1, None)
    assert outcomes[again.delivery_id].attempts == 3
    sent_at = outcomes[again.delivery_id].sent_at
    assert sent_at is not None and sent_at - opened_at > timedelta(seconds=0.7)
    assert sent_at <= outcomes[again.delivery_id].at


def test_what_left_only_in_part_at_the_moment_tells_when_the_rest_went(tmp_path: Path, plain: Receivers) -> None:
    body = b'"' + secrets.token_hex(10_000_000).encode() + b'"'
    plain.behave({0: {"deaf": ["release"], "deaf_seconds": 1}})
    webhooks = channel(sealed(tmp_path / "large" / "0f1e2d3c4b5a6978", body), one := delivery(plain.url(0)))
    webhooks.arm(until=now())
    opened_at = now()
    open_all(webhooks)
    outcome = confirm(webhooks, seconds=20)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert outcome.sent_at is not None and outcome.sent_at - opened_at > timedelta(seconds=0.8)


def test_after_a_2xx_nothing_is_ever_sent_again(release: Path, plain: Receivers) -> None:
    webhooks = channel(release, one := delivery(plain.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    before = confirm(webhooks)[one.delivery_id]
    assert webhooks.complete([one.delivery_id]) == [before]
    assert len(plain.calls("release")) == 1


@pytest.mark.parametrize("manner", ["silent", "hang_up"])
def test_what_is_not_answered_by_the_deadline_is_unknown(release: Path, plain: Receivers, manner: str) -> None:
    plain.behave({0: Behaviour(silent=["release"]) if manner == "silent" else Behaviour(hang_up=["release"])})
    quiet, good = delivery(plain.url(0)), delivery(plain.url(1))
    webhooks = channel(release, quiet, good)
    webhooks.arm(until=now())
    open_all(webhooks)
    started = time.monotonic()
    outcomes = confirm(webhooks, seconds=1)
    assert time.monotonic() - started < 1.5
    assert outcomes[quiet.delivery_id].status == "unknown"
    assert outcomes[good.delivery_id].status == "delivered"
    assert "in time" in outcomes[quiet.delivery_id].detail or "without an answer" in outcomes[quiet.delivery_id].detail


def test_a_slow_answer_counts_and_delays_no_other(release: Path, plain: Receivers) -> None:
    plain.behave({0: {"slow_seconds": 0.8}})
    slow, quick = delivery(plain.url(0)), delivery(plain.url(1))
    webhooks = channel(release, slow, quick)
    webhooks.arm(until=now())
    open_all(webhooks)
    outcomes = confirm(webhooks)
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
    assert outcomes[slow.delivery_id].at - outcomes[quick.delivery_id].at > timedelta(seconds=0.5)
    assert len(plain.calls("release")) == 2


def test_an_endpoint_that_never_shakes_hands_does_not_keep_the_moment_waiting(release: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        webhooks = channel(release, delivery(f"https://localhost:{mute.getsockname()[1]}/"))
        started = time.monotonic()
        [refusal] = webhooks.arm(until=soon(1))
        assert time.monotonic() - started < 1.5
        assert refusal.reason.endswith("did not answer in time")


def test_an_answer_that_is_no_http_is_unknown_and_a_refusal_when_asked(release: Path, plain: Receivers) -> None:
    plain.behave({0: {"garbage": True}})
    webhooks = channel(release, one := delivery(plain.url(0)))
    [refusal] = webhooks.stage()
    assert "does not answer in HTTP" in refusal.reason
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks, seconds=0.5)[one.delivery_id].status == "unknown"


def test_a_steady_refusal_is_failed(release: Path, plain: Receivers) -> None:
    plain.behave({0: {"release": [410]}})
    webhooks = channel(release, one := delivery(plain.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    outcome = confirm(webhooks, seconds=1)[one.delivery_id]
    assert (outcome.status, outcome.detail) == ("failed", f"localhost:{plain.ports[0]} answered 410")


@pytest.mark.parametrize("kind", ["plain", "encrypted"])
def test_a_slow_reader_of_a_large_release_delays_nobody(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    receivers: Receivers = request.getfixturevalue(kind)
    body = b'"' + secrets.token_hex(10_000_000).encode() + b'"'
    release = sealed(tmp_path / "large" / "0f1e2d3c4b5a6978", body)
    receivers.behave({0: {"deaf": ["release"], "deaf_seconds": 1}})
    webhooks = channel(release, delivery(receivers.url(0)), delivery(receivers.url(1)))
    webhooks.arm(until=now())
    started = time.monotonic()
    open_all(webhooks)
    assert time.monotonic() - started < 0.5
    assert {outcome.status for outcome in confirm(webhooks, seconds=20).values()} == {"delivered"}
    assert all(call.body == body for call in receivers.calls("release"))


def test_a_new_process_completes_under_the_same_key(release: Path, plain: Receivers, tmp_path: Path) -> None:
    plain.behave({0: {"silent": ["release"]}})
    webhooks = channel(release, one := delivery(plain.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks, seconds=0.5)[one.delivery_id].status == "unknown"
    plain.behave({})
    code = (
        "import sys; from pathlib import Path; from tests.flows.channels import test_webhook as t\n"
        "from flows.channels import Delivery; from flows.recipients import Webhook\n"
        "name, url, folder = sys.argv[1:]\n"
        "d = Delivery(name, Path(folder).name, 'Ships #1', 'webhook', 'nl', Webhook(url=url, secret=t.SECRET))\n"
        "print(t.channel(Path(folder), d).complete([name])[0].status)"
    )
    command = [sys.executable, "-c", code, one.delivery_id, plain.url(0), str(release)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=True)
    assert ended.stdout.strip() == "delivered"
    first, second = plain.calls("release")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body == BODY


def test_whoever_knows_a_deliverys_id_does_not_know_its_key(release: Path, plain: Receivers) -> None:
    webhooks = channel(release, one := delivery(plain.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    confirm(webhooks)
    key = plain.calls("release")[0].headers["idempotency-key"]
    assert key == key_for(one.delivery_id, "release", secret=Home(release.parents[1]).secret())
    assert key != key_for(one.delivery_id, "release", secret=b"")


def test_a_hold_is_told_to_those_who_were_ready_and_nothing_else_is_sent(release: Path, plain: Receivers) -> None:
    plain.behave({1: {"ready": [500]}})
    webhooks = channel(release, delivery(plain.url(0)), delivery(plain.url(1)))
    webhooks.stage()
    webhooks.arm(until=soon())
    webhooks.abandon()
    webhooks.announce("held", "a recipient is not ready")
    [held] = plain.calls("held")
    assert held.receiver == 0 and signed_by(held, SECRET)
    assert json.loads(held.body) == {"reason": "a recipient is not ready", "survey": "passengers", "wave": "2026-10"}
    assert plain.calls("release") == []


def test_three_hundred_webhooks_are_opened_in_one_loop(tmp_path: Path, release: Path, certificate: Path) -> None:
    with (
        webhook_receivers(tmp_path / "http", 150) as http,
        webhook_receivers(tmp_path / "https", 150, certificate=certificate) as https,
    ):
        urls = [receivers.url(number) for receivers in (http, https) for number in range(150)]
        webhooks = channel(release, *map(delivery, urls))
        assert webhooks.arm(until=soon()) == []
        assert webhooks.still_ready() == []
        sends = [each.send for each in webhooks.opens()]
        started = time.perf_counter()
        for send in sends:
            send()
        milliseconds = (time.perf_counter() - started) * 1000
        outcomes = confirm(webhooks, seconds=20)
        assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
        first = [came.at for receivers in (http, https) for came in receivers.log() if came.what == "bytes"]
        print(f"300 webhooks opened in {milliseconds:.1f} ms, received within {(max(first) - min(first)) / 1e6:.0f} ms")
        assert milliseconds < 250


def test_an_address_may_hold_credentials_and_letters_beyond_ascii() -> None:
    target = Webhook(url="https://bo%20b:p%40ss@bücher.example:8443/größe x?q=1")
    request = compose(target, event="ready", key="k", body=b"{}", at=now())
    head = request.message.split(b"\r\n")
    assert head[0] == b"POST /gr%C3%B6%C3%9Fe%20x?q=1 HTTP/1.1"
    assert b"host: xn--bcher-kva.example:8443" in [line.lower() for line in head]
    assert b"Authorization: Basic Ym8gYjpwQHNz" in head
