"""The JavaScript target: the scalar program of one example as a function that a page can call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symbackprop.calculus.inert import Partial
from symbackprop.derivation.derive import Derivation
from symbackprop.emit import source
from symbackprop.emit.names import ERROR_NAME
from symbackprop.emit.printer import ATOM, CASE, SUM, TEST, PythonPrinter
from symbackprop.emit.program import COSTLY, Node, Op, needed
from symbackprop.emit.scalar import ScalarLines, identifier
from symbackprop.network.quantities import DELTA, ERROR
from symbackprop.notation.profile import Profile

JAVASCRIPT = {name: f"Math.{name}" for name in sorted(COSTLY - {"erf", "normal_tail"})} | {
    "erf": "_erf",
    "normal_tail": "_normal_tail",
    "abs": "Math.abs",
    "maximum": "Math.max",
    "minimum": "Math.min",
    "sign": "Math.sign",
    "floor": "Math.floor",
}
LOGIC = {"and": " && ", "or": " || "}


@dataclass
class JavaScriptPrinter(PythonPrinter):
    """Prints nodes over JavaScript's numbers; where its signs differ from Python's, a function is called."""

    def printed(self, node: Node) -> tuple[str, int]:
        match node:
            case Op("power", (base, exponent)):
                return f"Math.pow({self(base)}, {self(exponent)})", ATOM
            case Op("equal", (left, right)):
                return f"{self.inside(left, SUM)} === {self.inside(right, SUM)}", TEST
            case Op("not_equal", (left, right)):
                return f"{self.inside(left, SUM)} !== {self.inside(right, SUM)}", TEST
        return super().printed(node)

    def cases(self, test: Node, value: Node, other: Node) -> tuple[str, int]:
        return f"{self.inside(test, TEST)} ? {self.inside(value, TEST)} : {self.inside(other, TEST)}", CASE

    def function(self, function: str, args: tuple[Node, ...]) -> tuple[str, int]:
        if function in LOGIC:
            return LOGIC[function].join(self.inside(arg, ATOM) for arg in args), CASE
        return super().function(function, args)


def results(derivation: Derivation) -> dict[str, str]:
    """What the program computes: the quantity as commands write it -> its name in the source.

    >>> from symbackprop.derivation.derive import derive
    >>> from symbackprop.network.forward import forward_graph
    >>> from symbackprop.network.read import network
    >>> found = results(derive(forward_graph(network("1-1", activation="tanh", loss="mse", bias=False))))
    >>> list(found)
    ['z1[2]', 'a1[2]', 'E', 'delta1[2]', 'dE/dw11[1]']
    """
    graph = derivation.graph
    layers = range(2, graph.depth + 1)
    forward = [entry for layer in layers for entry in graph.forward_entries(layer)]
    deltas = [DELTA[layer, pre] for layer in reversed(layers) for pre in graph.fed(layer)]
    parameters = [*graph.weights(), *graph.biases(), *graph.trained()]
    return {
        **{str(entry): identifier(entry) for entry in forward},
        str(ERROR): ERROR_NAME,
        **{str(entry): identifier(entry) for entry in deltas},
        **{name_of_gradient(of): f"dE_d{identifier(of)}" for of in parameters},
    }


def name_of_gradient(of: Any) -> str:
    """How ∂E/∂w is addressed: ``dE/dw11[1]``."""
    gradient = Partial(ERROR, of)
    return f"d{gradient.of}/d{gradient.by}"


def javascript_parts(derivation: Derivation, profile: Profile, numbers: Mapping[str, int]) -> dict[str, Any]:
    """What the template of ``gradients.js`` places."""
    spec = derivation.graph.spec
    reader = ScalarLines(derivation)
    found = results(derivation)
    lines = needed(reader(), list(found.values()))
    printer = JavaScriptPrinter(JAVASCRIPT, source.named_numbers(spec))
    printed = [
        {"name": line.name, "value": printer(line.node), "cites": source.citation(numbers, line.label)}
        for line in lines
    ]
    strength = source.strength(spec)
    inputs = {str(entry): identifier(entry) for entry in reader.inputs()}
    if strength is not None:
        inputs[strength.name] = source.named_numbers(spec)[strength]
    return {
        "summary": f"Gradients of every single weight of the network {source.summary(spec)}, for one example.",
        "inputs": [(json.dumps(address), name) for address, name in inputs.items()],
        "constants": source.single_constants(spec),
        "lines": printed,
        "results": [(json.dumps(address), name) for address, name in found.items()],
        "helpers": sorted(printer.used),
    }
