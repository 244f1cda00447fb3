"""A line to a mail server: logged in, recipients accepted, DATA answered, and nothing of the message sent."""

import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from flows.channels.connections import TIME_UP, Address, Sending, address_of, explain, seconds_until
from flows.channels.email_message import mailbox
from flows.model import Language
from flows.recipients import MailServer

GOODBYE_SECONDS = 2.0
ACCEPTED = (250, 251)
SEND_IT = 354


class NotTakenError(Exception):
    """What a server did not take, as the rest of a sentence; never its own words, which may quote an address."""


FAULTS = (OSError, ValueError, NotTakenError)


@dataclass(frozen=True)
class Batch:
    """One message to some of a moment's recipients of one language, over one connection."""

    server_name: str
    release_ids: tuple[str, ...]  # that it tells of
    language: Language
    recipients: Mapping[str, tuple[str, ...]]  # the first of a recipient's delivery ids: his addresses


@dataclass(frozen=True)
class Line:
    """One connection on which DATA was answered with 354, and what its server refused."""

    batch: Batch
    names: tuple[str, ...]  # of those recipients whose every address was accepted
    refused: Mapping[str, str]  # recipient: reason
    client: smtplib.SMTP
    connection: socket.socket
    sending: Sending

    def close(self) -> None:
        """End the connection without a word, which leaves a message that was not begun unsent."""
        self.client.close()


def rehearse(
    batch: Batch, server: MailServer, *, context: ssl.SSLContext, size: int, deadline: float
) -> dict[str, str]:
    """Log in and offer every recipient, then take all back; the reasons of those who were refused."""
    client = log_in(server, context=context, deadline=deadline)
    try:
        refused = _offer(client, batch, server, size=size, deadline=deadline)
        _command(client, "rset", deadline)
        return refused
    finally:
        leave(client)


def hold(
    batch: Batch, server: MailServer, *, context: ssl.SSLContext, message: bytes, deadline: float
) -> Line | dict[str, str]:
    """Go as far as the answer to DATA, the next byte on the line being the message's first; or everybody is refused."""
    client = log_in(server, context=context, deadline=deadline)
    try:
        refused = _offer(client, batch, server, size=len(message), deadline=deadline)
        accepted = {name: to for name, to in batch.recipients.items() if name not in refused}
        if not accepted:
            leave(client)
            return refused
        if refused:  # a recipient has the message at all his addresses or at none
            _command(client, "rset", deadline)
            if _offer(client, replace(batch, recipients=accepted), server, size=len(message), deadline=deadline):
                raise NotTakenError("accepts recipients and refuses them again")
        if (code := _command(client, "data", deadline)) != SEND_IT:
            raise NotTakenError(f"answered {code} to DATA")
        return Line(batch, tuple(accepted), refused, client, _socket(client), Sending(_socket(client), message))
    except BaseException:
        client.close()
        raise


def answer(line: Line, *, deadline: float) -> int:
    """Send the rest and read what the server says to the message; OSError where it says nothing by the deadline."""
    line.connection.settimeout(seconds_until(deadline))
    line.sending.finish()
    if line.sending.error:
        raise line.sending.error
    line.connection.settimeout(seconds_until(deadline))
    code, _ = line.client.getreply()
    return code


def log_in(server: MailServer, *, context: ssl.SSLContext, deadline: float) -> smtplib.SMTP:
    """Connect, encrypt unless the operator said otherwise, log in where there is a user."""
    address = address_of(server.smtp)
    client = _connect(address, context=context, seconds=seconds_until(deadline))
    try:
        client.local_hostname = _own_name(_socket(client))
        client.ehlo_or_helo_if_needed()
        if not address.tls and server.tls == "required":
            _encrypt(client, context, deadline)
        if server.user is not None:
            _authenticate(client, server, deadline)
    except BaseException:
        client.close()
        raise
    return client


def leave(client: smtplib.SMTP) -> None:
    """Say goodbye where there is somebody to hear it, and close."""
    with suppress(OSError):
        if client.sock is not None:
            client.sock.settimeout(GOODBYE_SECONDS)
            client.quit()
    client.close()


