"""The whole way killed with SIGKILL, from the landed file to the last word of the moment, and run again."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.preparing.intake import conform, fetch
from flows.run import Run
from tests.flows.killed import killed_on_the_way
from tests.flows.mail_receiver import Mail, MailReceiver, mail_receiver
from tests.flows.receivers import Call, Receivers, webhook_receivers
from tests.flows.whole import Survey
from warehouse.ledger import Ledger

WAVE = "2025-09"
WHILE_PREPARING = (
    "flows.preparing.intake.conform",  # landed, nothing made of it
    "flows.preparing.intake._kept",  # conformed and checked, nothing kept
    "flows.preparing.intake._insert_quarantined",  # in the middle of keeping it
    "flows.preparing.steps.close",  # all computed and written, nothing sealed
    "flows.preparing.seal._manifest",  # in the middle of sealing
    "flows.preparing.figures.remember_pattern",  # sealed, and nobody knows
    "flows.releasing.moment.record",
)
BEFORE = ("sealed", "staged", "arming", "armed")
AFTER = ("committed", *(f"opened:{number}" for number in range(6)), "confirmed", "renewed")
TABLES = ("promoter_metrics", "departments", "highlights", "quality")
CONFIGURATION = """
[organisation]
name = "Waddenlijn"
[surveys.guests.roles]
score = "score"
responded_at = "at"
department = ["unit"]
"""


@dataclass(frozen=True)
class Place:
    """A survey of one test, whose receivers know it by its name."""

    name: str
    survey: Survey
    hooks: Receivers
    mail: MailReceiver

    @property
    def calls(self) -> list[Call]:
        """The release as it came at this survey's webhooks."""
        return [call for call in self.hooks.calls("release") if call.target == f"/{self.name}"]

    @property
    def mails(self) -> list[Mail]:
        """The messages to this survey's addresses."""
        return [mail for mail in self.mail.mails() if all(self.name in address for address in mail.recipients)]

    @property
    def shared(self) -> list[bytes]:
        """What can be read in the folders."""
        found = self.survey.folder.glob(f"shares/*/guests/{WAVE}/r1/release.json")
        return [path.read_bytes() for path in sorted(found)]

    @property
    def published(self) -> dict[str, list[dict[str, Any]]]:
        """What everyone can query, table by table."""
        frames = {table: self.survey.read(f"from mart.{table} order by all") for table in TABLES}
        return {table: json.loads(frame.to_json(orient="records")) for table, frame in frames.items()}

    @property
    def is_published(self) -> bool:
        """Whether anyone can query anything of it."""
        return (self.survey.published / "current").is_symlink() and bool(self.published["promoter_metrics"])


@dataclass(frozen=True)
class Ground:
    """Two folders to begin in, and receivers for all: where nothing was done, and where the file is conformed."""

    folder: Path
    hooks: Receivers
    mail: MailReceiver

    def place(self, name: str, *, is_conformed: bool) -> Place:
        """A survey of its own, with the secret that all share, so that the same is suppressed everywhere."""
        name = name.replace(":", "-").replace(".", "-").replace("_", "-")
        shutil.copytree(self.folder / ("conformed" if is_conformed else "fresh"), self.folder / name)
        survey = Survey(self.folder / name)
        survey.config.write_text(survey.config.read_text() + audience(self.hooks, self.mail, name))
        return Place(name, survey, self.hooks, self.mail)


def audience(hooks: Receivers, mail: MailReceiver, name: str) -> str:
    ways = (
        f'webhook = {{ url = "{hooks.url(0, f"/{name}")}" }}',
        f'webhook = {{ url = "{hooks.url(1, f"/{name}")}" }}',
        'folder = "shares/one"',
        'folder = "shares/two"',
        f'email = {{ to = ["texel@{name}.example"], server = "relay" }}',
    )
    server = f'[servers.relay]\nsmtp = "{mail.url}"\nfrom = "zwerm@example.com"\ntls = "none"\n'
    return "\n".join(f"[[audience]]\n{way}\n" for way in ways) + server


