#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A server that runs workflows, so that a driver outside of it can time them.

The load test that comes with Kailash starts its clock inside the worker, where the wait for a
worker is over already. Here each workflow is a request: the driver counts from when it was due,
and what waits for a worker waits on the clock. `/metrics` has the time inside the workers beside it.

    POST /run?kind=KIND&size=SIZE    runs one workflow to its end; also &database=URL,
                                     &connections=N of its pool, &workers=N
    GET /health                      what it is doing
    GET /metrics                     seconds inside the workers

An answer to /run is the same for each run of a kind and size, whatever the runtime and database:
{"kind", "size", "nodes", "rows", "checksum"}. Status 503: the database, or the pool of its
connections; 500: the workflow; both with {"error"}.
"""

import argparse
import asyncio
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

sys.dont_write_bytecode = True  # the folder of scenarios is not ours to write to

from workflow_graphs import KINDS, SIZES, PlainRuntime, Runtime, answer, build, canonical  # noqa: E402
from workflow_stores import (  # noqa: E402
    MissingModule,
    Pool,
    Session,
    StoreError,
    check_modules,
    parse_database,
)

EXIT_USAGE = 2
EXIT_MISSING = 3  # something that is wanted is not installed here
HEADER_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 1024 * 1024
COUNT_MAX = 10000
BACKLOG = 16384  # as many at once as the largest level has; the kernel cuts it to its own bound
BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Reply = tuple[int, str]


def say(text: str) -> None:
    print(f"workflow_runner: {text}", file=sys.stderr, flush=True)


def error_reply(status: int, text: str) -> Reply:
    return status, canonical({"error": text})


def count(text: str) -> int:
    """A number of workers or connections. ValueError."""
    if not text.isdecimal() or not 1 <= int(text) <= COUNT_MAX:
        raise ValueError(f"'{text}' is no number from 1 to {COUNT_MAX}")
    return int(text)


class Timings:
    """A histogram of the seconds that workflows took inside the workers, by kind and size."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {
            (kind, size): [0] * (len(BUCKETS_SECONDS) + 1) for kind in KINDS for size in SIZES
        }
        self._sums = dict.fromkeys(self._counts, 0.0)

    def add(self, kind: str, size: str, seconds: float) -> None:
        bucket = sum(seconds > bound for bound in BUCKETS_SECONDS)
        with self._lock:
            self._counts[kind, size][bucket] += 1
            self._sums[kind, size] += seconds

    def text(self) -> str:
        """In the format that Prometheus reads."""
        name = "workflow_seconds"
        lines = [f"# HELP {name} Time inside a worker.", f"# TYPE {name} histogram"]
        bounds = [f"{bound:g}" for bound in BUCKETS_SECONDS] + ["+Inf"]
        with self._lock:
            for (kind, size), counts in self._counts.items():
                labels, total = f'kind="{kind}",size="{size}"', 0
                for bound, count in zip(bounds, counts):
                    total += count
                    lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
                lines.append(f"{name}_sum{{{labels}}} {self._sums[kind, size]:.9f}")
                lines.append(f"{name}_count{{{labels}}} {total}")
        return "\n".join(lines) + "\n"


