# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The real thing: graphs as workflows of the package `kailash`, run by its LocalRuntime.

A module of its own, since importing it takes a second and needs the package. Each step is a node of
one class of ours, and each of its inputs a connection; the workflow is built anew for each
run, as the package's own load test does it.
"""

import logging
import warnings
from typing import Any

from kailash.nodes.base import Node, NodeParameter, register_node
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder
from workflow_graphs import MAX_INPUTS, GraphError, Step

NODE = "PerfbpfStep"
INPUTS = tuple(f"input_{i}" for i in range(MAX_INPUTS))


@register_node(NODE)
class PerfbpfStep(Node):  # type: ignore[misc]
    """A step: its function, called with as many inputs as it has."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        names = ("function", "count", *INPUTS)
        return {
            name: NodeParameter(name=name, type=object, required=False, default=None)
            for name in names
        }

    def run(self, **inputs: Any) -> dict[str, Any]:
        config = self.config
        return {"result": config["function"](*(inputs[name] for name in INPUTS[: config["count"]]))}


class KailashRuntime:
    """One LocalRuntime, with its event loop; of one worker."""

    def __init__(self, tracking: bool) -> None:
        self._runtime = LocalRuntime(enable_monitoring=tracking)
        self._runtime.__enter__()

    def execute(self, steps: list[Step]) -> dict[str, Any]:
        builder = WorkflowBuilder()
        for step in steps:
            config = {"function": step.function, "count": len(step.inputs)}
            builder.add_node(NODE, step.name, config)
        for step in steps:
            for place, source in enumerate(step.inputs):
                builder.add_connection(source, "result", step.name, INPUTS[place])
        results, _ = self._runtime.execute(builder.build())
        for step in steps:
            # A node that failed has an error where its result should be, and the run goes on.
            if "result" not in results.get(step.name, {}):
                raise GraphError(f"node {step.name}: {results.get(step.name, 'was not run')}")
        return {step.name: results[step.name]["result"] for step in steps}

    def close(self) -> None:
        self._runtime.__exit__(None, None, None)


def quieten() -> None:
    """Its advice on style would be a line for each node of each workflow."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
