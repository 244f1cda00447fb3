import json
import os
import secrets
import socket
import subprocess
import sys
import time
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from flows.channels.webhook_request import compose, key_for
from flows.home import Home
from flows.recipients import Webhook
from tests.flows.channels.hooks import (
    BODY,
    SECRET,
    Manner,
    answering,
    channel,
    confirm,
    delivery,
    must_tell_nothing,
    now,
    open_all,
    readable,
    sealed,
    signed_by,
    soon,
)
from tests.flows.receivers import ROOT, Behaviour, Receivers, webhook_receivers


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


def test_readiness_is_asked_without_content_and_a_signature_proves_both_calls(release: Path, http: Receivers) -> None:
    webhooks = channel(release, one := delivery(http.url(0, "/texel?token=t")))
    assert webhooks.stage() == []
    planned = soon()
    assert webhooks.arm(until=planned) == []
    open_all(webhooks)
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    ready, released = http.calls()
    assert (ready.event, ready.body, released.event, released.body) == ("ready", b"{}", "release", BODY)
    assert signed_by(ready, SECRET) and signed_by(released, SECRET)
    assert released.headers["zwerm-timestamp"] == str(int(planned.timestamp()))
    assert released.headers["content-type"] == "application/json"
    assert released.target == "/texel?token=t"
    assert ready.headers["idempotency-key"] != released.headers["idempotency-key"]
    assert one.delivery_id not in json.dumps(released.headers)


def test_before_the_opening_no_byte_names_the_release_or_tells_its_length(
    release: Path, http: Receivers, manner: Manner
) -> None:
    webhooks = channel(release, manner.delivery(http.url(0)))
    webhooks.stage()
    webhooks.clocks()
    webhooks.arm(until=soon())
    must_tell_nothing(came.data for came in http.log())
    webhooks.abandon()
    webhooks.announce("held", "somebody is not ready")
    assert {call.event for call in http.calls()} == {manner.asking, "ready", "held"}


def test_without_a_secret_nothing_is_signed(release: Path, http: Receivers) -> None:
    webhooks = channel(release, delivery(http.url(0), secret=None))
    assert webhooks.stage() == []
    assert "zwerm-signature" not in http.calls()[0].headers


@pytest.mark.parametrize("status", [500, 403, 302])
def test_a_receiver_that_does_not_answer_2xx_is_not_ready(
    release: Path, http: Receivers, status: int, manner: Manner
) -> None:
    http.behave({1: answering(manner.asking, status)})
    good, bad = manner.delivery(http.url(0)), manner.delivery(http.url(1))
    asked = "given the sealed release" if manner.is_sealed else "asked whether it is ready"
    [refusal] = channel(release, good, bad).stage()
    assert refusal.delivery_id == bad.delivery_id
    assert refusal.reason == f"localhost:{http.ports[1]} answered {status} when {asked}"
    assert len(http.calls(manner.asking)) == 2


def test_each_asking_for_readiness_is_an_event_of_its_own(release: Path, http: Receivers) -> None:
    http.behave({0: {"ready": [503, 204]}})
    webhooks = channel(release, delivery(http.url(0)))
    assert len(webhooks.stage()) == 1
    assert webhooks.stage() == []
    assert len({call.headers["idempotency-key"] for call in http.calls("ready")}) == 2


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
    release: Path, https: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    [refusal] = channel(release, delivery(https.url(0))).arm(until=soon())
    assert "shows a certificate that is not accepted" in refusal.reason


def test_plain_http_behind_an_https_address_is_a_refusal(release: Path, http: Receivers) -> None:
    [refusal] = channel(release, delivery(http.url(0).replace("http:", "https:"))).arm(until=soon(3))
    assert "TLS" in refusal.reason or "closed the connection" in refusal.reason or "in time" in refusal.reason


@pytest.mark.parametrize("kind", ["http", "https"])
def test_a_connection_lost_right_before_the_moment_is_a_refusal(
    release: Path, kind: str, request: pytest.FixtureRequest, manner: Manner
) -> None:
    receivers: Receivers = request.getfixturevalue(kind)
    receivers.behave({1: {"drop_seconds": 0.2}})
    good, bad = manner.delivery(receivers.url(0)), manner.delivery(receivers.url(1))
    webhooks = channel(release, good, bad)
    assert webhooks.arm(until=soon(1.2)) == []
    time.sleep(0.6)
    [refusal] = webhooks.still_ready()
    assert refusal.delivery_id == bad.delivery_id
    assert refusal.reason == f"localhost:{receivers.ports[1]} closed the connection held for T"
    webhooks.abandon()
    webhooks.announce("held", "not ready")


