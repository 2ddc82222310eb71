"""Documents: every equation once, in order, with its number; words escaped; LaTeX without overfull lines."""

import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from functools import cache

import pytest
from networks import OUTPUTS

from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.losses import LOSSES
from symbackprop.derivation.derive import derive
from symbackprop.derivation.steps import Block, Step
from symbackprop.errors import SpecError, UnsupportedExpression
from symbackprop.network.forward import forward_graph
from symbackprop.network.quantities import ERROR
from symbackprop.network.read import load, network
from symbackprop.notation.profile import load_profile, profile_names
from symbackprop.render.document import render
from symbackprop.render.equations import equation_numbers
from symbackprop.render.escape import for_latex, for_markdown
from symbackprop.render.wording import block_words
from symbackprop.resources import examples

Row = namedtuple("Row", "group name verdict how error")
Report = namedtuple("Report", "rows notes ok step_errors", defaults=[((1e-1, 1e-3), (1e-2, 1e-5))])

CODE = {"gradients.py": "import numpy\n\n\ndef gradients(params, x, t):\n    return {}\n"}
PDFLATEX = shutil.which("pdflatex")
TITLES = [
    r"\input{/etc/passwd}",
    "100% of $x_1$ & #2 ^ ~ {} \\",
    "<script>alert('x')</script>",
    "`code` ```math``` *bold* _it_ | a | [link](x)",
    "two\nlines # no heading",
    "Émile Čapek, Zürich — “δ ≤ ∂E” 中",
]


def spec(name):
    return {
        **{key: lambda path=path: load(path) for key, path in examples().items()},
        "bce": lambda: network("2-3-1", activation="sigmoid", loss="ce"),
        "softmax": lambda: network("4-3-3", activation="tanh", loss="ce", notation="S4"),
        "kinks": lambda: network("3-2-2", activation=["relu", "elu"], loss="huber"),
        "penalty": lambda: network(
            "2-2-2",
            activation=["gelu", "silu"],
            loss="mae",
            penalty={"kind": "l2", "strength": "lambda", "form": "half_mean", "biases": True},
        ),
        "wide": lambda: network("8-16-16-4", activation="sigmoid", loss="mse"),
        "deep": lambda: network([3] * 50 + [2], activation="tanh", loss="mse"),
    }[name]()


@cache
def derived(name):
    return derive(forward_graph(spec(name)))


def checked(derivation):
    rows = [Row("steps", step.label, True, "proved symbolically", None) for step in derivation.steps]
    rows.append(Row("emitted code", "all gradients", True, "central differences, step 1e-5", 1.2e-9))
    return Report(rows, ["Points were moved away from kinks."], True)


@cache
def pages(name, notation=None):
    derivation = derived(name)
    profile = load_profile(notation or derivation.graph.spec.notation)
    return render(derivation, checked(derivation), profile, ["md", "tex"], CODE)


def printed_numbers(markdown):
    return re.findall(r"\\text\{\((\d+[ab]?)\)\}", markdown)


def expected_numbers(derivation):
    """Every number once, in order; the matrix form twice, as (na) for one example and (nb) for a batch."""
    numbers = equation_numbers(derivation)
    matrix = [number for label, number in numbers.items() if label.startswith("matrix.")]
    before = [str(number) for number in numbers.values() if number < matrix[0]]
    after = [str(number) for number in numbers.values() if number > matrix[-1]]
    return [*before, *(f"{n}a" for n in matrix), *(f"{n}b" for n in matrix), *after]


@pytest.mark.parametrize("name", [*examples(), "bce", "softmax", "kinks", "penalty"])
def test_every_equation_is_printed_once_and_in_order(name):
    text = pages(name)
    expected = expected_numbers(derived(name))
    assert printed_numbers(text["derivation.md"]) == expected
    assert re.findall(r"\\tag\{(\d+[ab]?)\}", text["derivation.tex"]) == expected


