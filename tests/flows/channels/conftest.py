"""Webhook receivers and a sealed release for every test of that channel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.flows.channels.hooks import Manner, sealed
from tests.flows.receivers import Receivers, webhook_receivers


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "localhost.pem")
    return tmp_path / "localhost.pem"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return sealed(tmp_path / "releases" / "0f1e2d3c4b5a6978")


@pytest.fixture
def http(tmp_path: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "http", 3) as receivers:
        yield receivers


@pytest.fixture
def https(tmp_path: Path, certificate: Path) -> Iterator[Receivers]:
    with webhook_receivers(tmp_path / "https", 3, certificate=certificate) as receivers:
        yield receivers


@pytest.fixture(params=[False, True], ids=["plain", "sealed"])
def manner(request: pytest.FixtureRequest) -> Manner:
    """Each promise holds for both ways in which a webhook receives."""
    return Manner(is_sealed=request.param)
