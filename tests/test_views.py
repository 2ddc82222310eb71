"""How much of a derivation a document shows: levels of detail, one weight, worked numbers, any sizes."""

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from math import exp

import pytest
from sympy import Float, Rational

from symbackprop import api
from symbackprop.calculus.inert import Chain, spelled_out
from symbackprop.check.proofs import Prover
from symbackprop.derivation.one_weight import weight_section
from symbackprop.derivation.paths import count_paths
from symbackprop.errors import SpecError
from symbackprop.network.addresses import parameter_at
from symbackprop.network.quantities import DELTA, ERROR, OUT, PRE, WEIGHT
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile
from symbackprop.render.any_sizes import any_sizes, any_sizes_numbers
from symbackprop.render.detail import LEVELS, joined
from symbackprop.render.document import render
from symbackprop.render.equations import equation_numbers
from symbackprop.render.show import to_text
from symbackprop.render.text import TextMarkup
from symbackprop.render.worked import number

NUMBER = re.compile(r"\\text\{\((\d+)[ab]?\)\}")
PDFLATEX, PDFINFO = shutil.which("pdflatex"), shutil.which("pdfinfo")
WIDE = {"layers": "8-16-16-4", "activation": "sigmoid", "loss": "mse"}


def page(derivation, name="derivation.md"):
    """A document without its checks, which take most of the time."""
    formats = [name.split(".")[-1]]
    return render(derivation.written, None, derivation.profile, formats, view=derivation.view).get(name)


@cache
def markdown(example, **options):
    return page(api.derive(example, **options))


def with_numbers(text):
    """The part of a document with numbers put in."""
    return text.partition("\n## With numbers\n")[2].partition("\n## ")[0]


def numbers_in(text):
    return [int(n) for n in NUMBER.findall(text)]


@pytest.mark.parametrize("example", ["S1", "S2", "S3", "S4", "S5"])
def test_each_level_shows_less_of_the_same(example):
    full, lecture, exam = (markdown(example, detail=level) for level in LEVELS)
    known = set(equation_numbers(api.derive(example).written).values())
    assert set(numbers_in(full)) == known
    assert set(numbers_in(exam)) < set(numbers_in(lecture)) < known
    assert len(exam) < 0.6 * len(lecture) < 0.6 * len(full)


@pytest.mark.parametrize("level", LEVELS)
def test_an_equation_has_one_number_at_every_level(level):
    derivation = api.derive("S1", detail=level)
    number_of = equation_numbers(derivation.written)
    line = next(text for text in markdown("S1", detail=level).splitlines() if rf"({number_of['output.delta']})" in text)
    assert r"g'(z_p[3])" in line
    assert derivation.code == api.derive("S1").code


@pytest.mark.parametrize("level", ["lecture", "exam"])
def test_only_what_is_printed_is_cited(level):
    text = markdown("S4", detail=level).split("## Assumptions")[0]
    printed = set(numbers_in(text))
    cited = {int(n) for reason in re.findall(r"\\quad \\text\{([^}]*)\}", text) for n in re.findall(r"\((\d+)", reason)}
    assert cited <= printed


def test_a_lecture_derives_one_weight_of_a_layer_and_states_the_others():
    text = markdown("S1", detail="lecture")
    assert text.count("Start with") == 1
    assert "The other weights of the layer follow in the same way" in text
    assert text.count(r"\cdot \frac{da_1[2]}{dz_1[2]}") < markdown("S1").count(r"\cdot \frac{da_1[2]}{dz_1[2]}")


def test_joined_lines_are_still_true():
    derivation = api.derive("S2").derivation
    blocks = [block for section in derivation.sections for block in section.blocks]
    lines = [line for block in blocks for line in joined(block.steps)]
    prover = Prover(derivation.graph, derivation.steps)
    assert len(lines) < len(list(derivation.steps))
    assert all(prover.row(line, "joined").verdict for line in lines)


def test_long_sums_are_shown_by_their_ends():
    derivation = api.derive(api.network(**WIDE), detail="lecture", weight="w11[1]")
    text = page(derivation)
    assert r"\cdots" in text
    assert r"w_{1,16}[2]" in text or r"w_{1,16}" in text
    assert r"\cdots" not in page(api.derive(api.network(**WIDE), weight="w11[1]"))


