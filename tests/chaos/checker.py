"""The six promises, checked on what independent receivers wrote down.

**Early.** The commit is when the sender came to the step `committed`, or, where it was killed in between, when it was
gone and the ledger had the record. Before that no byte of a release's request or message may have come, nothing of it
may lie in a folder or in what is published, and neither its figure nor its id, plain or in base64, may be in anything
that came. Where a T was planned, the same holds before T by the receivers' clocks, which nothing sets. Where the
sender's clock was set, it may be as far off as is not held: two seconds, told by `Date` headers to the whole second.

**Lost.** At the end every recipient has taken the whole content at least once, every share and the published folder
hold it, and the ledger says so. Whom the ledger shows as left out is none of them.

**Mixed.** Whatever came whole is the sealed `release.json`, byte for byte; all messages of a release say the same; in
one published folder each table of the warehouse knows the same releases, and they are those of the site.

**Again.** A sending is acknowledged when its receiver took it and the sender had read the answer: he closed the
connection in order (a reset shows that the answer lay unread), or said goodbye to the mail server. After that nothing
of the release may come to that recipient, with one exception: the process that had read the answer was killed, and when
it was gone the ledger had no acknowledgement. Then, and where no answer was read, it may come again under the same key;
each is counted as an unknown outcome. Another key is never allowed, acknowledged or not.

**Uncounted.** The ledger counts at least as many sendings to a recipient as he saw whole, however often processes died.

**Unsaid and unfinished.** After a kill the next start that lives so long says what it found: it undid an arming,
completed a moment or those who lacked it, and names the wave. In the end each release is confirmed, and nothing that
was held for it lies on this host, in a share, on the SFTP server or in the object store.
"""

import base64
from collections.abc import Iterable, Iterator
from itertools import groupby

from tests.chaos.evidence import Evidence, Send, Start, Violation, What

FILLED = ("promoter_metrics", "departments", "quality", "releases")  # every release has rows in these
MAY_BE_OFF = 3_200_000_000  # nanoseconds
KEY = ".zwerm-"  # the name of a key to an envelope begins so
UNDONE = "was being armed when the process ended; nothing was sent"
COMPLETED = ("the process ended while it opened", "was decided when the process ended")


def violations(evidence: Evidence) -> list[Violation]:
    """Every promise that was not kept for a release."""
    checks = (early, lost, mixed, again, uncounted, unsaid, unfinished)
    return [found for check in checks for found in check(evidence)]


def unknown(evidence: Evidence) -> int:
    """How many sendings came again under the same key because nobody could know what became of the one before."""
    return sum(send.is_yes or not send.is_read for _, sends in _by_recipient(evidence.sends) for send in sends[:-1])


def committed_at(evidence: Evidence) -> int | None:
    """The earliest time at which something could be readable; None where nothing was ever decided."""
    for start in evidence.starts:
        if (at := start.steps.get("committed")) is not None:
            return at
        if start.is_out:
            return start.ended
    return None


def early(evidence: Evidence) -> Iterator[Violation]:
    """Whatever could be read before the commit, or before T."""
    commit = committed_at(evidence)
    opens_at = _opens_at(evidence)
    limit = commit if commit is not None else max(start.ended for start in evidence.starts) + 1
    for send in evidence.sends:
        if send.at < limit:
            yield _found(evidence, "early", f"{send.recipient}: {(limit - send.at) / 1e6:.1f} ms before the commit")
        elif send.wall < opens_at:
            before = (opens_at - send.wall) / 1e6
            yield _found(evidence, "early", f"{send.recipient}: {before:.1f} ms before T")
    for sighting in evidence.sightings:
        is_shown = any(evidence.release_id in ids for ids in sighting.tables.values())
        is_there = is_shown or any(name.startswith((evidence.place, KEY)) for name in sighting.documents)
        if is_there and sighting.at < limit:
            yield _found(evidence, "early", f"{sighting.where}: {(limit - sighting.at) / 1e6:.1f} ms before the commit")
        elif is_there and sighting.wall < opens_at:
            before = (opens_at - sighting.wall) / 1e6
            yield _found(evidence, "early", f"{sighting.where}: {before:.1f} ms before T")
    said = b"".join(data for at, data in evidence.traffic if at < limit)
    for secret in (evidence.canary, evidence.release_id.encode()):
        if any(form in said for form in forms(secret)):
            yield _found(evidence, "early", "a figure or the release's id came before the commit")


def _opens_at(evidence: Evidence) -> int:
    """T by the receivers' clocks, less what a clock that was set may be off; 0 where none was planned."""
    if evidence.planned_wall is None:
        return 0
    return evidence.planned_wall - (MAY_BE_OFF if evidence.fate.jump else 0)


