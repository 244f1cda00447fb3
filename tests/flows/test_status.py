import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flows.command import calls
from flows.command.status import status
from flows.errors import ConfigurationError, HeldError
from flows.home import Home
from flows.release import open_moment
from flows.releasing.audience import deliveries, recorded
from flows.releasing.moment import plan, record, stage, withdraw
from flows.releasing.publication import LEASE
from flows.settings import Settings
from tests.flows.sealed import sealed, settings_for
from warehouse import confirming, decisions
from warehouse.confirming import Answer
from warehouse.leases import give_back, take
from warehouse.ledger import Ledger
from warehouse.store import Store

TOML = """
[organisation]
name = "Waddenlijn"
timezone = "Europe/Amsterdam"
[surveys.passengers]
title = "Passenger survey"
wave = { value = "2026-10" }
sources = [{ path = "none.csv" }]
roles = { score = "score" }
[[audience]]
folder = "shares/all"
[[audience]]
department = ["Ships"]
folder = "shares/ships"
"""
TWO = ({"department": [], "folder": "shares/all"}, {"department": ["Ships"], "folder": "shares/ships"})
NPS = 39.8398


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "zwerm.toml").write_text(TOML)
    return Home(tmp_path).prepare()


@pytest.fixture
def settings(home: Home) -> Settings:
    return settings_for(home, audience=TWO)


def ready(home: Home, settings: Settings, release_id: str, *, at: datetime | None = None) -> str:
    record(home, release_id)
    plan(home, [release_id], at=at)
    return stage(home, settings, [release_id])[0].moment_id


def told(home: Home, release: str | None = None, toml: str | None = None) -> dict[str, Any]:
    if toml is not None:
        (home.path / "zwerm.toml").write_text(toml)
    return status(home.path / "zwerm.toml", release=release)


def text(home: Home, release: str | None = None, toml: str | None = None) -> str:
    return "\n".join(told(home, release, toml)["lines"])


def test_before_anything_was_run_it_says_where_things_will_be_and_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "zwerm.toml").write_text(TOML)
    result = status(tmp_path / "zwerm.toml", release=None)
    said = "\n".join(result["lines"])
    assert "nothing is published yet" in said
    assert "nothing is prepared yet" in said
    assert str(tmp_path / "published" / "site") in said
    assert [path.name for path in tmp_path.iterdir()] == ["zwerm.toml"]


def test_a_release_that_is_out_shows_when_to_how_many_and_with_which_skew(home: Home, settings: Settings) -> None:
    one = sealed(home)
    report = open_moment(home, settings, ready(home, settings, one))
    result = told(home)
    (release,) = result["surveys"]["passengers"]["releases"]
    assert release["release_id"] == one
    assert release["skew_ms"] == report.skew_ms
    assert release["deliveries"] == {"published": {"delivered": 1}, "folder": {"delivered": 2}}
    said = "\n".join(result["lines"])
    assert "Passenger survey (passengers)" in said
    assert "published 1 of 1, folder 2 of 2" in said
    assert one in said
    assert f"skew {report.skew_ms:.1f} ms" in said


def test_one_release_is_one_screen_with_who_has_it_what_happened_and_what_to_do(home: Home, settings: Settings) -> None:
    one = sealed(home)
    open_moment(home, settings, ready(home, settings, one))
    result = told(home, one)
    assert [d["recipient"] for d in result["deliveries"]] == ["everyone", "Our organisation #1", "Ships #1"]
    assert [(d["status"], d["attempts"], len(d["tries"])) for d in result["deliveries"]] == [("delivered", 1, 1)] * 3
    assert [event["kind"] for event in result["events"] if event["kind"] != "clock"] == [
        *("drafted", "sealed", "planned", "staged", "arming", "armed", "released", "confirmed")
    ]
    assert result["next"] == ["nothing: everyone has it"]
    said = "\n".join(result["lines"])
    assert "passengers 2026-10" in said
    assert "published/site/passengers/2026-10/r1/en/index.html" in said
    assert "folder     2 of 2" in said
    assert "next:    nothing: everyone has it" in said
    assert "Ships #1" not in said, "of whom nothing is to be said is counted"
    confirmed = next(line for line in result["lines"] if "  confirmed" in line)
    assert " CE" in confirmed, "in the organisation's zone"
    assert one_screen(result["lines"])
    assert text(home, one[:6]) == said, "the beginning of the id will do"


def one_screen(lines: list[str]) -> bool:
    """Whether 24 lines of 100 columns show all; where pages lie depends on the home and may be longer."""
    return len(lines) <= 24 and all(len(line) <= 100 for line in lines if not line.startswith("  pages"))