def answers() -> str:
    sizes = {"Texel": 40, "Vlieland": 25, "Post": 4, "Ports": 30}
    rows = [f"{unit},{n % 11},2025-09-14" for unit, size in sizes.items() for n in range(size)]
    return "\n".join(["unit,score,at", *rows, "Texel,elf,2025-09-14", ""])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("killed")
    (folder / "fresh").mkdir()
    survey = Survey.written(folder / "fresh", answers(), configuration=CONFIGURATION)
    Run.begin(survey.config).home.secret()
    shutil.copytree(folder / "fresh", folder / "conformed")
    run = Run.begin(folder / "conformed" / "zwerm.toml")
    with run.store() as store:
        conform(store, run, "guests", fetch(store, run, "guests"))
    with ExitStack() as stack:
        hooks = stack.enter_context(webhook_receivers(folder / "hooks", 2))
        yield Ground(folder, hooks, stack.enter_context(mail_receiver(folder / "mail")))


@pytest.fixture(scope="module")
def undisturbed(ground: Ground) -> Place:
    """The same survey without a kill."""
    place = ground.place("undisturbed", is_conformed=True)
    assert not killed_on_the_way(place.survey, WAVE)
    assert (len(place.calls), len(place.shared), len(place.mails)) == (2, 2, 1)
    return place


@pytest.fixture(scope="module")
def killed(ground: Ground, undisturbed: Place) -> Iterator[Mapping[str, Future[Place]]]:
    """A survey for each place at which its run was killed: two at a time, while what was killed first is run again."""

    def kill(where: str) -> Place:
        is_function = where in WHILE_PREPARING
        place = ground.place(where, is_conformed="intake" not in where)
        where_it_dies = {"function": where} if is_function else {"step": where}
        assert killed_on_the_way(place.survey, WAVE, **where_it_dies), f"it never came to {where}"
        return place

    with ThreadPoolExecutor(2) as pool:
        yield {where: pool.submit(kill, where) for where in (*WHILE_PREPARING, *BEFORE, *AFTER)}


@pytest.mark.parametrize("function", WHILE_PREPARING)
def test_killed_while_it_is_prepared_it_is_prepared_again_to_the_same_content(
    killed: Mapping[str, Future[Place]], undisturbed: Place, function: str
) -> None:
    place = killed[function].result()
    nobody_has_anything(place)
    assert place.survey.release(WAVE) is not None
    everybody_has(place, undisturbed)
    assert [len(place.calls), len(place.mails)] == [2, 1]
    with Run.begin(place.survey.config).store() as store:
        assert store.rows("select in_count, accepted_count, quarantined_count from core.batches") == [(100, 99, 1)]
        assert store.rows("select count(*) from core.responses") == [(99,)]
        assert store.rows("select count(*) from core.quarantine") == [(1,)]


@pytest.mark.parametrize("step", BEFORE)
def test_killed_before_the_commit_nobody_has_anything_and_the_next_run_gives_everyone_the_same(
    killed: Mapping[str, Future[Place]], undisturbed: Place, step: str
) -> None:
    place = killed[step].result()
    nobody_has_anything(place)
    assert place.survey.release(WAVE) is not None
    everybody_has(place, undisturbed)
    assert [len(place.calls), len(place.mails)] == [2, 1]


@pytest.mark.parametrize("step", AFTER)
def test_killed_after_the_commit_the_next_run_completes_it_under_the_same_keys(
    killed: Mapping[str, Future[Place]], undisturbed: Place, step: str
) -> None:
    place = killed[step].result()
    assert place.survey.release(WAVE) is None  # completed as it began; then there is nothing left to do
    everybody_has(place, undisturbed)


def nobody_has_anything(place: Place) -> None:
    assert place.calls == []
    assert place.mails == []
    assert place.shared == []
    assert not place.is_published


def everybody_has(place: Place, undisturbed: Place) -> None:
    """The content of the undisturbed run, each delivery recorded once, each receiver asked under one key."""
    (expected,) = set(undisturbed.shared)
    assert place.shared == [expected] * 2
    assert {call.body for call in place.calls} == {expected}
    for receiver in (0, 1):
        keys = {call.headers["idempotency-key"] for call in place.calls if call.receiver == receiver}
        assert len(keys) == 1
    assert len({str(mail.message["Message-ID"]) for mail in place.mails}) == 1
    assert len({mail.text.replace(place.name, "") for mail in place.mails}) == 1
    assert place.published == undisturbed.published
    with Ledger.open(Run.begin(place.survey.config).home.ledger) as ledger:
        (release,) = ledger.releases("guests", WAVE)
        assert release.state == "confirmed"
        delivered = Counter(event.delivery_id for event in ledger.events(kinds=("delivered",)))
        assert delivered == {state.delivery_id: 1 for state in ledger.deliveries(release.release_id)}
        assert len(delivered) == 6
    assert place.survey.release(WAVE) is None
