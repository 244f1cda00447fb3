"""What somebody else on this host can read: by the modes on the way, and by opening what is published."""

import os
import stat
from pathlib import Path

import duckdb

TABLES = ("promoter_metrics", "releases", "departments", "quality", "deliveries")


def readable(folder: Path) -> list[str]:
    """The files that an account which owns nothing can find and open below a folder, by the modes on the way."""
    found = []
    for path in folder.iterdir() if folder.exists() else ():
        try:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                path, mode = path.resolve(), path.stat().st_mode
            if stat.S_ISDIR(mode) and mode & 0o005 == 0o005:
                found += readable(path)
            elif stat.S_ISREG(mode) and mode & 0o004:
                found.append(str(path))
        except FileNotFoundError:
            continue
    return found


def in_mart(warehouse: Path) -> list[str]:
    """The releases in a published warehouse, which are the same in each of its tables."""
    with duckdb.connect(os.path.realpath(warehouse), read_only=True) as connection:
        tables = [
            sorted(row[0] for row in connection.execute(f"select distinct release_id from mart.{table}").fetchall())
            for table in TABLES
        ]
    assert all(table == tables[0] for table in tables), tables
    return tables[0]
