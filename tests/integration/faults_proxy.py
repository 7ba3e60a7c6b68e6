#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""faults_proxy.py PERFBPF: `perfbpf proxy` between a client and a server made here. Prints a line
`NAME VALUE` for each thing that was seen; test_faults.sh judges them."""
import hashlib
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

PERFBPF = sys.argv[1]
MARK = sys.argv[2] if len(sys.argv) > 2 else ""


def say(name, value):
    print(name, value, flush=True)


class Server:
    """Takes connections and hands each to FUNCTION in a thread of its own."""

    def __init__(self, function):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.socket.getsockname()[1]
        self.function = function
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            connection, _ = self.socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            self.function(connection)
        except OSError:
            pass
        connection.close()


class Proxy:
    def __init__(self, to):
        ours, theirs = socket.socketpair()
        self.control = ours
        self.process = subprocess.Popen(
            [PERFBPF, "proxy", "--listen", "127.0.0.1:%d" % free_port(), "--to",
             "127.0.0.1:%d" % to, "--control-fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()], env=dict(os.environ, PERFBPF_TEST_MARK=MARK))
        theirs.close()
        self.file = ours.makefile("r")
        self.port = self.hear()["port"]

    def hear(self):
        line = self.file.readline()
        return json.loads(line) if line else {"event": "end"}

    def tell(self, **message):
        self.control.sendall((json.dumps(message) + "\n").encode())
        return self.hear()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def close(self):
        self.file.close()
        self.control.close()
        return self.process.wait(timeout=5)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def receive(connection, n):
    data = b""
    while len(data) < n:
        got = connection.recv(min(n - len(data), 1 << 16))
        if not got:
            break
        data += got
    return data


def echo(connection):
    while True:
        data = connection.recv(65536)
        if not data:
            return
        connection.sendall(data)


def round_trip(connection, data=b"x"):
    start = time.monotonic()
    connection.sendall(data)
    same = receive(connection, len(data)) == data
    return (time.monotonic() - start) * 1e3, same


def median_trip(connection, n=9):
    return sorted(round_trip(connection)[0] for _ in range(n))[n // 2]


def pump(connection, data):
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def whole(proxy, data):
    """DATA through an echo and back, half-closed after it: is it the same?"""
    connection = proxy.connect()
    thread = threading.Thread(target=pump, args=(connection, data))
    thread.start()
    back = receive(connection, len(data) + 1)
    thread.join()
    connection.close()
    return hashlib.sha256(back).digest() == hashlib.sha256(data).digest()


def test_plain(proxy, data):
    say("plain_same", int(whole(proxy, data)))
    results = []
    threads = [threading.Thread(target=lambda: results.append(whole(proxy, data[:100000])))
               for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say("many_same", sum(results))


def test_delay(proxy, data):
    connection = proxy.connect()
    before = median_trip(connection)
    proxy.tell(effect="delay", delay_ns=50_000_000)
    say("delay_more_ms", "%.2f" % (median_trip(connection) - before))
    start = time.monotonic()
    say("delay_same", int(whole(proxy, data)))
    say("delay_mib_per_second", "%.1f" % (len(data) / (time.monotonic() - start) / 2**20))
    undone = proxy.tell(effect="none")
    say("delay_affected", undone["affected"])
    say("delay_after_ms", "%.2f" % (median_trip(connection) - before))
    # 20 % of the answers
    proxy.tell(effect="delay", delay_ns=20_000_000, probability=0.2, seed=7)
    late = sum(round_trip(connection)[0] > 15 for _ in range(200))
    undone = proxy.tell(effect="none")
    say("drawn_met", undone["met"])
    say("drawn_affected", undone["affected"])
    say("drawn_late", late)
    connection.close()


def test_stall(proxy, data):
    connection = proxy.connect()
    round_trip(connection)
    back = []
    thread = threading.Thread(target=pump, args=(connection, data))
    reader = threading.Thread(target=lambda: back.append(receive(connection, len(data) + 1)))
    thread.start()
    proxy.tell(effect="stall")
    time.sleep(0.1)
    other = proxy.connect()
    other.sendall(b"late")
    quiet = not select.select([other], [], [], 0.4)[0]
    say("stall_quiet", int(quiet))
    undone = proxy.tell(effect="none")
    reader.start()
    say("stall_affected", undone["affected"])
    say("stall_other", receive(other, 4).decode())
    thread.join()
    reader.join()
    say("stall_same", int(back[0] == data))
    connection.close()
    other.close()


def is_reset(proxy, connection=None):
    try:
        connection = connection or proxy.connect()
        connection.sendall(b"x")
        return connection.recv(1) == b"" and "end"
    except ConnectionResetError:
        return "reset"
    except BrokenPipeError:
        return "reset"


def test_reset(proxy):
    connection = proxy.connect()
    round_trip(connection)
    proxy.tell(effect="reset")
    time.sleep(0.05)
    say("reset_old", is_reset(proxy, connection))
    say("reset_new", is_reset(proxy))
    undone = proxy.tell(effect="none")
    say("reset_affected", undone["affected"])
    connection = proxy.connect()
    say("reset_after", int(round_trip(connection)[1]))
    # 5 % of the answers
    proxy.tell(effect="reset", probability=0.05, seed=11)
    resets = 0
    for _ in range(400):
        try:
            if not round_trip(connection)[1]:
                raise ConnectionResetError
        except ConnectionResetError:
            resets += 1
            connection = proxy.connect()
    undone = proxy.tell(effect="none")
    say("reset_drawn", resets)
    say("reset_drawn_told", undone["affected"])


def test_bandwidth(proxy):
    rate = 1 << 20
    proxy.tell(effect="bandwidth", bytes_per_second=rate)
    for n in (1, 4):
        total, start, threads, same = rate * 2, time.monotonic(), [], []
        for _ in range(n):
            data = random.Random(n).randbytes(total // n)
            thread = threading.Thread(target=lambda d=data: same.append(whole(proxy, d)))
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
        say("bandwidth_share_%d" % n, "%.3f" % (total / (time.monotonic() - start) / rate))
        say("bandwidth_same_%d" % n, sum(same))
    proxy.tell(effect="none")
    start = time.monotonic()
    whole(proxy, bytes(rate * 2))
    say("bandwidth_after_share", "%.1f" % (rate * 2 / (time.monotonic() - start) / rate))


def test_ends(proxy):
    """What the server does to a connection is done to the client's."""
    def reset_after(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def end_after(connection):
        connection.recv(1)
        connection.sendall(b"bye")

    for name, function in (("reset", reset_after), ("end", end_after)):
        server = Server(function)
        other = Proxy(server.port)
        connection = other.connect()
        connection.sendall(b"x")
        try:
            say("server_" + name, receive(connection, 9).decode() or "end")
        except ConnectionResetError:
            say("server_" + name, "reset")
        other.close()
    lost = Proxy(free_port())
    say("server_none", is_reset(lost))
    say("server_none_refused", lost.tell(command="count")["refused"])
    say("wrong_effect", lost.tell(effect="wrong")["event"])
    say("wrong_delay", lost.tell(effect="delay")["event"])
    lost.close()


def main():
    server = Server(echo)
    proxy = Proxy(server.port)
    data = random.Random(1).randbytes(8 << 20)
    test_plain(proxy, data)
    test_delay(proxy, data)
    test_stall(proxy, data)
    test_reset(proxy)
    test_bandwidth(proxy)
    test_ends(proxy)
    time.sleep(0.1)
    count = proxy.tell(command="count")
    say("left_held_bytes", count["held_bytes"])
    ticks = os.sysconf("SC_CLK_TCK")
    stat = "/proc/%d/stat" % proxy.process.pid

    def used():
        with open(stat) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 // ticks
    before = used()
    time.sleep(0.3)
    say("idle_cpu_ms", used() - before)
    say("exit_code", proxy.close())


main()
