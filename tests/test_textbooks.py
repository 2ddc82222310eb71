"""What the textbooks' notations are known to say, looked up in the sources that each profile names."""

from functools import cache

import numpy as np
import pytest

from symbackprop.api import BackpropDerivation
from symbackprop.derivation.derive import derive
from symbackprop.errors import ProfileError
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile, profile_from_toml, profile_names
from symbackprop.notation.written import written
from symbackprop.render.show import step_to_text

TEXTBOOKS = [name for name in profile_names() if name not in ("S1", "S2", "S3", "S4", "S5")]
ONE, BATCH = False, True

# profile, label of the step, one example or a batch, the line; None for the equations of single units
FACTS = [
    # Nielsen, equations 23 and 25, BP1 to BP4, and the update in both forms of chapter 2.
    ("nielsen", "forward.z.2", None, "zⱼ² = Σₖ wⱼₖ² aₖ¹ + bⱼ²"),
    ("nielsen", "forward.a.3", None, "aⱼ³ = σ(zⱼ³)"),
    ("nielsen", "error", None, "Cₓ = Σᵢ ½ (aᵢ³ − yᵢ)²"),
    ("nielsen", "output.definition", None, "δᵢ³ = ∂Cₓ/∂zᵢ³"),
    ("nielsen", "gradient.w.1", None, "∂Cₓ/∂wⱼₖ² = δⱼ² aₖ¹"),
    ("nielsen", "gradient.b.2", None, "∂Cₓ/∂bⱼ³ = δⱼ³"),
    ("nielsen", "matrix.z.3", ONE, "z³ = w³ a² + b³"),
    ("nielsen", "matrix.delta.3", ONE, "δ³ = (a³ − y) ⊙ a³ ⊙ (1 − a³)"),
    ("nielsen", "matrix.delta.2", ONE, "δ² = ((w³)ᵀ δ³) ⊙ a² ⊙ (1 − a²)"),
    ("nielsen", "matrix.error", BATCH, "C = 1/(2 n) 𝟏ᵀ (A³ − Y)°² 𝟏"),
    # Bishop, equations 5.44, 5.46, 5.48, 5.49, 5.51, 5.53, 5.54 and 5.56.
    ("bishop", "forward.z.3", None, "aⱼ⁽²⁾ = Σᵢ wⱼᵢ⁽²⁾ zᵢ⁽¹⁾"),
    ("bishop", "forward.a.2", None, "zⱼ⁽¹⁾ = h(aⱼ⁽¹⁾)"),
    ("bishop", "error", None, "Eₙ = Σₖ ½ (yₖ − tₖ)²"),
    ("bishop", "output.definition", None, "δₖ⁽²⁾ = ∂Eₙ/∂aₖ⁽²⁾"),
    ("bishop", "gradient.w.2", None, "∂Eₙ/∂wⱼᵢ⁽²⁾ = δⱼ⁽²⁾ zᵢ⁽¹⁾"),
    ("bishop", "gradient.b.2", None, "∂Eₙ/∂wⱼ₀⁽²⁾ = δⱼ⁽²⁾"),
    ("bishop", "delta.2", None, "∂Eₙ/∂zⱼ⁽¹⁾ · ∂zⱼ⁽¹⁾/∂aⱼ⁽¹⁾ = (Σₖ δₖ⁽²⁾ wₖⱼ⁽²⁾) h′(aⱼ⁽¹⁾)"),
    # Goodfellow, Bengio and Courville, algorithms 6.3 and 6.4.
    ("goodfellow", "matrix.z.2", ONE, "a⁽¹⁾ = W⁽¹⁾ x + b⁽¹⁾"),
    ("goodfellow", "matrix.z.3", ONE, "a⁽²⁾ = W⁽²⁾ h⁽¹⁾ + b⁽²⁾"),
    ("goodfellow", "matrix.a.2", ONE, "h⁽¹⁾ = f(a⁽¹⁾)"),
    ("goodfellow", "matrix.a.3", ONE, "ŷ = f(a⁽²⁾)"),
    ("goodfellow", "output.definition", None, "gₚ⁽²⁾ = ∂L/∂aₚ⁽²⁾"),
    ("goodfellow", "matrix.dw.2", ONE, "∂L/∂W⁽²⁾ = g⁽²⁾ (h⁽¹⁾)^⊤"),
    ("goodfellow", "matrix.db.2", ONE, "∂L/∂b⁽²⁾ = g⁽²⁾"),
    # Ng's course: Θ carries the layer it leaves, its columns count the unit 0.
    ("ng", "forward.z.2", None, "zᵢ⁽²⁾ = Σⱼ Θᵢⱼ⁽¹⁾ xⱼ"),
    ("ng", "forward.a.2", None, "aᵢ⁽²⁾ = g(zᵢ⁽²⁾)"),
    ("ng", "gradient.w.2", None, "∂J₁/∂Θᵢⱼ⁽²⁾ = δᵢ⁽³⁾ aⱼ⁽²⁾"),
    ("ng", "gradient.b.2", None, "∂J₁/∂Θᵢ₀⁽²⁾ = δᵢ⁽³⁾"),
    ("ng", "matrix.z.3", ONE, "z⁽³⁾ = Θ̃⁽²⁾ ã⁽²⁾"),
    ("ng", "matrix.delta.2", ONE, "δ⁽²⁾ = ((Θ⁽²⁾)ᵀ δ⁽³⁾) ⊙ a⁽²⁾ ⊙ (1 − a⁽²⁾)"),
    ("ng", "update.w.1", None, "Θᵢⱼ⁽¹⁾ := Θᵢⱼ⁽¹⁾ − α ∂J₁/∂Θᵢⱼ⁽¹⁾"),
    # The Deep Learning Specialization: brackets above, small letters for one example, capitals for m columns.
    ("deeplearning_ai", "matrix.z.3", ONE, "z^[2] = W^[2] a^[1] + b^[2]"),
    ("deeplearning_ai", "matrix.a.2", ONE, "a^[1] = g(z^[1])"),
    ("deeplearning_ai", "matrix.z.2", BATCH, "Z^[1] = W^[1] X + b^[1]"),
    ("deeplearning_ai", "matrix.delta.2", BATCH, "dZ^[1] = ((W^[2])ᵀ dZ^[2]) ⊙ A^[1] ⊙ (1 − A^[1])"),
    ("deeplearning_ai", "matrix.dw.2", BATCH, "∂J/∂W^[2] = 1/m dZ^[2] (A^[1])ᵀ"),
    ("deeplearning_ai", "update.w.1", None, "wⱼₖ^[1] := wⱼₖ^[1] − α ∂L/∂wⱼₖ^[1]"),
    # CS231n: scores = X.dot(W) + b, dW = X.T.dot(dscores), the loss of example i and their mean.
    ("cs231n", "matrix.z.2", BATCH, "Z₁ = X W₁ + b₁"),
    ("cs231n", "matrix.z.3", BATCH, "Z₂ = H₁ W₂ + b₂"),
    ("cs231n", "matrix.dw.1", BATCH, "∂L/∂W₁ = 1/N Xᵀ dZ₁"),
    ("cs231n", "matrix.delta.2", BATCH, "dZ₁ = (dZ₂ W₂ᵀ) ⊙ H₁ ⊙ (1 − H₁)"),
    ("cs231n", "error", None, "Lᵢ = Σₖ ½ (fₖ − yₖ)²"),
    # Rumelhart, Hinton and Williams 1986: δ and the change of a weight with their signs.
    ("rumelhart1986", "forward.a.2", None, "oⱼ¹ = f(netⱼ¹)"),
    ("rumelhart1986", "output.definition", None, "δₖ² = −∂Eₚ/∂netₖ²"),
    ("rumelhart1986", "change.w.2", None, "Δwⱼᵢ² = η δⱼ² oᵢ¹"),
    ("rumelhart1986", "gradient.w.2", None, "∂Eₚ/∂wⱼᵢ² = −δⱼ² oᵢ¹"),
    # Haykin, chapter 4.
    ("haykin", "forward.z.3", None, "vⱼ⁽²⁾ = Σᵢ wⱼᵢ⁽²⁾ yᵢ⁽¹⁾"),
    ("haykin", "forward.a.2", None, "yⱼ⁽¹⁾ = φ(vⱼ⁽¹⁾)"),
    ("haykin", "output.definition", None, "δₖ⁽²⁾ = −∂E/∂vₖ⁽²⁾"),
    ("haykin", "change.w.2", None, "Δwⱼᵢ⁽²⁾ = η δⱼ⁽²⁾ yᵢ⁽¹⁾"),
    ("haykin", "update.w.2", None, "wⱼᵢ⁽²⁾ = wⱼᵢ⁽²⁾ + η δⱼ⁽²⁾ yᵢ⁽¹⁾"),
    ("haykin", "matrix.error", BATCH, "Eₐᵥ = 1/(2 N) 𝟏ᵀ (O − D)°² 𝟏"),
    # torch.nn.Linear and keras.layers.Dense.
    ("pytorch", "matrix.z.2", BATCH, "Z₁ = X W₁ᵀ + b₁"),
    ("pytorch", "update.w.1", None, "W₁,ⱼᵢ ← W₁,ⱼᵢ − γ ∂L/∂W₁,ⱼᵢ"),
    ("keras", "matrix.z.2", BATCH, "Z₁ = X W₁ + b₁"),
]
# The generated arrays of a 3-4-2 network: W1 and W2; biases are a column of W where they are weights of a unit 0.
SHAPES = {
    "nielsen": [(4, 3), (2, 4)],
    "bishop": [(4, 4), (2, 5)],
    "goodfellow": [(4, 3), (2, 4)],
    "ng": [(4, 4), (2, 5)],
    "deeplearning_ai": [(4, 3), (2, 4)],
    "cs231n": [(3, 4), (4, 2)],
    "rumelhart1986": [(4, 3), (2, 4)],
    "haykin": [(4, 4), (2, 5)],
    "pytorch": [(4, 3), (2, 4)],
    "keras": [(3, 4), (4, 2)],
}
# What the sources do with the errors of the outputs, and of the examples.
REDUCTIONS = {
    "nielsen": ("sum", "mean"),
    "bishop": ("sum", "sum"),
    "goodfellow": (None, "mean"),
    "ng": ("sum", "mean"),
    "deeplearning_ai": (None, "mean"),
    "cs231n": ("sum", "mean"),
    "rumelhart1986": ("sum", "sum"),
    "haykin": ("sum", "mean"),
    "pytorch": ("mean", "mean"),
    "keras": ("mean", "mean"),
}


