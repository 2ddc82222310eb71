"""The contracts of the Python API, on real derivations."""

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.api import FORMATS
from symbackprop.calculus.inert import Chain, Partial, Total
from symbackprop.errors import SymbackpropError
from symbackprop.network.quantities import DELTA, ERROR, OUT, PRE, WEIGHT


@pytest.fixture(scope="module")
def s1():
    return sb.derive(sb.network("2-3-1", activation="g", loss="mse", bias=False), notation="S1")


def test_error_and_raw_derivative_in_the_individual_weights(s1):
    hidden = [f"g(w1{j}[1]*x1 + w2{j}[1]*x2)*w{j}1[2]" for j in (1, 2, 3)]
    assert str(s1.error) == f"(g({' + '.join(hidden)}) - t1)**2/2"
    expanded = s1.gradient("w11[1]").expanded
    assert expanded == sp.diff(s1.error, WEIGHT[1, 1, 1])
    assert expanded.has(WEIGHT[2, 1, 1], OUT[1, 1])


def test_five_factor_chain_and_delta_form(s1):
    gradient = s1.gradient("w11[1]")
    path = [ERROR, OUT[3, 1], PRE[3, 1], OUT[2, 1], PRE[2, 1], WEIGHT[1, 1, 1]]
    assert gradient.chain == Chain(*(Partial(above, below) for above, below in pairwise(path)))
    assert gradient.delta_form == DELTA[2, 1] * OUT[1, 1]
    assert next(step.label.split(".")[1] for step in gradient.steps) == "chain"
    assert s1.paths("w11[1]") == [gradient.chain]


def test_delta_has_its_definition_and_its_recursion(s1):
    delta = s1.delta(1, layer=2)
    assert delta.definition == Partial(ERROR, PRE[2, 1])
    assert str(delta.recursion) == "delta1[3]*w11[2]*g'(z1[2])"
    with pytest.raises(SymbackpropError, match="no unit 4 in layer 2"):
        s1.delta(4, layer=2)
    with pytest.raises(SymbackpropError, match="no unit 1 in layer 1"):
        s1.delta(1, layer=1)


def test_a_weight_with_several_paths_has_a_sum():
    d = sb.derive(sb.network("2-3-2", activation="tanh", loss="mse"))
    assert isinstance(d.gradient("w11[1]").chain, Total)
    assert len(d.paths("w11[1]")) == 2


def test_penalty_is_part_of_the_gradient():
    d = sb.derive(sb.network("2-3-1", activation="tanh", loss="mse", penalty={"kind": "l2", "strength": 0.5}))
    gradient = d.gradient("w11[1]")
    assert gradient.delta_form == DELTA[2, 1] * OUT[1, 1] + WEIGHT[1, 1, 1] / 2
    assert sp.expand(gradient.expanded - sp.diff(d.error, WEIGHT[1, 1, 1])) == 0


@pytest.mark.parametrize("address", ["x1", "t1", "w99[1]", "w11", "nonsense", "b1[1]"])
def test_addresses_that_are_no_weight_are_refused_in_one_line(s1, address):
    with pytest.raises(SymbackpropError) as caught:
        s1.gradient(address)
    assert "\n" not in str(caught.value)


def test_compiled_module_gives_the_derivative_of_the_error():
    d = sb.derive(sb.network("3-4-2", activation="tanh", loss="mse"))
    module = d.compile()
    params = module.init_params(np.random.default_rng(0))
    x, t = np.array([0.3, -0.2, 0.9]), np.array([0.1, 0.4])
    _, gradients = module.loss_and_gradients(params, x, t)
    values = {OUT[1, i + 1]: x[i] for i in range(3)} | {sp.sympify(e): t[k] for k, e in enumerate(d.graph.targets())}
    for w in d.graph.weights():
        layer, i, j = map(int, w.indices)
        values[w] = params[f"W{layer}"][i - 1, j - 1]
    for b in d.graph.biases():
        values[b] = 0.0
    raw = d.gradient("w21[1]").expanded.subs(values)
    assert float(raw) == pytest.approx(gradients["W1"][1, 0], rel=1e-12)


@pytest.mark.parametrize("name", list(sb.examples()))
def test_every_example_is_proved_whole(name):
    report = sb.derive(name).check()
    assert report.ok, (report.refuted, report.undecided)
    assert report.proofs
    assert report.numeric


def test_files_are_written_all_or_none(tmp_path, s1):
    paths = s1.write(tmp_path / "out", formats=["md", "json"])
    pictures = {"network.svg", "unit-3-1.svg", "path-w11-1.svg", "unit-2-1.svg", "error-against-step.svg"}
    assert {path.name for path in paths} == {"check.json", "derivation.md", *pictures}
    with pytest.raises(SymbackpropError, match="unknown format 'doc'; expected one of"):
        s1.write(tmp_path / "none", formats=["md", "doc"])
    assert not (tmp_path / "none").exists()


def test_the_same_input_gives_the_same_bytes():
    def files():
        return sb.derive(sb.network("2-3-2", activation="elu", loss="huber")).files(FORMATS)

    assert files() == files()


def test_notebook_display_has_text_and_latex(s1):
    bundle = s1._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/latex", "text/html"}
    assert r"\delta" in bundle["text/latex"]
    assert "δ" in bundle["text/plain"]


def test_network_is_a_function_whatever_was_imported_before():
    import symbackprop.network.spec  # noqa: F401 - importing a file of the package is the point

    assert sb.network("2-3-1", activation="tanh", loss="mse").sizes == (2, 3, 1)
