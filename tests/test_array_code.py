"""Statements in a work space: no value is overwritten that is still read, nothing is of what the caller hands in."""

import operator
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from functools import cache, reduce

import numpy as np
import pytest
from reference import data, largest_difference, parameters, reference

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.emit import storage
from symbackprop.emit.array_module import ArrayModule
from symbackprop.emit.elementary import elementary
from symbackprop.emit.linearity import degree, divided_at_the_output
from symbackprop.emit.numpy import NumPyPrinter
from symbackprop.emit.numpy_module import backward
from symbackprop.emit.program import Assign, MatMul, Number, Op, Reduce, Transposed, Var, early, needed, walk
from symbackprop.emit.targets import emit, load
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import BATCH
from symbackprop.network.read import network
from symbackprop.notation.profile import load_profile

PROFILE = load_profile("S1")
UNITWISE = [name for name, row in ACTIVATIONS.items() if row.value is not None and not row.over_units]
NETWORKS = {name: {"layers": "3-4-4-2", "activation": name, "loss": "huber"} for name in UNITWISE} | {
    "softmax": {"layers": "3-4-4-4", "activation": "tanh", "loss": "ce", "penalty": "l2:0.3:plain:biases"},
    "sum": {"layers": "3-4-2", "activation": "tanh", "loss": "mae", "batch_reduction": "sum"},
    "l2-mean": {"layers": "3-4-4", "activation": "relu", "loss": "mse", "penalty": "l2:0.3:half_mean", "bias": False},
    "handed in": {"layers": "3-4-4", "activation": "g", "loss": "mse"},
    "hosted": {"layers": "3-40-5", "activation": "tanh", "output_activation": "softmax", "loss": "ce"},
    "in blocks": {"layers": "3-12-9-30", "activation": "silu", "output_activation": "softmax", "loss": "bce"},
    "glu": {"layers": "3-8-6-2", "activation": "glu", "output_activation": "identity", "loss": "mse"},
}


@cache
def module_of(name):
    return ArrayModule(derive(forward_graph(network(**NETWORKS[name])), listing="none"), PROFILE, {}, NumPyPrinter)


def first_clobbered(lines):
    """The first value that an operation reads although its array holds another by then."""
    home, holds = {}, {}
    for placed in lines:
        for name in (n.name for n in walk(placed.line.node) if isinstance(n, Var)):
            if any(holds[part] != name for part in home.get(name, ())):
                return name
        if (store := placed.store) is not None:
            host, width = store.host or store, max(1, int(store.columns))
            home[placed.line.name] = [(host, column) for column in range(store.first, store.first + width)]
            holds |= dict.fromkeys(home[placed.line.name], placed.line.name)
    return None


@pytest.mark.parametrize("name", NETWORKS)
def test_no_value_is_overwritten_that_is_read_later(name):
    statements, _ = backward(module_of(name))
    assert first_clobbered(statements.lines) is None
    stores = {placed.line.name: placed.store for placed in statements.lines}
    for gradient in statements.results:
        assert stores[gradient] is None or stores[gradient].names[-1] == gradient  # None: a number


@pytest.mark.parametrize("name", NETWORKS)
def test_each_backward_equation_is_cited_once(name):
    module = module_of(name)
    labels = [label for _, label in backward(module)[0]() if label]
    assert len(labels) == len(set(labels))
    wanted = {*module.outputs, *module.program.deltas}
    assert {line.label for line in module.program.lines if line.name in wanted and line.label} <= set(labels)


def test_an_array_given_away_too_early_is_found(monkeypatch):
    def too_early(lines, results):
        return {name: min(at, line_of[name] + 1) for name, at in right(lines, results).items() if name in line_of} | {
            name: len(lines) for name in results
        }

    module, right = module_of("tanh"), storage.last_uses
    lines = elementary(module.program.lines, known(module), module.outputs)
    line_of = {line.name: at for at, line in enumerate(lines)}
    monkeypatch.setattr(storage, "last_uses", lambda *args: {**dict.fromkeys(known(module), 0), **too_early(*args)})
    assert first_clobbered(storage.placed(lines, known(module), list(module.program.gradients.values()))[0]) is not None


def test_a_host_that_is_needed_itself_is_found(monkeypatch):
    assert any(placed.store is not None and placed.store.host for placed in backward(module_of("hosted"))[0].lines)
    monkeypatch.setattr(storage, "apart", lambda one, other: True)
    assert first_clobbered(backward(module_of("hosted"))[0].lines) is not None