def test_of_many_recipients_those_who_lack_it_or_had_it_late_are_named_and_the_others_counted(home: Home) -> None:
    hooks = [{"department": ["Ships", f"Ship {n}"], "webhook": {"url": "https://hooks.example/"}} for n in range(480)]
    one = staged_by_hand(home, settings_for(home, audience=hooks))
    with Ledger.open(home.ledger) as ledger:
        sent = [state for state in ledger.deliveries(one) if state.channel == "webhook"]
        lease = take(ledger, LEASE)
        release = ledger.release(one)
        assert lease is not None
        assert release is not None
        assert release.moment_id is not None
        decisions.freeze(ledger, release.moment_id, lease=lease)
        decisions.arm(ledger, release.moment_id, lease=lease, release_ids=[one], took={})
        decisions.commit(ledger, release.moment_id, lease=lease, release_ids=[one])
        at = datetime.now(UTC)
        answers = [Answer(state.delivery_id, "delivered", at) for state in ledger.deliveries(one)]
        long = "hooks.example:443 answered 503 Service Unavailable, and that in more words than a screen is wide"
        odd = {
            sent[7].delivery_id: Answer(sent[7].delivery_id, "failed", at, long, attempts=6, is_breach=True),
            sent[9].delivery_id: Answer(sent[9].delivery_id, "unknown", at, "no answer", attempts=3, is_breach=True),
            sent[11].delivery_id: Answer(sent[11].delivery_id, "delivered", at, "", attempts=2, is_breach=True),
        }
        confirming.confirm(
            ledger,
            release.moment_id,
            release_ids=[one],
            opened_at={state.delivery_id: at for state in sent},
            answers=[odd.get(answer.delivery_id, answer) for answer in answers],
            skew_ms=12.5,
            lease=lease,
        )
        give_back(ledger, lease)
    result = told(home, one)
    said = "\n".join(result["lines"])
    assert one_screen(result["lines"]), said
    assert "478 of 480  1 late, 1 failed, 1 not known: no answer came" in said
    assert "Ships > Ship 7 #1 by webhook   failed, sent 6 times: hooks.example:443 answered 503" in said
    assert "not known: no answer came, sent 3 times: no answer" in said
    assert "delivered, late, sent 2 times" in said
    assert "Ship 8 #1" not in said
    assert f"next:    send it to the 2 who lack it, and to nobody else: zwerm release {one} --retry" in said
    assert [one["attempts"] for one in result["deliveries"]][6:13] == [1, 1, 6, 1, 3, 1, 2]
    assert long in json.dumps(result, default=str)


def staged_by_hand(home: Home, settings: Settings) -> str:
    """A release whose recipients need not be there: nobody asks them."""
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with Ledger.open(home.ledger) as ledger:
        wanted = [recorded(delivery, settings) for delivery in deliveries(settings, one)]
        decisions.want(ledger, wanted, release_id=one)
        decisions.stage(ledger, [one])
    return one


def test_whom_nobody_could_reach_are_named_as_far_as_the_screen_goes(home: Home) -> None:
    folders = [{"department": ["Ships", f"Ship {n}"], "folder": f"shares/{n}"} for n in range(60)]
    (home.path / "shares").write_text("a file is in the way")
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with pytest.raises(HeldError):
        stage(home, settings_for(home, audience=[*folders, {"folder": "all"}]), [one])
    result = told(home, one)
    said = "\n".join(result["lines"])
    assert one_screen(result["lines"]), said
    assert len(result["refused"]) == 60
    assert "Ships > Ship 0 #1 by folder" in said
    assert f"others: zwerm status {one} --json" in said
    assert "held: not ready: Ships > Ship 0 #1 by folder" in said