@cache
def derived():
    return derive(forward_graph(network("2-3-2", activation="sigmoid", loss="mse")), "none")


@cache
def lines(name, batch):
    """The lines of one profile by label: of single units, or of arrays for one example or a batch."""
    profile, derivation = load_profile(name), derived()
    new, notation = written(derivation, profile), Notation.of(profile, derivation.graph)
    steps = new.steps if batch is None else new.matrix(profile.layout(batch)).steps
    return {step.label: step_to_text(step, notation, batch=bool(batch)) for step in steps}


@pytest.mark.parametrize(("name", "label", "batch", "line"), FACTS)
def test_lines_are_those_of_the_source(name, label, batch, line):
    assert lines(name, batch)[label] == line


@pytest.mark.parametrize("name", TEXTBOOKS)
def test_every_textbook_has_its_facts_and_says_where_they_are_from(name):
    assert sum(row[0] == name for row in FACTS) >= (1 if name == "keras" else 2)
    assert len(load_profile(name).source) > 40
    assert name in SHAPES


@pytest.mark.parametrize("name", TEXTBOOKS)
def test_stored_weights_have_the_shapes_of_the_source(name):
    net = network("3-4-2", activation="tanh", loss="mse")
    module = BackpropDerivation(derive(forward_graph(net), "none"), load_profile(name)).compile()
    assert [module.SHAPES[key] for key in ("W1", "W2")] == SHAPES[name]


