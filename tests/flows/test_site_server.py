"""The site over HTTP: what the link shows at each request, and nothing beside it."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flows.errors import ConfigurationError
from flows.orchestration.site_server import site
from flows.releasing.access_record import Access, AccessRecord, accesses


class Publication:
    """A published folder as it is laid out, whose content is swapped by one rename."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "published" / ".r").mkdir(parents=True)
        (folder / "published" / "site").symlink_to("current/site")
        (folder / "published" / "warehouse.duckdb").write_text("figures")
        (folder / "secret").write_text("secret")

    @property
    def site(self) -> Path:
        return self.folder / "published" / "site"

    def show(self, name: str, **pages: str) -> None:
        for page, text in {"index": name, **pages}.items():
            path = self.folder / "published" / ".r" / name / "site" / f"{page}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        link = self.folder / "published" / "new"
        link.symlink_to(f".r/{name}")
        link.rename(self.folder / "published" / "current")


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(tmp_path)


@pytest.fixture
def address(publication: Publication) -> Iterator[str]:
    with site(publication.site, host="127.0.0.1", port=0) as found:
        yield found


def raw(address: str, target: str, method: str = "GET") -> bytes:
    """What is answered to a target as it stands, which decent clients would tidy first."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while block := connection.recv(65536):
            answer += block
    return answer


def test_before_the_first_release_the_front_page_says_so_and_no_other_is_there(address: str) -> None:
    assert "No release yet" in httpx.get(address).text
    assert httpx.get(f"{address}passengers/index.html").status_code == 404


def test_a_new_publication_appears_at_the_next_request_and_the_old_one_is_gone(
    publication: Publication, address: str
) -> None:
    publication.show("first", page="only in the first")
    assert httpx.get(address).text == "first"
    assert httpx.get(f"{address}page.html").status_code == 200
    publication.show("second")
    assert httpx.get(address).text == "second"
    assert httpx.get(f"{address}page.html").status_code == 404


@pytest.mark.parametrize(
    "target",
    [
        "/../warehouse.duckdb",
        "/../../secret",
        "/%2e%2e/warehouse.duckdb",
        "/%2e%2e%2f%2e%2e%2fsecret",
        "/..%2fwarehouse.duckdb",
        "/page/../../../secret",
        "//secret",
        "/\\..\\..\\secret",
        "/%00",
        "/index.html%00.css",
        "/" + "a" * 5000,
        "/linked.html",
    ],
)
def test_nothing_outside_the_site_can_be_reached(publication: Publication, address: str, target: str) -> None:
    publication.show("first")
    (publication.site / "linked.html").symlink_to(publication.folder / "secret")
    answer = raw(address, target)
    assert answer.split(b" ")[1] == b"404", answer
    assert b"figures" not in answer
    assert not answer.endswith(b"secret")


def test_folders_are_not_listed_and_nothing_can_be_written(publication: Publication, address: str) -> None:
    publication.show("first")
    (publication.site / "passengers").mkdir()
    (publication.site / "passengers" / "page.html").write_text("page")
    assert httpx.get(f"{address}passengers/").status_code == 404
    assert raw(address, "/index.html", method="PUT").split(b" ")[1] == b"405"


def test_browsers_are_told_to_run_nothing_and_to_ask_again_each_time(publication: Publication, address: str) -> None:
    publication.show("first")
    for headers in (httpx.get(address).headers, httpx.get(f"{address}none").headers):
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; img-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-cache"
        assert "server" not in headers


def test_a_taken_port_is_an_error_that_says_what_to_do(publication: Publication, address: str) -> None:
    port = urlsplit(address).port or 0
    with (
        pytest.raises(ConfigurationError, match=f"port {port}.*choose another with --host or --port"),
        site(publication.site, host="127.0.0.1", port=port),
    ):
        pass


@pytest.fixture
def record(tmp_path: Path) -> AccessRecord:
    return AccessRecord(tmp_path / "access.jsonl")


def recorded(record: AccessRecord, *targets: str, publication: Publication) -> list[Access]:
    with site(publication.site, host="127.0.0.1", port=0, record=record) as address:
        for target in targets:
            raw(address, target)
    return list(accesses(record.path))


def test_what_was_asked_for_and_answered_is_recorded_and_nothing_of_who_asked(
    publication: Publication, record: AccessRecord
) -> None:
    publication.show("first")
    found = recorded(record, "/index.html?who=jan", "/none.html", publication=publication)
    assert [(access.path, access.status) for access in found] == [("/index.html", 200), ("/none.html", 404)]
    assert found[0].bytes == len("first")
    text = record.path.read_text()
    assert "127.0.0.1" not in text and "jan" not in text
    assert record.path.stat().st_mode & 0o777 == 0o600
    assert all(datetime.fromisoformat(access.at).utcoffset() == timedelta() for access in found)


@pytest.mark.parametrize(
    "target",
    [
        "/index%0a%7b%22status%22:200%7d.html",
        "/%00%1b%5b2J%e2%80%a8",
        "/" + "a" * 20000,
        "/%ff%fe",
        "/" + "%e2%80%a8" * 3000,
        "/../../etc/passwd",
    ],
    ids=["line end", "control characters", "long", "no UTF-8", "long once escaped", "outside"],
)
def test_whatever_is_asked_for_is_one_short_line_of_plain_characters(
    publication: Publication, record: AccessRecord, target: str
) -> None:
    publication.show("first")
    (access,) = recorded(record, target, publication=publication)
    assert access.status == 404
    (line,) = record.path.read_bytes().splitlines()
    assert len(line) < 4000
    assert all(32 <= byte < 127 for byte in line)


@pytest.mark.parametrize(
    "target",
    ["/page.html", "//page.html", "/./page.html", "/x/../page.html", "/%70age.html", "/%2e/" * 400 + "page.html"],
    ids=["plain", "two slashes", "dot", "dots", "encoded", "long"],
)
def test_a_detour_does_not_hide_what_was_read(publication: Publication, record: AccessRecord, target: str) -> None:
    publication.show("first", page="page")
    (access,) = recorded(record, target, publication=publication)
    assert (access.path, access.status) == ("/page.html", 200)


def test_the_record_is_bounded_and_the_newest_of_it_is_kept(record: AccessRecord) -> None:
    small = AccessRecord(record.path, bytes_at_most=2000)
    for number in range(200):
        small.add(path=f"/{number}", status=404, size=9, at=datetime.now(UTC))
    kept = [access.path for access in accesses(record.path)]
    assert kept == [f"/{number}" for number in range(200 - len(kept), 200)]
    assert len(kept) > 15
    files = list(record.path.parent.glob("access.jsonl*"))
    assert len(files) == 2
    assert sum(file.stat().st_size for file in files) < 2 * 2200


def test_a_line_that_is_not_ours_is_passed_over(record: AccessRecord) -> None:
    record.path.write_bytes(
        b'\xff\xfe\n[]\n{"at": 3}\n{"at": "x", "path": "/p", "status": "y", "bytes": 1}\n' + b"{" * 20000 + b"\n"
    )
    record.add(path="/page.html", status=200, size=1, at=datetime.now(UTC))
    assert [access.path for access in accesses(record.path)] == ["/page.html"]


def test_the_site_is_served_where_the_record_cannot_be_written(publication: Publication, tmp_path: Path) -> None:
    publication.show("first")
    lost = AccessRecord(tmp_path / "none" / "access.jsonl")
    with site(publication.site, host="127.0.0.1", port=0, record=lost) as address:
        assert httpx.get(address).text == "first"
