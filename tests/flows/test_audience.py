from datetime import UTC, datetime
from math import inf
from pathlib import Path

import pytest

from flows.channels.by_name import channel_for
from flows.home import Home
from flows.recipients import Webhook
from flows.releasing.audience import (
    deliveries,
    recorded,
    restored,
    strangers,
    uncovered,
)
from flows.settings import Settings
from tests.flows.sealed import settings_for

RELAY = {"relay": {"smtp": "smtp://relay.example:587", "from": "zwerm@example.org"}}
TREE = [(), ("Ships",), ("Ships", "Texel"), ("Ships", "Vlieland"), ("Shore",), ("Shore", "Desk")]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path).prepare()


def settings(home: Home, *audience: dict[str, object], **said: object) -> Settings:
    return settings_for(home, audience=[{"folder": "x", **entry} for entry in audience], **said)


def test_without_any_audience_a_release_goes_to_the_published_folder_alone(home: Home) -> None:
    one = settings(home)
    assert [(d.recipient, d.channel) for d in deliveries(one, "r")] == [("everyone", "published")]
    assert uncovered(one, TREE) == []


def test_a_recipient_is_known_by_department_and_serial_number_never_by_address(home: Home) -> None:
    servers = {"relay": {"smtp": "smtp://relay.example:587", "from": "zwerm@example.org"}}
    one = settings(
        home,
        {"department": ["Ships", "Texel"]},
        {"department": ["Ships", "Texel"], "email": {"to": ["texel@example.org"], "server": "relay"}},
        {"department": [], "webhook": {"url": "https://hooks.example/secret-path"}, "language": "nl"},
        servers=servers,
        organisation={"name": "Waddenlijn", "languages": ["en", "nl"]},
    )
    drawn = deliveries(one, "r")
    assert [(d.recipient, d.channel, d.language) for d in drawn] == [
        ("everyone", "published", "en"),
        ("Ships > Texel #1", "folder", "en"),
        ("Ships > Texel #2", "email", "en"),
        ("Ships > Texel #2", "folder", "en"),
        ("Waddenlijn #1", "webhook", "nl"),
        ("Waddenlijn #1", "folder", "nl"),
    ]
    assert len({d.delivery_id for d in drawn}) == 6
    assert all(len(d.delivery_id) == 32 for d in drawn)


def test_each_department_needs_a_recipient_of_its_own_or_of_one_above_it(home: Home) -> None:
    assert uncovered(settings(home, {"department": []}), TREE) == []
    assert uncovered(settings(home, {"department": ["Ships"]}, {"department": ["Shore"]}), TREE) == []
    missing = uncovered(settings(home, {"department": ["Ships", "Texel"]}, {"department": ["Shore", "Desk"]}), TREE)
    assert [one.path for one in missing] == [("Ships",), ("Ships", "Vlieland"), ("Shore",)]
    assert str(missing[1]) == "Ships > Vlieland: nobody receives results for it"


def test_a_manager_may_not_be_the_only_recipient_of_his_department(home: Home) -> None:
    manager = {"department": ["Ships"], "manager": True}
    missing = uncovered(settings(home, manager, {"department": ["Shore"]}), TREE)
    assert [(one.path, one.only_manager) for one in missing] == [
        (("Ships",), True),
        (("Ships", "Texel"), True),
        (("Ships", "Vlieland"), True),
    ]
    assert uncovered(settings(home, manager, {"department": ["Ships"]}, {"department": ["Shore"]}), TREE) == []


def test_a_department_with_a_similar_name_covers_nobody_else(home: Home) -> None:
    missing = uncovered(settings(home, {"department": ["Ship"]}), [(), ("Ships",), ("Ship", "s")])
    assert [one.path for one in missing] == [("Ships",)]


def test_a_department_that_the_tree_does_not_have_is_named(home: Home) -> None:
    assert strangers(settings(home, {"department": ["Ships", "Texle"]}, {"department": []}), TREE) == [
        ("Ships", "Texle")
    ]


def test_no_address_stands_in_the_ledger_and_the_configuration_gives_them_back(home: Home) -> None:
    url = "https://bob:pa55word@hooks.example/texel?token=t0ken"
    audience: tuple[dict[str, object], ...] = (
        {"webhook": {"url": url, "secret": "s3cr3t"}},
        {"email": {"to": ["jan@example.org"], "server": "relay"}},
    )
    one = settings(home, *audience, servers=RELAY)
    drawn = deliveries(one, "r")
    kept = [recorded(delivery, one) for delivery in drawn]
    assert "https://hooks.example:443" in str(kept)
    assert not any(word in str(kept) for word in ("s3cr3t", "pa55word", "bob", "texel", "t0ken", "jan", "example.org"))
    assert kept == [recorded(delivery, one) for delivery in drawn]
    assert restored(kept, one) == drawn


def test_two_recipients_with_one_address_keep_their_own_secrets(home: Home) -> None:
    url = "https://hooks.example/all"
    one = settings(home, {"webhook": {"url": url, "secret": "first"}}, {"webhook": {"url": url, "secret": "second"}})
    drawn = deliveries(one, "r")
    assert restored([recorded(delivery, one) for delivery in drawn], one) == drawn


def test_an_address_is_found_where_its_entry_moved_to_and_is_the_new_one_where_it_was_mended(home: Home) -> None:
    texel: dict[str, object] = {"webhook": {"url": "https://hooks.example/texel"}}
    shore: dict[str, object] = {"webhook": {"url": "https://hooks.example/shore"}}
    one = settings(home, texel)
    kept = [recorded(delivery, one) for delivery in deliveries(one, "r") if delivery.channel == "webhook"]
    assert [d.target for d in restored(kept, settings(home, shore, texel))] == [
        Webhook(url="https://hooks.example/texel")
    ]
    assert [d.target for d in restored(kept, settings(home, shore))] == [Webhook(url="https://hooks.example/shore")]


@pytest.mark.parametrize(
    "way", [{"webhook": {"url": "https://hooks.example/"}}, {"email": {"to": ["a@b.example"], "server": "relay"}}]
)
def test_a_recipient_whose_entry_is_gone_is_refused_with_what_to_do(home: Home, way: dict[str, object]) -> None:
    one, other = settings(home, way, servers=RELAY), settings(home, servers=RELAY)
    (home.releases / "r").mkdir()
    (home.releases / "r" / "release.json").write_text("{}")
    kept = [recorded(delivery, one) for delivery in deliveries(one, "r")]
    (gone,) = [d for d in restored(kept, other) if d.channel in way]
    assert gone.target is None
    made = channel_for(gone.channel, [gone], {"r": home.releases / "r"}, other)
    for refusals in (made.stage(), made.arm(until=datetime.now(UTC))):
        assert [refusal.delivery_id for refusal in refusals] == [gone.delivery_id]
        assert "stands in [[audience]] no more; put its entry back" in refusals[0].reason
    (outcome,) = made.complete([gone.delivery_id], deadline=inf)
    assert (outcome.status, outcome.attempts, "no more" in outcome.detail) == ("failed", 0, True)
