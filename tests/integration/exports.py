#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the tests of the report formats do with files.

exports.py plant FOLDER TO WHICH   a results folder like FOLDER whose strings mean harm
exports.py check FOLDER            are all files FOLDER/FORMAT/FILE whole and harmless? On standard output
                                   `FORMAT FILE: complaint`
exports.py schema SCHEMA FILE...   does run.json follow the schema? Complaints on standard output
exports.py likewise FILE FILE      have both JSON files the same keys with the same types? The same
"""
import copy
import csv
import glob
import gzip
import io
import json
import os
import re
import shutil
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree

SCRIPT = "<script>alert(1)</script>"
PLANTED = (
    SCRIPT + "\"'&`|;{}\\ \n::error::PLANTED\r\n::error::PLANTED \x1b[31m\x07\x9b31m\u2028\u2029\u202e",
    "=1+1" + SCRIPT + "\nBenchmarkPlanted 1 1 sec/op\nplanted: 1",
    "-->]]>" + SCRIPT + "| a | b |\n# TYPE planted gauge\nplanted 1\n\x00".replace("\x00", "\x7f"),
    "@x\t\u00ad\u200b\ufeff\U000e0041$(id)%n%s${x}" + SCRIPT,
)
# What a reader of the record decides by; the rest is shown only.
WORDS = {"schema", "side", "better", "winner"}
MORE_WORDS = {"verdict", "unit", "role", "mode", "level", "severity", "metric", "driver", "started_at",
              "primary", "stopping", "expression", "limited_by", "protocol", "address"}
# Lists that a round of a command does not have, with what they hold.
LOAD = "tests/fuzz/corpus/record/load.json"
LISTS = ("errors", "counts", "kinds", "producers", "faults", "recovery", "side_metrics", "endurance",
         "protocols", "peers", "syscalls", "requests", "work", "driver")


class Planter:
    def __init__(self, keep):
        self.keep = keep
        self.turn = 0

    def text(self):
        self.turn += 1
        return PLANTED[self.turn % len(PLANTED)]

    def plant(self, value, key=""):
        if isinstance(value, dict):
            return {self.name(k, key): self.plant(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self.plant(v, key) for v in value]
        if isinstance(value, str) and key not in self.keep:
            return self.text()
        return value

    def name(self, name, outer):
        """A name of a latency is from outside, too, where it is scraped."""
        return name + SCRIPT + "\n\x1b[31m\"" if outer == "latency" and name.startswith("wait_") else name


def plant(folder, to, which):
    shutil.copytree(folder, to)
    with open(folder + "/run.json", encoding="utf-8") as file:
        record = json.load(file)
    with open(LOAD, encoding="utf-8") as file:
        load = json.load(file)["rounds"][0]
    for one in record["rounds"]:
        for key in LISTS:
            if which != "commands" or key not in ("work", "driver"):
                one[key] = copy.deepcopy(load[key])
    if which != "commands":
        record["scenario"]["driver"] = "http"
    record["notes"].append("a note")
    record["thresholds"].append({"side": "A", "metric": "m", "expression": "e", "level": None, "unit": "s",
                                 "value": 1, "passed": False, "text": "t"})
    record["insights"] = [{"kind": k, "metric": "m", "value": 1, "text": "t"}
                          for k in ("cause", "quality", "next")]
    record["baseline"] = {
        "path": "p", "started_at": "s", "version": "v", "comparable": False, "differences": ["d"],
        "rows": [{"side": "A", "metric": "m", "unit": "s", "better": "lower", "base_median": 1,
                  "new_median": 2, "ratio": 2, "ci_low": 1.5, "ci_high": 2.5, "p": 0.01, "p_adjusted": 0.01,
                  "effect": 1, "n_base": 5, "n_new": 5, "threshold": 0.1, "severity": "critical",
                  "verdict": "regressed", "text": "t"}]}
    last = record["rounds"][-1]["validity"]
    last["valid"], last["reasons"] = False, ["a reason"]
    keep = WORDS if which == "everything" else WORDS | MORE_WORDS
    record = Planter(keep).plant(record)
    with open(to + "/run.json", "w", encoding="utf-8") as file:
        json.dump(record, file)
    try:
        with gzip.open(folder + "/stacks.json.gz", "rt", encoding="utf-8") as file:
            stacks = json.load(file)
    except FileNotFoundError:
        return
    planter = Planter(set())
    for table, columns in {"frames": ("function", "source"), "modules": ("path",),
                           "processes": ("comm", "exe")}.items():
        for column in columns:
            if column in stacks.get(table, {}):
                stacks[table][column] = planter.plant(stacks[table][column])
    with gzip.open(to + "/stacks.json.gz", "wt", encoding="utf-8") as file:
        json.dump(stacks, file)


def is_harmful(char):
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") and char not in "\n\t"


def check_text(text, allowed=""):
    for char in sorted(set(text)):
        if is_harmful(char) and char not in allowed:
            yield "holds the raw character U+%04X" % ord(char)
    for line in text.splitlines():
        if line.startswith(("::error::PLANTED", "BenchmarkPlanted", "planted")):
            yield "a line of what is from outside: " + line[:60]


def check_markup(text):
    for raw in (SCRIPT, "<script>alert", "alert(1)</script>"):
        if raw in text:
            yield "holds markup from outside: " + text[text.index(raw):][:60]


def check_json(text):
    json.loads(text)
    return ()


def check_csv(text):
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        if len(row) != len(rows[0]):
            yield "a row has %d cells, the first has %d" % (len(row), len(rows[0]))
        for cell in row:
            if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(r"-[0-9.e+-]+", cell):
                yield "a spreadsheet would run " + repr(cell[:40])


def check_xml(text):
    ElementTree.fromstring(text)
    yield from check_markup(text)


def without_code(text):
    """Of Markdown: in fenced code nothing is markup, and only a fence as long ends it."""
    fence = None
    for line in text.splitlines():
        ticks = re.match(r" {0,3}(`{3,})", line)
        if fence is None and ticks:
            fence = ticks[1]
        elif fence is None:
            yield line
        elif ticks and len(ticks[1]) >= len(fence) and not line.strip("` "):
            fence = None


def check_markdown(text):
    yield from check_markup("\n".join(without_code(text)))
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        if cells and width and cells != width:
            yield "a row of a table has %d cells instead of %d" % (cells - 1, width - 1)
        width = cells


def check_html(text):
    """A whole page, without markup from outside."""
    yield from check_markup(text)
    if "<html" not in text or "</html>" not in text:
        yield "no whole page"


def check_folded(text):
    for line in text.splitlines():
        if not re.fullmatch(r".* \d+", line):
            yield "no folded stack: " + line[:60]


def check_openmetrics(text):
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        return
    if not list(text_string_to_metric_families(text)):
        yield "no metric in it"


def check_benchfmt(text):
    for line in text.splitlines():
        if not re.fullmatch(r"Benchmark[A-Z_][A-Za-z0-9_.]*\t1(\t\S+ \S+)+|Unit \S+ better=\S+|"
                            r"(target|scenario|cpu): .*|# .*", line):
            yield "no line of benchfmt: " + line[:60]


CHECKS = {
    "json": check_json, "hyperfine": check_json, "bencher": check_json, "speedscope": check_json,
    "md": check_markdown, "github-summary": check_markdown, "html": check_html, "svg": check_xml, "junit": check_xml, "folded": check_folded,
    "openmetrics": check_openmetrics, "benchfmt": check_benchfmt,
}


def check(kind, path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        gzip.decompress(data)
        return
    text = data.decode("utf-8")
    # A newline in a cell of CSV is quoted; that of its rows is as RFC 4180 has it.
    if path.endswith(".csv"):
        yield from check_text(text.replace("\r\n", "\n").replace("\n", " "), "\r")
        yield from check_csv(text)
    else:
        yield from check_text(text)
    if kind in CHECKS:
        yield from CHECKS[kind](text)
    elif path.endswith((".html", ".svg", ".xml", ".md")) or text.lstrip().startswith("<"):
        yield from check_markup(text)
    elif path.endswith(".json"):
        yield from check_json(text)


def check_folder(folder):
    for path in sorted(glob.glob(folder + "/*/**", recursive=True)):
        if os.path.isdir(path):
            continue
        kind, name = os.path.relpath(path, folder).split("/", 1)
        try:
            for complaint in check(kind, path):
                yield "%s %s: %s" % (kind, name, complaint)
        except Exception as error:  # a reader that refuses it
            yield "%s %s: %s: %s" % (kind, name, type(error).__name__, " ".join(str(error).split())[:200])


def check_schema(schema, *files):
    import jsonschema
    with open(schema, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in files:
        with open(path, encoding="utf-8") as file:
            for error in validator.iter_errors(json.load(file)):
                yield "%s: %s: %s" % (path, error.json_path, error.message[:100])


def shape(value):
    if isinstance(value, dict):
        return {key: shape(element) for key, element in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def likewise(first, second):
    shapes = []
    for path in (first, second):
        with open(path, encoding="utf-8") as file:
            shapes.append(json.dumps(shape(json.load(file)), sort_keys=True))
    if shapes[0] != shapes[1]:
        yield "%s, not %s" % (shapes[1], shapes[0])


def main():
    command, *words = sys.argv[1:]
    if command == "plant":
        plant(*words)
        return 0
    complaints = {"check": check_folder, "schema": check_schema, "likewise": likewise}[command](*words)
    try:
        complaints = list(complaints)
    except Exception as error:  # a reader that refuses it
        complaints = ["%s: %s" % (type(error).__name__, str(error).replace("\n", " ")[:200])]
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


sys.exit(main())
