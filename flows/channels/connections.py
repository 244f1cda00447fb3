"""Connections that are held: opened before T, watched, written to in one go, and never quoted in a reason."""

import os
import resource
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

Item = TypeVar("Item")
Result = TypeVar("Result")

PORTS = {"http": 80, "https": 443, "smtp": 587, "smtps": 465}
MOST_AT_ONCE = 256  # threads, which mostly wait
SPARE_FILES = 64  # for all that a process opens besides its held connections
SEND_BUFFER = 128 * 1024  # bytes; the least that a held connection gets, see `connect`
TIME_UP = "did not answer in time"
# What a send or receive says when the kernel has nothing (more) for us now; with TLS it has words of its own.
NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True)
class Address:
    """Where to connect; only host and port, so that no credential can come along into a reason."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address_of(url: str) -> Address:
    """Read host and port from an address; ValueError, which quotes nothing, where there are none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        host, port = "", 0
    if not host:
        raise ValueError("an address without a host, or with a port that is not a number")
    return Address(host, port, tls=parts.scheme in ("https", "smtps"))


def connect(
    address: Address, *, context: ssl.SSLContext | None, seconds: float, send_buffer: int = SEND_BUFFER
) -> socket.socket:
    """Resolve, connect and shake hands within the time given; OSError tells what did not work.

    The kernel's send buffer is asked to hold the whole message, so that a send at T ends without a reader's help; it
    grants at most `net.core.wmem_max`, and what does not fit is sent while answers are read.
    """
    ends = time.monotonic() + seconds
    places = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for left, (family, kind, protocol, _, place) in zip(range(len(places), 0, -1), places, strict=True):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, max(send_buffer, SEND_BUFFER))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(seconds_until(ends) / left)
            connection.connect(place)
            if context is None or not address.tls:
                return connection
            connection.settimeout(seconds_until(ends))
            return context.wrap_socket(connection, server_hostname=address.host)
        except OSError:
            connection.close()
            if left == 1:
                raise
    raise OSError("the name has no address")


def room_for(connections: int) -> str:
    """Let this process hold so many more connections; where the host does not allow it: what to do, else nothing.

    Besides the held ones there may be as many as threads, where what failed is sent again.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = sum(1 for _ in Path("/dev/fd").iterdir()) + connections + min(connections, MOST_AT_ONCE) + SPARE_FILES
    if needed <= soft or soft == resource.RLIM_INFINITY:
        return ""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (ValueError, OSError):
        return (
            f"{connections} connections at once need {needed} open files, and this process may have {hard}: "
            f"raise its limit (ulimit -n {needed} before the call, or LimitNOFILE={needed} in its systemd unit)"
        )
    return ""


def seconds_until(deadline: float) -> float:
    """Seconds left until a monotonic deadline; TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def is_alive(connection: socket.socket) -> bool:
    """Tell whether a held connection lives: nothing to read is life; an end, an error or unasked words are not."""
    timeout = connection.gettimeout()
    try:
        connection.setblocking(False)
        connection.recv(1)
    except NOT_NOW:
        return True
    except OSError:
        return False
    finally:
        with suppress(OSError):
            connection.settimeout(timeout)
    return False


def explain(error: BaseException) -> str:
    """Say what went wrong as the rest of a sentence that begins with host and port; quotes nothing that was sent."""
    match error:
        case socket.gaierror():
            return "cannot be found: its name does not resolve"
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that is not accepted ({error.verify_message})"
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionResetError() | BrokenPipeError():
            return "closed the connection"
        case ssl.SSLError():
            return "does not speak TLS as it should"
        case TimeoutError():
            return TIME_UP
        case ConnectionRefusedError():
            return "refuses connections"
        case ConnectionError():
            return "closed the connection"
        case OSError() if error.errno:
            return f"cannot be reached ({os.strerror(error.errno)})"
        case OSError():
            return "cannot be reached"
        case _:
            return "has an address that cannot be understood"


class Closable(Protocol):
    """Whatever can be closed."""

    def close(self) -> object:
        """Let go."""
        ...


class Sending:
    """Bytes that lie ready for a connection; a send never waits, and what did not fit is sent later by `go` again."""

    def __init__(self, connection: socket.socket, message: bytes) -> None:
        connection.setblocking(False)
        self._send = connection.send
        self._left: bytes | memoryview = message
        self.error: OSError | None = None
        self.ended_at: datetime | None = None  # when the last byte went, where that was not at T

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to send, be it that the connection failed."""
        return not self._left or self.error is not None

    @property
    def is_sent(self) -> bool:
        """Whether all of it has left for the kernel."""
        return not self._left

    def go(self) -> None:
        """Hand the kernel as much as it takes now; an error is kept, because others wait behind this one.

        At T there are thousands of these: all goes in one call, and only what did not is cut up.
        """
        try:
            sent = self._send(self._left)
            while sent < len(self._left):
                self._left = memoryview(self._left)[sent:]
                sent = self._send(self._left)
            self._left = b""
        except NOT_NOW:
            return
        except OSError as error:
            self.error = error

    def finish(self) -> None:
        """Send what is left, after T, and note when the last of it went."""
        if self.is_done:
            return
        self.go()
        if self.is_sent:
            self.ended_at = datetime.now(UTC)


def together(
    call: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    seconds: float,
    late: Callable[[Result], None] = lambda result: None,
    at_once: int = MOST_AT_ONCE,
) -> list[Result | None]:
    """Call for all items side by side; None for what did not end in time, whose result then goes to `late`."""
    if not items:
        return []
    ends = time.monotonic() + seconds
    pool = ThreadPoolExecutor(max_workers=min(len(items), at_once), thread_name_prefix="zwerm-channel")
    futures = [pool.submit(call, item) for item in items]  # of thousands this alone takes its time
    done, _ = wait(futures, timeout=max(ends - time.monotonic(), 0))
    pool.shutdown(wait=False, cancel_futures=True)  # a name server that hangs must not hang us
    for future in futures:
        if future not in done:
            future.add_done_callback(partial(_hand_over, late=late))
    return [future.result() if future in done else None for future in futures]


def _hand_over(ended: Future[Result], *, late: Callable[[Result], None]) -> None:
    if not ended.cancelled() and ended.exception() is None:
        late(ended.result())


def close_all(connections: Iterable[Closable]) -> None:
    """Close without a word; what is broken already stays so."""
    for connection in connections:
        with suppress(OSError):
            connection.close()
