# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Where workflows keep rows: PostgreSQL, MariaDB, Redis, or the memory of the process.

All of them are one table of texts by key, so that a workflow gives the same answer whatever is
behind it, and a lost or a changed row is found. A pool bounds the connections: a workflow that
waits too long for one fails, which is what exhausting a pool looks like to a user.
"""

import importlib
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

TABLE = "workflow_rows"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
CONNECT_SECONDS = 10
# Several processes that make the same table at the same time: the losers look again.
TABLE_ATTEMPTS = 5


class StoreError(Exception):
    """A database that cannot be used, in words for the user."""


class MissingModule(StoreError):
    """A database whose Python module is not installed."""


class PoolExhausted(StoreError):
    """No connection became free in time."""


class Store(Protocol):
    """One connection; used by one thread at a time."""

    def write(self, key: str, text: str) -> None:
        """Makes TEXT the row KEY, and has it committed."""

    def read(self, key: str) -> str | None:
        """The row KEY; None where there is none."""

    def close(self) -> None:
        """Gives the connection up."""


class MemoryStore:
    """What stands behind workflows that have no database: the same graph, without its cost."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    def write(self, key: str, text: str) -> None:
        self._rows[key] = text

    def read(self, key: str) -> str | None:
        return self._rows.get(key)

    def close(self) -> None:
        self._rows.clear()


class SqlStore:
    """PostgreSQL and MariaDB: they differ in how a connection is made and a row is replaced."""

    def __init__(self, connection: Any, schema: str, upsert: str) -> None:
        self._connection = connection
        self._upsert = upsert
        for attempt in range(TABLE_ATTEMPTS):
            try:
                with connection.cursor() as cursor:
                    cursor.execute(schema)
                return
            except Exception:
                # CREATE TABLE IF NOT EXISTS is no protection from another that does the same.
                if attempt + 1 == TABLE_ATTEMPTS:
                    connection.close()
                    raise
                time.sleep(0.05 * (attempt + 1))

    def write(self, key: str, text: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(self._upsert, (key, text))

    def read(self, key: str) -> str | None:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT body FROM {TABLE} WHERE name = %s", (key,))
            row = cursor.fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._connection.close()


class RedisStore:
    """Redis; keys have the table's name before them."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def write(self, key: str, text: str) -> None:
        self._client.set(f"{TABLE}:{key}", text)

    def read(self, key: str) -> str | None:
        return self._client.get(f"{TABLE}:{key}")

    def close(self) -> None:
        self._client.close()


def _module(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingModule(
            f"the Python module {name} is missing ({error}); install Debian's {package}, "
            "or use --database none"
        ) from error


def _open_postgres(url: SplitResult) -> Store:
    module = _module("psycopg2", "python3-psycopg2")
    connection = module.connect(
        host=url.hostname,
        port=url.port or 5432,
        user=url.username or "postgres",
        password=url.password or "",
        dbname=url.path.strip("/") or "postgres",
        connect_timeout=CONNECT_SECONDS,
    )
    connection.autocommit = True
    return SqlStore(
        connection,
        f"CREATE TABLE IF NOT EXISTS {TABLE} (name text PRIMARY KEY, body text NOT NULL)",
        f"INSERT INTO {TABLE} (name, body) VALUES (%s, %s) "
        "ON CONFLICT (name) DO UPDATE SET body = EXCLUDED.body",
    )


def _open_mysql(url: SplitResult) -> Store:
    module = _module("pymysql", "python3-pymysql")
    connection = module.connect(
        host=url.hostname,
        port=url.port or 3306,
        user=url.username or "root",
        password=url.password or "",
        database=url.path.strip("/") or "test",
        connect_timeout=CONNECT_SECONDS,
        charset="utf8mb4",
        autocommit=True,
    )
    return SqlStore(
        connection,
        f"CREATE TABLE IF NOT EXISTS {TABLE} "
        "(name varchar(190) PRIMARY KEY, body mediumtext NOT NULL) ENGINE=InnoDB",
        f"REPLACE INTO {TABLE} (name, body) VALUES (%s, %s)",
    )


def _open_redis(url: SplitResult) -> Store:
    module = _module("redis", "python3-redis")
    client = module.Redis(
        host=url.hostname,
        port=url.port or 6379,
        db=int(url.path.strip("/") or 0),
        socket_connect_timeout=CONNECT_SECONDS,
        decode_responses=True,
        single_connection_client=True,
    )
    client.ping()
    return RedisStore(client)


class _Kind(NamedTuple):
    module: str
    package: str
    open: Callable[[SplitResult], Store]


_KINDS = {
    "postgres": _Kind("psycopg2", "python3-psycopg2", _open_postgres),
    "mysql": _Kind("pymysql", "python3-pymysql", _open_mysql),
    "redis": _Kind("redis", "python3-redis", _open_redis),
}


def parse_database(text: str) -> SplitResult | None:
    """The parts of a database's URL; None for "none". StoreError where it is none.

    Only loopback is taken: a load test is not to reach what others use.
    """
    if text == "none":
        return None
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise StoreError(f"'{text}' is no URL of a database: {error}") from error
    if url.scheme not in _KINDS:
        raise StoreError(
            f"'{text}' is no database; write none, or a URL of {', '.join(_KINDS)} "
            "such as postgres://postgres@127.0.0.1:5432/postgres"
        )
    if url.hostname not in LOOPBACK:
        raise StoreError(f"'{text}' is not on this machine; write one at {LOOPBACK[0]}")
    if url.scheme == "redis" and url.path.strip("/") and not url.path.strip("/").isdigit():
        raise StoreError(f"'{text}': databases of Redis are numbers; write /0")
    if port == 0:
        raise StoreError(f"'{text}' has no port")
    return url


def check_modules(url: SplitResult | None) -> None:
    """MissingModule where what talks to the database is not installed."""
    if url:
        kind = _KINDS[url.scheme]
        _module(kind.module, kind.package)


class Pool:
    """At most SIZE connections to one database, made when they are first wanted."""

    def __init__(self, url: SplitResult | None, size: int, timeout_seconds: float) -> None:
        self.size = size
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._free: list[Store] = []
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(size)

    def _open(self) -> Store:
        if not self._url:
            return MemoryStore()
        try:
            return _KINDS[self._url.scheme].open(self._url)
        except MissingModule:
            raise
        except Exception as error:
            raise StoreError(f"cannot connect to {self._url.geturl()}: {error}") from error

    def take(self) -> Store:
        """A connection; give_back() or discard() it. PoolExhausted after the pool's time-out."""
        if not self._places.acquire(timeout=self._timeout_seconds):
            raise PoolExhausted(
                f"none of {self.size} connections was free in {self._timeout_seconds:g} s"
            )
        try:
            with self._lock:
                if self._free:
                    return self._free.pop()
            return self._open()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, store: Store) -> None:
        """The next may have it."""
        with self._lock:
            self._free.append(store)
        self._places.release()

    def discard(self, store: Store) -> None:
        """Of a connection on which something failed: its state is not known."""
        try:
            store.close()
        except Exception:  # it is broken, which is why it goes
            pass
        self._places.release()


