"""Who logs in where by SFTP, by what the host is known, and what is said where that does not work."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncssh
from pydantic import SecretStr

from flows.channels.connections import explain
from flows.errors import FlowError
from flows.recipients import Sftp
from warehouse import WarehouseError


@dataclass(frozen=True)
class Login:
    """Who logs in where, and by what he knows the host; deliveries with the same share one connection."""

    host: str
    port: int
    user: str
    private_key: Path | None
    password: SecretStr | None
    known_hosts: Path

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def login_of(target: Sftp, *, beside: Path) -> Login:
    """The log-in of a target; its files are named from the folder of `zwerm.toml`."""
    address = urlsplit(target.url)
    return Login(
        host=address.hostname or "",
        port=address.port or 22,
        user=unquote(address.username or ""),
        private_key=beside / Path(target.private_key).expanduser() if target.private_key else None,
        password=target.password,
        known_hosts=beside / Path(target.known_hosts).expanduser(),
    )


def folder_of(target: Sftp) -> str:
    """The folder on the host; `/~/` begins at the home of the account, as other programs write it."""
    path = unquote(urlsplit(target.url).path).rstrip("/")
    return (path[3:] or ".") if f"{path}/".startswith("/~/") else path or "/"


def must_be_there(login: Login) -> None:
    """Refuse where a file is missing by which we or the host are known."""
    if login.private_key is not None and not login.private_key.is_file():
        raise FlowError(f"cannot be logged in to: there is no private key {login.private_key}")
    if not login.known_hosts.is_file():
        raise FlowError(
            f"is a host nobody can vouch for: {login.known_hosts} does not exist; {_ask_for_its_key(login)}"
        )


def _ask_for_its_key(login: Login) -> str:
    port = f"-p {login.port} " if login.port != 22 else ""
    return (
        f"ask who runs it for its key's fingerprint, compare it with that of ssh-keyscan {port}{login.host}, and add "
        "that line to known_hosts"
    )


def why(error: BaseException, login: Login) -> str:
    """Say what went wrong, with what to do; quotes neither the host's words nor its folders."""
    return f"{login} {_told(error, login)}"


def _told(error: BaseException, login: Login) -> str:
    match error:
        case FlowError() | WarehouseError():
            return str(error)
        case asyncssh.HostKeyNotVerifiable():
            return _host_key(login)
        case asyncssh.PermissionDenied():
            return f"refuses the log-in as {login.user}"
        case asyncssh.SFTPOpUnsupported():
            return "cannot posix-rename@openssh.com, by which files appear whole and at once; OpenSSH's server can"
        case asyncssh.SFTPPermissionDenied() | asyncssh.SFTPWriteProtect():
            return f"does not let {login.user} write in that folder"
        case asyncssh.SFTPNoSpaceOnFilesystem() | asyncssh.SFTPQuotaExceeded():
            return "has no space left"
        case asyncssh.ConnectionLost() | asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection():
            return "closed the connection"
        case asyncssh.SFTPError():
            return f"could not do what was asked ({type(error).__name__})"
        case asyncssh.ChannelOpenError():
            return "offers no SFTP"
        case asyncssh.Error():
            return f"does not speak SSH as it should ({type(error).__name__})"
        case ValueError():
            return (
                f"cannot be logged in to: {login.private_key} is no private key, or the password does not open it (one "
                "with a password is read in the form that ssh-keygen -p -m PKCS8 gives it)"
            )
        case _:
            return explain(error)


def _host_key(login: Login) -> str:
    known = asyncssh.match_known_hosts(str(login.known_hosts), login.host, "", login.port)
    if any(known[:2]):
        return (
            f"shows another host key than {login.known_hosts} has: ask who runs it whether it was changed, and only "
            "then replace it there"
        )
    return f"has a host key that is not in {login.known_hosts}: {_ask_for_its_key(login)}"