def known(module):
    sizes = module.spec.sizes
    return {**module.program.shapes, module.names.input: (None, sizes[0]), module.names.target: (None, sizes[-1])}


@pytest.mark.parametrize("name", ["tanh", "gelu", "prelu", "softmax", "l2-mean"])
def test_what_the_caller_hands_in_stays_as_it_was(name):
    module = load(emit(module_of(name).derivation, PROFILE), "gradients")
    params = {key: np.asarray(value) for key, value in parameters(module.SHAPES).items()}
    x, t = data(module_of(name).spec, 5)
    given = [x, t, *params.values()]
    before = [array.copy() for array in given]
    workspace = module.make_workspace(5)
    for _ in range(2):
        module.loss_and_gradients(params, x, t, workspace=workspace)
        module.loss_and_gradients(params, x, t)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    fresh = module.loss_and_gradients(params, x, t)[1], module.loss_and_gradients(params, x, t)[1]
    assert not any(np.shares_memory(fresh[0][key], fresh[1][key]) for key in params)


def test_a_function_handed_in_may_return_its_argument():
    module = load(emit(module_of("handed in").derivation, PROFILE), "gradients")
    like = network("3-4-4", activation="identity", loss="mse")
    params, (x, t) = parameters(module.SHAPES), data(like, 5)
    for workspace in (None, module.make_workspace(5)):
        found = module.loss_and_gradients(params, x, t, g=lambda z: z, g_prime=np.ones_like, workspace=workspace)
        assert largest_difference(found, reference(like, params, x, t)) < 1e-12


@cache
def module_with(activation, sizes, output="identity", loss="mse"):
    spec = network(list(sizes), activation=activation, output_activation=output, loss=loss)
    return load(emit(derive(forward_graph(spec), listing="none"), PROFILE), "gradients")


def natural_output(loss):
    if loss.targets_sum_to_one:
        return "log_softmax" if loss.domain[1] == 0 else "softmax"
    return "sigmoid" if any(end.is_finite for end in loss.domain) else "identity"


WITH_FORMULA = [name for name, row in ACTIVATIONS.items() if row.value is not None]
OUTPUTS = [(natural_output(row), name) for name, row in LOSSES.items() if row.value is not None]


def one_set(activation, sizes, batch):
    """The numbers that the outputs of all layers are, and their δ, one for each pre-activation."""
    pieces = ACTIVATIONS[activation].pieces
    return batch * ((1 + pieces) * sum(sizes[1:-1]) + 2 * sizes[-1])


def room(module, batch):
    """The bytes of a work space, but for those of gradients and of the ones and places that sums and maxima take."""
    arrays = [array for name, array in module.make_workspace(batch).items() if not name.startswith(("ones", "starts"))]
    gradients = sum(np.prod(shape) for shape in module.SHAPES.values())
    return sum(array.nbytes for array in arrays if array.base is None) - 8 * gradients


@pytest.mark.parametrize("activation", WITH_FORMULA)
@pytest.mark.parametrize("sizes", [(30, 20, 20, 11), (8, 40, 25, 5)])
def test_room_for_one_set_of_activations_and_deltas(activation, sizes):
    # Where pre-activations are needed for the trained parameter too, tests of them lie in arrays of truth values.
    tests = 7 * sum(sizes[1:-1]) if ACTIVATIONS[activation].trained else 0
    assert room(module_with(activation, sizes), batch=7) <= 8 * one_set(activation, sizes, batch=7) + tests


@pytest.mark.parametrize(("output", "loss"), OUTPUTS)
@pytest.mark.parametrize("hidden", ["tanh", "relu"])
@pytest.mark.parametrize("sizes", [(20, 12, 36), (30, 20, 20, 12), (2, 3, 2)])
def test_room_for_the_loss_is_that_of_activations_and_deltas(sizes, hidden, output, loss):
    assert room(module_with(hidden, sizes, output, loss), batch=7) <= 8 * one_set(hidden, sizes, batch=7)


@pytest.mark.parametrize("activation", WITH_FORMULA)
def test_what_activations_need_on_the_way_does_not_grow(activation):
    """At its peak, a call has a dozen blocks of numbers besides, however many examples there are."""
    sizes, batch = (8, 60, 40, 2), 4096
    module, rng = module_with(activation, sizes), np.random.default_rng(0)
    params, x, t = module.init_params(rng), rng.standard_normal((batch, 8)), rng.standard_normal((batch, 2))
    module.loss_and_gradients(params, x, t)
    tracemalloc.start()
    module.loss_and_gradients(params, x, t)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    gradients = sum(value.size for value in params.values())
    blocks = 13 * getattr(module, "BLOCK", 0) + 8192  # the last is NumPy's own, where it repeats a row
    assert peak <= 8 * (gradients + one_set(activation, sizes, batch) + 3 * batch + blocks) + 6000


