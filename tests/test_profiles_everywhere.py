"""Profiles at work: their steps hold, their code computes the same gradients, their pages set, their translations."""

import shutil
import subprocess
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from symbackprop.api import BackpropDerivation, derive
from symbackprop.check.proofs import Prover
from symbackprop.cli import main
from symbackprop.derivation.derive import derive as derive_graph
from symbackprop.derivation.matrix_terms import Diagonal, Scaled
from symbackprop.errors import SymbackpropError
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network
from symbackprop.notation.apply import Notation
from symbackprop.notation.differences import differences
from symbackprop.notation.profile import load_profile, profile_from_toml, profile_names
from symbackprop.notation.substitution import Substitution
from symbackprop.notation.written import restated, unwritten, written
from symbackprop.render.show import step_to_text
from symbackprop.render.translation import PAGES, Translation

# Conventions that no shipped profile has, and all that change equations at once.
OWN = {
    "threshold": "bias = 'threshold'",
    "everything": "bias = 'threshold'\ndelta_sign = 'negative'\nupdate = 'delta'\nhadamard = 'diag'\nvectors = 'row'",
    "nabla": "bias = 'threshold'\n[letters]\ngradient = '∇'",
    "tilde": "bias = 'weight'\nweight_indices = 'to_from'\n[letters]\ngradient = '∇'",
    "column": "bias = 'weight'\ndelta_sign = 'negative'\nweight_matrix = 'from_to'\nhadamard = 'diag'",
}
NETWORKS = {
    "squares": lambda: network("2-3-2", activation="g", loss="mse"),
    "softmax": lambda: network("3-2-3", activation="tanh", loss="ce", bias=[True, False]),
    "penalty": lambda: network(
        "2-3-1",
        activation="sigmoid",
        loss="bce",
        penalty={"kind": "l2", "strength": "lambda", "form": "half", "biases": True},
    ),
}
REWRITING = ["haykin", "rumelhart1986", "ng", *OWN]


def profile(name):
    return profile_from_toml(OWN[name], name) if name in OWN else load_profile(name)


@cache
def derived(name):
    return derive_graph(forward_graph(NETWORKS[name]()))


def layouts(given):
    return tuple(given.layout(batch) for batch in (False, True))


@pytest.mark.parametrize("net", NETWORKS)
@pytest.mark.parametrize("name", REWRITING)
def test_every_rewritten_step_holds_with_the_substitution_undone(name, net):
    derivation, given = derived(net), profile(name)
    views = [derivation.matrix(layout) for layout in layouts(given)]
    prover = Prover(derivation.graph, [*derivation.steps, *(step for view in views for step in view.steps)])
    found = list(restated(derivation, layouts(given), given))
    assert len(found) > 10
    rows = [prover.row(step, "restated", layout) for step, layout in found]
    assert [row.name for row in rows if row.verdict is not True] == []


@pytest.mark.parametrize("name", REWRITING)
def test_a_wrong_sign_in_a_rewritten_step_is_refuted(name):
    derivation, given = derived("squares"), profile(name)
    prover = Prover(derivation.graph, derivation.steps)
    wrong = {"output.delta", "gradient.b.2", "gradient.w.1", "update.b.1", "matrix.z.2", "matrix.delta.2"}
    twins = [(step, layout) for step, layout in restated(derivation, layouts(given)[:1], given) if step.label in wrong]
    assert twins
    for step, layout in twins:
        right = -step.right if layout is None else Scaled(-1, step.right)
        assert prover.row(replace(step, right=right), "twin", layout).verdict is False


def test_profiles_that_change_no_quantity_leave_the_derivation_alone():
    derivation = derived("squares")
    assert written(derivation, profile_from_toml("", "plain")) is derivation
    changed = written(derivation, load_profile("haykin"))
    assert unwritten(changed) is derivation
    assert [step.label for step in changed.steps] == [step.label for step in derivation.steps]


@pytest.mark.parametrize("net", NETWORKS)
@pytest.mark.parametrize("name", ["haykin", "threshold", "everything"])
def test_the_substitution_and_its_undoing(name, net):
    substitution = Substitution.of(profile(name))
    for step in derived(net).steps:
        for side in (step.left, step.right):
            assert (substitution.undone(substitution.into(side)) - side).expand() == 0 or name == "haykin"


