"""One release after the other in homes of one lane, with receivers that no other lane uses."""

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from flows.home import Home
from tests.chaos.child import SURVEY, Order, begin
from tests.chaos.evidence import Evidence, Send, Start
from tests.chaos.far import Far
from tests.chaos.fate import Fate, MailFault
from tests.chaos.receivers import Came, Wrong
from tests.chaos.watcher import LOOKED, Sighting
from tests.chaos.wire import message_of, opened, request_of
from tests.flows.mail_receiver import Behaviour, Mail, MailReceiver
from warehouse.ledger import Ledger

HOOKS, SECURE_HOOKS = 3, 1  # of each lane
SEALED_HOOK = 2
MOST_STARTS = 8
MENDED_FROM = 4  # the start from which on nothing is wrong any more
HANGS_AFTER_SECONDS = 120.0
RELEASES_IN_A_HOME = 6
FOLDERS, SHARES, FAR = ("one", "two"), ("three",), ("sftp", "bucket")
SENT = ("release", "key")  # the events that open a release
Chunks = list[tuple[int, bytes]]
MAIL_FAULTS: Mapping[MailFault, Behaviour] = {
    "refuses an address": {"refuse": ["texel@example.com"]},
    "451 after DATA": {"answers": ["451 try again"]},
    "hangs after DATA": {"hang": True},
    "hangs up after DATA": {"hang_up": True},
    "drops while armed": {"drop_seconds": 0.1},
}


class Tail:
    """A file of JSON lines that grows; each line is read once."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0

    def lines(self) -> list[dict[str, Any]]:
        """What was written since it was read last."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


@dataclass
class Lane:
    """What one lane has: folders, receivers, and how far their logs were read."""

    folder: Path
    seed: int
    index: int
    ports: Sequence[int]
    hooks: Path  # where the webhook receivers write
    mail: MailReceiver
    watcher: "IO[bytes]"
    sightings: Path
    certificates: Path
    far: Far | None = None
    live: int = 0  # releases so far
    tails: dict[str, Tail] = field(default_factory=dict)

    def receiver(self, hook: int) -> int:
        """The number of one of this lane's webhooks among all that the process has."""
        plain = (len(self.ports) * HOOKS) // (HOOKS + SECURE_HOOKS)
        return self.index * HOOKS + hook if hook < HOOKS else plain + self.index * SECURE_HOOKS + hook - HOOKS

    def tail(self, path: Path) -> Tail:
        """The reader of a log, which knows how far it was read."""
        return self.tails.setdefault(str(path), Tail(path))

    def said(self, fate: Fate, place: str) -> dict[str, Any]:
        """The configuration of a release: whom it goes to."""
        ways: list[dict[str, Any]] = [{"folder": f"shares/{name}"} for name in FOLDERS]
        ways += [{"share": f"shares/{name}"} for name in SHARES]
        for hook in range(HOOKS + SECURE_HOOKS):
            scheme, port = ("http", "https")[hook >= HOOKS], self.ports[self.receiver(hook)]
            hooked = {"url": f"{scheme}://localhost:{port}/{fate.number}", "secret": "s" * 20}
            ways.append({"webhook": {**hooked, "sealed": hook == SEALED_HOOK}})
        ways.append({"email": {"to": ["texel@example.com"], "server": "relay"}})
        ways += self.far.ways(place) if self.far and fate.is_far else []
        relay = {"smtp": self.mail.url, "from": "zwerm@example.com", "tls": "none"}
        return {"audience": [{"department": [], **way} for way in ways], "servers": {"relay": relay}}

    def names(self) -> dict[str, str]:
        """How the suite calls whom the ledger calls by department and serial number."""
        own = [*FOLDERS, *SHARES, *(f"hook {hook}" for hook in range(HOOKS + SECURE_HOOKS)), "mail", *FAR]
        return {"everyone": "published"} | {f"Our organisation #{n}": name for n, name in enumerate(own, 1)}

    def tell_watcher(self, word: str, home: Path) -> None:
        """Have a home watched, or no more."""
        self.watcher.write(f"{word} {home}\n".encode())
        self.watcher.flush()


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
        said=lane.said(fate, _place(lane, home.path)),
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
    return _evidence(lane, fate, order, starts, is_far=is_far)