def why(error: Exception) -> str:
    """Say what went wrong as the rest of a sentence that begins with host and port; quotes no address and no secret."""
    match error:
        case NotTakenError():
            return str(error)
        case smtplib.SMTPAuthenticationError():
            return f"refused the log-in ({error.smtp_code}); user and password of this server need a look"
        case smtplib.SMTPResponseException():
            return f"answered {error.smtp_code}"
        case smtplib.SMTPServerDisconnected() if isinstance(error.__context__, TimeoutError):
            return TIME_UP
        case smtplib.SMTPServerDisconnected():
            return "closed the connection"
        case smtplib.SMTPException():
            return "offers no log-in that is known here"
        case _:
            return explain(error)


def _connect(address: Address, *, context: ssl.SSLContext, seconds: float) -> smtplib.SMTP:
    if address.tls:
        return smtplib.SMTP_SSL(
            address.host, address.port, timeout=seconds, context=context, local_hostname="localhost"
        )
    return smtplib.SMTP(address.host, address.port, timeout=seconds, local_hostname="localhost")


def _own_name(connection: socket.socket) -> str:
    """Our name for EHLO, without asking a name server, which may take long: the host's, or an address literal."""
    name = socket.gethostname()
    own = connection.getsockname()[0]
    return name if "." in name else f"[IPv6:{own}]" if ":" in own else f"[{own}]"


def _encrypt(client: smtplib.SMTP, context: ssl.SSLContext, deadline: float) -> None:
    if not client.has_extn("starttls"):
        raise NotTakenError('does not offer STARTTLS; tls = "none" allows that, for a server on this host')
    _socket(client).settimeout(seconds_until(deadline))
    client.starttls(context=context)
    client.ehlo_or_helo_if_needed()


def _authenticate(client: smtplib.SMTP, server: MailServer, deadline: float) -> None:
    if not client.has_extn("auth"):
        raise NotTakenError("offers no log-in, but a user is configured for it")
    _socket(client).settimeout(seconds_until(deadline))
    client.login(server.user or "", server.password.get_secret_value() if server.password else "")


def _offer(client: smtplib.SMTP, batch: Batch, server: MailServer, *, size: int, deadline: float) -> dict[str, str]:
    """MAIL and every RCPT; a delivery one of whose addresses is refused is refused."""
    most = client.esmtp_features.get("size", "")
    if most.isdigit() and 0 < int(most) < size:
        raise NotTakenError(f"takes messages of {most} bytes at most, and this one has {size}")
    options = [f"SIZE={size}"] if "size" in client.esmtp_features else []
    if not all(address.isascii() for addresses in batch.recipients.values() for address in addresses):
        if not client.has_extn("smtputf8"):
            raise NotTakenError("takes no addresses with letters beyond ASCII (SMTPUTF8)")
        options.append("SMTPUTF8")
        client.command_encoding = "utf-8"
    code = _command(client, f"mail FROM:<{mailbox(server.sender)}> {' '.join(options)}".rstrip(), deadline)
    if code not in ACCEPTED:
        raise NotTakenError(f"refused the sender ({code})")
    return {
        name: f"refused an address of this recipient ({code})"
        for name, addresses in batch.recipients.items()
        if (code := _first_refusal(client, addresses, deadline))
    }


def _first_refusal(client: smtplib.SMTP, addresses: tuple[str, ...], deadline: float) -> int:
    codes = [_command(client, f"rcpt TO:<{address}>", deadline) for address in addresses]
    return next((code for code in codes if code not in ACCEPTED), 0)


def _command(client: smtplib.SMTP, words: str, deadline: float) -> int:
    _socket(client).settimeout(seconds_until(deadline))
    code, _ = client.docmd(words)
    return code


def _socket(client: smtplib.SMTP) -> socket.socket:
    if client.sock is None:
        raise ConnectionResetError
    return client.sock
