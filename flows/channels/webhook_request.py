"""What a webhook says on the wire, composed before it is sent: head, signature and body in one piece of bytes."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import h11

from flows.channels.connections import Address, address_of
from flows.recipients import Webhook

Event = Literal["ready", "sealed", "release", "key", "held", "withdrawn"]
BINARY: tuple[Event, ...] = ("sealed", "key")
KEPT_IN_TARGETS = "/%:=&?~#+!$,;'@()*[]"  # what an address may hold as it is; everything else is percent-encoded


@dataclass(frozen=True)
class Request:
    """One request as bytes, where it goes, and the parser that will read its answer."""

    address: Address
    message: bytes
    parser: h11.Connection


@dataclass(frozen=True)
class Answer:
    """What a receiver answered: the status decides; its clock is compared with ours."""

    status: int
    date: datetime | None = None

    @property
    def is_yes(self) -> bool:
        """Any 2xx is a yes; a redirect is none, and is not followed."""
        return 200 <= self.status < 300


def key_for(delivery_id: str, event: Event, *, secret: bytes) -> str:
    """Name a delivery's event: the same in every process of this home, and guessed by nobody who lacks its secret."""
    return hmac.new(secret, f"key\n{delivery_id}\n{event}".encode(), hashlib.sha256).hexdigest()[:32]


def signature(secret: str, *, timestamp: str, body: bytes) -> str:
    """HMAC-SHA-256 of timestamp, a dot and the body, in hex, with the version of this scheme in front."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def compose(
    target: Webhook, *, event: Event, key: str, body: bytes, at: datetime, delivery_id: str | None = None
) -> Request:
    """Put a POST together; ValueError, which quotes nothing, where the address cannot be one."""
    address = address_of(target.url)
    timestamp = str(int(at.timestamp()))
    secret = target.secret.get_secret_value() if target.secret else ""
    headers = [
        ("Host", _host(address)),
        ("User-Agent", "zwerm"),
        ("Content-Type", "application/octet-stream" if event in BINARY else "application/json"),
        ("Content-Length", str(len(body))),
        ("Idempotency-Key", key),
        ("Zwerm-Event", event),
        *([("Zwerm-Delivery", delivery_id)] if delivery_id else []),
        ("Zwerm-Timestamp", timestamp),
        *([("Zwerm-Signature", signature(secret, timestamp=timestamp, body=body))] if secret else []),
        *_credentials(target.url),
        ("Connection", "close"),
    ]
    parser = h11.Connection(h11.CLIENT)
    try:
        head = parser.send(h11.Request(method="POST", target=_path(target.url), headers=headers))
    except h11.LocalProtocolError:
        raise ValueError("an address that HTTP cannot carry") from None
    rest = [parser.send(h11.Data(data=body)) if body else b"", parser.send(h11.EndOfMessage())]
    return Request(address, b"".join(part for part in (head, *rest) if part), parser)


def read_answer(parser: h11.Connection, data: bytes) -> Answer | None:
    """Feed what came; the answer once its head is whole. h11.RemoteProtocolError where it is no HTTP, or ended."""
    parser.receive_data(data)
    event = parser.next_event()
    while isinstance(event, h11.InformationalResponse):
        event = parser.next_event()
    return Answer(event.status_code, _date(event)) if isinstance(event, h11.Response) else None


def seconds_ahead(date: datetime, *, asked_at: datetime, answered_at: datetime) -> float:
    """How far a recipient's clock is ahead of ours at least; 0.0 where whole seconds and the way there explain it.

    A `Date` is cut to the second and was written between question and answer: the offset lies from `date` less
    `answered_at` to `date` plus one second less `asked_at`, and the end nearest to 0 is told.
    """
    lowest, highest = (date - answered_at).total_seconds(), (date - asked_at).total_seconds() + 1.0
    return max(lowest, 0.0) or min(highest, 0.0)


def _date(response: h11.Response) -> datetime | None:
    try:
        told = next(value for name, value in response.headers if name == b"date")
        date = parsedate_to_datetime(told.decode("ascii"))
    except (StopIteration, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _host(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return host if address.port == (443 if address.tls else 80) else f"{host}:{address.port}"


def _path(url: str) -> str:
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return quote(path, safe=KEPT_IN_TARGETS)


def _credentials(url: str) -> list[tuple[str, str]]:
    parts = urlsplit(url)
    if not parts.username and not parts.password:
        return []
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return [("Authorization", "Basic " + base64.b64encode(pair.encode()).decode("ascii"))]