@pytest.mark.skipif(not (PDFLATEX and PDFINFO), reason="pdflatex and pdfinfo are not installed")
@pytest.mark.parametrize(
    ("net", "level", "pages"), [("S1", "exam", 1), (WIDE, "lecture", 11)], ids=["S1 on one page", "8-16-16-4"]
)
def test_documents_are_as_long_as_their_level_allows(tmp_path, net, level, pages):
    spec = api.network(**net) if isinstance(net, dict) else api.example(net)
    api.derive(spec, detail=level).write(tmp_path, ["tex"])
    command = [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "derivation.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    about = subprocess.run([PDFINFO, "derivation.pdf"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert int(re.search(r"Pages:\s+(\d+)", about)[1]) <= pages


@pytest.mark.parametrize(
    ("net", "address"),
    [("S1", "w11[1]"), ("S4", "w22[2]"), ("S4", "w31[1]"), ("S4", "b1[1]"), ("S2", "w12[1]"), ("S5", "b1[2]")],
)
def test_the_paths_of_one_weight_add_up_to_delta_times_what_it_carries(net, address):
    derivation = api.derive(net).derivation
    of = parameter_at(address, derivation.graph.spec)
    section = weight_section(derivation, of)
    steps = {step.label: step for step in section.steps}
    prover = Prover(derivation.graph, [*derivation.steps, *section.steps])
    assert all(prover.row(step, "weight").verdict for step in section.steps)
    paths = [step for label, step in steps.items() if label.startswith("weight.path.")]
    assert len(paths) == count_paths(derivation.graph, of)
    total = sum(spelled_out(path.right) for path in paths)
    assert (spelled_out(steps["weight.sum"].right) - total).equals(0)
    notation = Notation.of(load_profile("S1"), derivation.graph)
    lines = [(to_text(step.left, notation), to_text(step.right, notation)) for step in section.steps]
    assert all(left != right for left, right in lines)  # no line says what the one before it said
    # The chain of equalities leads from delta times a to the sum over the paths.
    last = list(steps.values())[-1].right
    assert (spelled_out(last) - total).equals(0) or len(paths) == 1
    missing = replace(steps["weight.sum"], right=2 * spelled_out(paths[0].right))
    assert prover.row(missing, "weight").verdict is False


def test_many_paths_are_counted_and_factored():
    derivation = api.derive(api.network(**WIDE), weight="w11[1]")
    section = derivation.derivation.sections[-1]
    assert [block.key for block in section.blocks] == ["weight_unit", "weight_paths_many", "weight_factored"]
    assert section.blocks[1].about[1] == 16 * 4
    assert len(section.blocks[1].steps) == 3
    assert all(isinstance(step.left, Chain) for step in section.blocks[1].steps)
    rows = {row.name: row.verdict for row in derivation.check().rows if row.name.startswith("weight.")}
    assert len(rows) == len(list(section.steps))
    assert set(rows.values()) == {True}


@pytest.mark.parametrize(("net", "count", "above"), [("8-16-16-4", 64, False), ("4-8-8-8-8-3", 1536, True)])
def test_a_document_says_how_many_paths_there_are(net, count, above):
    text = page(api.derive(api.network(net, activation="tanh", loss="mse"), weight="w22[1]", detail="exam"))
    part = text[text.index("paths lead to the error") - 40 :]
    assert f"`{count}`$ paths lead to the error, too many to write out" in part
    # A product of very many factors stands above its value, not beside it.
    first = next(line for line in part.splitlines() if r"\cdot" in line)
    assert first.startswith(" & ") == above


@pytest.mark.parametrize("address", ["b1[1]", "w11[1]", "b2[3]"])
def test_a_parameter_alone_rests_on_lines_that_exist(address):
    derivation = api.derive(api.network("2-2-2-2", activation="tanh", loss="mse"), weight=address)
    rows = [row for row in derivation.check().rows if row.name.startswith("weight.") or row.group == "references"]
    assert rows and all(row.verdict for row in rows)


def test_reasons_cite_the_lines_that_are_used():
    reasons = dict(re.findall(r"\\text\{\((\d+)\)\}\\quad \\text\{([^}]*)\}", markdown("S2")))
    number = equation_numbers(api.derive("S2").written)
    of = {label: reasons[str(number[label])] for label in number if str(number[label]) in reasons}

    def cited(*labels):
        return ", ".join(f"({number[label]})" for label in labels)

    assert of["w11[2].product"] == f"insert ({number['w11[2].chain']})–({number['w11[2].factor.3']})"
    assert of["w11[2].factor.1"] == f"by {cited('error.slope')}"
    assert of["w11[2].factor.3"] == f"differentiate {cited('forward.z.3.1')}"
    assert of["output.insert"] == f"insert {cited('output.chain', 'error.slope', 'slope.sigmoid.output')}"
    assert of["delta.3.shared"] == f"the first factors of {cited('w11[2].chain')}"
    assert of["delta.2.output.2"] == f"in the same way as {cited('delta.2.output.1')}"
    assert of["w11[2].folded"] == f"write δ {cited('w11[2].product', 'output.delta.1')}"
    assert of["change.w.1.applied"] == f"add the change {cited('change.w.1')}"
    penalised = markdown("S3")
    number = equation_numbers(api.derive("S3").written)
    assert rf"gradient descent ({number['gradient.w.1.total']})" in penalised
    split = next(line for line in penalised.splitlines() if f"({number['chains.w.1']})" in line)
    assert f"chain rule ({number['forward.z.2']}), ({number['forward.a.2']})" in split


def test_what_a_step_needs_is_said_at_the_step_and_at_the_end():
    net = api.network("2-3-3", activation="relu", output_activation="softmax", loss="ce")
    text = page(api.derive(net))
    derivation, end = text.split("## Assumptions")
    for fact in (r"the targets are a distribution: $`\sum_", r"makes sense where $`z \ne 0`$", r"$`0 < a_p[3] < 1`$"):
        assert derivation.count(fact) == end.count(fact) == 1
    assert "is meant for targets $`y_i`$ that are 0 or 1." in markdown("S2").split("## Assumptions")[0]


def test_a_spec_names_the_weight_it_singles_out():
    assert api.example("S4").weight == "w22[2]"
    assert "## One weight and its paths" in markdown("S4")
    with pytest.raises(SpecError, match=r"has no 'w99\[1\]'"):
        api.network("2-3-1", activation="tanh", loss="mse", weight="w99[1]")


def test_worked_numbers_are_those_of_a_forward_and_a_backward_pass():
    derivation = api.derive(api.network("1-1-1", activation="sigmoid", loss="mse"))
    given = {"w11[1]": 0.5, "w11[2]": -0.25, "b1[1]": 0.1, "b1[2]": 0.2, "x1": 2.0, "t1": 1.0, "eta": 0.1}
    worked = derivation.numbers(given)
    hidden = 1 / (1 + exp(-1.1))
    out = 1 / (1 + exp(0.25 * hidden - 0.2))
    delta = (out - 1) * out * (1 - out)
    back = delta * -0.25 * hidden * (1 - hidden)
    expected = {
        PRE[2, 1]: 1.1,
        OUT[2, 1]: hidden,
        OUT[3, 1]: out,
        ERROR: (out - 1) ** 2 / 2,
        DELTA[3, 1]: delta,
        DELTA[2, 1]: back,
    }
    for quantity, value in expected.items():
        assert float(worked.values[quantity]) == pytest.approx(value, rel=1e-12)
    assert worked.values[WEIGHT[1, 1, 1]] == Rational(1, 2)
    assert worked.error_after < worked.error_before


@pytest.mark.parametrize("notation", ["S1", "S3", "S4", "S5", "haykin", "ng"])
def test_every_equation_is_followed_by_its_numbers(notation):
    net = api.network("2-2-1", activation="tanh", loss="mse", values={"w11[1]": -0.5, "x1": 2})
    derivation = api.derive(net, notation=notation, numbers=True)
    text = page(derivation)
    part = with_numbers(text)
    count = len(derivation.view.worked.steps)
    assert re.findall(r"\\text\{\(n(\d+)\)\}", part) == [str(n) for n in range(1, count + 1)]
    assert "5 significant digits" in part
    assert "With this one update the error falls from" in part
    assert "-0.5" in part
    assert part == with_numbers(page(api.derive(net, notation=notation, numbers=True)))


def test_a_negative_delta_has_a_negative_number():
    net = api.network("1-1-1", activation="tanh", loss="mse")
    shown = {}
    for notation in ("S1", "haykin"):
        text = page(api.derive(net, notation=notation, numbers=True))
        part = text[text.index("The local gradients:", text.index("## With numbers")) :]
        shown[notation] = float(re.search(r"\\approx (-?[0-9.]+)", part)[1])
    assert shown["S1"] == -shown["haykin"] != 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Rational(3, 20), "0.15"),
        (Rational(-3, 20), "−0.15"),
        (Float("0.123456789"), "0.12346"),
        (Float("1234567.8"), "1.2346 · 10⁶"),
        (Float("0.000012345678"), "1.2346 · 10⁻⁵"),
        (Rational(0), "0"),
        (Rational(2), "2"),
        (Rational(250), "250"),
        (Float("99999.9"), "100000"),
    ],
)
def test_numbers_are_rounded_once_to_five_digits(value, text):
    assert number(value, TextMarkup()).text == text


