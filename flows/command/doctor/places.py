"""Whether the home's folders are for the pipeline alone, what is published for everyone, and whether there is room."""

import glob
import ipaddress
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

from flows.channels.connections import address_of
from flows.command.doctor.findings import Finding, ok, problem, remark
from flows.home import PRIVATE_FILE, PRIVATE_FOLDER, Home
from flows.settings import Settings

ABOUT = "home"
LEAST_FREE = 200 * 2**20
USUAL_FREE = 2**30
FREE_PER_SOURCE_BYTE = 3  # the landed copy, its rows, and what sorting spills
NETWORK = ("nfs", "cifs", "smb", "sshfs", "9p", "davfs", "glusterfs", "ceph")


def places(settings: Settings, home: Home) -> Iterator[Finding]:
    """Folders, their modes and owner, the way to what is published, the file system and its free space."""
    if not home.working.exists():
        yield from _to_be_made(home)
    else:
        yield from _modes(home)
    yield from _way(home)
    yield from _file_system(home)
    yield from _room(settings, home)


def nearest(path: Path) -> Path:
    """The folder that exists of a path whose end may not be made yet."""
    return next(parent for parent in (path, *path.parents) if parent.exists())


def is_on_network(path: Path) -> str | None:
    """The kind of network file system on which a path lies, None where it is this host's own."""
    mounts = [(Path(mount.mountpoint), mount.fstype) for mount in psutil.disk_partitions(all=True)]
    above = [(point, kind) for point, kind in mounts if nearest(path).is_relative_to(point)]
    kind = max(above, key=lambda mount: len(mount[0].parts), default=(Path("/"), ""))[1]
    return kind if any(word in kind for word in NETWORK) else None


def _to_be_made(home: Home) -> Iterator[Finding]:
    folder = nearest(home.path)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield problem(
            ABOUT, f"{home.path} cannot be made: {folder} is not writable for this account", "choose another home = …"
        )
    else:
        yield ok(ABOUT, f"{home.path}: its folders are made by the first run")


def _modes(home: Home) -> Iterator[Finding]:
    private = [home.landing, home.working, home.releases, home.logs, home.scratch, home.check_reports, home.prefect]
    secret = [home.warehouse, home.ledger, home.working / "secret", *home.logs.glob("*.log")]
    wrong = [
        *(_wrong(path, PRIVATE_FOLDER) for path in private if path.is_dir()),
        *(_wrong(path, PRIVATE_FILE) for path in secret if path.is_file()),
    ]
    found = [finding for finding in wrong if finding is not None]
    yield from found
    if not found:
        yield ok(ABOUT, f"{home.path}: nobody else can read what is not released (folders 0700, files 0600)")


def _wrong(path: Path, mode: int) -> Finding | None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        return problem(
            ABOUT,
            f"{path} belongs to another account (uid {status.st_uid})",
            f"run Zwerm as that account, or: chown -R {os.geteuid()} {path}",
        )
    if stat.S_IMODE(status.st_mode) & ~mode & 0o077:
        return problem(
            ABOUT,
            f"{path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o})",
            f"chmod {mode:o} {path}; find out what loosened it, and who may have looked",
        )
    return None


def _way(home: Home) -> Iterator[Finding]:
    """Everyone needs to pass each folder above what is published."""
    shut = [path for path in home.published.parents if path.exists() and not path.stat().st_mode & stat.S_IXOTH]
    if shut:
        names = " ".join(map(str, reversed(shut)))
        yield remark(
            ABOUT,
            f"other accounts of this host do not come as far as {home.published}: {names} is shut to them",
            f"to let them read it: chmod o+x {names}; not needed where people read by way of a web server",
        )
    elif home.published.is_dir():
        mode = home.published.stat().st_mode
        if mode & 0o005 != 0o005:
            yield problem(ABOUT, f"{home.published} is not for everyone", f"chmod 755 {home.published}")
        else:
            yield ok(ABOUT, f"{home.published}: everyone on this host can read what is released")


def _file_system(home: Home) -> Iterator[Finding]:
    kind = is_on_network(home.path)
    if kind:
        yield remark(
            ABOUT,
            f"{home.path} lies on a network file system ({kind}): its locks and renames are not to be relied on",
            "put home on a disk of this host, and let others read what is published from there",
        )


def _room(settings: Settings, home: Home) -> Iterator[Finding]:
    folder = nearest(home.path)
    free = shutil.disk_usage(folder).free
    wanted = max(USUAL_FREE, FREE_PER_SOURCE_BYTE * _source_bytes(settings))
    do = f"make room on the file system of {folder}"
    if free < LEAST_FREE:
        yield problem(ABOUT, f"only {_size(free)} is free; a run would stop half-way", do)
    elif free < wanted:
        yield remark(ABOUT, f"{_size(free)} is free; for these sources {_size(wanted)} would be safe", do)
    else:
        yield ok(ABOUT, f"{_size(free)} free")


def _source_bytes(settings: Settings) -> int:
    patterns = {
        str(settings.file.parent / source.path) for survey in settings.surveys.values() for source in survey.sources
    }
    files = {match for pattern in patterns for match in glob.glob(pattern, recursive=True)}  # noqa: PTH207
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file())


def _size(count: int) -> str:
    return f"{count / 2**30:,.1f} GB" if count >= 2**30 else f"{count / 2**20:,.0f} MB"


def is_local(url: str) -> bool:
    """Whether what is sent to an address stays on this host."""
    try:
        host = address_of(url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