@pytest.mark.parametrize(
    ("state", "todo"),
    [
        ("sealed", "stage it for its moment: zwerm release {id} --retry"),
        ("staged", "zwerm run waits for its moment and opens it; where zwerm serve runs, nothing"),
        ("late", "its time has passed while nothing ran: zwerm recover settles it"),
        ("arming", "nothing: process {pid} is opening it; see again in a minute"),
        ("armed", "nothing: process {pid} is opening it; see again in a minute"),
        ("released", "nothing: process {pid} is opening it; see again in a minute"),
        ("arming, ended", "the process that armed it has ended: zwerm recover undoes that, and it waits again"),
        ("armed, ended", "the process that opened it has ended: zwerm recover finishes or undoes it"),
        ("released, ended", "the process that opened it has ended: zwerm recover finishes or undoes it"),
        ("held", "when that is mended: zwerm release {id} --retry"),
        ("withdrawn", "nothing: it stays withdrawn; zwerm run makes a new one of what the data say now"),
    ],
)
def test_in_every_state_it_says_what_to_do_next(home: Home, settings: Settings, state: str, todo: str) -> None:
    if state == "sealed":
        one = sealed(home)
        record(home, one)
    elif state == "late":
        one = sealed(home)
        ready(home, settings, one, at=datetime.now(UTC) - timedelta(hours=1))
    else:
        one = staged_by_hand(home, settings)
    with Ledger.open(home.ledger) as ledger:
        bring(ledger, one, state)
    result = told(home, one)
    assert result["next"][0] == todo.format(id=one, pid=os.getpid())
    assert any(line.startswith("  next:") and result["next"][0] in line for line in result["lines"])
    assert one_screen(result["lines"])


def bring(ledger: Ledger, release_id: str, state: str) -> None:
    """Bring a staged release so far, as a process does that then lives on, or ended."""
    release, lease = ledger.release(release_id), take(ledger, LEASE)
    assert release is not None
    assert lease is not None
    moment_id = release.moment_id or ""
    if state.startswith(("arming", "armed", "released")):
        decisions.freeze(ledger, moment_id, lease=lease)
    if state.startswith(("armed", "released")):
        decisions.arm(ledger, moment_id, lease=lease, release_ids=[release_id], took={})
    if state.startswith("released"):
        decisions.commit(ledger, moment_id, lease=lease, release_ids=[release_id])
    if state == "held":
        decisions.hold(ledger, [release_id], reason="not ready: Ships #1 by folder")
    if state == "withdrawn":
        decisions.withdraw(ledger, release_id, reason="a wrong file")
    if state not in ("arming", "armed", "released"):
        give_back(ledger, lease)


def test_a_retry_of_what_is_out_says_who_has_it_by_now_and_who_still_not(home: Home, settings: Settings) -> None:
    one = sealed(home)
    open_moment(home, settings, ready(home, settings, one))
    config, ships = home.path / "zwerm.toml", home.path / "shares" / "ships"

    def retried() -> tuple[list[str], int]:
        said = calls.release(config=config, release=one, retry=True, withdraw=False, reason=None, at=None, quiet=True)
        return said["lines"], said["exit_code"]

    assert retried() == (["Everyone has it."], 0)
    ships.rename(home.path / "aside")
    ships.write_text("a file is in the way")
    with Ledger.open(home.ledger) as ledger:
        (lacking,) = [state for state in ledger.deliveries(one) if state.recipient == "Ships #1"]
        ledger.add("failed", delivery_id=lacking.delivery_id, detail="went away", attempts=1)
    assert retried() == (["Ships #1 by folder: still lacks it"], 1)
    assert told(home, one)["next"] == [
        f"send it to the one who lacks it, and to nobody else: zwerm release {one} --retry"
    ]
    ships.unlink()
    ships.mkdir()
    for _ in range(4):
        with Ledger.open(home.ledger) as ledger:  # it was tried at five starts: the next one leaves it to a person
            ledger.add("failed", delivery_id=lacking.delivery_id, detail="went away", attempts=1)
    assert retried() == (["Ships #1 by folder: completed late"], 0)
    assert retried() == (["Everyone has it."], 0)
    assert (ships / "passengers" / "2026-10" / "r1" / "release.json").exists()


def test_a_release_that_nobody_knows_is_an_error_that_lists_those_that_are(home: Home) -> None:
    with pytest.raises(ConfigurationError, match="no ledger"):
        told(home, "abc")
    one = sealed(home)
    record(home, one)
    with pytest.raises(
        ConfigurationError, match=rf"no release has the id 'xyz'\. There is: {one} \(passengers 2026-10\)"
    ):
        told(home, "xyz")
    with pytest.raises(ConfigurationError, match="no release has the id ''"):
        told(home, "")


def test_no_figure_is_ever_told(home: Home, settings: Settings) -> None:
    one, two = sealed(home, nps=NPS), sealed(home, wave="2026-11", nps=NPS)
    open_moment(home, settings, ready(home, settings, one))
    ready(home, settings, two, at=datetime.now(UTC) + timedelta(hours=1))
    everything = json.dumps([told(home), told(home, one), told(home, two)], default=str)
    assert str(NPS) not in everything
    assert "39.8" not in everything
    assert "nps" not in everything.lower()
    assert "promoter" not in everything.lower()


