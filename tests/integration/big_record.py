#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""big_record.py RUN.JSON ROUNDS TICKS >BIG.JSON: the record of a long run, made of a real one.

Its rounds are those of the given record again and again, in pairs, with series of TICKS values. The
series are noise with the digits that real ones have, so that neither size nor cost is flattered.
"""
import json
import random
import sys


def text(values):
    return "[" + ",".join(values) + "]"


def series(ticks, rng):
    """The arrays as text: making floats of 20 million numbers would take longer than the test."""
    pools = {
        "cpu_utilization": ["%.15g" % rng.uniform(0, 2) for _ in range(4096)],
        "rss_bytes": ["%d" % (rng.randrange(2000, 60000) * 4096) for _ in range(4096)],
        "tx_bytes_per_second": ["%.15g" % rng.uniform(0, 1e7) for _ in range(4096)],
        "rx_bytes_per_second": ["%.15g" % rng.uniform(0, 1e7) for _ in range(4096)],
        "lines_per_second": ["%.15g" % rng.uniform(0, 2e4) for _ in range(4096)],
    }
    return {key: rng.choices(pool, k=ticks) for key, pool in pools.items()}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        record = json.load(file)
    count, ticks = int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(1)
    rounds = record["rounds"]
    sides = len(record["targets"])
    for one in rounds:
        one["series"] = {"interval_seconds": 0.1, "PLACE": 0}
    texts = {side: [json.dumps(one) for one in rounds if one["side"] == side] for side in "AB"}
    values = series(ticks, rng)
    head = dict(record, rounds=["ROUNDS"])
    before, after = json.dumps(head, indent=2).split('"ROUNDS"')
    out = sys.stdout
    out.write(before)
    for i in range(count):
        side = "AB"[i % sides]
        one = texts[side][i // sides % len(texts[side])]
        arrays = []
        for key, array in values.items():
            turn = rng.randrange(ticks)
            arrays.append('"%s": %s' % (key, text(array[turn:] + array[:turn])))
        pair = one.replace('"PLACE": 0', ", ".join(arrays), 1)
        out.write(",\n" if i else "")
        out.write(pair.replace('"pair": %d' % json.loads(one)["pair"], '"pair": %d' % (i // sides), 1))
    out.write(after + "\n")


main()
