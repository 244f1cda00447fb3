from pathlib import Path

import pytest

from flows.audience import (
    deliveries,
    mail_connections,
    recorded,
    refuse_what_cannot_be_armed,
    restored,
    strangers,
    uncovered,
)
from flows.errors import ConfigurationError
from flows.home import Home
from flows.settings import Settings, Webhook
from tests.flows.sealed import settings_for

TREE = [(), ("Ships",), ("Ships", "Texel"), ("Ships", "Vlieland"), ("Shore",), ("Shore", "Desk")]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


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


def test_an_audience_that_a_mail_server_cannot_hold_at_once_is_refused(home: Home) -> None:
    def mailing(most: int) -> Settings:
        relay = {"smtp": "smtp://relay.example", "from": "zwerm@example.org", "max_connections": most}
        audience = [
            {"language": language, "email": {"to": [f"{language}@example.org"], "server": "relay"}}
            for language in ("en", "nl", "nl")
        ]
        return settings(home, *audience, servers={"relay": relay})  # type: ignore[arg-type]

    assert mail_connections(mailing(2)) == {"relay": 2}
    refuse_what_cannot_be_armed(mailing(2))
    with pytest.raises(ConfigurationError, match=r"servers\.relay\.max_connections is 1; the audience needs 2"):
        refuse_what_cannot_be_armed(mailing(1))


def test_the_ledger_keeps_targets_without_secrets_and_the_configuration_gives_them_back(home: Home) -> None:
    one = settings(home, {"webhook": {"url": "https://hooks.example/texel", "secret": "s3cr3t"}})
    drawn = deliveries(one, "r")
    kept = [recorded(delivery) for delivery in drawn]
    assert "s3cr3t" not in str(kept)
    assert restored(kept, one) == drawn
    (target,) = [d.target for d in restored(kept, settings(home)) if isinstance(d.target, Webhook)]
    assert (target.url, target.secret) == ("https://hooks.example/texel", None)
