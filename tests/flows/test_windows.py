"""When each way out is armed: what is local at once, a connection as late as can be, who is slow earlier."""

from pathlib import Path

import pytest

from flows.channels import ChannelName
from flows.home import Home
from flows.releasing.windows import AT_ONCE, in_turn, lead
from flows.settings import Settings
from tests.flows.sealed import settings_for

ALL: tuple[ChannelName, ...] = ("email", "webhook", "published", "folder", "sftp", "announcement")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(Home(tmp_path))


def test_what_is_local_comes_first_and_connections_as_late_as_configured(settings: Settings, tmp_path: Path) -> None:
    assert in_turn(ALL, settings, took={}) == [
        (AT_ONCE, ("published", "folder", "announcement")),
        (25.0, ("email", "sftp")),
        (10.0, ("webhook",)),
    ]
    other = settings_for(Home(tmp_path), release={"windows": {"webhook": 40, "sftp": 5}})
    assert in_turn(("webhook", "sftp"), other, took={}) == [(40.0, ("webhook",)), (5.0, ("sftp",))]


def test_who_was_slow_of_late_is_begun_with_earlier(settings: Settings) -> None:
    assert in_turn(("webhook", "email"), settings, took={"webhook": 12.0, "email": 1.0}) == [
        (25.0, ("email",)),
        (18.0, ("webhook",)),
    ]


def test_arming_begins_thirty_seconds_before_or_as_early_as_the_longest_window_and_what_is_local_need(
    settings: Settings, tmp_path: Path
) -> None:
    assert lead(ALL, settings, took={}, least=30) == 30
    assert lead(ALL, settings, took={"published": 8.0}, least=30) == 25 + 12
    assert lead(("webhook",), settings, took={}, least=1) == 10
    assert lead(("published",), settings, took={}, least=1) == 1
    longer = settings_for(Home(tmp_path), release={"windows": {"object_store": 60}})
    assert lead(("object_store", "folder"), longer, took={}, least=30) == 60
