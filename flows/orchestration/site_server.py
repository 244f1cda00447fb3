"""Serves `published/site`, read-only: what everyone may read, and nothing beside it."""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.errors import ConfigurationError
from flows.releasing.access_record import AccessRecord

ENDS_WITHIN_SECONDS = 3
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # a page is looked up again each time: the next release may have come
}
NOT_YET = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>No release yet</title></head>
<body><h1>No release yet</h1>
<p>Nothing has been released so far. The first release appears here, for everyone at the same moment.</p>
<p lang="nl">Er is nog niets vrijgegeven. De eerste uitgave verschijnt hier, voor iedereen op hetzelfde moment.</p>
</body></html>
"""


class Site(StaticFiles):
    """The site as the link shows it at each request; a path is followed to its end, and that must lie in the site."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)
        self._folder = folder

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A page, or before the first release a friendly word."""
        if not self._folder.is_dir():
            is_front = path in ("", ".")
            return HTMLResponse(NOT_YET, status_code=200 if is_front else 404)
        return await super().get_response(path, scope)

    async def check_config(self) -> None:
        """Nothing to check once: the folder comes with the first release, and changes with each."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """The file of a path; one that cannot be a path is no file."""
        try:
            return super().lookup_path(path)
        except ValueError:  # a NUL byte, say
            return "", None


class _WithHeaders:
    """Adds what browsers are told about everything that is served."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive, with_headers)


class _Recorded:
    """Keeps what was asked for and what was answered, once the answer is over."""

    def __init__(self, app: ASGIApp, record: AccessRecord) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, size, at = 500, 0, None  # what the server answers where nothing below it does

        async def noting(message: Message) -> None:
            nonlocal status, size, at
            if message["type"] == "http.response.start":
                # what was found is as it was before this: a page that the moment brings can never count as early
                status, at = message["status"], datetime.now(UTC)
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if scope["type"] == "http":
                self._record.add(path=scope["path"], status=status, size=size, at=at or datetime.now(UTC))


@contextmanager
def site(folder: Path, *, host: str, port: int, record: AccessRecord | None = None) -> Iterator[str]:
    """Serve the site for as long as the block lasts, in a thread of its own; its address."""
    listener = _listener(host, port)
    app: ASGIApp = _WithHeaders(Starlette(routes=[Mount("/", Site(folder))]), HEADERS)
    app = _Recorded(app, record) if record else app
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=ENDS_WITHIN_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="zwerm-site", daemon=True)
    thread.start()
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"http://{shown}:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(timeout=ENDS_WITHIN_SECONDS + 2)
        listener.close()


def _listener(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(found[0][4][:2], family=found[0][0])
    except OSError as error:
        raise ConfigurationError(
            f"the site cannot be served at {host}, port {port}: {error.strerror}; choose another with --host or --port"
        ) from None