@pytest.mark.parametrize("example", ["S1", "S2", "S3", "S4", "S5"])
def test_the_derivation_for_any_sizes_is_a_document(example):
    derivation = api.derive(example, sizes="symbolic")
    text = page(derivation, "general.md")
    count = len(any_sizes_numbers(derivation.derivation))
    assert numbers_in(text) == list(range(1, count + 1))
    assert "by the induction hypothesis" in text
    assert r"\mathbf{1}_{" in text  # the Kronecker deltas are shown before they are contracted
    general = text[: text.index("## The equations of this network")]
    assert not re.search(r"n_\{?\d", general)  # no size is a number
    assert page(api.derive(example), "general.md") is None


@pytest.mark.parametrize("notation", ["haykin", "everything of its own"])
def test_the_derivation_for_any_sizes_is_in_the_quantities_of_the_notation(notation, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('bias = "threshold"\ndelta_sign = "negative"\nfirst_layer = 0\n', "utf-8")
    net = api.network("2-3-2-2", activation="prelu", output_activation="identity", loss="mse")
    derivation = api.derive(net, notation="haykin" if notation == "haykin" else str(mine), sizes="symbolic")
    text = page(derivation, "general.md")
    delta, upper = (r"\delta^{(L)}_k", "v") if notation == "haykin" else (r"\delta^{(L)}_k", "z")
    assert rf"{delta} &= -\frac{{\partial E}}{{\partial {upper}^{{(L)}}_k}}" in text
    assert ("_{j0}" if notation == "haykin" else r"\theta^{(l)}_j") in text
    assert r"\frac{\partial E}{\partial \alpha^{(l)}}" in text  # what the activations learn
    general = [row for row in derivation.check().rows if row.group.startswith("general_")]
    assert len(general) > 20 and all(row.verdict for row in general)


def test_the_derivation_for_any_sizes_comes_in_every_format():
    files = api.derive("S1", sizes="symbolic").files(["md", "tex", "html", "typ", "pdf"])
    kinds = {name.rpartition(".")[2] for name in files if name.startswith("general.")}
    assert kinds == {"md", "tex", "html", "typ", "pdf"}
    assert files["general.pdf"].startswith(b"%PDF")
    assert "Backpropagation in a network of any size" in files["general.html"]


def test_the_instances_are_the_networks_own_equations():
    derivation = api.derive("S4").derivation
    (instances,) = [s for s in any_sizes(derivation, 1) if s.key == "general_instances"]
    own = {(step.left, step.right) for step in derivation.steps}
    assert all((step.left, step.right) in own for step in instances.steps)
    assert len(list(instances.steps)) == 6  # δ and a weight of each of three layers
    prover = Prover(derivation.graph, derivation.steps)
    assert all(prover.row(step, "instances").verdict for step in instances.steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detail": "exm"}, r"unknown level of detail 'exm'; did you mean 'exam'\?"),
        ({"sizes": "symbolik"}, r"unknown kind of sizes 'symbolik'; did you mean 'symbolic'\?"),
        ({"weight": "x1"}, r"'x1' is no parameter of the network; expected one like w11\[1\]"),
        ({"weight": "b1[1]"}, r"the network 2-3-1 has no 'b1\[1\]'; expected one like w11\[1\]"),
        ({"weight": "alpha[2]"}, r"cannot read the address 'alpha\[2\]'; expected one like w11\[1\], x1 or t1"),
    ],
)
def test_mistakes_are_answered_in_one_line(options, message):
    with pytest.raises(SpecError, match=f"^{message}$"):
        api.derive("S1", **options)


def test_worked_numbers_need_formulas():
    with pytest.raises(SpecError, match="worked numbers need formulas"):
        api.derive("S1", numbers=True)