@pytest.mark.parametrize("name", TEXTBOOKS)
def test_sums_and_means_are_those_of_the_source(name):
    reductions = load_profile(name).reductions
    assert (reductions.get("outputs"), reductions.get("batch")) == REDUCTIONS[name]


def test_pytorch_s_own_layers_take_the_generated_arrays():
    torch = pytest.importorskip("torch")
    net = network("3-4-2", activation="tanh", loss="squared_error", output_reduction="mean")
    module = BackpropDerivation(derive(forward_graph(net), "none"), load_profile("pytorch")).compile()
    rng = np.random.default_rng(2)
    params, x, y = module.init_params(rng), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    layers = [torch.nn.Linear(*size, dtype=torch.float64) for size in ((3, 4), (4, 2))]
    for n, layer in enumerate(layers, start=1):
        layer.load_state_dict({"weight": torch.tensor(params[f"W{n}"]), "bias": torch.tensor(params[f"b{n}"])})
    first, second = layers
    out = torch.tanh(second(torch.tanh(first(torch.tensor(x)))))
    loss = torch.nn.MSELoss()(out, torch.tensor(y))
    loss.backward()
    found, gradients = module.loss_and_gradients(params, x, y)
    assert found == pytest.approx(loss.item(), rel=1e-12)
    for n, layer in enumerate(layers, start=1):
        np.testing.assert_allclose(gradients[f"W{n}"], layer.weight.grad.numpy(), rtol=1e-10)
        np.testing.assert_allclose(gradients[f"b{n}"], layer.bias.grad.numpy(), rtol=1e-10)


def test_a_source_is_a_text():
    assert profile_from_toml("source = 'a book'", "mine").source == "a book"
    with pytest.raises(ProfileError, match=r"^notation mine: source is 3; expected a text$"):
        profile_from_toml("source = 3", "mine")
