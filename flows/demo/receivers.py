"""What the demo delivers to: webhook receivers and a mail server, each in a process of its own that keeps what it got.

`python -m flows.demo.receivers webhooks|mail FOLDER` reads its options as one line of JSON, prints where it listens,
and ends when its input ends: with the process that started it, however that ended.
"""

import asyncio
import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

LOG = "received.jsonl"
Kind = Literal["webhooks", "mail"]


@dataclass(frozen=True)
class Received:
    """One thing that came: a webhook's event or a message, when it was whole, and in which file it lies."""

    receiver: str  # the webhook's address, or all addresses of the message's envelope
    event: str  # ready, release, held, withdrawn, or message
    at: int  # nanoseconds since 1970, by the receiver's clock
    sha256: str  # of what came
    file: str


@dataclass(frozen=True)
class Receivers:
    """Receivers that run: where they listen and what they got."""

    folder: Path
    webhooks: tuple[str, ...]
    mail_port: int

    def received(self) -> list[Received]:
        """Everything so far, in the order in which it came."""
        logs = [self.folder / kind / LOG for kind in ("webhooks", "mail")]
        lines = [line for log in logs if log.exists() for line in log.read_text(encoding="utf-8").splitlines()]
        return sorted((Received(**json.loads(line)) for line in lines), key=lambda one: one.at)


@contextmanager
def receivers(folder: Path, *, webhooks: int, secret: str) -> Iterator[Receivers]:
    """Start as many webhook receivers as asked, and a mail server without encryption, all on this host alone."""
    with (
        _child("webhooks", folder, {"count": webhooks, "secret": secret}) as hooks,
        _child("mail", folder, {}) as mail,
    ):
        urls = tuple(f"http://127.0.0.1:{hooks['port']}/{number}" for number in range(1, webhooks + 1))
        yield Receivers(folder, urls, mail["port"])


@contextmanager
def _child(kind: Kind, folder: Path, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "flows.demo.receivers", kind, str(folder / kind)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdin and child.stdout
        child.stdin.write(json.dumps(options) + "\n")  # not an argument: arguments can be read by everyone on the host
        child.stdin.flush()
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.stdin.close()
            child.wait(10)


class Keeper:
    """Keeps what comes: a file for each, and a line of log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        log = folder / LOG
        self._count = len(log.read_bytes().splitlines()) if log.exists() else 0

    def keep(self, content: bytes, *, receiver: str, event: str, ending: str) -> None:
        """Write content and log line."""
        at, digest = time.time_ns(), hashlib.sha256(content).hexdigest()
        with self._lock:
            self._count += 1
            path = self._folder / f"{self._count:04}-{event}.{ending}"
            path.write_bytes(content)
            line = json.dumps(asdict(Received(receiver, event, at, digest, str(path))), ensure_ascii=False)
            with (self._folder / LOG).open("a", encoding="utf-8") as log:
                log.write(line + "\n")


def _serve_webhooks(folder: Path, options: dict[str, Any]) -> None:
    keeper, secret, count = Keeper(folder), str(options["secret"]).encode(), int(options["count"])

    class Hook(BaseHTTPRequestHandler):
        """Believes only what is signed, as a receiver should."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = self.headers.get("Zwerm-Timestamp", "").encode() + b"." + body
            right = "v1=" + hmac.new(secret, signed, hashlib.sha256).hexdigest()
            if self.path not in {f"/{number}" for number in range(1, count + 1)}:
                status = 404
            elif not hmac.compare_digest(self.headers.get("Zwerm-Signature", ""), right):
                status = 401
            else:
                status, event = 204, self.headers.get("Zwerm-Event", "")
                keeper.keep(body, receiver=self.path, event=event if event.isalpha() else "unknown", ending="json")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the log is the keeper's."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _stand(server.server_address[1])
        server.shutdown()


async def _serve_mail(folder: Path) -> None:
    from aiosmtpd.smtp import SMTP, Envelope, Session

    keeper, loop = Keeper(folder), asyncio.get_running_loop()

    class Inbox:
        """Takes every message."""

        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            content = envelope.original_content or b""
            keeper.keep(content, receiver=", ".join(envelope.rcpt_tos), event="message", ending="eml")
            return "250 kept"

    server = await loop.create_server(lambda: SMTP(Inbox(), hostname="localhost", loop=loop), "127.0.0.1", 0)
    await loop.run_in_executor(None, _stand, server.sockets[0].getsockname()[1])


def _stand(port: int) -> None:
    """Say where it listens, and stand until the input ends."""
    print(json.dumps({"port": port}), flush=True)  # noqa: T201 — the parent reads it
    sys.stdin.read()


def main() -> None:
    """Serve one kind of receiver."""
    kind, folder, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.stdin.readline())
    if kind == "mail":
        asyncio.run(_serve_mail(folder))
    else:
        _serve_webhooks(folder, options)


if __name__ == "__main__":
    main()