# One line of each kind, as the source of that notation writes it.
LINES = [
    ("haykin", "forward.z.2", "vⱼ⁽¹⁾ = Σᵢ wⱼᵢ⁽¹⁾ xᵢ"),
    ("haykin", "output.definition", "δₖ⁽²⁾ = −∂E/∂vₖ⁽²⁾"),
    ("haykin", "output.delta", "δₖ⁽²⁾ = (dₖ − oₖ) g′(vₖ⁽²⁾)"),
    ("haykin", "gradient.w.1", "∂E/∂wⱼᵢ⁽¹⁾ = −δⱼ⁽¹⁾ xᵢ"),
    ("haykin", "update.w.1", "wⱼᵢ⁽¹⁾ = wⱼᵢ⁽¹⁾ + η δⱼ⁽¹⁾ xᵢ"),
    ("haykin", "update.b.1", "wⱼ₀⁽¹⁾ = wⱼ₀⁽¹⁾ + η δⱼ⁽¹⁾"),
    ("haykin", "matrix.z.2", "v⁽¹⁾ = W̃⁽¹⁾ x̃"),
    ("haykin", "matrix.delta.2", "δ⁽¹⁾ = ((W⁽²⁾)ᵀ δ⁽²⁾) ⊙ g′(v⁽¹⁾)"),
    ("haykin", "matrix.update.w.1", "W̃⁽¹⁾ = W̃⁽¹⁾ + η δ⁽¹⁾ x̃ᵀ"),
    ("rumelhart1986", "change.w.2", "Δwⱼᵢ² = η δⱼ² oᵢ¹"),
    ("rumelhart1986", "forward.z.2", "netⱼ¹ = Σᵢ wⱼᵢ¹ oᵢ⁰ + θⱼ¹"),
    ("nielsen", "gradient.w.1", "∂Cₓ/∂wⱼₖ² = δⱼ² aₖ¹"),
    ("nielsen", "matrix.delta.2", "δ² = ((w³)ᵀ δ³) ⊙ g′(z²)"),
    ("bishop", "forward.z.2", "aⱼ⁽¹⁾ = Σᵢ wⱼᵢ⁽¹⁾ xᵢ"),
    ("goodfellow", "matrix.z.3", "a⁽²⁾ = W⁽²⁾ h⁽¹⁾ + b⁽²⁾"),
    ("ng", "matrix.z.3", "z⁽³⁾ = Θ̃⁽²⁾ ã⁽²⁾"),
    ("ng", "update.b.1", "Θᵢ₀⁽¹⁾ := Θᵢ₀⁽¹⁾ − α ∂J₁/∂Θᵢ₀⁽¹⁾"),
    ("deeplearning_ai", "matrix.dw.2", "∂L/∂W^[2] = dz^[2] (a^[1])ᵀ"),
    ("cs231n", "matrix.z.2", "z₁ = x W₁ + b₁"),
    ("pytorch", "matrix.z.2", "z₁ = x W₁ᵀ + b₁"),
    ("keras", "matrix.z.3", "z₂ = a₁ W₂ + b₂"),
    ("threshold", "forward.z.2", "zⱼ⁽²⁾ = Σᵢ wᵢⱼ⁽¹⁾ xᵢ − θⱼ⁽¹⁾"),
    ("threshold", "gradient.b.1", "∂E/∂θⱼ⁽¹⁾ = −δⱼ⁽²⁾"),
    ("threshold", "matrix.update.b.1", "θ⁽¹⁾ ← θ⁽¹⁾ − η ∂E/∂θ⁽¹⁾"),
    ("everything", "matrix.delta.3", "δ⁽³⁾ = (t − a⁽³⁾) diag(g′(z⁽³⁾))"),
    ("everything", "update.b.2", "θⱼ⁽²⁾ ← θⱼ⁽²⁾ − η δⱼ⁽³⁾"),
    ("S2", "gradient.w.1.named", "∇ⱼₖ⁽¹⁾ = ∂J/∂wⱼₖ⁽¹⁾"),
    ("S2", "gradient.w.1", "∇ⱼₖ⁽¹⁾ = δⱼ⁽²⁾ xₖ"),
    ("S2", "gradient.b.1", "∇_{b,j}⁽¹⁾ = δⱼ⁽²⁾"),
    ("S2", "change.w.1", "Δwⱼₖ⁽¹⁾ = −η ∇ⱼₖ⁽¹⁾"),
    ("S2", "matrix.dw.2.named", "∇⁽²⁾ = ∂J/∂W⁽²⁾"),
    ("S2", "matrix.dw.2", "∇⁽²⁾ = δ⁽³⁾ (a⁽²⁾)ᵀ"),
    ("S2", "matrix.db.2", "∇_b⁽²⁾ = δ⁽³⁾"),
    ("S2", "matrix.update.w.2", "W⁽²⁾ = W⁽²⁾ − η ∇⁽²⁾"),
    ("nabla", "gradient.b.1.named", "∇_{θ,j}⁽¹⁾ = ∂E/∂θⱼ⁽¹⁾"),
    ("nabla", "gradient.b.1", "∇_{θ,j}⁽¹⁾ = −δⱼ⁽²⁾"),
    ("nabla", "update.b.1", "θⱼ⁽¹⁾ ← θⱼ⁽¹⁾ − η ∇_{θ,j}⁽¹⁾"),
    ("nabla", "matrix.update.b.1", "θ⁽¹⁾ ← θ⁽¹⁾ − η ∇_θ⁽¹⁾"),
    ("tilde", "gradient.b.1", "∇ⱼ₀⁽¹⁾ = δⱼ⁽²⁾"),
    ("tilde", "matrix.dw.2.named", "∇̃⁽²⁾ = ∂E/∂W̃⁽²⁾"),
    ("tilde", "matrix.update.w.2", "W̃⁽²⁾ ← W̃⁽²⁾ − η ∇̃⁽²⁾"),
    ("column", "matrix.delta.2", "δ⁽²⁾ = diag(g′(z⁽²⁾)) W⁽²⁾ δ⁽³⁾"),
]


