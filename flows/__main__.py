"""The `zwerm` command: each call imports what it needs and nothing before."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from flows.command.ending import EXIT_CODES, Command, end

configured = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("zwerm.toml"),
    show_default=True,
    help="The configuration to read.",
)
one_survey = click.option("--survey", metavar="NAME", help="One survey of the configuration; default: each of them.")
for_machines = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else.")


def main() -> None:
    """Run the command. Ends at once where Prefect was at work: its threads live on, and make DuckDB report leaks."""
    os.umask(0o077)  # whatever is written from here on is the pipeline's own until it is released
    try:
        zwerm(prog_name="zwerm")
    except SystemExit as ended:
        if "prefect" not in sys.modules:
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 1)


@click.group(cls=Command, epilog=EXIT_CODES, context_settings={"max_content_width": 110})
@click.version_option(package_name="zwerm", message="zwerm %(version)s")
def zwerm() -> None:
    """Customer surveys to every department at the same moment.

    Zwerm fetches survey responses, checks them, computes promoter metrics, protects small groups, seals the result
    and opens it for everyone at once.

    \b
    A first time:
      zwerm init      write a commented zwerm.toml
      zwerm check     see what the mapping makes of your data, before anybody else does
      zwerm run       prepare the newest closed wave, and open it for everyone
    """


@zwerm.command(short_help="Prepare a wave and open it for everyone at one moment.")
@configured
@one_survey
@click.option("--wave", metavar="WAVE", help="The wave, such as 2026-10; default: the newest that is closed.")
@click.option(
    "--at", metavar="TIME", help="The moment: 09:30 (its next), or 2026-12-08T09:30, in the organisation's zone."
)
@click.option("--revise", is_flag=True, help="Where a released wave has changed since: release a revision.")
@click.option("--reason", metavar="TEXT", help="Why a revision is made; printed on its pages.")
@click.option("--material", is_flag=True, help="Let all late answers in at once; this discloses, and is recorded.")
@for_machines
def run(**call: Any) -> None:
    """Prepare the newest closed wave and open it for everyone at one moment."""
    from flows.command.calls import run as call_run

    as_json = call.pop("as_json")
    result = call_run(quiet=as_json, **call)
    end(as_json, result, code=result["exit_code"])


@zwerm.command(short_help="Rehearse: what the mapping makes of your data.")
@configured
@one_survey
@for_machines
def check(**call: Any) -> None:
    """Rehearse: fetch, conform and check, and nothing after.

    Prints per role the distinct raw values and what each becomes, the department tree, what would be quarantined and
    why, and whom the audience leaves out. No count by score and no metric: what a release says is seen by everyone
    first.
    """
    from flows.command.calls import check as call_check

    as_json = call.pop("as_json")
    result = call_check(quiet=as_json, **call)
    end(as_json, result, code=3 if result["stops"] else 4 if result["is_held"] else 0)


@zwerm.command(short_help="Release what is new or changed in earlier waves.")
@configured
@click.option("--survey", metavar="NAME", required=True, help="The survey.")
@click.option("--from", "first", metavar="WAVE", required=True, help="The first wave.")
@click.option("--to", "last", metavar="WAVE", required=True, help="The last wave.")
@click.option("--reason", metavar="TEXT", help="Why; printed on the pages of the revisions that come of it.")
@click.option("--at", metavar="TIME", help="The moment at which all that changed opens; default: as for run.")
@click.option("--dry-run", is_flag=True, help="Only the plan: which waves, why, how many rows, which revisions.")
@for_machines
def backfill(**call: Any) -> None:
    """Every wave in between that is new or changed; all that changed opens at one moment."""
    from flows.command.calls import backfill as call_backfill

    as_json = call.pop("as_json")
    result = call_backfill(quiet=as_json, **call)
    end(as_json, result, code=result["exit_code"])


@zwerm.command(short_help="Schedules, Prefect server and the site, in one process.")
@configured
@click.option("--port", type=int, default=8787, show_default=True, help="Where the published site is served.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address that the site listens on.")
def serve(config: Path, port: int, host: str) -> None:
    """Prefect server, deployments, schedules and the site, in one process tree."""
    from flows.serve import serve as serve_all

    serve_all(config, host=host, port=port)


@zwerm.command(short_help="Stage a held release again, or withdraw one.")
@click.argument("release", required=False)
@configured
@click.option("--retry", is_flag=True, help="Stage a held release again, and deliver it to those who lack it.")
@click.option("--withdraw", is_flag=True, help="Take back a release that is not out yet; everyone is told.")
@click.option("--reason", metavar="TEXT", help="Why it is withdrawn.")
@click.option("--at", metavar="TIME", help="The moment; default: the announced one, else as soon as it is ready.")
@for_machines
def release(**call: Any) -> None:
    """Stage a held release again (--retry), or withdraw one that is not out yet (--withdraw)."""
    from flows.command.calls import release as call_release

    as_json = call.pop("as_json")
    result = call_release(quiet=as_json, **call)
    end(as_json, result, code=result["exit_code"])


@zwerm.command(short_help="What is where, and who received what, when.")
@click.argument("release", required=False)
@configured
@for_machines
def status(release: str | None, config: Path, as_json: bool) -> None:
    """What is where, and who received what, when; also while a run is under way."""
    from flows.command.status import status as tell_status

    result = tell_status(config, release=release)
    end(as_json, result)


@zwerm.command(short_help="See whether all of it works, and what to do if not.")
@configured
@for_machines
def doctor(config: Path, as_json: bool) -> None:
    """Look at configuration, files, permissions, connections, audience, clock and zone; say what to do."""
    from flows.command.doctor import doctor as examine

    result = examine(config)
    end(as_json, result, code=0 if result["well"] else 2)


@zwerm.command(short_help="Finish or undo what a killed run left behind.")
@configured
@for_machines
def recover(config: Path, as_json: bool) -> None:
    """Finish or undo what a killed run left behind, and tell which; `run` does it too."""
    from flows.command.calls import recover as call_recover

    result = call_recover(config=config, quiet=as_json)
    end(as_json, result)


@zwerm.group(short_help="The record of what happened: whether anybody edited it.")
def ledger() -> None:
    """The append-only record of every release, delivery and decision."""


@ledger.command(short_help="Find any edit of what happened.")
@configured
@click.option("--head", metavar="HASH", help="A head that you kept from an earlier register.")
@for_machines
def verify(config: Path, head: str | None, as_json: bool) -> None:
    """Look through the whole ledger for any edit; also while a run is under way.

    Each event carries a hash over all before it. The newest, the head, is printed in each release's register: whoever
    kept one can prove a later edit. Exit code 1 where something is not as it was written.
    """
    from flows.command.ledger import verify as look_through

    result = look_through(config, head=head)
    end(as_json, result, code=result["exit_code"])


@zwerm.command(short_help="A ferry company's surveys, from file to everyone.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("zwerm-demo"))
def demo(folder: Path) -> None:
    """A ferry company's surveys: four waves and a revision, to webhooks, mailboxes and folders at one moment each."""
    from flows.demo.show import show

    show(folder)