class Session:
    """The connection of one workflow: taken at its first use, kept to its end."""

    def __init__(self, pool: Pool, slot: int) -> None:
        self._pool = pool
        self._slot = slot
        self._store: Store | None = None
        # What went wrong, which a runtime may wrap into an error of its own.
        self.failure: StoreError | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        if not self._store:
            return
        if self.failure:
            self._pool.discard(self._store)
        else:
            self._pool.give_back(self._store)

    def _use(self, action: Callable[[Store], Any]) -> Any:
        try:
            if not self._store:
                self._store = self._pool.take()
            return action(self._store)
        except StoreError as error:
            self.failure = error
            raise
        except Exception as error:
            self.failure = StoreError(f"the database failed: {error}")
            raise self.failure from error

    def store(self, name: str, text: str) -> str:
        """Writes the row NAME and reads it again. Each worker has rows of its own, so the table
        stays small in a run of a day, and workers do not wait for each other's locks."""
        key = f"{name}-{self._slot}"
        self._use(lambda store: store.write(key, text))
        found = self._use(lambda store: store.read(key))
        if found != text:
            self.failure = StoreError(f"row {key} is not what was written")
            raise self.failure
        return found

    def fetch(self, name: str, make: Callable[[], str]) -> str:
        """The row NAME that all workers share; the first that wants it makes it."""
        found = self._use(lambda store: store.read(name))
        if found is None:
            self._use(lambda store: store.write(name, make()))
            found = self._use(lambda store: store.read(name))
        if found is None:
            self.failure = StoreError(f"row {name} was written and is not there")
            raise self.failure
        return found