def test_deep_networks_print_one_instance_of_each_equation():
    markdown = pages("deep")["derivation.md"]
    assert len(printed_numbers(markdown)) < 80
    assert "take the equation numbers between (5) and (100) that are not shown" in markdown
    assert r"z_j[3] &= \sum_{i=1}^{n_2} w_{ij}[2]\,a_i[2] + b_j[2]" in markdown
    assert "| 2–50 | 3 | tanh" in markdown


def test_layers_that_differ_are_all_printed():
    mixed = network([2] * 8, activation=["tanh", "relu", "silu", "elu", "softplus", "sigmoid", "identity"], loss="mse")
    derivation = derive(forward_graph(mixed), listing="none")
    markdown = render(derivation, None, load_profile("S1"), ["md"])["derivation.md"]
    for layer, slope in enumerate(["tanh", "ReLU", "SiLU", "ELU", "softplus"], start=2):
        assert re.search(
            rf"a_j\[{layer}\] &= \\\w*{{?{slope}}}?\(z_j\[{layer}\]\)".replace(r"\\\w*{?", r".*"), markdown
        )


# One line of each kind, as the source of that notation writes it.
GOLDEN = [
    ("S1", r"a_1[2] &= g(z_1[2])"),
    ("S1", r"E &= \tfrac{1}{2}\,(a_1[3] - t_1)^2"),
    (
        "S1",
        r"\frac{dE}{dw_{11}[2]} &= \frac{dE}{da_1[3]} \cdot \frac{da_1[3]}{dz_1[3]} \cdot \frac{dz_1[3]}{dw_{11}[2]}",
    ),
    ("S1", r"\delta_1[3] &= (a_1[3] - t_1)\,g'(z_1[3])"),
    ("S1", r"\frac{dE}{dw_{11}[1]} &= (a_1[3] - t_1)\,g'(z_1[3])\,w_{11}[2]\,g'(z_1[2])\,x_1"),
    ("S1", r"\delta_2[2] &= \delta_1[3]\,w_{21}[2]\,g'(z_2[2])"),
    ("S1", r"\frac{dE}{dw_{21}[1]} &= \delta_1[2]\,x_2"),
    ("S1", r"w_{ij}[1] &\leftarrow w_{ij}[1] - \eta\,\frac{dE}{dw_{ij}[1]}"),
    ("S1", r"\Delta[2] &= (\Delta[3]\,W[2]^{\mathsf{T}}) \odot g'(Z[2])"),
    ("S4", r"z^{(2)} &= W^{(1)}\,x + b^{(1)}"),
    ("S4", r"z^{(4)} &= W^{(3)}\,a^{(3)}"),
    ("S4", r"b^{(1)}_j &:= b^{(1)}_j - \varepsilon\,\frac{\partial C}{\partial b^{(1)}_j}"),
    ("S4", r"\frac{\partial C}{\partial W^{(2)}} &= \delta^{(3)}\,(a^{(2)})^{\mathsf{T}}"),
    ("bce", r"E &= -\sum_{p=1}^{n_3} (t_p\,\ln a_p[3] + (1 - t_p)\,\ln(1 - a_p[3]))"),
    ("bce", r" &= \frac{a_p[3] - t_p}{a_p[3]\,(1 - a_p[3])} &&"),
    ("bce", r" &= \sigma(z)\,(1 - \sigma(z)) &&"),
    ("bce", r" &= a_p[3] - t_p &&"),
    ("softmax", r"\delta^{(3)} &= s - y"),
    ("softmax", r"S &= \frac{e^{Z^{(3)}}}{\mathbf{1}^{\mathsf{T}}\,e^{Z^{(3)}}}"),
]


@pytest.mark.parametrize(("name", "line"), GOLDEN)
def test_lines_as_the_sources_write_them(name, line):
    assert line in pages(name)["derivation.md"]


