"""Before a ledger is used: its file made private, its tables made, and its chain given to one written without."""

import os
import secrets
import sqlite3
from pathlib import Path

from warehouse import WarehouseError, chain, events, layout


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the tables to what this Zwerm knows; inside the caller's transaction, in which another may have done it."""
    version = layout.version(connection)
    if version > layout.VERSION:
        raise WarehouseError(
            f"{path} was written by a newer Zwerm (version {version} of the ledger, this one knows "
            f"{layout.VERSION}); install that Zwerm again"
        )
    if version == 1:
        give_chain(connection, path)
    elif version == 0:
        layout.create(connection)


def give_chain(connection: sqlite3.Connection, path: Path) -> None:
    """Give a ledger of version 1 its chain: each event as it stands, and one more with the facts that were there.

    Inside the caller's transaction: whoever is killed meanwhile, or comes second, leaves or finds it whole.
    """
    if not layout.make_room(connection):
        raise WarehouseError(f"the version of {path} was set back by hand; restore it from a copy")
    layout.create(connection)
    previous = chain.GENESIS
    earlier = connection.execute(f"select {', '.join(chain.EVENT)} from earlier order by event_id").fetchall()
    for row in earlier:
        previous = events.follow(connection, previous, tuple(row))
    connection.execute("drop table earlier")
    introduced: dict[str, dict[str, str]] = {}
    for table, key, digest in chain.facts(connection):
        introduced.setdefault(table, {})[key] = digest
    says = f"the {len(earlier)} events before this one got their hashes now"
    events.append(connection, "chained", detail={"says": says, "facts": introduced})


def make_private(path: Path) -> None:
    """Make the file 0600 before SQLite would make it otherwise; one that is there is never opened here.

    Closing any descriptor of a file takes a process's locks on it away, SQLite's too: another process would then take
    itself for the last one, remove the log that this one still writes to, and what it writes would be lost.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    path.chmod(0o600)
