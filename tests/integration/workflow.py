#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""workflow.py check FILE: what a workflow of GitHub Actions needs to be one, an error a line.
workflow.py step FILE JOB WORD: the script of the only step of JOB with WORD in it."""
import sys
import yaml


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def check(workflow):
    # YAML 1.1 takes the key `on` for a boolean.
    if not workflow.get(True):
        yield "nothing starts it"
    names = set()
    for name, job in workflow.get("jobs", {}).items():
        needs = job.get("needs", [])
        for other in [needs] if isinstance(needs, str) else needs:
            if other not in names:
                yield f"{name} needs {other}, which is no job before it"
        names.add(name)
        if not job.get("runs-on"):
            yield f"{name} runs on nothing"
        for step in job.get("steps", []):
            if ("run" in step) == ("uses" in step):
                yield f"{name}: a step runs a script or uses an action, one of both: {step}"
            if "uses" in step and "@" not in step["uses"]:
                yield f"{name}: {step['uses']} has no version"
    if not names:
        yield "there is no job"


def main():
    workflow = load(sys.argv[2])
    if sys.argv[1] == "check":
        for error in check(workflow):
            print(error)
        return
    scripts = [step["run"] for step in workflow["jobs"][sys.argv[3]]["steps"]
               if sys.argv[4] in step.get("run", "")]
    if len(scripts) != 1:
        sys.exit(f"{len(scripts)} steps of {sys.argv[3]} have '{sys.argv[4]}' in them")
    print(scripts[0])


main()
