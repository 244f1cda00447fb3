"""Whether object stores take, show and give back an object; nothing of a release is put there."""

import secrets
from collections.abc import Iterator

from flows.channels.connections import TIME_UP, together
from flows.channels.object_store_bucket import BucketError, Buckets, place_of
from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.command.doctor.places import is_local
from flows.progress import counted
from flows.recipients import ObjectStore
from flows.settings import Settings

ABOUT = "object stores"
SECONDS = 8.0


def buckets(settings: Settings) -> Iterator[Finding]:
    """Put, read and take away an empty object under a random name, in each place that the audience names."""
    stores = [recipient.object_store for recipient in settings.audience if recipient.object_store is not None]
    targets = list(dict.fromkeys(stores))
    if not targets:
        return
    said = together(_tried, targets, seconds=SECONDS)
    faults = [
        f"{place_of(target)} {TIME_UP}" if fault is None else fault
        for target, fault in zip(targets, said, strict=True)
        if fault != ""
    ]
    for fault in dict.fromkeys(faults):
        yield problem(ABOUT, fault, "mend its object_store = { … }, or ask who runs it: one who is not ready holds all")
    if not faults:
        yield ok(ABOUT, f"{counted(len(targets), 'place')}: an object can be put, read and taken away")
    open_ways = [each for each in targets if (each.endpoint or "").startswith("http:")]
    plain = sorted({place_of(each) for each in open_ways if not is_local(each.endpoint or "")})
    if plain:
        yield remark(ABOUT, f"without TLS, the keys can be read on the way: {', '.join(plain)}", "write https://")


def _tried(target: ObjectStore) -> str:
    """Empty where all of it worked; else what did not."""
    name = f".zwerm-doctor-{secrets.token_hex(8)}"
    try:
        bucket = Buckets().of(target)
        bucket.put(name, b"")
        if bucket.get(name) is None:
            return f"{bucket.place}: what was put cannot be read: this access key has to be let get objects"
        bucket.take_away(name)
        if bucket.get(name) is not None:
            return f"{bucket.place}: what was put cannot be taken away: this access key has to be let delete objects"
    except BucketError as error:
        return str(error)
    return ""