@pytest.mark.parametrize("until", [soon, now])
def test_a_connection_lost_long_before_the_moment_is_made_anew(
    release: Path, http: Receivers, until: object, manner: Manner
) -> None:
    http.behave({0: {"drop_seconds": 0.1}})
    webhooks = channel(release, manner.delivery(http.url(0)))
    assert webhooks.arm(until=soon() if until is soon else now()) == []
    time.sleep(0.3)
    http.behave({})
    assert webhooks.still_ready() == []
    open_all(webhooks)
    assert [outcome.status for outcome in confirm(webhooks).values()] == ["delivered"]
    assert len(http.calls(manner.opening)) == 1


def test_what_was_lost_while_armed_is_sent_after_the_moment(release: Path, http: Receivers, manner: Manner) -> None:
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    assert webhooks.stage() == []
    http.behave({0: {"drop_seconds": 0.1}})
    webhooks.arm(until=soon())
    time.sleep(0.3)
    open_all(webhooks)
    http.behave({})
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    assert len(http.calls(manner.opening)) == 1
    assert readable(http, 0) == BODY


@pytest.mark.parametrize("kind", ["http", "https"])
def test_an_error_is_answered_by_sending_again_under_the_same_key(
    release: Path, kind: str, request: pytest.FixtureRequest, manner: Manner
) -> None:
    receivers: Receivers = request.getfixturevalue(kind)
    receivers.behave({0: answering(manner.opening, 503, 500, 200)})
    webhooks = channel(release, one := manner.delivery(receivers.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks)[one.delivery_id].status == "delivered"
    calls = receivers.calls(manner.opening)
    assert [call.status for call in calls] == [503, 500, 200]
    assert len({(call.headers["idempotency-key"], call.body) for call in calls}) == 1
    assert all(signed_by(call, SECRET) for call in calls)


def test_what_was_sent_again_tells_how_often_and_when(release: Path, http: Receivers, manner: Manner) -> None:
    http.behave({0: answering(manner.opening, 503, 500, 200)})
    again, once = manner.delivery(http.url(0)), manner.delivery(http.url(1))
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


def test_what_left_only_in_part_at_the_moment_tells_when_the_rest_went(tmp_path: Path, http: Receivers) -> None:
    body = b'"' + secrets.token_hex(10_000_000).encode() + b'"'
    http.behave({0: {"deaf": ["release"], "deaf_seconds": 1}})
    webhooks = channel(sealed(tmp_path / "large" / "0f1e2d3c4b5a6978", body), one := delivery(http.url(0)))
    webhooks.arm(until=now())
    opened_at = now()
    open_all(webhooks)
    outcome = confirm(webhooks, seconds=20)[one.delivery_id]
    assert (outcome.status, outcome.attempts) == ("delivered", 1)
    assert outcome.sent_at is not None and outcome.sent_at - opened_at > timedelta(seconds=0.8)


def test_after_a_2xx_nothing_is_ever_sent_again(release: Path, http: Receivers, manner: Manner) -> None:
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    before = confirm(webhooks)[one.delivery_id]
    assert webhooks.complete([one.delivery_id], deadline=inf) == [before]
    assert len(http.calls(manner.opening)) == 1


@pytest.mark.parametrize("habit", ["silent", "hang_up"])
def test_what_is_not_answered_by_the_deadline_is_unknown(
    release: Path, http: Receivers, habit: str, manner: Manner
) -> None:
    events: list[str] = [manner.opening]
    http.behave({0: Behaviour(silent=events) if habit == "silent" else Behaviour(hang_up=events)})
    quiet, good = manner.delivery(http.url(0)), manner.delivery(http.url(1))
    webhooks = channel(release, quiet, good)
    webhooks.arm(until=now())
    open_all(webhooks)
    started = time.monotonic()
    outcomes = confirm(webhooks, seconds=1)
    assert time.monotonic() - started < 1.5
    assert outcomes[quiet.delivery_id].status == "unknown"
    assert outcomes[good.delivery_id].status == "delivered"
    assert "in time" in outcomes[quiet.delivery_id].detail or "without an answer" in outcomes[quiet.delivery_id].detail


def test_a_slow_answer_counts_and_delays_no_other(release: Path, http: Receivers, manner: Manner) -> None:
    http.behave({0: {"slow_seconds": 0.8}})
    slow, quick = manner.delivery(http.url(0)), manner.delivery(http.url(1))
    webhooks = channel(release, slow, quick)
    webhooks.arm(until=now())
    open_all(webhooks)
    outcomes = confirm(webhooks)
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}
    assert outcomes[slow.delivery_id].at - outcomes[quick.delivery_id].at > timedelta(seconds=0.5)
    assert len(http.calls(manner.opening)) == 2


