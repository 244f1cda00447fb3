"""The site over HTTP: what the link shows at each request, and nothing beside it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flows.errors import ConfigurationError
from flows.orchestration.site_server import site


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
