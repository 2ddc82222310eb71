"""Program lines as NumPy statements."""

from __future__ import annotations

from dataclasses import dataclass, field

from symbackprop.emit.arrays import ArrayPrinter, Library, named_as, reduced
from symbackprop.emit.printer import ATOM, ArrayNode
from symbackprop.emit.program import Op, Reduce, Var

NUMPY = Library(
    helpers="numpy{}.py.jinja",
    functions=named_as("np", {"atan": "np.arctan", "erf": "_erf", "normal_tail": "_normal_tail", "round": "np.rint"}),
    where="np.where({}, {}, {})",
    reductions=reduced("np"),
    opening={"n": "n = len({})", "real": "real = {}.dtype.type"},
    rows="np.vstack(({}, {}))",
    columns="np.column_stack(({}, {}))",
    joined="np.concatenate(({}), axis=1)",
    normal="np.asarray(rng.standard_normal({}) / {}**0.5, dtype)",
    zeros="np.zeros({}, dtype)",
    start="np.asarray({}, dtype)",
    as_array="np.asarray({})",
    as_arrays="[np.asarray(w) for w in {}]",
    given="ArrayLike",
    array="np.ndarray",
    number="float",
    class_weights="{1} = np.asarray([CLASS_WEIGHTS], {0}.dtype)",
    as_number="float({})",
)


@dataclass
class NumPyPrinter(ArrayPrinter):
    """Prints nodes over NumPy arrays."""

    library: Library = field(default=NUMPY, kw_only=True)

    def array(self, node: ArrayNode) -> tuple[str, int]:
        match node:
            case Reduce("sum", Op("multiply", (Var() as left, Var() as right)), "all"):
                return f"np.vdot({self(left)}, {self(right)})", ATOM
            case Reduce(function, Var(name), "rows"):
                return f"{self(Var(name))}.{function}(axis=0)", ATOM
            case Reduce(function, Var(name), "columns"):
                return f"{self(Var(name))}.{function}(axis=1, keepdims=True)", ATOM
            case Reduce(function, Var(name), "all"):
                return f"{self(Var(name))}.{function}()", ATOM
        return super().array(node)