def _place(lane: Lane, home: Path) -> str:
    """The folder on other hosts that belongs to a home."""
    return f"lane{lane.index}-{home.name}"


def _go_far(lane: Lane, far: Far, home: Path) -> None:
    """Have the watcher see the folder of the SFTP server as one of the shares."""
    there, here = far.sftp.root / _place(lane, home), home / "shares" / "sftp"
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
    if not home.exists():
        home.mkdir()
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
    return bool(starts) and not starts[-1].is_killed and starts[-1].phase == "confirmed" and not starts[-1].lacked


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
    process.join(HANGS_AFTER_SECONDS)
    is_hung = process.exitcode is None
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
        **dict.fromkeys(("phase",), ""),
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
        )


def _evidence(lane: Lane, fate: Fate, order: Order, starts: Sequence[Start], *, is_far: bool) -> Evidence:
    home, place, names = Home(order.home), f"{SURVEY}/{order.wave}/r1", lane.names()
    hooks = list(_hooked(lane, fate.number))
    mails, traffic = _mailed(lane)
    with Ledger.open(home.ledger) as ledger:
        known = ledger.releases(SURVEY, order.wave)
        assert known, f"release {fate.number} was never recorded: {[start.end for start in starts]}"
        release = known[0]
        states = {names[state.recipient]: state for state in ledger.deliveries(release.release_id)}
    shares = (*FOLDERS, *SHARES, *(("sftp",) if is_far else ()))
    found = {share: home.path / "shares" / share / place / "release.json" for share in shares}
    found["published"] = home.published / "site" / place / "release.json"
    objects = lane.far.in_store(_place(lane, order.home)) if lane.far and is_far else {}
    seen = lane.far.seen_in_store(order.home, _place(lane, order.home)) if lane.far and is_far else []
    stored = {"bucket": objects[f"{place}/release.json"]} if f"{place}/release.json" in objects else {}
    return Evidence(
        fate=fate,
        release_id=release.release_id,
        place=place,
        document=(home.releases / release.release_id / "release.json").read_bytes(),
        canary=str(order.nps).encode(),
        planned_wall=int(order.planned_at.timestamp() * 1e9) if order.planned_at else None,
        starts=tuple(starts),
        sends=(*(send for send, _ in hooks if send is not None and send.recipient), *mails),
        traffic=(*(chunk for _, chunks in hooks for chunk in chunks), *traffic),
        sightings=(*_seen(lane, order.home), *seen),
        state=release.state,
        statuses={name: str(state.status) for name, state in states.items()},
        attempts={name: state.attempts for name, state in states.items()},
        recipients=(*(f"hook {hook}" for hook in range(HOOKS + SECURE_HOOKS)), "mail"),
        shares=(*shares, *(("bucket",) if is_far else ())),
        left_behind=(*_left_behind(home), *(name for name in objects if name.startswith(".zwerm-"))),
        strays=tuple(send.content.decode() for send, _ in hooks if send is not None and not send.recipient),
        at_the_end={where: path.read_bytes() for where, path in found.items() if path.exists()} | stored,
    )


def _seen(lane: Lane, home: Path, *, seconds: float = 20.0) -> tuple[Sighting, ...]:
    """What the watcher saw of a home during this release."""
    lane.tell_watcher("look", home)
    found: list[Sighting] = []
    deadline = time.monotonic() + seconds
    while not any(sighting.where == LOOKED for sighting in found):
        assert time.monotonic() < deadline, "the watcher does not look any more"
        lines = lane.tail(lane.sightings).lines()
        found += [Sighting(**line) for line in lines if line["home"] == str(home)]
        time.sleep(0.01)
    return tuple(sighting for sighting in found if sighting.where != LOOKED)