class Crew:
    """Threads that run workflows, each with a runtime of its own; a queue without a bound before
    them, since a bound would turn waiting, which is to be seen, into errors."""

    def __init__(self, size: int, new_runtime: Callable[[], Runtime]) -> None:
        self._new_runtime = new_runtime
        self._lock = threading.Lock()
        self._slots = iter(range(size))
        self._local = threading.local()
        self._runtimes: list[Runtime] = []
        self.threads = ThreadPoolExecutor(size, "worker", self._enter_thread)

    def _enter_thread(self) -> None:
        runtime = self._new_runtime()
        with self._lock:
            self._local.slot = next(self._slots)
            self._runtimes.append(runtime)
        self._local.runtime = runtime

    def execute(self, kind: str, size: str, pool: Pool) -> Reply:
        """In one of its threads."""
        with Session(pool, self._local.slot) as session:
            try:
                results = self._local.runtime.execute(build(kind, size, session))
                # A runtime may go on after a node has failed.
                if session.failure:
                    raise session.failure
                return 200, canonical(answer(kind, size, results))
            except Exception as error:
                if session.failure:
                    return error_reply(503, str(session.failure))
                return error_reply(500, f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """What waits is dropped, what runs is waited for."""
        self.threads.shutdown(wait=True, cancel_futures=True)
        for runtime in self._runtimes:
            runtime.close()


class Settings(NamedTuple):
    """What a request may want of the runner; a scenario says it in each of its requests."""

    workers: int
    database: str
    connections: int


class Workers:
    """Crews and pools by what requests want of them, made at their first use, and counts."""

    def __init__(self, new_runtime: Callable[[], Runtime], connection_seconds: float) -> None:
        self.timings = Timings()
        self._new_runtime = new_runtime
        self._connection_seconds = connection_seconds
        self._crews: dict[int, Crew] = {}
        self._pools: dict[tuple[str, int], Pool] = {}
        self._lock = threading.Lock()
        self._accepted = self._running = self._completed = self._failed = 0

    def _crew(self, size: int) -> Crew:
        if size not in self._crews:
            self._crews[size] = Crew(size, self._new_runtime)
        return self._crews[size]

    def _pool(self, database: str, connections: int) -> Pool:
        """StoreError where that is no database."""
        key = database, connections
        if key not in self._pools:
            url = parse_database(database)
            check_modules(url)
            self._pools[key] = Pool(url, connections, self._connection_seconds)
        return self._pools[key]

    def submit(self, kind: str, size: str, settings: Settings) -> "asyncio.Future[Reply]":
        """Of the event loop alone. StoreError."""
        pool = self._pool(settings.database, settings.connections)
        crew = self._crew(settings.workers)
        self._accepted += 1
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(crew.threads, self._run, crew, kind, size, pool)

    def _run(self, crew: Crew, kind: str, size: str, pool: Pool) -> Reply:
        """In a worker."""
        with self._lock:
            self._running += 1
        begin = time.monotonic()
        status, text = crew.execute(kind, size, pool)
        self.timings.add(kind, size, time.monotonic() - begin)
        with self._lock:
            self._running -= 1
            self._completed += status == 200
            self._failed += status != 200
        return status, text

    def state(self) -> dict[str, int]:
        with self._lock:
            done = self._completed + self._failed
            return {
                "completed": self._completed,
                "failed": self._failed,
                "running": self._running,
                "queued": self._accepted - done - self._running,
            }

    def close(self) -> None:
        for crew in self._crews.values():
            crew.close()


class BadRequest(Exception):
    """A request that is refused, with its status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def parse_head(head: bytes) -> tuple[str, str, int, bool]:
    """Method, target, length of the body, and whether the connection stays open."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(400, "this is no request of HTTP/1.1")
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400, "a header without a colon")
        fields[name.strip().lower()] = value.strip()
    if "transfer-encoding" in fields:
        raise BadRequest(400, "a body in chunks is not taken; send Content-Length")
    length = fields.get("content-length", "0")
    if not length.isdigit():
        raise BadRequest(400, "Content-Length is no number")
    if int(length) > BODY_BYTES_MAX:
        raise BadRequest(413, f"a body of more than {BODY_BYTES_MAX} bytes")
    wish = fields.get("connection", "").lower()
    stays = wish == "keep-alive" if words[2] == "HTTP/1.0" else wish != "close"
    return words[0], words[1], int(length), stays


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive; one request of a connection at a time, the next waits."""

    def __init__(
        self, workers: Workers, runtime: str, settings: Settings, open_ones: "set[Connection]"
    ) -> None:
        self._workers = workers
        self._runtime = runtime
        self._settings = settings
        self._open_ones = open_ones
        self._buffer = bytearray()
        self._is_busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._transport = None
        self._open_ones.discard(self)

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > HEADER_BYTES_MAX + BODY_BYTES_MAX:
            self.close()
        elif not self._is_busy:
            self._next()

    def _next(self) -> None:
        """Begins the next request where it is whole."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 and len(self._buffer) <= HEADER_BYTES_MAX:
            return
        try:
            if not 0 <= end <= HEADER_BYTES_MAX:
                raise BadRequest(431, f"headers of more than {HEADER_BYTES_MAX} bytes")
            method, target, length, stays = parse_head(bytes(self._buffer[:end]))
            if len(self._buffer) < end + 4 + length:
                return
            del self._buffer[: end + 4 + length]
            self._begin(method, target, stays)
        except BadRequest as error:
            # Where the next request begins is not known.
            self._answer(error_reply(error.status, str(error)), stays=False)

    def _begin(self, method: str, target: str, stays: bool) -> None:
        try:
            url = urlsplit(target)
            pending = self._route(method, url.path, url.query)
        except (ValueError, StoreError) as error:
            status = 503 if isinstance(error, MissingModule) else 400
            self._answer(error_reply(status, str(error)), stays)
            return
        if isinstance(pending, tuple):
            self._answer(pending, stays)
            return
        self._is_busy = True
        pending.add_done_callback(lambda done: self._finish(done, stays))

    def _finish(self, done: "asyncio.Future[Reply]", stays: bool) -> None:
        self._is_busy = False
        if done.cancelled():
            self.close()
        elif done.exception():
            # The thread could not begin: a runtime that does not start.
            self._answer(error_reply(500, f"no worker: {done.exception()}"), stays)
        else:
            self._answer(done.result(), stays)

    def _route(self, method: str, path: str, query: str) -> "Reply | asyncio.Future[Reply]":
        wanted = {"/run": "POST", "/health": "GET", "/metrics": "GET"}.get(path)
        if not wanted:
            return error_reply(404, "there are /run, /health and /metrics")
        if method != wanted:
            return error_reply(405, f"{path} takes {wanted}")
        if path == "/run":
            return self._run(query)
        if path == "/health":
            return 200, canonical({"runtime": self._runtime} | self._workers.state())
        return 200, self._workers.timings.text()

    def _run(self, query: str) -> "Reply | asyncio.Future[Reply]":
        values = {
            "kind": "data_processing",
            "size": "medium",
            **{name: str(value) for name, value in self._settings._asdict().items()},
        }
        for name, value in parse_qsl(query, strict_parsing=bool(query), max_num_fields=8):
            if name not in values:
                return error_reply(400, f"'{name}' is no parameter of /run")
            values[name] = value
        if values["kind"] not in KINDS:
            return error_reply(400, f"kind is one of {', '.join(KINDS)}")
        if values["size"] not in SIZES:
            return error_reply(400, f"size is one of {', '.join(SIZES)}")
        settings = Settings(
            count(values["workers"]), values["database"], count(values["connections"])
        )
        return self._workers.submit(values["kind"], values["size"], settings)

    def _answer(self, reply: Reply, stays: bool) -> None:
        if not self._transport:
            return  # the client has gone
        status, text = reply
        body = text.encode()
        kind = "application/json" if text.startswith("{") else "text/plain; version=0.0.4"
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n"
        )
        if not stays:
            head += "Connection: close\r\n"
        self._transport.write(head.encode() + b"\r\n" + body)
        if not stays:
            self._transport.close()
        elif self._buffer:
            # Not from here: a chain of small requests would be a tower of calls.
            asyncio.get_running_loop().call_soon(self._next_if_idle)

    def _next_if_idle(self) -> None:
        if self._transport and not self._is_busy:
            self._next()


