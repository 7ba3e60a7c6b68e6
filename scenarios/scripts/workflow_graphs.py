# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The workflows: three kinds in three sizes, and the two runtimes that execute their graphs.

A workflow is a list of steps, each a function of the results of others. Both runtimes get the same
list: the real one as nodes and connections of a Kailash workflow, the plain one as it is. All
that is drawn comes from a generator of its own, and all arithmetic is on integers, so that
an answer is the same on every machine, and its checksum can stand in a scenario.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from workflow_stores import Session

Row = dict[str, Any]

KINDS = ("data_processing", "analytics", "transformation")
SIZES = {"simple": 100, "medium": 400, "complex": 1600}  # rows at the beginning
MAX_INPUTS = 3

REGIONS = ("north", "east", "south", "west", "centre")
PRODUCTS = ("valve", "pump", "gauge", "filter", "motor", "sensor", "relay")
TAX_PERCENT = {"valve": 19, "pump": 19, "gauge": 7, "filter": 7, "motor": 19, "sensor": 7, "relay": 0}


class GraphError(Exception):
    """A graph that cannot be executed, or a runtime that did not execute all of it."""


@dataclass(frozen=True)
class Step:
    """One node: a function of the results of INPUTS, in their order."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[str, ...] = ()


def numbers(seed: int) -> Iterator[int]:
    """An endless row of numbers below 2^31, the same everywhere (Knuth's MMIX constants)."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        yield state >> 33


def canonical(value: Any) -> str:
    """VALUE as text of which there is only one."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


# --- data processing: a CSV comes in, is checked, made ready and put into a table -----------


def ingest(count: int) -> str:
    """A CSV as a shop would send it; each 17th line is cut short, each 23rd comes twice."""
    draw = numbers(count)
    lines = ["id,region,product,quantity,price_cents"]
    for i in range(count):
        region = REGIONS[next(draw) % len(REGIONS)]
        product = PRODUCTS[next(draw) % len(PRODUCTS)]
        line = f"{i},{region},{product},{1 + next(draw) % 20},{100 + next(draw) % 9900}"
        lines.append(line.rsplit(",", 1)[0] if i % 17 == 16 else line)
        if i % 23 == 22:
            lines.append(line)
    return "\n".join(lines)


def parse(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.split("\n")[1:]]


def validate(fields: list[list[str]]) -> list[Row]:
    """The rows that are whole."""
    return [
        {
            "id": int(f[0]),
            "region": f[1],
            "product": f[2],
            "quantity": int(f[3]),
            "price_cents": int(f[4]),
        }
        for f in fields
        if len(f) == 5
    ]


def deduplicate(rows: list[Row]) -> list[Row]:
    return list({row["id"]: row for row in rows}.values())


def transform(rows: list[Row]) -> list[Row]:
    return [row | {"amount_cents": row["quantity"] * row["price_cents"]} for row in rows]


def enrich(rows: list[Row]) -> list[Row]:
    """Joined with the rates of tax."""
    return [
        row | {"tax_cents": row["amount_cents"] * TAX_PERCENT[row["product"]] // 100}
        for row in rows
    ]


def count_by_region(rows: list[Row]) -> dict[str, int]:
    return sum_by(rows, "region", "quantity")


def sum_by(rows: list[Row], key: str, value: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        sums[row[key]] = sums.get(row[key], 0) + row[value]
    return sums


def quality(fields: list[list[str]], rows: list[Row]) -> dict[str, int]:
    return {"read": len(fields), "kept": len(rows), "rejected": len(fields) - len(rows)}


def data_processing(size: str, session: Session) -> list[Step]:
    """CSV ingestion, validation, transformation, analytics, storage."""
    steps = [
        Step("ingest", lambda: ingest(SIZES[size])),
        Step("parse", parse, ("ingest",)),
        Step("validate", validate, ("parse",)),
    ]
    last = "validate"
    if size == "complex":
        steps.append(Step("deduplicate", deduplicate, (last,)))
        last = "deduplicate"
    if size != "simple":
        steps.append(Step("transform", transform, (last,)))
        steps.append(Step("quality", quality, ("parse", last)))
        last = "transform"
    if size == "complex":
        steps.append(Step("enrich", enrich, (last,)))
        steps.append(Step("taxes", lambda rows: sum_by(rows, "product", "tax_cents"), ("enrich",)))
        last = "enrich"
    steps.append(Step("aggregate", count_by_region, (last,)))
    steps.append(
        Step(
            "store",
            lambda sums: session.store(f"data_processing-{size}", canonical(sums)),
            ("aggregate",),
        )
    )
    inputs = (last, "store") + (("quality",) if size != "simple" else ())
    steps.append(Step("report", report_of_rows, inputs))
    return steps


def report_of_rows(rows: list[Row], *parts: Any) -> Row:
    return {"rows": len(rows), "digest": digest(rows), "parts": list(parts)}


# --- analytics: readings are asked of the database, looked at, and what was found is cached ---


def readings(count: int) -> str:
    """What the table of readings holds."""
    draw = numbers(count + 1)
    return canonical([{"at": i, "value": 500 + i // 4 + next(draw) % 1000} for i in range(count)])


def values_of(rows: list[Row]) -> list[int]:
    return [row["value"] for row in rows]


def describe(rows: list[Row]) -> Row:
    values = values_of(rows)
    mean = sum(values) // len(values)
    return {
        "count": len(values),
        "min": min(values),
        "max": max(values),
        "mean": mean,
        "variance": sum((v - mean) ** 2 for v in values) // len(values),
    }


def percentiles(rows: list[Row]) -> Row:
    ordered = sorted(values_of(rows))
    return {f"p{p}": ordered[len(ordered) * p // 100] for p in (5, 25, 50, 75, 95, 99)}


def moving_average(rows: list[Row]) -> list[int]:
    values, window = values_of(rows), 16
    return [sum(values[i : i + window]) // window for i in range(len(values) - window + 1)]


def histogram(rows: list[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values_of(rows):
        counts[str(value // 100)] = counts.get(str(value // 100), 0) + 1
    return counts


def outliers(rows: list[Row], found: Row) -> list[int]:
    """Where a value is farther from the mean than two standard deviations."""
    return [r["at"] for r in rows if (r["value"] - found["mean"]) ** 2 > 4 * found["variance"]]


def trend(averages: list[int]) -> int:
    """The slope of least squares, in millionths."""
    n = len(averages)
    middle = n - 1
    above = sum((2 * i - middle) * value for i, value in enumerate(averages))
    return 2_000_000 * above // sum((2 * i - middle) ** 2 for i in range(n))


def analytics(size: str, session: Session) -> list[Step]:
    """Queries, statistics, and a cache of what came of them."""
    count = SIZES[size]
    steps = [
        Step("query", lambda: session.fetch(f"readings-{count}", lambda: readings(count))),
        Step("load", json.loads, ("query",)),
        Step("describe", describe, ("load",)),
    ]
    found = ["describe"]
    if size != "simple":
        steps.append(Step("percentiles", percentiles, ("load",)))
        steps.append(Step("moving_average", moving_average, ("load",)))
        found.append("percentiles")
    if size == "complex":
        steps.append(Step("histogram", histogram, ("load",)))
        steps.append(Step("outliers", outliers, ("load", "describe")))
        steps.append(Step("trend", trend, ("moving_average",)))
        steps.append(Step("shape", lambda *parts: list(parts), ("histogram", "outliers", "trend")))
        found.append("shape")
    steps.append(Step("combine", lambda *parts: list(parts), tuple(found)))
    steps.append(
        Step(
            "cache",
            lambda parts: session.store(f"analytics-{size}", canonical(parts)),
            ("combine",),
        )
    )
    last = "load" if size == "simple" else "moving_average"
    steps.append(Step("report", report_of_rows, (last, "cache")))
    return steps


# --- transformation: rows are made, filtered, grouped and formed anew; no database -----------


def generate(count: int) -> list[Row]:
    draw = numbers(count + 2)
    return [
        {"id": i, "group": next(draw) % 12, "score": next(draw) % 1000, "tag": f"t{next(draw) % 5}"}
        for i in range(count)
    ]


def keep_passing(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["score"] >= 250]


def group(rows: list[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row["group"]), []).append(row)
    return groups


def rank(groups: dict[str, list[Row]]) -> list[Row]:
    """Within each group, the best first."""
    ranked = []
    for name in sorted(groups):
        ordered = sorted(groups[name], key=lambda row: (-row["score"], row["id"]))
        ranked += [row | {"rank": place} for place, row in enumerate(ordered, 1)]
    return ranked


def pivot(rows: list[Row]) -> list[Row]:
    table: dict[int, Row] = {}
    for row in rows:
        line = table.setdefault(row["group"], {"group": row["group"]})
        line[row["tag"]] = line.get(row["tag"], 0) + row["score"]
    return [table[name] for name in sorted(table)]


def running_sums(rows: list[Row]) -> list[Row]:
    total, result = 0, []
    for row in rows:
        total += row["score"]
        result.append(row | {"running": total})
    return result


def normalise(rows: list[Row]) -> list[Row]:
    """Scores as thousandths of their group's best, which ranks first."""
    best = {row["group"]: row["score"] for row in rows if row["rank"] == 1}
    return [row | {"share": 1000 * row["score"] // best[row["group"]]} for row in rows]


def flatten(groups: dict[str, list[Row]]) -> list[Row]:
    return [row for name in sorted(groups) for row in groups[name]]


def transformation(size: str, session: Session) -> list[Step]:
    """Generation, filtering, grouping, and more stages of it."""
    del session
    steps = [
        Step("generate", lambda: generate(SIZES[size])),
        Step("filter", keep_passing, ("generate",)),
        Step("group", group, ("filter",)),
    ]
    if size == "simple":
        steps.append(Step("flatten", flatten, ("group",)))
        steps.append(Step("report", report_of_rows, ("flatten",)))
        return steps
    steps.append(Step("rank", rank, ("group",)))
    steps.append(Step("pivot", pivot, ("rank",)))
    if size == "medium":
        steps.append(Step("report", report_of_rows, ("rank", "pivot")))
        return steps
    steps.append(Step("running_sums", running_sums, ("rank",)))
    steps.append(Step("normalise", normalise, ("running_sums",)))
    steps.append(Step("top", lambda rows: [r for r in rows if r["rank"] <= 3], ("normalise",)))
    steps.append(Step("report", report_of_rows, ("normalise", "pivot", "top")))
    return steps


_BUILDERS: dict[str, Callable[[str, Session], list[Step]]] = {
    "data_processing": data_processing,
    "analytics": analytics,
    "transformation": transformation,
}


def build(kind: str, size: str, session: Session) -> list[Step]:
    """The steps of a workflow; the last is its report."""
    return _BUILDERS[kind](size, session)


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def answer(kind: str, size: str, results: dict[str, Any]) -> Row:
    """What a client gets; the same for each run of KIND and SIZE."""
    report = results["report"]
    return {
        "kind": kind,
        "size": size,
        "nodes": len(results),
        "rows": report["rows"],
        "checksum": digest(report),
    }


# --- runtimes ---------------------------------------------------------------------------


class Runtime(Protocol):
    """Executes graphs; each worker has one of its own."""

    def execute(self, steps: list[Step]) -> dict[str, Any]:
        """The results of all steps by name."""

    def close(self) -> None:
        """Gives up what it holds."""


class PlainRuntime:
    """The shape of a workflow runtime and no more: steps run once their inputs are there."""

    def execute(self, steps: list[Step]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        waiting = list(steps)
        while waiting:
            ready = [s for s in waiting if all(name in results for name in s.inputs)]
            if not ready:
                raise GraphError(f"these steps wait for each other: {[s.name for s in waiting]}")
            for step in ready:
                results[step.name] = step.function(*(results[name] for name in step.inputs))
            waiting = [step for step in waiting if step.name not in results]
        return results

    def close(self) -> None:
        pass
