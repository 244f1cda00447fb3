"""Before a ledger is used: its file made private, and its chain given to one that was written without."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse import WarehouseError, chain, layout

if TYPE_CHECKING:
    from warehouse.ledger import Ledger


def give_chain(ledger: "Ledger") -> None:
    """Give a ledger of version 1 its chain: each event as it stands, and one more with the facts that were there.

    Inside the caller's transaction: whoever is killed meanwhile, or comes second, leaves or finds it whole.
    """
    connection = ledger.connection
    if not layout.make_room(connection):
        raise WarehouseError(f"the version of {ledger.path} was set back by hand; restore it from a copy")
    layout.create(connection)
    columns, previous = ", ".join(chain.EVENT), chain.GENESIS
    insert = f"insert into events ({columns}, hash) values (?, ?, ?, ?, ?, ?, ?, ?)"
    earlier = connection.execute(f"select {columns} from earlier order by event_id").fetchall()
    for row in earlier:
        previous = chain.link(previous, tuple(row))
        connection.execute(insert, [*row, previous])
    connection.execute("drop table earlier")
    introduced: dict[str, dict[str, str]] = {}
    for table, key, digest in chain.facts(connection):
        introduced.setdefault(table, {})[key] = digest
    ledger.add("chained", says=f"the {len(earlier)} events before this one got their hashes now", facts=introduced)


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
