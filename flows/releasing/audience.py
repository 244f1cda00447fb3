"""Who receives a release: from `[[audience]]` to deliveries, and whether each department is covered.

Addresses stand in the configuration alone, because they may hold tokens and name people; the ledger has a mark of them.
"""

import hashlib
import hmac
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlsplit

from flows.channels import ChannelName, Delivery, Target
from flows.channels.connections import address_of
from flows.home import Home
from flows.model import Language
from flows.recipients import Announcement, Email, ObjectStore, Recipient, Sftp, Webhook
from flows.settings import Settings
from warehouse.records import DeliveryState

EVERYONE = "everyone"  # the recipient of what is published

Path = tuple[str, ...]


@dataclass(frozen=True)
class Uncovered:
    """A department that nobody but its manager, or nobody at all, receives results for."""

    path: Path
    only_manager: bool

    def __str__(self) -> str:
        why = "its manager is its only recipient" if self.only_manager else "nobody receives results for it"
        return f"{' > '.join(self.path)}: {why}"


def deliveries(settings: Settings, release_id: str) -> list[Delivery]:
    """One delivery per recipient and channel, and always the published one; the ids are drawn anew at each call."""
    default = settings.organisation.languages[0]
    drawn = [Delivery(secrets.token_hex(16), release_id, EVERYONE, "published", default)]
    for label, recipient in labelled(settings):
        language = recipient.language or default
        for channel, target in _ways(recipient):
            drawn.append(Delivery(secrets.token_hex(16), release_id, label, channel, language, target))
    return drawn


def labelled(settings: Settings) -> Iterator[tuple[str, Recipient]]:
    """Each recipient with the name under which the register shows him: his department and a serial number."""
    seen: Counter[str] = Counter()
    for recipient in settings.audience:
        name = " > ".join(recipient.department) or settings.organisation.name
        seen[name] += 1
        yield f"{name} #{seen[name]}", recipient


def uncovered(settings: Settings, departments: Iterable[Sequence[str]]) -> list[Uncovered]:
    """The departments (paths of the release's tree) that no recipient stands for who is not their manager.

    The organisation itself needs none; without any audience a release goes to the published folder alone.
    """
    if not settings.audience:
        return []
    found = []
    for path in (tuple(department) for department in departments):
        standing = [r for r in settings.audience if r.department == path[: len(r.department)]]
        if path and all(recipient.manager for recipient in standing):
            found.append(Uncovered(path, only_manager=bool(standing)))
    return found


def strangers(settings: Settings, departments: Iterable[Sequence[str]]) -> list[Path]:
    """Departments that the audience names and the tree does not have: likely mistyped."""
    known = {tuple(department) for department in departments}
    named = (recipient.department for recipient in settings.audience)
    return [path for path in dict.fromkeys(named) if path and path not in known]


def recorded(delivery: Delivery, settings: Settings) -> DeliveryState:
    """A delivery as the ledger keeps it: of an address only host or server, and a mark that tells one from another."""
    return DeliveryState(
        delivery_id=delivery.delivery_id,
        release_id=delivery.release_id,
        recipient=delivery.recipient,
        channel=delivery.channel,
        language=delivery.language,
        target=_text(delivery.target, Home(settings.home).secret()),
        status=None,
        opened_at=None,
        answered_at=None,
        detail="",
        is_breach=False,
    )


def restored(states: Iterable[DeliveryState], settings: Settings) -> list[Delivery]:
    """Deliveries as the ledger kept them, with the addresses and secrets that the configuration has for them now.

    An entry is the recipient's own, or wherever its address stands now; one that is gone leaves the target None.
    """
    secret = Home(settings.home).secret()
    ways = [(name, channel, target) for name, each in labelled(settings) for channel, target in _ways(each)]
    known = [(name, channel, _text(target, secret), target) for name, channel, target in ways]
    return [
        Delivery(
            state.delivery_id,
            state.release_id,
            state.recipient,
            _CHANNELS[state.channel],
            _LANGUAGES[state.language],
            _target(state, known),
        )
        for state in states
    ]


_CHANNELS: Mapping[str, ChannelName] = {name: name for name in get_args(ChannelName)}
_LANGUAGES: Mapping[str, Language] = {name: name for name in get_args(Language)}
IN_FULL = ("published", "folder", "share")  # of these the ledger keeps the place itself: a path, which is no secret


def _ways(recipient: Recipient) -> Iterator[tuple[ChannelName, Target]]:
    if recipient.email is not None:
        yield "email", recipient.email
    if recipient.webhook is not None:
        yield "webhook", recipient.webhook
    if recipient.folder is not None:
        yield "folder", recipient.folder
    if recipient.share is not None:
        yield "share", recipient.share
    if recipient.sftp is not None:
        yield "sftp", recipient.sftp
    if recipient.object_store is not None:
        yield "object_store", recipient.object_store
    for announcement in recipient.announce:
        yield "announcement", announcement


def _text(target: Target, secret: bytes) -> str | None:
    match target:
        case None:
            return None
        case Email(to=to, server=server):
            kept: object = {"server": server, "mark": _mark(secret, *to)}
        case Webhook(url=url):
            kept = {"host": _host(url), "mark": _mark(secret, url)}
        case Sftp(url=url):
            kept = {"host": urlsplit(url).hostname, "mark": _mark(secret, url)}
        case ObjectStore(url=url, endpoint=endpoint):
            kept = {"host": _host(endpoint or ""), "mark": _mark(secret, url, endpoint or "")}
        case Announcement(url=hidden):
            url = hidden.get_secret_value()
            kept = {"service": urlsplit(url).scheme, "mark": _mark(secret, url)}
        case folder:
            kept = folder
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _mark(secret: bytes, *addresses: str) -> str:
    """What tells one address from another, and nothing else to whoever lacks the home's secret."""
    return hmac.new(secret, "\n".join(("target", *addresses)).encode(), hashlib.sha256).hexdigest()[:32]


def _host(url: str) -> str:
    try:
        address = address_of(url)
    except ValueError:
        return ""
    return f"{'https' if address.tls else 'http'}://{address}"


def _target(state: DeliveryState, known: Sequence[tuple[str, ChannelName, str | None, Target]]) -> Target:
    if state.channel in IN_FULL:
        kept = json.loads(state.target or "null")
        return None if kept is None else str(kept)
    own = [(text, target) for name, way, text, target in known if (name, way) == (state.recipient, state.channel)]
    same = [(text, target) for _, way, text, target in known if way == state.channel and text == state.target]
    found = [target for text, target in own if text == state.target] or [target for _, target in (*same, *own)]
    return found[0] if found else None
