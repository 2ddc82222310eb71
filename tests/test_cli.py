"""The command line: how arguments reach the Python interface, what is printed, and how a run ends.

The pipeline behind ``symbackprop.api`` is replaced by one that records what it is asked for; the networks are read in
earnest. Other tests run the real pipeline.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

import symbackprop
from symbackprop import resources
from symbackprop.cli import main
from symbackprop.network.read import load, network

REPOSITORY = Path(__file__).resolve().parent.parent
SPEC = 'layers = "2-2-1"\nactivation = "sigmoid"\nloss = "mse"\ntitle = "XOR"\n'


@dataclass
class Row:
    group: str = "steps"
    name: str = "delta[3]"
    verdict: bool | None = True
    how: str = "symbolically"
    error: float | None = None


class Gradient:
    expanded, chain, delta_form = "E/w", "E/a*a/z", "delta*a"


class Pipeline(ModuleType):
    """Stands in for ``symbackprop.api`` and for the derivation."""

    def __init__(self):
        super().__init__("symbackprop.api")
        self.FORMATS = {"md": "Markdown", "tex": "LaTeX"}
        self.notations = lambda: {"S1": "brackets"}
        self.examples = lambda: {"S1": "one", "S4": "four " * 50 + "ends"}
        self.rows = [Row(), Row(), Row("gradients", "w11[1]", True, "central differences", 2.5e-9)]
        self.specs, self.settings, self.written, self.seeds = [], [], [], []

    network, load = staticmethod(network), staticmethod(load)

    def example(self, name):
        return load(resources.examples()[name])

    def derive(self, spec, notation=None, listing="auto", **shown):
        self.specs.append(spec)
        self.settings.append((notation, listing))
        return self

    def summary(self):
        return [("δ_1[3]", "(a_1[3] - t_1)·g'(z_1[3])"), ("∂E/∂w_11[2]", "x" * 200)]

    def gradient(self, weight):
        return Gradient()

    def way(self, weight):
        return [("∂E/∂w", "∂E/∂z · ∂z/∂w")]

    def check(self, seed=0):
        self.seeds.append(seed)
        return self

    def write(self, folder, formats, seed=0, pdf_engine="auto", markdown="github", *, targets=()):
        self.written.append((folder, formats))
        return [Path(folder) / f"derivation.{name}" for name in formats]


@pytest.fixture
def pipeline(monkeypatch, tmp_path):
    stand_in = Pipeline()
    monkeypatch.setitem(sys.modules, "symbackprop.api", stand_in)
    monkeypatch.setattr(symbackprop, "api", stand_in, raising=False)
    monkeypatch.chdir(tmp_path)
    return stand_in


def run(capsys, *arguments):
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_derive_reads_the_network_and_writes_where_its_name_says(pipeline, capsys):
    code, out, err = run(capsys, "derive", "--loss", "ce", "--act", "sigmoid")
    assert (code, err) == (0, "")
    assert pipeline.specs == [network("2-3-1", activation="sigmoid", loss="ce")]
    assert pipeline.written == [(Path("output/2-3-1-sigmoid-ce"), ["md", "tex"])]
    assert (pipeline.settings, pipeline.seeds) == ([(None, "auto")], [0])
    assert "cross-entropy takes its binary form" in out
    assert "δ_1[3]      = (a_1[3] - t_1)·g'(z_1[3])" in out
    assert "output/2-3-1-sigmoid-ce/derivation.md" in out.replace("\\", "/")


def test_every_option_reaches_the_pipeline(pipeline, capsys):
    options = "--net 4-16-3 --act relu,f2 --bias yes,no --loss huber(2) --penalty l2:0.1:plain --notation S4"
    more = "--format tex --out here --listing none --seed 7 --title Mine"
    assert run(capsys, "derive", *options.split(), *more.split())[0] == 0
    expected = network(
        "4-16-3", activation=["relu", "f2"], loss="huber(2)", bias=[True, False], penalty="l2:0.1:plain", title="Mine"
    )
    assert pipeline.specs == [expected]
    assert (pipeline.settings, pipeline.seeds) == ([("S4", "none")], [7])
    assert pipeline.written == [(Path("here"), ["tex"])]


@pytest.mark.parametrize(
    ("flags", "bias"),
    [
        ([], (True, True)),
        (["--no-bias"], (False, False)),
        (["--bias"], (True, True)),
        (["--bias", "1,0"], (True, False)),
    ],
)
def test_biases_are_a_flag_or_a_list(pipeline, capsys, flags, bias):
    assert run(capsys, "check", "--act", "g", "--loss", "mse", *flags)[0] == 0
    assert pipeline.specs[0].bias == bias


def test_a_file_or_an_example_gives_the_network(pipeline, capsys, tmp_path):
    (tmp_path / "xor.toml").write_text(SPEC, encoding="utf-8")
    assert run(capsys, "derive", "--spec", "xor.toml")[0] == 0
    assert run(capsys, "derive", "--example", "S4", "--weight", "w22[2]")[0] == 0
    assert [spec.sizes for spec in pipeline.specs] == [(2, 2, 1), (4, 2, 2, 1)]
    assert [folder for folder, _ in pipeline.written] == [Path("output/xor"), Path("output/S4")]


def test_one_weight_takes_the_place_of_the_summary(pipeline, capsys):
    out = run(capsys, "derive", "--example", "S4", "--weight", "w22[2]")[1]
    assert "dE/dw22[2] = E/w" in out
    assert "delta*a" in out
    assert "∂E/∂z · ∂z/∂w" in out
    assert "δ_1[3]" not in out


def test_check_writes_nothing(pipeline, capsys):
    code, out, _ = run(capsys, "check", "--act", "g", "--loss", "mse")
    assert (code, pipeline.written) == (0, [])
    assert "2 passed   Steps       symbolically" in out
    assert "1 passed   Gradients   central differences   errors below 3e-09" in out


@pytest.mark.parametrize("command", ["derive", "check", "examples"])
def test_a_refuted_check_ends_with_1_and_an_undecided_one_does_not(pipeline, capsys, command):
    arguments = [command] if command == "examples" else [command, "--act", "g", "--loss", "mse"]
    pipeline.rows[0].verdict = None
    assert run(capsys, *arguments)[0] == 0
    pipeline.rows[1].verdict = False
    code, out, _ = run(capsys, *arguments)
    assert code == 1
    assert command == "examples" or "REFUTED: Steps: delta[3] (symbolically)" in out


def test_examples_writes_each_in_every_format(pipeline, capsys):
    assert run(capsys, "examples")[0] == 0
    assert pipeline.written == [(Path("output") / name, ["md", "tex"]) for name in ("S1", "S4")]


@pytest.mark.parametrize(
    ("catalogue", "words"),
    [
        ("activations", ["sigmoid", "logistic", "1/(1 + e⁻ᶻ)", "alpha: α = 0.01"]),
        ("losses", ["bce", "mean_squared_error", "½ (a − t)²"]),
        ("notations", ["S1", "brackets"]),
        ("examples", ["S4", "four " * 50 + "ends"]),
        ("formats", ["tex", "LaTeX"]),
    ],
)
def test_list_shows_names_and_what_they_mean(pipeline, capsys, catalogue, words):
    code, out, _ = run(capsys, "list", catalogue)
    assert code == 0
    assert all(word in out for word in words)


DERIVE = ["derive", "--loss", "mse", "--act"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*DERIVE, "tahn"], "unknown activation 'tahn'; did you mean 'tanh'?"),
        ([*DERIVE, "g", "--net", "2--1"], "cannot read the layers '2--1'; expected sizes joined by '-', like 2-3-1"),
        ([*DERIVE, "g", "--format", "doc"], "unknown format 'doc'; expected one of md, tex"),
        ([*DERIVE, "g", "--listing", "al"], "unknown listing 'al'; did you mean 'all'?"),
        (
            [*DERIVE, "g", "--bias", "maybe"],
            "--bias is 'maybe'; expected yes, no or a list of them, one per layer after the input",
        ),
        ([*DERIVE, "g", "--bias", "1", "--no-bias"], "--bias and --no-bias exclude each other; give one of them"),
        ([*DERIVE, "g", "--title", " "], "title is ' '; expected one line of 1 to 200 characters"),
        (["derive"], "--act and --loss missing; expected --act and --loss, or --spec, or --example"),
        (["derive", "--spec", "a.toml", "--net", "2-1"], "--spec describes the whole network; leave out --net"),
        (
            ["check", "--spec", "a.toml", "--example", "S1", "--no-bias"],
            "--spec describes the whole network; leave out --example, --no-bias",
        ),
        (["derive", "--spec", "absent.toml"], "cannot read 'absent.toml': No such file or directory"),
        (["derive", "--seed", "x"], "Invalid value for '--seed': 'x' is not a valid integer."),
        (["derive", "--loss"], "Option '--loss' requires an argument."),
        (["derive", "more"], "Got unexpected extra argument (more)"),
        (["lsit"], "unknown command 'lsit'; did you mean 'list'?"),
        (["list", "activation"], "unknown list 'activation'; did you mean 'activations'?"),
    ],
)
def test_bad_input_is_one_line_and_exit_2_and_nothing_is_written(pipeline, capsys, tmp_path, arguments, message):
    assert run(capsys, *arguments) == (2, "", f"symbp: {message}\n")
    assert (pipeline.written, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "x" * 300])
def test_the_folder_is_always_one_below_output(pipeline, capsys, tmp_path, name):
    pipeline.load = lambda path: network("2-1", activation="g", loss="mse")
    assert run(capsys, "derive", "--spec", name)[0] == 0
    folder = pipeline.written[0][0]
    assert folder.parent == Path("output")
    assert folder.name not in ("", ".", "..")
    assert len(folder.name) <= 80


def test_piped_output_has_no_escape_codes_and_no_folded_lines(pipeline, capsys):
    out = run(capsys, "derive", "--act", "g", "--loss", "mse")[1]
    assert "\x1b" not in out
    assert any(line.endswith("x" * 200) for line in out.splitlines())
    assert all(line == line.rstrip() for line in out.splitlines())


def python(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.mark.parametrize("arguments", [["--help"], ["derive", "--help"], [], ["derive", "--seed", "x"], ["lsit"]])
def test_help_and_usage_errors_import_nothing_heavy(arguments):
    heavy = ["sympy", "numpy", "jinja2", "rich"]
    ran = python(
        f"import sys; from symbackprop.cli import main; main({arguments!r});"
        f"print('loaded', [name for name in {heavy!r} if name in sys.modules])"
    )
    assert ran.stdout.splitlines()[-1] == "loaded []"


def test_help_names_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(f"  {command} " in out for command in ("derive", "check", "list", "examples"))


def test_a_terminal_without_greek_letters_gets_a_question_mark():
    ran = python(
        "import io, sys; sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='ascii');"
        "from symbackprop.cli import main; code = main(['list', 'losses']);"
        "from symbackprop.terminal import show_formulas; show_formulas([('δ', 'a')]); sys.exit(code)"
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "? = a" in ran.stdout