@pytest.mark.parametrize(("name", "label", "line"), LINES)
def test_lines_as_the_sources_write_them(name, label, line):
    given, derivation = profile(name), derived("squares")
    new = written(derivation, given)
    steps = {step.label: step for step in (*new.steps, *new.matrix(given.layout(batch=False)).steps)}
    assert step_to_text(steps[label], Notation.of(given, derivation.graph), batch=False) == line


def test_what_comes_straight_from_a_derivation_is_printed_with_its_sign():
    given, derivation = profile("everything"), derived("squares")
    notation = Notation.of(given, derivation.graph)
    step = next(step for step in derivation.steps if step.label == "gradient.b.2")
    assert step_to_text(step, notation) == "−∂E/∂θⱼ⁽²⁾ = −δⱼ⁽³⁾"


def test_diagonal_matrices_are_for_one_example():
    new = written(derived("squares"), profile("column"))
    one, batch = (new.matrix(layout) for layout in layouts(profile("column")))
    assert isinstance(one.deltas[0].right.left, Diagonal)
    assert "Diagonal" not in repr(batch.deltas)


# ----------------------------------------------------------------------------------------------------------------------


def relabelled(params, given, biases):
    """The parameters of an S1 module (weights from, to and bias vectors) in the shapes of another profile's module."""
    stored = {}
    for name, values in params.items():
        layer = int(name[1:])
        if name[0] == "W":
            whole = np.vstack((params[f"b{layer}"], values)) if given.bias == "weight" and biases[layer - 1] else values
            stored[name] = whole if given.weight_matrix == "from_to" else whole.T
        elif given.bias == "threshold":
            stored[f"theta{layer}"] = -values
        elif given.bias == "vector":
            stored[name] = values
    return stored


@pytest.mark.parametrize("name", [*profile_names(), *OWN])
def test_gradients_of_the_emitted_module_are_those_of_s1(name):
    rng, given = np.random.default_rng(5), profile(name)
    for sizes, biases in (("3-4-2", [True, True]), ("2-5-3-4", [True, False, True])):
        net = network(sizes, activation="tanh", loss="mse", bias=biases)
        derivation = derive_graph(forward_graph(net), "none")
        plain, other = (BackpropDerivation(derivation, each).compile() for each in (load_profile("S1"), given))
        params = {key: value + rng.normal(size=value.shape) for key, value in plain.init_params(rng).items()}
        x, t = rng.normal(size=(6, net.sizes[0])), rng.normal(size=(6, net.sizes[-1]))
        stored = relabelled(params, given, biases)
        assert {key: value.shape for key, value in stored.items()} == other.SHAPES
        loss, gradients = plain.loss_and_gradients(params, x, t)
        found_loss, found = other.loss_and_gradients(stored, x, t)
        assert found_loss == pytest.approx(loss, rel=1e-13)
        # A threshold is the negative of a bias, and so is the derivative by it.
        expected = relabelled(gradients, given, biases)
        for key, value in found.items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-11, atol=1e-13)
        moved = relabelled(plain.update(params, gradients, 0.1), given, biases)
        for key, value in other.update(stored, found, 0.1).items():
            np.testing.assert_allclose(value, moved[key], rtol=1e-11, atol=1e-13)
        assert {key: value.shape for key, value in other.init_params(rng).items()} == other.SHAPES
        assert other._difference_from_central() < 1e-6


@pytest.mark.parametrize("name", ["haykin", "threshold"])
def test_a_wrong_twin_of_the_emitted_biases_is_refuted(name):
    derivation = BackpropDerivation(
        derive_graph(forward_graph(network("3-2-2", activation="tanh", loss="mse"))), profile(name)
    )
    right, wrong = ("-db1", "db1") if name == "threshold" else ("((db1, dW1))", "((-db1, dW1))")
    assert right in derivation.code["gradients.py"]
    derivation.code["gradients.py"] = derivation.code["gradients.py"].replace(right, wrong)
    assert not derivation.check().ok


@cache
def of_sizes(sizes):
    return derive_graph(forward_graph(network(sizes, activation="sigmoid", loss="mse")))