@pytest.mark.parametrize("name", [*examples(), "softmax", "kinks", "penalty"])
def test_markdown_is_what_github_takes(name):
    markdown = pages(name)["derivation.md"]
    assert not re.search(r"\\operatorname|\\newcommand|flalign|\\tag|\\boldsymbol", markdown)
    outside = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    assert markdown.count("```") % 2 == 0
    assert "$" not in re.sub(r"\$`[^`]*`\$", "", outside)
    assert "\n\n\n" not in markdown


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("name", [*examples(), "bce", "softmax", "kinks", "penalty", "wide", "deep"])
def test_pdflatex_sets_it_without_overfull_lines(name, tmp_path):
    assert overfull(compiled(pages(name)["derivation.tex"], tmp_path)) == []


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")
def test_an_overfull_line_would_be_seen(tmp_path):
    tex = pages("S1")["derivation.tex"].replace(r"\section{", "\\noindent\\hbox to 600pt{wide}\n\n\\section{", 1)
    assert overfull(compiled(tex, tmp_path)) != []


def compiled(tex, folder):
    (folder / "derivation.tex").write_text(tex, encoding="ascii")
    options = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-file-line-error"]
    run = subprocess.run(
        [PDFLATEX, *options, "derivation.tex"], cwd=folder, capture_output=True, check=False, timeout=60
    )
    log = (folder / "derivation.log").read_text(encoding="latin-1")
    assert run.returncode == 0, re.findall(r"^.*derivation\.tex:\d+:.*$", log, re.MULTILINE)
    return log


def overfull(log):
    return [points for points in map(float, re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)) if points > 5]


def titled(title):
    derivation = derived("S1")
    graph = replace(derivation.graph, spec=replace(derivation.graph.spec, title=title))
    return render(replace(derivation, graph=graph), None, load_profile("S1"), ["md", "tex"])


@pytest.mark.parametrize("title", TITLES)
def test_titles_are_words_and_nothing_else(title):
    first = titled(title)["derivation.md"].splitlines()[0]
    assert first == f"# {for_markdown(title)}"
    assert "<" not in first
    assert not re.search(r"(?<!\\)[`*|$\[\]]", first)


@pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")
def test_hostile_titles_compile_as_text(tmp_path):
    tex = titled(" ".join(TITLES))["derivation.tex"]
    assert r"\input" not in tex
    compiled(tex, tmp_path)


def test_escapes():
    assert for_latex("a_b^c~\\{}") == r"a\_b\textasciicircum{}c\textasciitilde{}\textbackslash{}\{\}"
    assert for_latex("é ö č ï 中") == r"\'{e} \"{o} \v{c} \"{\i{}} [U+4E2D]"
    assert for_markdown("a & <b>") == "a &amp; &lt;b&gt;"


def test_checks_are_reported_as_they_came_out():
    derivation = derived("S1")
    labels = [step.label for step in derivation.steps]
    rows = [Row("steps", label, True, "proved symbolically", None) for label in labels[:3]]
    rows += [Row("steps", labels[4], False, "random points", None), Row("steps", labels[5], None, "undecided", None)]
    rows.append(Row("delta", labels[6], True, "proved symbolically", None))
    rows += [Row("emitted code", "dE/dw_1", True, "central differences", error) for error in (1e-9, 3.25e-8)]
    markdown = render(derivation, Report(rows, ["A note."], False), load_profile("S1"), ["md"])["derivation.md"]
    assert "Not every check succeeded: 1 refuted, 1 undecided." in markdown
    assert "| Steps | (1)–(3) | holds | proved symbolically |" in markdown
    assert "| Steps | (5) | refuted | random points |" in markdown
    assert "| Steps | (6) | undecided | undecided |" in markdown
    assert r"| Emitted code | dE/dw\_1 | holds | central differences, errors below 3e-08 |" in markdown
    assert "| The same for any unit, with δ | (7) | holds | proved symbolically |" in markdown
    assert "A note." in markdown
    assert "None was refuted" not in markdown