def _left_behind(home: Home) -> Iterator[str]:
    """What nobody should find any more."""
    for path in (*home.path.glob("shares/*/.zwerm-*"), *home.published.glob(".next/*")):
        yield str(path.relative_to(home.path))


def _hooked(lane: Lane, number: int) -> Iterator[tuple[Send | None, Chunks]]:
    """Every connection of the lane's webhooks: what was sent, as far as it is a release, and all of its bytes."""
    for hook in range(HOOKS + SECURE_HOOKS):
        envelope = b""
        for came in _connections(lane.tail(lane.hooks / f"{lane.receiver(hook)}.jsonl")):
            chunks = [(each.at, bytes.fromhex(each.data)) for each in came if each.what == "bytes"]
            request = request_of(b"".join(data for _, data in chunks))
            if request is not None and request.event == "sealed" and request.is_whole:
                envelope = request.body
            send = _hook_send(f"hook {hook}", came, chunks, number)
            if send is not None and request is not None and request.event == "key" and send.recipient:
                send = replace(send, content=opened(envelope, request.body) if send.is_whole else b"")
            yield send, chunks


def _hook_send(recipient: str, came: Sequence[Came], chunks: Chunks, number: int) -> Send | None:
    data = b"".join(data for _, data in chunks)
    request = request_of(data)
    if not chunks or (request is not None and request.event not in SENT):
        return None
    answers = [each.data for each in came if each.what == "answered"]
    is_stray = request is not None and request.target != f"/{number}"
    return Send(
        recipient="" if is_stray else recipient,
        at=chunks[0][0],
        wall=next(each.wall for each in came if each.what == "bytes"),
        key=request.key if request else "",
        content=f"{recipient} {request.target}".encode() if is_stray and request else request.body if request else b"",
        is_whole=request is not None and request.is_whole,
        is_yes=answers == ["204"],
        is_read=bool(answers) and any(each.what == "closed" and each.data == "read" for each in came),
    )


def _connections(tail: Tail, *, seconds: float = 5.0) -> list[list[Came]]:
    """The connections since the log was read last, in the order in which they came; read when all are closed."""
    deadline, found = time.monotonic() + seconds, defaultdict[int, list[Came]](list)
    while True:
        for line in tail.lines():
            found[line["connection"]].append(Came(**line))
        if all(came[-1].what == "closed" for came in found.values()) or time.monotonic() > deadline:
            return [came for came in found.values() if came[0].what == "connected"]
        time.sleep(0.02)


def _mailed(lane: Lane) -> tuple[list[Send], Chunks]:
    """Every message to the lane's mail server, whole or not, and all bytes that came to it."""
    time.sleep(0.1)  # a goodbye may just be on its way
    offset = time.time_ns() - time.monotonic_ns()
    connections: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    for line in lane.tail(lane.mail.folder / "raw.jsonl").lines():
        connections[line["connection"]].append((line["at"], bytes.fromhex(line["data"])))
    took = [Mail(**line) for line in lane.tail(lane.mail.folder / "mails.jsonl").lines()]
    answers = {mail.connection: mail.answer for mail in took}
    sends = []
    for number, chunks in connections.items():
        message = message_of(b"".join(data for _, data in chunks))
        if message is None or b"are open" not in message.content:
            continue
        wall = _at_byte(chunks, message.begins)
        is_yes = answers.get(number, "").startswith("2")
        sends.append(
            Send(
                *("mail", wall - offset, wall, message.key, message.content, message.is_whole),
                *(is_yes and message.is_whole, message.is_thanked),
            )
        )
    return sends, [(at - offset, data) for chunks in connections.values() for at, data in chunks]


def _at_byte(chunks: Chunks, number: int) -> int:
    """When the byte of this number came."""
    for at, data in chunks:
        number -= len(data)
        if number < 0:
            return at
    raise ValueError("so many bytes did not come")