def test_what_is_held_shows_why_since_when_and_what_to_do(home: Home, settings: Settings) -> None:
    (home.path / "shares").mkdir()
    (home.path / "shares" / "ships").write_text("a file is in the way")
    one = sealed(home)
    record(home, one)
    plan(home, [one])
    with pytest.raises(HeldError):
        stage(home, settings, [one])
    said = text(home)
    assert "held: nobody has it" in said
    assert "Ships #1 by folder" in said
    assert f"→ when that is mended: zwerm release {one} --retry" in said
    assert f"zwerm release {one} --retry" in text(home, one)
    assert "Ships #1 by folder  not ready: " in text(home, one)
    assert told(home, one)["refused"][0]["recipient"] == "Ships #1"


def test_moments_to_come_are_told_in_the_organisations_zone_also_those_only_announced(
    home: Home, settings: Settings
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=400)
    ready(home, settings, sealed(home), at=at)
    calendar = (
        '[calendar]\npassengers = [{ wave = "2026-10", at = "2099-01-05T09:30" }, '
        '{ wave = "2026-12", at = "2099-01-05T09:30" }, { wave = "2026-11", at = "2020-01-05T09:30" }]'
    )
    result = told(home, toml=TOML + calendar)
    assert [(moment["origin"], moment["releases"]) for moment in result["to_come"]] == [
        ("planned", ["passengers 2026-10"]),
        ("calendar", ["passengers 2026-12"]),
    ]
    local = at.astimezone(ZoneInfo("Europe/Amsterdam"))
    assert f"{local:%Y-%m-%d %H:%M %Z}  passengers 2026-10: for 3 recipients" in "\n".join(result["lines"])
    assert "2099-01-05 09:30 CET  passengers 2026-12: announced in the calendar" in "\n".join(result["lines"])


def test_a_moment_whose_time_has_passed_names_zwerm_recover(home: Home, settings: Settings) -> None:
    ready(home, settings, sealed(home), at=datetime.now(UTC) - timedelta(hours=1))
    assert "its time has passed while nothing ran; zwerm recover settles it" in text(home)


def test_a_withdrawn_release_says_so_and_waits_for_nothing(home: Home, settings: Settings) -> None:
    one = sealed(home)
    ready(home, settings, one, at=datetime.now(UTC) + timedelta(hours=1))
    withdraw(home, settings, one, reason="a wrong file")
    result = told(home)
    assert result["to_come"] == []
    assert result["surveys"]["passengers"]["releases"][0]["state"] == "withdrawn"
    assert "withdrawn; a wrong file" in text(home, one)


def test_who_holds_the_lease_is_told(home: Home) -> None:
    with Ledger.open(home.ledger) as ledger:
        lease = take(ledger, LEASE)
        assert lease is not None
        assert f"process {os.getpid()} on" in text(home)
        assert told(home)["lease"]["is_stale"] is False
        give_back(ledger, lease)
    assert told(home)["lease"] is None


def test_a_lease_whose_holder_was_killed_names_zwerm_recover(home: Home) -> None:
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom warehouse.leases import take\n"
        "from warehouse.ledger import Ledger\n"
        f"take(Ledger.open(Path({str(home.ledger)!r})), {LEASE!r})\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with _python(code) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert "ended while it was opening a moment: zwerm recover" in text(home)