def forms(secret: bytes) -> Iterator[bytes]:
    """A word as it may stand in traffic: plain, or in base64 at each of the three offsets."""
    yield secret
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + secret)
        yield coded[-(-8 * offset // 6) : 8 * (offset + len(secret)) // 6]  # what does not depend on its neighbours


def lost(evidence: Evidence) -> Iterator[Violation]:
    """Who does not have it at the end."""
    if evidence.state != "confirmed":
        return  # that it was not finished is told by itself
    took = {send.recipient for send in evidence.sends if send.is_whole and send.is_yes}
    for recipient in evidence.recipients:
        status = evidence.statuses.get(recipient)
        if status != "left_out" and (recipient not in took or status != "delivered"):
            has = "took it" if recipient in took else "never had it"
            yield _found(evidence, "lost", f"{recipient} {has}; the ledger says {status}")
    for where in (*evidence.shares, "published"):
        if where not in evidence.at_the_end:
            yield _found(evidence, "lost", f"{where} does not have it; the ledger says {evidence.statuses.get(where)}")


def mixed(evidence: Evidence) -> Iterator[Violation]:
    """Whatever is not the one content."""
    for where, content in evidence.at_the_end.items():
        if content != evidence.document:
            yield _found(evidence, "mixed", f"{where} holds another content")
    for recipient, sends in _by_recipient(evidence.sends):
        whole = [send.content for send in sends if send.is_whole]
        if recipient.startswith("mail"):
            if len({_text(content) for content in whole}) > 1:
                yield _found(evidence, "mixed", f"{recipient} was told two things")
        elif any(content != evidence.document for content in whole):
            yield _found(evidence, "mixed", f"{recipient} was sent another content")
    for sighting in evidence.sightings:
        if sighting.error:
            yield _found(evidence, "mixed", f"{sighting.where} could not be read: {sighting.error}")
        elif sighting.where == "published":
            known = {frozenset(sighting.tables.get(name, ())) for name in FILLED}
            others = (ids for name, ids in sighting.tables.items() if name not in FILLED)
            if len(known) != 1 or any(not {*ids} <= next(iter(known)) for ids in others):
                yield _found(evidence, "mixed", "the tables of what is published know different releases")
            elif len(next(iter(known))) != len(sighting.documents):
                yield _found(evidence, "mixed", "site and warehouse of what is published know different releases")


def again(evidence: Evidence) -> Iterator[Violation]:
    """What came after an acknowledgement, or under another key."""
    for recipient, sends in _by_recipient(evidence.sends):
        if len({send.key for send in sends if send.key}) > 1:
            yield _found(evidence, "again", f"{recipient} was sent it under more than one key")
        for number, send in enumerate(sends[:-1]):
            if send.is_yes and send.is_read and not _may_come_again(evidence, send, sends[number + 1]):
                yield _found(evidence, "again", f"{recipient} was sent it again, and had acknowledged it")
    for stray in evidence.strays:
        yield _found(evidence, "again", f"{stray} was sent once more while this one was under way")


def _may_come_again(evidence: Evidence, send: Send, later: Send) -> bool:
    """Whether who read the acknowledgement was killed before the ledger had it."""
    sender, other = _sender(evidence.starts, send), _sender(evidence.starts, later)
    return sender is not other and sender.is_killed and send.recipient not in sender.acknowledged


def _sender(starts: Iterable[Start], send: Send) -> Start:
    return [start for start in starts if start.began <= send.at][-1]


def uncounted(evidence: Evidence) -> Iterator[Violation]:
    """Sendings that the ledger does not count."""
    for recipient, sends in _by_recipient(evidence.sends):
        came = sum(send.is_whole for send in sends)
        if evidence.statuses.get(recipient) == "delivered" and came > evidence.attempts[recipient]:
            yield _found(
                evidence,
                "uncounted",
                f"{recipient} saw {came} sendings; the ledger counts {evidence.attempts[recipient]}",
            )


def unsaid(evidence: Evidence) -> Iterator[Violation]:
    """What a start found and did not tell."""
    wave = evidence.place.split("/")[1]
    for before, start in zip(evidence.starts, evidence.starts[1:], strict=False):
        if start.recovered is None:
            continue
        said = [line for line in start.recovered if wave in line]
        if before.phase in ("arming", "armed") and not any(UNDONE in line for line in said):
            yield _found(evidence, "unsaid", f"an arming was undone, and it said {list(start.recovered)}")
        elif before.phase == "released" and not any(words in line for words in COMPLETED for line in said):
            yield _found(evidence, "unsaid", f"a moment was completed, and it said {list(start.recovered)}")
        elif before.phase == "confirmed" and before.lacked and not start.recovered:
            yield _found(evidence, "unsaid", f"{before.lacked} lacked it, and nothing was said")
    if evidence.starts[0].recovered:
        yield _found(evidence, "unsaid", f"an earlier release was left behind: {list(evidence.starts[0].recovered)}")


def unfinished(evidence: Evidence) -> Iterator[Violation]:
    """A start that failed of itself, or a release that is not out when everything was mended and tried again."""
    for start in evidence.starts:
        if start.end not in ("confirmed", "held", "nothing", "killed"):
            yield _found(evidence, "unfinished", f"a start did not end as it should: {start.end}")
        if "committed" in start.steps and not start.is_out:
            yield _found(evidence, "unfinished", "it went on after the commit, and the ledger has no commit")
    if evidence.state != "confirmed":
        ends = ", ".join(f"{start.end} {start.reason}".strip() for start in evidence.starts)
        yield _found(evidence, "unfinished", f"it is {evidence.state} after {len(evidence.starts)} starts ({ends})")

    for name in evidence.left_behind:
        yield _found(evidence, "unfinished", f"{name} was left behind")


def _by_recipient(sends: Iterable[Send]) -> Iterator[tuple[str, list[Send]]]:
    ordered = sorted(sends, key=lambda send: (send.recipient, send.at))
    return ((recipient, list(some)) for recipient, some in groupby(ordered, key=lambda send: send.recipient))


def _text(message: bytes) -> bytes:
    """What a message says, without the line that tells when it was written."""
    return b"\r\n".join(line for line in message.split(b"\r\n") if not line.lower().startswith(b"date:"))


def _found(evidence: Evidence, what: What, says: str) -> Violation:
    return Violation(what, evidence.fate.number, says)
