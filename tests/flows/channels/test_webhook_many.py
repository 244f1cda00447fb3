"""Thousands of recipients in one process: every file that needs opening is asked for beforehand."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.flows.channels.hooks import BODY, channel, delivery, now
from tests.flows.receivers import ROOT, webhook_receivers

HOOKS, PORTS = 2_000, 20

# Run with a limit on open files of its own, which this process would keep for ever.
LIMITED = """
import json, resource, sys
from pathlib import Path
from tests.flows.channels import hooks
soft, hard, folder, urls = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
webhooks = hooks.channel(folder, *(hooks.delivery(url, sealed=True) for url in urls))
refusals = [refusal.reason for refusal in (*webhooks.stage(), *webhooks.arm(until=hooks.now()))]
hooks.open_all(webhooks)
statuses = [outcome.status for outcome in hooks.confirm(webhooks, seconds=20 if not refusals else 0).values()]
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
print(json.dumps({"refusals": refusals, "statuses": statuses, "limit": limit}))
"""


def test_two_thousand_webhooks_are_staged_armed_opened_and_confirmed_in_one_process(
    tmp_path: Path, release: Path
) -> None:
    with webhook_receivers(tmp_path / "many", PORTS) as receivers:
        urls = [receivers.url(number % PORTS, f"/hook/{number}") for number in range(HOOKS)]
        deliveries = [delivery(url, number=number, sealed=number % 2 == 0) for number, url in enumerate(urls)]
        webhooks = channel(release, *deliveries)
        began = time.monotonic()
        assert webhooks.stage() == []
        staged = time.monotonic()
        assert webhooks.arm(until=now()) == []
        assert webhooks.still_ready() == []
        armed = time.monotonic()
        sends = [each.send for each in webhooks.opens()]
        started = time.perf_counter()
        for send in sends:
            send()
        milliseconds = (time.perf_counter() - started) * 1000
        outcomes = webhooks.confirm(deadline=time.monotonic() + 30)
        confirmed = time.monotonic()
        assert {outcome.status for outcome in outcomes} == {"delivered"} and len(outcomes) == HOOKS
        opening = [call for call in receivers.calls() if call.event in ("release", "key")]
        assert sorted(call.target for call in opening) == sorted(f"/hook/{number}" for number in range(HOOKS))
        assert {call.body for call in opening if call.event == "release"} == {BODY}
        print(
            f"{HOOKS} webhooks: staged in {staged - began:.1f} s, armed in {armed - staged:.1f} s, "
            f"opened in {milliseconds:.0f} ms, confirmed in {confirmed - armed:.1f} s"
        )


def limited(folder: Path, *, soft: int, hard: int, urls: list[str]) -> dict[str, list[object]]:
    command = [sys.executable, "-c", LIMITED, str(soft), str(hard), str(folder), json.dumps(urls)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=True)
    said: dict[str, list[object]] = json.loads(ended.stdout)
    return said


def test_the_soft_limit_on_open_files_is_raised_to_what_is_needed(tmp_path: Path, release: Path) -> None:
    with webhook_receivers(tmp_path / "some", 1) as receivers:
        said = limited(release, soft=64, hard=1024, urls=[receivers.url(0)] * 150)
        assert said["refusals"] == []
        assert said["statuses"] == ["delivered"] * 150
        soft, hard = said["limit"]
        assert isinstance(soft, int) and 150 < soft < 600 and hard == 1024


def test_a_hard_limit_on_open_files_that_is_too_low_is_refused_with_what_to_do(tmp_path: Path, release: Path) -> None:
    with webhook_receivers(tmp_path / "some", 1) as receivers:
        said = limited(release, soft=128, hard=128, urls=[receivers.url(0)] * 150)
        [reason] = {str(reason) for reason in said["refusals"]}
        assert reason.startswith("150 connections at once need ")
        assert "this process may have 128: raise its limit (ulimit -n " in reason
        assert said["statuses"] == ["failed"] * 150
        assert receivers.calls() == [], "nobody was asked, and nobody has anything"
