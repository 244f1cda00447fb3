"""What everybody saw of a release, from the logs of independent receivers, the folders as they are, and the ledger."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from flows.home import Home
from tests.chaos.child import SURVEY, Order
from tests.chaos.evidence import Evidence, Send, Start
from tests.chaos.fate import Fate
from tests.chaos.lane import FOLDERS, HOOKS, SECURE_HOOKS, SHARES, Lane, Tail, place_of
from tests.chaos.receivers import Came
from tests.chaos.watcher import LOOKED, Sighting
from tests.chaos.wire import message_of, opened, request_of
from tests.flows.mail_receiver import Mail
from warehouse.ledger import Ledger

SENT = ("release", "key")  # the events that open a release
Chunks = list[tuple[int, bytes]]


def collected(lane: Lane, fate: Fate, order: Order, starts: Sequence[Start], *, is_far: bool) -> Evidence:
    """All the evidence of a release, when its last process is gone."""
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
    objects = lane.far.in_store(place_of(lane, order.home)) if lane.far and is_far else {}
    seen = lane.far.seen_in_store(order.home, place_of(lane, order.home)) if lane.far and is_far else []
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
        left_behind=(*_left_behind(home), *(f"bucket/{name}" for name in objects if ".zwerm-" in name)),
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
    """What nobody should find any more, on this host or, by the link to its folder, on that of the SFTP server."""
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
        if message is None or (message.is_whole and b"are open" not in message.content):
            continue  # nothing, or a notice
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
