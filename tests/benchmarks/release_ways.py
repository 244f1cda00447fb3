"""Ways to tell many recipients: ours, the bare loop that nothing in one thread can beat, and what people do otherwise.

Each is prepared, and then runs once; what it took is not asked of it but of the receivers.
"""

import asyncio
import gc
import http.client
import secrets
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from itertools import chain
from pathlib import Path

import httpx

from flows.channels.connections import SEND_BUFFER
from flows.channels.email_batches import divide
from flows.channels.webhook_request import Request, compose
from flows.home import Home
from flows.recipients import Webhook
from flows.release import open_moment
from flows.releasing.moment import plan, record, stage
from flows.releasing.undisturbed import undisturbed
from flows.settings import Settings
from tests.flows.sealed import sealed, settings_for

CONNECTIONS = 20  # that the mail server takes at once
MAILBOXES = 2  # of each recipient, so that a thousand need all twenty connections
SECONDS = 60.0
READ = 1 << 16


@dataclass(frozen=True)
class Staged:
    """A release that everyone is ready for: the product itself, from its ledger to its channels."""

    home: Home
    settings: Settings
    moment_id: str
    body: bytes

    def open(self) -> float:
        """Arm, commit and open; the skew in milliseconds that the ledger has of it."""
        report = open_moment(self.home, self.settings, self.moment_id)
        late = [delivery for delivery in report.deliveries if delivery.status != "delivered" or delivery.attempts != 1]
        if late or report.skew_ms is None:
            raise SystemExit(f"{len(late)} deliveries were not delivered at once: nothing was measured")
        return report.skew_ms


def staged(folder: Path, *, audience: Sequence[object], mail_port: int, departments: int = 2) -> Staged:
    """Seal a release of so many departments in a home of its own, and have it ready with everyone."""
    folder.mkdir(parents=True)
    home = Home(folder).prepare()
    relay = {"smtp": f"smtp://127.0.0.1:{mail_port}", "from": "Zwerm <zwerm@waddenlijn.example>", "tls": "none"}
    settings = settings_for(home, audience=audience, servers={"relay": {**relay, "max_connections": CONNECTIONS}})
    below = [(f"d{number}", "all", 1, (f"Department {number}",)) for number in range(departments)]
    release_id = sealed(home, tree=[("all", None, 0, ()), *below])
    record(home, release_id)
    plan(home, [release_id])
    moment = stage(home, settings, [release_id])[0]
    return Staged(home, settings, moment.moment_id, (home.releases / release_id / "release.json").read_bytes())


def webhooks(count: int, *, port: int, scheme: str = "http") -> list[str]:
    """So many addresses at one server."""
    return [f"{scheme}://127.0.0.1:{port}/hook/{number}" for number in range(count)]


def mailboxes(count: int) -> list[list[str]]:
    """The addresses of so many recipients."""
    return [[f"r{number}.{box}@waddenlijn.example" for box in range(MAILBOXES)] for number in range(count)]


def divided(recipients: Sequence[Sequence[str]]) -> list[list[str]]:
    """The addresses of each message, as ours are divided."""
    named = {str(number): tuple(to) for number, to in enumerate(recipients)}
    return [list(chain.from_iterable(batch.values())) for batch in divide(named, most=CONNECTIONS)]


def requests(urls: Sequence[str], body: bytes) -> list[Request]:
    """The same bytes as ours, each with a key of its own."""
    now = datetime.now(UTC)
    return [compose(Webhook(url=url), event="release", key=secrets.token_hex(16), body=body, at=now) for url in urls]


def floor(sends: Sequence[tuple[socket.socket, bytes]]) -> Callable[[], None]:
    """One send after the other over connections that are open; as undisturbed as ours, and nothing else is done."""
    order = list(sends)
    secrets.SystemRandom().shuffle(order)

    def run() -> None:
        gc.collect()
        gc.disable()
        with undisturbed():
            for connection, message in order:
                connection.send(message)
        gc.enable()
        for connection, _ in order:
            with connection:
                connection.settimeout(SECONDS)
                connection.recv(READ)  # the answer

    return run


