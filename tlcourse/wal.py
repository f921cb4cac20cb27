"""SQLite's write-ahead log, asked for by several processes at once."""

from __future__ import annotations

import sqlite3
import time


def use_wal(db: sqlite3.Connection, wait_s: float) -> None:
    """Have `db` write ahead. Raises sqlite3.OperationalError when another has held it for `wait_s`.

    Of several that first open a file SQLite refuses all but one at once, whatever its own time to wait is.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
