"""A mail server (aiosmtpd) in a process of its own, which logs every raw byte with the time at which it came.

`python -m tests.flows.mail_receiver FOLDER OPTIONS` prints its port and ends when its input ends. How it behaves stands
in `behaviour.json` and is read anew at each command.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, AnyStr, Literal, TypedDict, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.flows.receivers import running

USER, PASSWORD = "zwerm", "correct-horse-battery"


class Behaviour(TypedDict, total=False):
    """What the server does otherwise than accepting everything at once."""

    refuse: list[str]  # addresses that RCPT refuses
    answers: list[str]  # to one message after the other, the last one from then on
    hang: bool  # takes a message and does not answer
    hang_up: bool  # takes a message and closes without an answer
    slow_goodbye: bool
    slow_seconds: float  # before the answer to a message
    drop_seconds: float  # after DATA was answered; a message that has not begun by then is lost


@dataclass(frozen=True)
class Came:
    """Bytes as they came, decrypted; `at` in nanoseconds since 1970."""

    connection: int
    at: int
    data: bytes


@dataclass(frozen=True)
class Mail:
    """One message that was taken, or refused after it had come."""

    at: int
    recipients: list[str]
    content: bytes
    is_encrypted: bool
    user: str | None
    answer: str
    connection: int = 0  # as in the log of bytes

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return message_from_bytes(self.content, policy=default)

    @property
    def text(self) -> str:
        """What a reader reads."""
        return str(self.message.get_content()).replace("\r\n", "\n")


@dataclass(frozen=True)
class MailReceiver:
    """A running mail server, seen from the test."""

    folder: Path
    port: int
    scheme: Literal["smtp", "smtps"]

    @property
    def url(self) -> str:
        """Where it listens, as `[servers]` writes it."""
        return f"{self.scheme}://localhost:{self.port}"

    def behave(self, behaviour: Behaviour) -> None:
        """Set how it behaves from now on."""
        draft = self.folder / "behaviour.draft"
        draft.write_text(json.dumps(behaviour))
        draft.replace(self.folder / "behaviour.json")

    def log(self) -> list[Came]:
        """All bytes so far."""
        lines = (self.folder / "raw.jsonl").read_text().splitlines()
        return [Came(**{**entry, "data": bytes.fromhex(entry["data"])}) for entry in map(json.loads, lines)]

    def mails(self) -> list[Mail]:
        """All whole messages so far."""
        lines = (self.folder / "mails.jsonl").read_text().splitlines()
        return [Mail(**{**entry, "content": bytes.fromhex(entry["content"])}) for entry in map(json.loads, lines)]


@contextmanager
def mail_receiver(
    folder: Path,
    *,
    encryption: Literal["starttls", "implicit", "none"] = "none",
    certificate: Path | None = None,
    is_guarded: bool = False,
    size: int = 1_000_000,
) -> Iterator[MailReceiver]:
    """Start a mail server in a process of its own; a guarded one wants `USER` and `PASSWORD`."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "encryption": encryption,
        "certificate": str(certificate) if certificate else None,
        "is_guarded": is_guarded,
        "size": size,
    }
    with running([sys.executable, "-m", "tests.flows.mail_receiver", str(folder), json.dumps(options)]) as said:
        yield MailReceiver(folder, said["port"], "smtps" if encryption == "implicit" else "smtp")


@dataclass
class _Handler:
    folder: Path
    count: int = 0

    def behaviour(self) -> Behaviour:
        path = self.folder / "behaviour.json"
        return cast(Behaviour, json.loads(path.read_text()) if path.exists() else {})

    def note(self, name: str, entry: dict[str, object]) -> None:
        with (self.folder / name).open("a") as file:
            file.write(json.dumps(entry) + "\n")

    async def handle_RCPT(  # noqa: N802 — aiosmtpd finds it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.behaviour().get("refuse", []):
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        behaviour = self.behaviour()
        answers = behaviour.get("answers", ["250 taken"])
        answer = answers[min(self.count, len(answers) - 1)]
        self.count += 1
        mail = Mail(
            time.time_ns(),
            [str(address) for address in envelope.rcpt_tos],
            envelope.content if isinstance(envelope.content, bytes) else b"",
            server.transport is not None and server.transport.get_extra_info("ssl_object") is not None,
            session.auth_data.login.decode() if session.auth_data else None,
            answer,
            getattr(server, "number", 0),
        )
        self.note("mails.jsonl", {**mail.__dict__, "content": mail.content.hex()})
        if behaviour.get("hang_up"):
            assert server.transport is not None
            server.transport.close()
        if behaviour.get("hang"):
            await asyncio.sleep(3600)
        await asyncio.sleep(behaviour.get("slow_seconds", 0))
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(3600 if self.behaviour().get("slow_goodbye") else 0)
        return "221 bye"


class _Server(SMTP):
    connections = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not hasattr(self, "number"):
            _Server.connections += 1
            self.number = _Server.connections
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        handler = cast(_Handler, self.event_handler)
        handler.note("raw.jsonl", {"connection": self.number, "at": time.time_ns(), "data": data.hex()})
        super().data_received(data)

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        seconds = cast(_Handler, self.event_handler).behaviour().get("drop_seconds")
        if str(status).startswith("354") and seconds is not None and self.transport is not None:
            asyncio.get_running_loop().call_later(seconds, self.transport.close)


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    right = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False, auth_data=data)


async def _serve(folder: Path, options: dict[str, Any]) -> None:
    loop, handler, context = asyncio.get_running_loop(), _Handler(folder), None
    if options["certificate"]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options["certificate"])
    for name in ("raw.jsonl", "mails.jsonl"):
        (folder / name).touch()
    starttls = options["encryption"] == "starttls"

    def server() -> SMTP:
        return _Server(
            handler,
            hostname="localhost",
            loop=loop,
            data_size_limit=options["size"],
            enable_SMTPUTF8=True,
            tls_context=context if starttls else None,
            require_starttls=starttls,
            auth_required=options["is_guarded"],
            auth_require_tls=starttls,
            authenticator=_authenticate if options["is_guarded"] else None,
        )

    implicit = context if options["encryption"] == "implicit" else None
    listening = await loop.create_server(server, "127.0.0.1", 0, ssl=implicit)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), json.loads(sys.argv[2])))