def choose_runtime(name: str, tracking: bool) -> Callable[[], Runtime]:
    """What makes the runtime of a worker. ImportError where the package is not there."""
    if name == "plain":
        return PlainRuntime
    import workflow_kailash

    workflow_kailash.quieten()
    return lambda: workflow_kailash.KailashRuntime(tracking)


async def serve(arguments: argparse.Namespace, workers: Workers) -> None:
    """Until a signal asks for its end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    settings = Settings(arguments.workers, arguments.database, arguments.connections)
    open_ones: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(workers, arguments.runtime, settings, open_ones),
        "127.0.0.1",
        arguments.port,
        backlog=BACKLOG,
    )
    port = server.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}", flush=True)
    await ended.wait()
    server.close()
    for connection in list(open_ones):
        connection.close()
    await loop.run_in_executor(None, workers.close)


def raise_file_limit() -> None:
    """Each of 10,000 clients is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        say(f"cannot have more open files: {error}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs workflows for a load driver.")
    parser.add_argument("--port", type=int, required=True, help="of 127.0.0.1; 0: any, printed")
    parser.add_argument("--runtime", choices=("plain", "kailash"), default="plain")
    parser.add_argument("--workers", type=count, default=16, help="workflows at a time")
    parser.add_argument(
        "--database", default="none", help="none, postgres://…, mysql://… or redis://…, on loopback"
    )
    parser.add_argument("--connections", type=count, default=100, help="of the pool at most")
    parser.add_argument(
        "--connection-timeout", type=float, default=5.0, help="seconds that a workflow waits for one"
    )
    parser.add_argument(
        "--tracking", choices=("on", "off"), default="on", help="what Kailash keeps of each run"
    )
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        url = parse_database(arguments.database)
        check_modules(url)
        new_runtime = choose_runtime(arguments.runtime, arguments.tracking == "on")
    except MissingModule as error:
        say(str(error))
        return EXIT_MISSING
    except StoreError as error:
        say(str(error))
        return EXIT_USAGE
    except ImportError as error:
        say(
            f"the Python package kailash is missing ({error}); tools/install-peers.sh installs it, "
            "or use --runtime plain"
        )
        return EXIT_MISSING
    raise_file_limit()
    workers = Workers(new_runtime, arguments.connection_timeout)
    try:
        asyncio.run(serve(arguments, workers))
    except OSError as error:
        say(f"cannot listen on port {arguments.port}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
