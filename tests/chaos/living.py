"""One release from its seal to its end, through all that befalls it: as many starts as it takes."""

import json
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.home import Home
from flows.releasing.tidying import untidy
from tests.chaos.child import SURVEY, Order, begin
from tests.chaos.evidence import Evidence, Start
from tests.chaos.far import Far
from tests.chaos.fate import Fate, MailFault
from tests.chaos.lane import HOOKS, SECURE_HOOKS, Lane, place_of
from tests.chaos.receivers import Wrong
from tests.chaos.witnesses import collected
from tests.flows.mail_receiver import Behaviour
from warehouse.ledger import Ledger

MOST_STARTS = 8
MENDED_FROM = 4  # the start from which on nothing is wrong any more
HANGS_AFTER_SECONDS = 120.0
GIVEN_UP_AFTER_SECONDS = 20.0  # who waits by a clock that was set back would wait for an hour
RELEASES_IN_A_HOME = 6
MAIL_FAULTS: Mapping[MailFault, Behaviour] = {
    "refuses an address": {"refuse": ["texel@example.com"]},
    "451 after DATA": {"answers": ["451 try again"]},
    "hangs after DATA": {"hang": True},
    "hangs up after DATA": {"hang_up": True},
    "drops while armed": {"drop_seconds": 0.1},
}


def lived(lane: Lane, fate: Fate) -> Evidence:
    """Bring one release to its end through all that befalls it, and collect what everybody saw."""
    home = Home(_home(lane, fate))
    draw = random.Random(f"{lane.seed}/{fate.number}/figures")
    planned_at = datetime.now(UTC) + timedelta(seconds=fate.ahead) if fate.ahead else None
    order = Order(
        home=home.path,
        log=lane.folder / f"{fate.number}.jsonl",
        number=fate.number,
        wave=f"w{fate.number:05d}",
        nps=round(draw.uniform(20, 60), 7),
        said=lane.said(fate, place_of(lane, home.path)),
        certificates=lane.certificates,
        planned_at=planned_at,
        sabotage=fate.sabotage,
    )
    is_far = lane.far is not None and fate.is_far
    if lane.far is not None and is_far:
        _go_far(lane, lane.far, home.path)
    mender = _befall(lane, fate)
    starts: list[Start] = []
    while len(starts) < MOST_STARTS and not _is_over(starts):
        if len(starts) >= MENDED_FROM:
            _mend(lane, mender)
        starts.append(_started(lane, fate, order, len(starts)))
    _mend(lane, mender)
    lane.live += 1
    evidence = collected(lane, fate, order, starts, is_far=is_far)
    lane.tell_watcher("forget", home.path)
    return evidence


def _go_far(lane: Lane, far: Far, home: Path) -> None:
    """Have the watcher see the folder of the SFTP server as one of the shares."""
    there, here = far.sftp.root / place_of(lane, home), home / "shares" / "sftp"
    there.mkdir(exist_ok=True)
    here.parent.mkdir(exist_ok=True)
    if not here.is_symlink():
        here.symlink_to(there)


def _home(lane: Lane, fate: Fate) -> Path:
    """A home for some releases; a planned moment has one of its own, because two of them have to lie apart."""
    name = f"planned-{fate.number}" if fate.ahead else f"home-{lane.live // RELEASES_IN_A_HOME}"
    if fate.sabotage:
        name = f"sabotaged-{fate.number}"
    home = lane.folder / name
    home.mkdir(exist_ok=True)
    lane.tell_watcher("watch", home)
    return home


def _befall(lane: Lane, fate: Fate) -> threading.Timer:
    """Let the receivers do wrong; the mail server is mended after a while."""
    (lane.hooks / "faults").mkdir(exist_ok=True)
    for hook in range(HOOKS + SECURE_HOOKS):
        wrong = [Wrong(release=fate.number, kind=f.kind, times=f.times) for f in fate.faults if f.receiver == hook]
        _write(lane.hooks / "faults" / f"{lane.receiver(hook)}.json", json.dumps(wrong))
    if lane.far is not None and fate.is_far:
        lane.far.befall(fate.far_fault, number=fate.number)
    lane.mail.behave(MAIL_FAULTS[fate.mail_fault] if fate.mail_fault else {})
    mender = threading.Timer(fate.mail_mends_after, lane.mail.behave, [{}])
    mender.start()
    return mender


def _mend(lane: Lane, mender: threading.Timer) -> None:
    mender.cancel()
    mender.join()
    if lane.far is not None:
        lane.far.befall(None, number=0)
    lane.mail.behave({})
    for hook in range(HOOKS + SECURE_HOOKS):
        _write(lane.hooks / "faults" / f"{lane.receiver(hook)}.json", "[]")


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


def _is_over(starts: Sequence[Start]) -> bool:
    """The last start came to its end, and the next one would have nothing to do."""
    if not starts or starts[-1].is_killed or starts[-1].phase != "confirmed":
        return False
    return not starts[-1].lacked and not starts[-1].untidy


def _started(lane: Lane, fate: Fate, order: Order, number: int) -> Start:
    """One process from its begin to its end, be it a violent one."""
    kill = fate.kill_of(number)
    order = replace(order, die_at=kill.step if kill else None, jump=fate.jump if number == 0 else None)
    log, began = lane.tail(order.log), time.monotonic_ns()
    process = begin(order)
    if kill is not None and kill.seconds is not None:
        while process.is_alive() and (not order.log.exists() or order.log.stat().st_size == log.offset):
            time.sleep(0.005)
        process.join(kill.seconds)
        process.kill()
    waits = fate.ahead is not None and order.jump is not None and order.jump.seconds < 0  # for T by a clock set back
    process.join(GIVEN_UP_AFTER_SECONDS if waits else HANGS_AFTER_SECONDS)
    is_hung = process.exitcode is None and not waits
    process.kill()
    process.join()
    ended, notes = time.monotonic_ns(), log.lines()
    said = {note["what"]: note["detail"] for note in notes if note["what"] != "step"}
    how = json.loads(said.get("ended", "{}"))
    end = "hung" if is_hung else how.get("end", "killed" if process.exitcode == -9 else f"exit {process.exitcode}")
    start = Start(
        began=began,
        ended=ended,
        is_killed=process.exitcode == -9,
        steps={note["detail"]: note["at"] for note in notes if note["what"] == "step"},
        recovered=tuple(json.loads(said["recovered"])) if "recovered" in said else None,
        end=end,
        reason=how.get("reason", ""),
        phase="",
        is_out=False,
        acknowledged=frozenset(),
        lacked=0,
    )
    return _with_ledger(lane, order, start)


def _with_ledger(lane: Lane, order: Order, start: Start) -> Start:
    """What the ledger knew when the process was gone."""
    path, names = Home(order.home).ledger, lane.names()
    if not path.exists():
        return start
    with Ledger.open(path) as ledger:
        releases = ledger.releases(SURVEY, order.wave)
        if not releases:
            return start
        moment = ledger.moment(releases[0].moment_id) if releases[0].moment_id else None
        states = ledger.deliveries(releases[0].release_id)
        delivered = frozenset(names[state.recipient] for state in states if state.status == "delivered")
        lacks = [state for state in states if state.status not in ("delivered", "left_out")]
        return replace(
            start,
            phase=moment.phase if moment else "",
            is_out=releases[0].is_out,
            acknowledged=delivered,
            lacked=len(lacks) if releases[0].is_out else 0,
            untidy=len(untidy(ledger)),
        )