def test_assumptions_are_named_with_their_equation():
    markdown = pages("softmax")["derivation.md"]
    (label,) = [step.label for step in derived("softmax").steps if step.assumptions]
    number = equation_numbers(derived("softmax"))[label]
    assert f"Equation ({number}) holds because the targets are a distribution: " in markdown
    assert r"$`\sum_{i=1}^{n_3} y_i = 1`$" in markdown
    assert "No step needs an assumption" in pages("S1")["derivation.md"]


def test_kinks_and_parameters_are_stated():
    markdown = pages("kinks")["derivation.md"]
    assert r"At $`z`$ = $`0`$, $`\mathrm{ReLU}(z)`$ has no derivative; the slope taken there is $`0`$." in markdown
    assert r"their values are $`\alpha`$ = $`1`$, $`\delta_{\mathrm{H}}`$ = $`1`$" in markdown


def test_code_is_shown_by_the_function_that_has_a_line_for_each_equation():
    markdown = pages("S1")["derivation.md"]
    assert "```python\ndef gradients(params, x, t):\n    return {}\n```" in markdown
    assert "```python" not in render(derived("S1"), None, load_profile("S1"), ["md"])["derivation.md"]


@pytest.mark.parametrize("profile", profile_names())
@pytest.mark.parametrize("name", ["S4", "softmax"])
def test_every_profile_renders(name, profile):
    assert printed_numbers(pages(name, profile)["derivation.md"]) == expected_numbers(derived(name))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_renders(activation):
    loss = "ce" if activation == "softmax" else "mse"
    assert "derivation.md" in rendered(network("2-2-2", activation=activation, loss=loss, output_activation=activation))


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_renders(loss):
    output = OUTPUTS.get(loss, "identity")
    assert "derivation.md" in rendered(network("2-2-2", activation="tanh", output_activation=output, loss=loss))


def rendered(described):
    return render(derive(forward_graph(described)), None, load_profile("S1"), ["md"])


def test_the_same_input_gives_the_same_bytes():
    program = (
        "from symbackprop.derivation.derive import derive\nfrom symbackprop.network.forward import forward_graph\n"
        "from symbackprop.network.read import network\nfrom symbackprop.notation.profile import load_profile\n"
        "from symbackprop.render.document import render\n"
        "d = derive(forward_graph(network('2-3-2', activation='tanh', loss='ce')))\n"
        "print(ascii(render(d, None, load_profile('S4'), ['md', 'tex'])))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_an_unknown_format_and_an_unknown_block_are_refused():
    with pytest.raises(SpecError, match=r"^unknown format 'pdff'; did you mean 'pdf'\?$"):
        render(derived("S1"), None, load_profile("S1"), ["pdff"])
    with pytest.raises(UnsupportedExpression, match=r"^no wording for blocks\.nothing$"):
        block_words(Block("nothing", ()).key, True)


def test_a_changed_step_changes_the_page():
    derivation = derived("S1")
    section = derivation.sections[1]
    block = section.blocks[0]
    twin: Step = replace(block.steps[0], right=2 * ERROR)
    changed = replace(section, blocks=(replace(block, steps=(twin,)), *section.blocks[1:]))
    sections = (derivation.sections[0], changed, *derivation.sections[2:])
    page = render(replace(derivation, sections=sections), None, load_profile("S1"), ["md"])["derivation.md"]
    assert r"E &= 2\,E" in page


@pytest.mark.parametrize("name", ["S1", "softmax", "penalty"])
def test_reasons_cite_earlier_equations_alone(name):
    cited = 0
    for number, reason in re.findall(r"\\text\{\((\d+)[ab]?\)\}\\quad \\text\{([^}]*)\}", pages(name)["derivation.md"]):
        numbers = [int(n) for n in re.findall(r"\((\d+)[ab]?\)", reason)]
        assert all(n < int(number) for n in numbers)
        cited += len(numbers)
    assert cited > 20