@pytest.mark.parametrize(
    ("activation", "output", "loss"),
    [
        *((name, "identity", "mse") for name in ("silu", "gelu", "glu", "maxout", "selu")),
        *(("relu", output, loss) for output, loss in OUTPUTS if loss in ("ce", "bce", "huber", "focal", "cosine")),
    ],
)
def test_blocks_of_rows_make_no_difference(activation, output, loss, monkeypatch):
    sizes = (5, 17, 16, 24)
    module, rng = module_with(activation, sizes, output, loss), np.random.default_rng(1)
    params, x, t = module.init_params(rng), rng.standard_normal((23, 5)), rng.dirichlet(np.ones(24), 23)
    whole = module.loss_and_gradients(params, x, t)
    calls = []
    for name in [name for name in vars(module) if name.endswith(("_and_slope", "_delta"))]:
        function = getattr(module, name)
        counted = lambda *arrays, of=function: calls.append(len(arrays[0])) or of(*arrays)  # noqa: E731 - of this one
        monkeypatch.setattr(module, name, counted)
    monkeypatch.setattr(module, "BLOCK", 5 * 17)  # five rows of most
    assert largest_difference(module.loss_and_gradients(params, x, t), whole) < 1e-14
    assert set(calls) & {2, 5} and max(calls) < 23


@pytest.mark.parametrize("few", [False, True])
def test_a_call_by_default_takes_no_more_room_at_its_peak(few):
    sizes, batch = ((5, 12, 3), 1) if few else ((120, 80, 60, 50), 64)
    module = load(emit(derive(forward_graph(network(list(sizes), activation="tanh", loss="ce")), "none"), PROFILE), "g")
    assert hasattr(module, "FEW_EXAMPLES") == few
    params, rng = module.init_params(np.random.default_rng(0)), np.random.default_rng(1)
    x, t = rng.standard_normal((batch, sizes[0])), np.eye(sizes[-1])[rng.integers(0, sizes[-1], batch)]
    module.loss_and_gradients(params, x, t)
    tracemalloc.start()
    module.loss_and_gradients(params, x, t)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    numbers = sum(value.size for value in params.values()) + 2 * batch * sum(sizes[1:])
    small = 3 * batch * (1 + sizes[-1]) + sizes[-1]  # as in a work space
    entries = 32 * 2 * sum(value.size for value in params.values()) if few else 0  # floats of parameters and gradients
    assert peak <= 8 * (numbers + small) + entries + 6000  # the arrays' heads, and what the interpreter needs


def test_mixed_precision_computes_in_the_wider():
    module = load(emit(module_of("tanh").derivation, PROFILE), "gradients")
    params, (x, t) = parameters(module.SHAPES), data(module_of("tanh").spec, 5)
    single = {name: value.astype(np.float32) for name, value in params.items()}
    exact = {name: value.astype(np.float64) for name, value in single.items()}
    for name in params:
        mixed = {**single, name: exact[name]}
        found = module.loss_and_gradients(mixed, x.astype(np.float32), t)
        assert {array.dtype for array in found[1].values()} == {np.dtype(np.float64)}
        assert largest_difference(found, module.loss_and_gradients(exact, x.astype(np.float32).astype(float), t)) < 1e-7


# Programs of rational operations, executed in fractions: equal means equal.
EXACT = {
    "identity": {"layers": "3-4-2", "activation": "identity", "loss": "mse"},
    "relu": {"layers": "3-4-3-2", "activation": "relu", "loss": "squared_error", "penalty": "l2:1/4:plain:biases"},
    "softsign": {"layers": "2-3-3", "activation": "softsign", "loss": "mse", "penalty": "l2:1/4:half_mean"},
    "prelu": {"layers": "2-3-3", "activation": "prelu", "loss": "mse"},
}