@zwerm.command(short_help="Write a commented zwerm.toml to begin with.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def init(folder: Path) -> None:
    """Write a commented zwerm.toml that needs only the names of your columns."""
    from flows.command.init import write

    click.echo(write(folder))


@zwerm.command("open", short_help="Decrypt what others hold sealed, with its key.")
@click.argument("envelope", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("key", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="Where to write; default: release.json here, or for pages and downloads the folder release.",
)
def open_envelope(envelope: Path, key: Path, to: Path | None) -> None:
    """Decrypt what a sealed webhook, a share, SFTP or an object store got before the moment.

    ENVELOPE is what came sealed; KEY is what came at the moment: a file of 32 bytes, or of 64 hex digits. A webhook's
    two belong together by their header Zwerm-Delivery. Nothing that is there already is written over.

    Without Zwerm, these ten lines do it, called with ENVELOPE, KEY and the file to write:

    \b
      import sys
      from pathlib import Path
      from cryptography.hazmat.primitives.ciphers.aead import AESGCM
      envelope, key = (Path(name).read_bytes() for name in sys.argv[1:3])
      mark, nonce, rest = envelope[:16], envelope[16:28], envelope[28:]
      assert mark == b"ZWERM-SEALED-1\\r\\n"
      opened = AESGCM(key).decrypt(nonce, rest, mark)
      length = int.from_bytes(opened[:8], "big")
      content = opened[8 : 8 + length]
      Path(sys.argv[3]).write_bytes(content)
    """
    from flows.command.unseal import open_envelope as open_it

    for line in open_it(envelope, key, to=to):
        click.echo(line)


@zwerm.command(short_help="The kinds of sources that responses can come from.")
def sources() -> None:
    """The kinds of sources that responses can come from."""
    from flows.sources import KINDS

    for name, says in KINDS.items():
        click.echo(f"{name:<10} {says}")


@zwerm.command(short_help="The ways out: what each holds before T, how it opens.")
@configured
@for_machines
def channels(config: Path, as_json: bool) -> None:
    """Every way out: what it holds before T, how it opens, and for how many recipients this zwerm.toml uses it."""
    from flows.command.ways_out import ways_out

    end(as_json, ways_out(config))


if __name__ == "__main__":
    main()