def test_it_goes_on_while_a_run_holds_duckdbs_lock_and_says_who_does(home: Home, settings: Settings) -> None:
    open_moment(home, settings, ready(home, settings, sealed(home)))
    code = (
        "import sys\nfrom pathlib import Path\nfrom warehouse.store import Store\n"
        f"with Store.open(Path({str(home.warehouse)!r}), scratch=Path({str(home.scratch)!r})):\n"
        "    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    process = _python(code)
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == b"open\n"
        result = told(home)
        assert result["working"]["is_busy"]
        assert result["working"]["holder"] == process.pid
        assert f"a run is under way (process {process.pid} has the working warehouse)" in "\n".join(result["lines"])
        assert "published 1 of 1, folder 2 of 2" in "\n".join(result["lines"])
    finally:
        process.communicate()


def test_what_came_in_what_is_in_quarantine_and_what_waits_are_counted(home: Home, settings: Settings) -> None:
    one = sealed(home)
    open_moment(home, settings, ready(home, settings, one))
    with Store.open(home.warehouse, scratch=home.scratch) as store:
        for file, batch, records, quarantined in (("a", 1, 3, 1), ("b", 2, 2, 0)):
            store.run(
                "insert into raw.files values"
                " ('passengers', $file, 'x', $file, 'csv', 9, $n, null, now()::timestamp, 'r')",
                {"file": file, "n": records},
            )
            store.run(
                "insert into core.batches values ($b, 'passengers', $file, 'm', now()::timestamp, $n, $n - $q, $q)",
                {"b": batch, "file": file, "n": records, "q": quarantined},
            )
        store.run(
            "insert into core.responses by name select 'passengers' as survey, batch, number as record_number,"
            " key as response_key, '2026-10' as wave, '' as department_key, 9 as score, false as is_contradictory"
            " from (values (1, 1, 'p'), (1, 2, 'q'), (2, 1, 'q'), (2, 2, 'late')) as rows (batch, number, key)"
        )
        store.run(
            "insert into core.quarantine values"
            " ('passengers', 1, 3, null, '2026-10', ['score_in_range', 'weight_in_range'], null, '{}',"
            " now()::timestamp)"
        )
        store.run("insert into core.inputs values ($id, 1)", {"id": one})
        store.run(
            "insert into core.standing values ('passengers', 'x', 'a', 'a', false, true),"
            " ('passengers', 'x', 'b', 'b', true, true), ('passengers', 'x', 'old', 'old', false, false)"
        )
    latest = 'roles = { score = "score", response_id = "id" }\nduplicates = "latest"'
    counts = told(home, toml=TOML.replace('roles = { score = "score" }', latest))["working"]["surveys"]["passengers"]
    assert (counts["files"], counts["records"], counts["quarantined"]) == (2, 5, 1)
    assert counts["rules"] == {"score_in_range": 1, "weight_in_range": 1}
    assert counts["waiting"] == {"2026-10": 1}
    said = text(home)
    assert "passengers: 5 records in 2 files" in said
    assert "a is gone from x: its answers keep counting" in said
    assert "old is gone from x: newer files have its answers" in said
    assert "1 in quarantine (score_in_range 1, weight_in_range 1)" in said
    assert "2026-10: 1 answer came or changed since its release" in said


def test_what_came_changed_or_went_is_counted_in_its_own_wave_where_one_file_holds_several(
    home: Home, settings: Settings
) -> None:
    first, other = sealed(home), sealed(home, wave="2026-09")
    for one in (first, other):
        open_moment(home, settings, ready(home, settings, one))
    answers = [
        *((1, number, key, "2026-10", 9) for number, key in enumerate("abc")),
        *((2, number, key, "2026-10", 9) for number, key in enumerate("abcdef")),
        *((1, number, key, "2026-09", 9) for number, key in enumerate(["alike", "edited", "gone"], start=10)),
        *((2, number, key, "2026-09", score) for number, key, score in ((10, "alike", 9), (11, "edited", 3))),
    ]
    with Store.open(home.warehouse, scratch=home.scratch) as store:
        for batch in (1, 2):
            store.run(
                "insert into raw.files values ('passengers', $file, 'x', 'all.csv', 'csv', 9, 9, null,"
                " to_timestamp($batch)::timestamp, 'r')",
                {"file": f"version {batch}", "batch": batch},
            )
            store.run(
                "insert into core.batches values ($batch, 'passengers', $file, 'm', now()::timestamp, 9, 9, 0)",
                {"file": f"version {batch}", "batch": batch},
            )
        for batch, number, key, wave, score in answers:
            store.run(
                "insert into core.responses by name select 'passengers' as survey, $batch as batch, $number as"
                " record_number, $key as response_key, $wave as wave, '' as department_key, $score as score,"
                " false as is_contradictory",
                {"batch": batch, "number": number, "key": key, "wave": wave, "score": score},
            )
        store.run("insert into core.inputs values ($id, 1)", {"id": other})
        store.run("insert into core.inputs values ($id, 2)", {"id": first})
        store.run(
            "insert into core.counted select $id, batch, record_number from core.responses where wave = '2026-10'"
            " and batch = 2 and response_key < 'd'",
            {"id": first},
        )
    assert told(home)["working"]["surveys"]["passengers"]["waiting"] == {"2026-09": 2, "2026-10": 3}


def test_a_survey_that_is_no_longer_configured_keeps_its_releases(home: Home, settings: Settings) -> None:
    open_moment(home, settings, ready(home, settings, sealed(home, survey="staff")))
    assert [r["wave"] for r in told(home)["surveys"]["staff"]["releases"]] == ["2026-10"]


def test_labels_from_data_cannot_speak_to_the_terminal(home: Home, settings: Settings) -> None:
    one = sealed(home, wave="2026\x1b[2J\nnew")
    open_moment(home, settings, ready(home, settings, one))
    for said in (told(home), told(home, one)):
        assert all(line.isprintable() for line in said["lines"])


def _python(code: str) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