def run(lines, values, n):
    """The values of all ``lines`` in fractions."""
    values = dict(values)

    def of(node):
        match node:
            case Var(name):
                return values[name]
            case Number(value):
                return Fraction(n) if value == BATCH else Fraction(str(value))
            case MatMul(left, right):
                return of(left) @ of(right)
            case Transposed(inner):
                return of(inner).T
            case Reduce("sum", inner, "rows"):
                return of(inner).sum(axis=0)
            case Reduce("sum", inner, "all"):
                return of(inner).sum()
            case Op("where", (test, value, other)):
                return np.where(of(test).astype(bool), of(value), of(other))
            case Op(function, args):
                return OPERATIONS[function](*map(of, args))
        raise AssertionError(node)

    for line in lines:
        values[line.name] = of(line.node)
    return values


OPERATIONS = {
    "add": lambda *terms: reduce(operator.add, terms),
    "multiply": lambda *factors: reduce(operator.mul, factors),
    "divide": lambda above, below: above / below,
    "negative": lambda u: -u,
    "power": lambda u, exponent: u ** int(exponent),
    "maximum": lambda u, v: np.where(u > v, u, v),
    "abs": np.abs,
    "greater": lambda u, v: u > v,
    "greater_equal": lambda u, v: u >= v,
    "less": lambda u, v: u < v,
    "less_equal": lambda u, v: u <= v,
}


def exact_case(name):
    spec = network(**EXACT[name])
    module = ArrayModule(derive(forward_graph(spec), listing="none"), PROFILE, {}, NumPyPrinter)
    rng = np.random.default_rng(4)
    shapes = {**module.program.shapes, "x": (5, spec.sizes[0]), "t": (5, spec.sizes[-1])}
    entry = np.vectorize(lambda k: Fraction(int(k), 7), otypes=[object])
    return module.program, {key: entry(rng.integers(-9, 10, shape)) for key, shape in shapes.items()}


@pytest.mark.parametrize("name", EXACT)
def test_dividing_the_output_s_delta_divides_every_gradient(name):
    program, values = exact_case(name)
    moved = divided_at_the_output(program, Number(BATCH))
    assert moved != program.lines
    divisions = [line.name for line in moved if Number(BATCH) in walk(line.node)]
    before, after = run(program.lines, values, 5), run(moved, values, 5)
    for key in (program.loss, *program.gradients.values()):
        np.testing.assert_array_equal(before[key], after[key])
    assert (after[program.deltas[-1]] * 5 == before[program.deltas[-1]]).all()
    assert set(divisions) - {program.loss} <= {program.deltas[0], *program.gradients.values()}


@pytest.mark.parametrize("name", ["relu", "softsign"])
def test_the_cut_into_operations_and_their_order_keep_every_value(name):
    program, values = exact_case(name)
    results = [program.loss, *program.gradients.values()]
    shapes = {key: (None if key in "xt" else value.shape[0], *value.shape[1:]) for key, value in values.items()}
    lines = elementary(early(needed(program.lines, results), results[1:]), shapes, results)
    before, after = run(program.lines, values, 5), run(lines, values, 5)
    for key in results:
        np.testing.assert_array_equal(before[key], after[key])
    assert max(len(list(walk(line.node))) for line in lines if line.name not in results) <= 6


def test_a_division_that_does_not_pass_through_is_left_alone():
    program, _ = exact_case("identity")
    first, second = program.deltas

    def with_line(name, node):
        return replace(program, lines=[Assign(name, node) if line.name == name else line for line in program.lines])

    squared = with_line(second, Op("multiply", (Var(first), Var(first))))
    shifted = with_line(second, Op("add", (MatMul(Var(first), Transposed(Var("W2"))), Var("z2"))))
    undivided = with_line("dW2", MatMul(Transposed(Var("a2")), Var(first)))
    loss = Assign(program.loss, Reduce("sum", Var(first), "all"))
    in_the_loss = replace(program, lines=[*(line for line in program.lines if line.name != loss.name), loss])
    for wrong in (squared, shifted, undivided, in_the_loss):
        assert divided_at_the_output(wrong, Number(BATCH)) == wrong.lines


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (Op("multiply", (Var("d"), Var("a"))), 1),
        (Op("multiply", (Var("d"), Var("d"))), None),
        (Op("divide", (Var("d"), Var("a"))), 1),
        (Op("divide", (Var("a"), Var("d"))), None),
        (Op("add", (Var("d"), Var("e"))), 1),
        (Op("add", (Var("d"), Var("a"))), None),
        (Op("exp", (Var("d"),)), None),
        (Reduce("sum", Var("e"), "rows"), 1),
        (Reduce("max", Var("e"), "rows"), None),
        (Op("exp", (Var("a"),)), 0),
    ],
)
def test_degree_in_several_values_together(node, expected):
    assert degree(node, {"d", "e"}) == expected