def connected(port: int, *, is_tls: bool = False) -> socket.socket:
    """A connection as ours are, without waiting."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect(("127.0.0.1", port))
    if is_tls:
        connection = ssl.create_default_context().wrap_socket(connection, server_hostname="127.0.0.1")
    connection.setblocking(False)
    return connection


def sequential(urls: Sequence[str], asked: Sequence[Request], *, body: bytes) -> Callable[[], None]:
    """A loop over one client: connect, send, wait for the answer, next."""
    calls = _calls(urls, asked, body)

    def run() -> None:
        with httpx.Client(timeout=SECONDS) as client:
            for call in calls:
                client.send(call)

    return run


def sequential_lean(port: int, asked: Sequence[Request], *, body: bytes) -> Callable[[], None]:
    """The same loop with what Python itself has for it, which does least besides."""

    def run() -> None:
        for request in asked:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
            connection.request("POST", "/hook", body, dict(_headers(request.message)))
            connection.getresponse().read()
            connection.close()

    return run


def gathered(urls: Sequence[str], asked: Sequence[Request], *, body: bytes) -> Callable[[], None]:
    """All at once on an event loop, over connections that are made then."""
    calls = _calls(urls, asked, body)

    async def run() -> None:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=SECONDS, limits=limits) as client:
            await asyncio.gather(*(client.send(call) for call in calls))

    return lambda: asyncio.run(run())


def _calls(urls: Sequence[str], asked: Sequence[Request], body: bytes) -> list[httpx.Request]:
    return [
        httpx.Request("POST", url, headers=_headers(request.message), content=body)
        for url, request in zip(urls, asked, strict=True)
    ]


def _headers(message: bytes) -> list[tuple[str, str]]:
    head, _, _ = message.partition(b"\r\n\r\n")
    return [(name, value) for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n")[1:])]


def in_data(port: int, addresses: Sequence[str]) -> socket.socket:
    """A connection on which a mail server waits for the message to these addresses."""
    connection = connected(port)
    connection.settimeout(SECONDS)
    orders = ["EHLO bench", "MAIL FROM:<zwerm@waddenlijn.example>", *(f"RCPT TO:<{to}>" for to in addresses), "DATA"]
    with connection.makefile("rb") as said:
        said.readline()
        for order in orders:
            connection.sendall(f"{order}\r\n".encode())
            while said.readline()[3:4] == b"-":
                pass
    connection.setblocking(False)
    return connection


def mail(size: int) -> bytes:
    """A message of as many bytes as ours, its end included."""
    filler = "x" * 70 + "\r\n"
    head = "From: zwerm@waddenlijn.example\r\nSubject: results\r\n\r\n"
    return (head + filler * (size // len(filler) + 1))[: max(size, 5) - 5].encode() + b"\r\n.\r\n"


def mailed_in_turn(port: int, recipients: Sequence[Sequence[str]], *, size: int) -> Callable[[], None]:
    """A loop that sends everyone a message of his own, over a connection of its own."""

    def run() -> None:
        for to in recipients:
            _mail(port, to, size)

    return run


def mailed_together(port: int, batches: Sequence[Sequence[str]], *, size: int) -> Callable[[], None]:
    """A message per batch, side by side from an event loop, over connections that are made then."""

    async def run() -> None:
        await asyncio.gather(*(asyncio.to_thread(_mail, port, batch, size) for batch in batches))

    return lambda: asyncio.run(run())


def _mail(port: int, to: Sequence[str], size: int) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "zwerm@waddenlijn.example", "results"
    message.set_content(("x" * 70 + "\n") * (size // 72 + 1))
    with smtplib.SMTP("127.0.0.1", port, local_hostname="bench", timeout=SECONDS) as client:
        client.send_message(message, to_addrs=list(to))