def test_an_endpoint_that_never_shakes_hands_does_not_keep_the_moment_waiting(release: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        webhooks = channel(release, delivery(f"https://localhost:{mute.getsockname()[1]}/"))
        started = time.monotonic()
        [refusal] = webhooks.arm(until=soon(1))
        assert time.monotonic() - started < 1.5
        assert refusal.reason.endswith("did not answer in time")


def test_an_answer_that_is_no_http_is_unknown_and_a_refusal_when_asked(
    release: Path, http: Receivers, manner: Manner
) -> None:
    http.behave({0: {"garbage": True}})
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    [refusal] = webhooks.stage()
    assert "does not answer in HTTP" in refusal.reason
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks, seconds=0.5)[one.delivery_id].status == "unknown"


def test_a_steady_refusal_is_failed(release: Path, http: Receivers, manner: Manner) -> None:
    http.behave({0: answering(manner.opening, 410)})
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    outcome = confirm(webhooks, seconds=1)[one.delivery_id]
    assert (outcome.status, outcome.detail) == ("failed", f"localhost:{http.ports[0]} answered 410")


@pytest.mark.parametrize("kind", ["http", "https"])
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
    assert {outcome.status for outcome in confirm(webhooks, seconds=100).values()} == {"delivered"}
    assert all(call.body == body for call in receivers.calls("release"))


def test_a_new_process_completes_under_the_same_key(release: Path, http: Receivers, manner: Manner) -> None:
    http.behave({0: {"silent": [manner.opening]}})
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    assert webhooks.stage() == []
    webhooks.arm(until=now())
    open_all(webhooks)
    assert confirm(webhooks, seconds=0.5)[one.delivery_id].status == "unknown"
    http.behave({})
    code = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from tests.flows.channels import hooks\n"
        "name, url, folder, is_sealed = sys.argv[1:]\n"
        "one = replace(hooks.delivery(url, sealed=is_sealed == 'True'), delivery_id=name)\n"
        "print(hooks.channel(Path(folder), one).complete([name], deadline=float('inf'))[0].status)"
    )
    command = [sys.executable, "-c", code, one.delivery_id, http.url(0), str(release), str(manner.is_sealed)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=True)
    assert ended.stdout.strip() == "delivered"
    first, second = http.calls(manner.opening)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body
    assert readable(http, 0) == BODY
    assert len(http.calls(manner.asking)) == 1, "what was acknowledged is not sent again"


def test_whoever_knows_a_deliverys_id_does_not_know_its_key(release: Path, http: Receivers, manner: Manner) -> None:
    webhooks = channel(release, one := manner.delivery(http.url(0)))
    webhooks.arm(until=now())
    open_all(webhooks)
    confirm(webhooks)
    key = http.calls(manner.opening)[0].headers["idempotency-key"]
    assert key == key_for(one.delivery_id, manner.opening, secret=Home(release.parents[1]).secret())
    assert key != key_for(one.delivery_id, manner.opening, secret=b"")


def test_a_hold_is_told_to_those_who_were_ready_and_nothing_else_is_sent(
    release: Path, http: Receivers, manner: Manner
) -> None:
    http.behave({1: answering(manner.asking, 500)})
    webhooks = channel(release, manner.delivery(http.url(0)), manner.delivery(http.url(1)))
    webhooks.stage()
    webhooks.arm(until=soon())
    webhooks.abandon()
    webhooks.announce("held", "a recipient is not ready")
    [held] = http.calls("held")
    assert held.receiver == 0 and signed_by(held, SECRET)
    assert json.loads(held.body) == {"reason": "a recipient is not ready", "survey": "passengers", "wave": "2026-10"}
    assert http.calls(manner.opening) == []


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