@pytest.mark.parametrize("sizes", ["2-3-1", "4-3-3-2"])
@pytest.mark.parametrize("name", [*profile_names(), "everything"])
def test_every_profile_derives_with_every_line_checked(name, sizes):
    derivation = BackpropDerivation(of_sizes(sizes), profile(name))
    report = derivation.check()
    assert report.ok, [row for row in report.rows if row.verdict is not True]
    own = {step.label: (step.left, step.right) for step in derivation.derivation.steps}
    changed = {step.label for step in derivation.written.steps if own.get(step.label) != (step.left, step.right)}
    restatements = {row.name for row in report.rows if row.group == "as the notation writes them"}
    assert changed <= restatements
    assert bool(changed) == bool(restatements)
    pages = derivation.files(["md", "tex"])
    assert pages["derivation.tex"].isascii()
    assert "\\delta" in pages["derivation.md"] or profile(name).letters["delta"] != "δ"


# ----------------------------------------------------------------------------------------------------------------------


def test_differences_are_the_fields_that_differ():
    same = load_profile("nielsen")
    assert list(differences(same, same)) == []
    found = {(each.table, each.key): (each.first, each.second) for each in differences(same, load_profile("haykin"))}
    assert found["", "delta_sign"] == ("positive", "negative")
    assert found["letters", "pre_activation"] == ("z", "v")
    assert ("", "weight_indices") not in found


@pytest.mark.parametrize("other", [*profile_names(), *OWN])
def test_every_translation_sets_both_sides(other):
    page = Translation(derived("penalty"), load_profile("S1"), profile(other))
    assert all("{" in page.page(form) for form in PAGES)
    assert len(page.changes()) == len(list(differences(load_profile("S1"), profile(other))))
    pairs = [pair for part in page.parts() for pair in part.pairs]
    assert len(pairs) > 25
    assert all(pair.first and pair.second for pair in pairs)


def test_a_translation_says_what_differs_and_where_an_equation_went():
    translation = Translation(derived("squares"), load_profile("S1"), load_profile("haykin"))
    page = translation.page("md")
    assert translation.page("md") == page
    assert "| bias | a vector that is added | the weight of a unit 0 that always puts out 1 |" in page
    assert "| $`\\frac{dE}{db[1]} = \\delta[2]`$ | within the equation above |" in page
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.count("|") in (3, 4) for line in table)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("other", ["haykin", "goodfellow", "ng"])
def test_pdflatex_sets_a_translation(other, tmp_path):
    text = Translation(derived("softmax"), load_profile("pytorch"), load_profile(other)).page("tex")
    (tmp_path / "page.tex").write_text(text, encoding="ascii")
    options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]
    done = subprocess.run(["pdflatex", *options, "page.tex"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_the_command_writes_the_translation(tmp_path, capsys):
    options = ["--act", "tanh", "--loss", "mse", "--notation", "nielsen", "--out", str(tmp_path)]
    assert main(["derive", *options, "--compare", "Haykin"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["translation.md", "translation.tex"]
    assert "δⱼ² aₖ¹" in capsys.readouterr().out
    assert main(["derive", *options, "--compare", "haykn"]) == 2
    assert "did you mean 'haykin'?" in capsys.readouterr().err
    assert main(["derive", *options, "--compare", "haykin", "--format", "py"]) == 2
    assert capsys.readouterr().err == "symbp: a comparison is written as md or tex; --format asks for py\n"


def test_the_command_reduces_as_the_source_does(tmp_path):
    options = ["--act", "tanh", "--loss", "mse", "--format", "md", "--out", str(tmp_path)]
    for notation, sentence in (("bishop", "the examples' errors are summed"), ("haykin", "errors are averaged")):
        assert main(["derive", *options, "--notation", notation]) == 0
        assert sentence in (tmp_path / "derivation.md").read_text(encoding="utf-8")


def test_a_profile_of_ones_own_on_the_command_line(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(OWN["everything"], encoding="utf-8")
    assert (
        main(
            [
                "derive",
                "--act",
                "tanh",
                "--loss",
                "mse",
                "--notation",
                str(path),
                "--format",
                "md,py",
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    assert "θ" in capsys.readouterr().out
    path.write_text("delta_sign = 'minus'", encoding="utf-8")
    assert main(["derive", "--act", "tanh", "--loss", "mse", "--notation", str(path)]) == 2
    assert capsys.readouterr().err == (
        "symbp: notation mine: delta_sign is 'minus'; expected one of positive, negative\n"
    )


def test_unknown_profiles_are_refused():
    with pytest.raises(SymbackpropError, match=r"unknown notation 'bishops'; did you mean 'bishop'\?"):
        derive(network("2-3-1", activation="tanh", loss="mse"), notation="bishops")
