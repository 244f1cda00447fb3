"""What is on the wire, read from raw bytes alone: neither our own code nor a library of ours is asked."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

END_OF_HEAD, END_OF_MAIL = b"\r\n\r\n", b"\r\n.\r\n"


@dataclass(frozen=True)
class Request:
    """One HTTP request, as far as it came."""

    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    is_whole: bool

    @property
    def event(self) -> str:
        """What the sender says that it is."""
        return self.headers.get("zwerm-event", "")

    @property
    def key(self) -> str:
        """Under which it may come again."""
        return self.headers.get("idempotency-key", "")


@dataclass(frozen=True)
class Message:
    """One message on an SMTP connection, as far as it came."""

    begins: int  # at which byte of the connection
    content: bytes
    is_whole: bool
    is_thanked: bool  # the sender said goodbye after it: it had read the answer

    @property
    def key(self) -> str:
        """Its Message-ID."""
        lines = self.content.partition(END_OF_HEAD)[0].split(b"\r\n")
        found = [line.split(b":", 1)[1].strip() for line in lines if line.lower().startswith(b"message-id:")]
        return found[0].decode() if found else ""


def request_of(data: bytes) -> Request | None:
    """The request that a connection began with; None where not even its head is whole."""
    head, _, rest = data.partition(END_OF_HEAD)
    if END_OF_HEAD not in data:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    target = [*first.split(" "), ""][1]
    return Request(target, headers, rest[:length], len(rest) >= length)


def message_of(data: bytes) -> Message | None:
    """The message that was sent on a connection; None where none was begun."""
    begins = data.lower().find(b"\r\ndata\r\n")
    if begins < 0 or len(data) == begins + 8:
        return None
    content, end, rest = data[begins + 8 :].partition(END_OF_MAIL)
    return Message(begins + 8, content, bool(end), rest.lower().startswith(b"quit"))


def opened(envelope: bytes, key: bytes) -> bytes:
    """What a key finds in an envelope, as the documented format says; nothing where it does not fit."""
    mark, nonce, closed = envelope[:16], envelope[16:28], envelope[28:]
    try:
        inside = AESGCM(key).decrypt(nonce, closed, mark)
    except (InvalidTag, ValueError):
        return b""
    return inside[8:][: int.from_bytes(inside[:8], "big")]
