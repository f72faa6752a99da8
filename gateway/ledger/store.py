"""The durable marks of the ledger: one row an account, in an SQLite database.

Written by one process at a time, which holds a lock on a file beside it; read by anybody. What it
answers for is that a mark that was written is there after the process, or the machine, has stopped.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import StateError
from gateway.ledger.accounts import Key, Stored

_NAME: Final = "ledger.sqlite"
_LOCK: Final = "ledger.lock"
_MAKE: Final = "CREATE TABLE IF NOT EXISTS accounts (key TEXT PRIMARY KEY, stored TEXT NOT NULL)"
_WRITE: Final = (
    "INSERT INTO accounts (key, stored) VALUES (?, ?)"
    " ON CONFLICT (key) DO UPDATE SET stored = excluded.stored"
)
_READ: Final = "SELECT key, stored FROM accounts"
_BUSY_S: Final = 5.0
_encode = msgspec.json.Encoder().encode
_keys: msgspec.json.Decoder[Key] = msgspec.json.Decoder(Key)
_values: msgspec.json.Decoder[Stored] = msgspec.json.Decoder(Stored)


class Store:
    """The database; used by one thread at a time."""

    def __init__(self, directory: Path, *, lock: int, connection: sqlite3.Connection) -> None:
        """Take over what `open` opened."""
        self._path, self._lock, self._connection = directory / _NAME, lock, connection
        self._file = self._path.stat().st_ino

    @classmethod
    def open(cls, directory: Path) -> Store:
        """Open the database of a directory, or begin it, and hold it against other processes.

        Raises:
            StateError: the directory cannot be used, or another process holds it.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(_unusable(directory, error)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise StateError(
                f"`{directory}`: another process counts here\n"
                "    hint: give each gateway a `state_dir` of its own"
            ) from None
        try:
            return cls(directory, lock=lock, connection=_connect(directory / _NAME))
        except (OSError, sqlite3.Error) as error:
            os.close(lock)
            raise StateError(_unusable(directory, error)) from None

    def read(self) -> dict[Key, Stored]:
        """Return every account.

        Raises:
            StateError: the database cannot be read.
        """
        try:
            return _rows(self._connection)
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise StateError(_unusable(self._path, error)) from None

    def write(self, accounts: Mapping[Key, Stored]) -> None:
        """Make accounts durable, all of them or none.

        Raises:
            StateError: they may not be durable.
        """
        rows = [
            (_encode(key).decode(), _encode(stored).decode()) for key, stored in accounts.items()
        ]
        try:
            if self._path.stat().st_ino != self._file:
                raise StateError(
                    f"`{self._path}`: was replaced while the gateway ran\n"
                    "    hint: restart the gateway; it counts on from what stands there"
                )
            with self._connection:
                self._connection.executemany(_WRITE, rows)
        except (OSError, sqlite3.Error) as error:
            raise StateError(_unusable(self._path, error)) from None

    def close(self) -> None:
        """Let go of the database and the lock."""
        self._connection.close()
        os.close(self._lock)


def read_marks(directory: Path) -> dict[Key, Stored]:
    """Return every account of a directory, also while a gateway counts there; none where none is.

    Raises:
        StateError: the database cannot be read.
    """
    path = directory / _NAME
    try:
        if not path.exists():
            return {}
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as connection:
            return _rows(connection)
    except (OSError, sqlite3.Error, msgspec.DecodeError) as error:
        raise StateError(_unusable(path, error)) from None


def _rows(connection: sqlite3.Connection) -> dict[Key, Stored]:
    rows: list[tuple[str, str]] = connection.execute(_READ).fetchall()
    return {_keys.decode(key): _values.decode(stored) for key, stored in rows}


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    # Each commit is synced before it answers; readers do not hold it up.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with connection:
        connection.execute(_MAKE)
    return connection


def _unusable(path: Path, error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return f"`{path}`: counts cannot be kept: {(words or 'unknown error').lower()}"
