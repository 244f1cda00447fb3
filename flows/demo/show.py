"""`zwerm demo`: a ferry company's four waves and a revision, delivered to receivers that keep what they got."""

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.demo.receivers import Received, Receivers, receivers
from flows.errors import ConfigurationError
from flows.home import Home
from flows.progress import step, tell

if TYPE_CHECKING:
    from flows.release import Report
    from flows.run import Run

MARK = ".zwerm-demo"  # a folder with this file is ours to begin anew
WEBHOOKS = 6
SECRET = "a-demo-needs-no-secret"  # noqa: S105  # between processes on this host, for as long as the demo runs


def show(folder: Path) -> None:
    """Run the whole demo in `folder`, which it makes anew; ends by telling what happened and where to look."""
    began = time.monotonic()
    folder = _anew(folder)
    with receivers(folder / "received", webhooks=WEBHOOKS, secret=SECRET) as listening:
        config = _written(folder, listening)
        _fix_secret(folder)
        with _prefect(config) as begun:
            reports = _four_waves(begun, config)
            reports += _late_answers(begun, config, folder)
            told = _told(begun, reports, listening)
    for line in told:
        click.echo(line)
    click.echo(f"\nAll of it took {time.monotonic() - began:.0f} s.")


def _anew(folder: Path) -> Path:
    """An empty folder, marked as the demo's own; one with anything else in it is left alone."""
    folder = folder.expanduser().resolve()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise ConfigurationError(f"{folder} is not empty, and not an earlier demo; name another: zwerm demo FOLDER")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    (folder / MARK).touch()
    return folder


def _written(folder: Path, listening: Receivers) -> Path:
    from flows.demo.generate import write_configuration, write_surveys

    with step("Write the surveys of Waddenlijn") as notes:
        files = write_surveys(folder)
        config = write_configuration(
            folder, webhooks=listening.webhooks, mail_port=listening.mail_port, webhook_secret=SECRET
        )
        notes.append(f"{len(files)} files, {config.name}")
    return config


def _fix_secret(folder: Path) -> None:
    """The same secret in every demo, so that every demo hides the same departments."""
    path = Home(folder).prepare().working / "secret"
    path.write_text(hashlib.sha256(b"the secret of a demo is none").hexdigest(), encoding="ascii")


@contextmanager
def _prefect(config: Path) -> "Iterator[Run]":
    from flows.command.calls import prefect_for
    from flows.run import Run

    begun = Run.begin(config)
    with prefect_for(begun):
        yield begun


def _four_waves(begun: "Run", config: Path) -> "list[Report]":
    """The main job, wave after wave: each is prepared by one flow and opened by another."""
    from flows.demo.organisation import WAVES
    from flows.open_moment import open_moment
    from flows.survey import survey_release

    reports = []
    for wave in WAVES:
        tell(f"\nPassenger survey, {wave}")
        staged = survey_release("passengers", wave, config=config)
        assert staged.moments, "a demo begins anew, so every wave is a first release"
        reports += [open_moment(moment.moment_id, config=config) for moment in staged.moments]
    return reports


def _late_answers(begun: "Run", config: Path, folder: Path) -> "list[Report]":
    """Answers come in after the release: enough in one region, too few in another; a backfill makes one revision."""
    from flows.backfill import backfill
    from flows.demo.generate import write_late_answers
    from flows.demo.organisation import WAVES
    from flows.open_moment import open_moment

    late = write_late_answers(folder)
    tell(f"\nLate answers come in: {late.name}")
    reason = "Answers on paper came in after the release."
    _, staged = backfill("passengers", WAVES[0], WAVES[-1], reason=reason, config=config)
    assert staged.moments, "the late answers of one region are enough to enter"
    return [open_moment(moment.moment_id, config=config) for moment in staged.moments]


def _told(begun: "Run", reports: "Sequence[Report]", listening: Receivers) -> Iterator[str]:
    """What was done, what was quarantined and why, the skew of each moment, and where to look."""
    lines = [*_releases(begun, reports), *_quarantine(begun), *_received(listening.received()), *_places(begun)]
    return iter(lines)


def _releases(begun: "Run", reports: "Sequence[Report]") -> Iterator[str]:
    from flows.command.summary import title

    yield click.style("\nReleased to everyone at one moment each", bold=True)
    for report in reports:
        for release in report.releases:
            delivered = sum(delivery.status == "delivered" for delivery in report.deliveries)
            skew = f"{report.skew_ms:.1f} ms" if report.skew_ms is not None else "unknown"
            yield f"  {title(begun, release):<44} {delivered} deliveries, skew {skew}"
            yield from (f"    breach: {breach}" for breach in report.breaches)


def _quarantine(begun: "Run") -> Iterator[str]:
    with begun.store() as store:
        rows = store.rows(
            "select rule, count(*) from (select unnest(rules) as rule from core.quarantine) group by rule order by rule"
        )
        total = store.rows("select count(*) from core.quarantine")[0][0]
    yield click.style(f"\nIn quarantine, with the reason: {total} records", bold=True)
    yield from (f"  {rule:<32} {count}" for rule, count in rows)


def _received(received: Sequence[Received]) -> Iterator[str]:
    """What independent processes got: the same bytes, and how far apart."""
    yield click.style("\nWhat the receivers, in processes of their own, saw", bold=True)
    for number, together in enumerate(_moments(received), start=1):
        contents = {one.sha256 for one in together}
        apart = (max(one.at for one in together) - min(one.at for one in together)) / 1e6
        same = "the same bytes" if len(contents) == 1 else f"{len(contents)} different contents"
        yield f"  moment {number}: {len(together)} webhooks got {same}, the last {apart:.1f} ms after the first"
    messages = sum(one.event == "message" for one in received)
    yield f"  {messages} e-mail messages, with a link and no figure"


def _moments(received: Sequence[Received]) -> list[list[Received]]:
    """Releases that arrived within ten seconds of each other belong to one moment."""
    moments: list[list[Received]] = []
    for one in (one for one in received if one.event == "release"):
        if moments and one.at - moments[-1][-1].at < 10**10 and one.receiver not in {o.receiver for o in moments[-1]}:
            moments[-1].append(one)
        else:
            moments.append([one])
    return moments


def _places(begun: "Run") -> Iterator[str]:
    home = begun.home
    places: Mapping[str, Any] = {
        "the pages": home.published / "site" / "index.html",
        "for BI tools": home.published / "warehouse.duckdb",
        "what was received": begun.settings.file.parent / "received",
        "who has what": f"zwerm status --config {begun.settings.file}",
    }
    yield click.style("\nWhere to look", bold=True)
    yield from (f"  {name:<18} {place}" for name, place in places.items())
