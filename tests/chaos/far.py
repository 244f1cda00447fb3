"""What lies on other hosts: an SFTP server and an object store, which log what comes to them and fail when told to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.fate import FarFault
from tests.chaos.watcher import Sighting
from tests.flows.s3_server import BUCKET, Fault, ObjectServer, object_server
from tests.flows.sftp_server import PASSWORD, Behaviour, SftpServer, sftp_server

TIMES = 2  # so often an object store does wrong
SFTP_FAULTS: dict[FarFault, Behaviour] = {
    "slow": {"slow_seconds": 0.02},
    "hangs at T": {"hang": ["posix_rename"], "only": ".key"},
    "drops the connection at T": {"drop_after": ["posix_rename"], "only": ".key"},
    "refuses at T": {"fail": ["posix_rename"], "only": ".key"},
    "does it and never answers": {"hang": ["posix_rename"], "only": ".key"},
}
STORE_FAULTS: dict[FarFault, Fault] = {
    "slow": {"do": "slow", "seconds": 0.05},
    "hangs at T": {"do": "hang"},
    "drops the connection at T": {"do": "close"},
    "refuses at T": {"do": "answer", "status": 503},
    "does it and never answers": {"do": "swallow"},
}


@dataclass
class Far:
    """The two servers, and how far the log of the store was read."""

    folder: Path
    sftp: SftpServer
    store: ObjectServer
    read: int = 0

    def ways(self, place: str) -> list[dict[str, Any]]:
        """A folder there and one here, as the configuration says them."""
        known_hosts = self.sftp.known_hosts(self.folder / "known_hosts")
        keys = {"access_key_id": "test", "secret_access_key": "test"}
        return [
            {"sftp": {"url": self.sftp.url(place), "password": PASSWORD, "known_hosts": str(known_hosts)}},
            {"object_store": {"url": f"s3://{BUCKET}/{place}", "endpoint": self.store.endpoint, **keys}},
        ]

    def befall(self, fault: FarFault | None, *, number: int) -> None:
        """Let both do wrong, or mend them."""
        self.sftp.behave(SFTP_FAULTS[fault] if fault else {})
        wrong: Fault = {"on": r"^PUT \S+\.key", "times": TIMES, **STORE_FAULTS[fault]} if fault else {}
        self.store.behave({"requests": [wrong] if fault else []})

    def in_store(self, place: str) -> dict[str, bytes]:
        """The objects of one place, by their names below it."""
        found = self.store.objects()
        return {name.removeprefix(f"{place}/"): found[name] for name in found if name.startswith(f"{place}/")}

    def seen_in_store(self, home: Path, place: str) -> list[Sighting]:
        """What was put into the store since it was read last, that a reader could have understood."""
        requests, offset = self.store.log()[self.read :], time.time_ns() - time.monotonic_ns()
        self.read += len(requests)
        return [
            Sighting(each.at - offset, each.at, str(home), "bucket", {each.line.partition(f"{place}/")[2]: ""})
            for each in requests
            if each.line.startswith("PUT") and ".sealed" not in each.line
        ]


@contextmanager
def far(folder: Path) -> Iterator[Far]:
    """Start both."""
    with sftp_server(folder / "sftp") as sftp, object_server(folder / "store") as store:
        yield Far(folder, sftp, store)
