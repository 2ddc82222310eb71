"""The safe parser: what it reads, and where it refuses; nothing of the text is evaluated by Python or SymPy."""

import builtins
import time

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Piecewise, Rational

from symbackprop.calculus.bounds import near
from symbackprop.calculus.formula import FUNCTIONS, read_formula
from symbackprop.calculus.formula_text import MAX_LENGTH
from symbackprop.catalogue.entries import Z
from symbackprop.catalogue.own import functions
from symbackprop.errors import FormulaError

BETA = sp.Symbol("beta", real=True)

READ = {
    "z": Z,
    " -z**2 ": -(Z**2),
    "2**-z": 2**-Z,
    "z^2^3": Z**8,
    "2*z/4/z**3": 1 / (2 * Z**2),
    "1 - z - 2": -Z - 1,
    "-z*-2": 2 * Z,
    "+z": Z,
    "0.1*z": Z / 10,
    ".5 + 1.": Rational(3, 2),
    "1e-3*z": Z / 1000,
    "|z - |2*z||": sp.Abs(Z - sp.Abs(2 * Z)),
    "beta*z": BETA * Z,
    "ln(1 + e**z)": sp.log(1 + sp.exp(Z)),
    "sin(pi*z)": sp.sin(sp.pi * Z),
    "sqrt(1 + z^2)": sp.sqrt(1 + Z**2),
    "max(0, z, 1 - z)": sp.Max(0, Z, 1 - Z),
    "where(z > 0, z, 0.1*z)": Piecewise((Z, Z > 0), (Z / 10, True)),
    "if(1 <= z, 1, z)": Piecewise((1, Z >= 1), (Z, True)),
    "z*sigmoid(beta*z)": Z / (1 + sp.exp(-BETA * Z)),
    "leaky_relu(z, 1/5)": Piecewise((Z, Z > 0), (Z / 5, True)),
    "softplus(z)": sp.log(1 + sp.exp(Z)),
    "softplus(z, 2)": sp.log(1 + sp.exp(2 * Z)) / 2,
    "softplus(3*z, beta)": sp.log(1 + sp.exp(3 * BETA * Z)) / BETA,
    "z/(1+abs(z))": Z / (1 + sp.Abs(Z)),
}

# Each formula with the offset that the caret must point to, and words of the message.
REFUSED = [
    ("", 0, "expected a number, a name or '('"),
    ("   ", 3, "the end"),
    ("z +", 3, "before the end"),
    ("z + * 2", 4, "before '*'"),
    ("(z + 1", 0, "'(' is not closed"),
    ("z + 1)", 5, "nothing is open"),
    ("|z + 1", 0, "'|' is not closed"),
    ("(z|", 2, "expected an operator"),
    ("z z", 2, "expected an operator, such as *"),
    ("2z", 1, "expected an operator, such as *"),
    ("z(1 + z)", 0, "z is no function"),
    ("z, 1", 1, "commas separate"),
    ("exp(z,)", 6, "before ')'"),
    ("exp()", 0, "exp takes 1 argument; got 0"),
    ("max(z)", 0, "max takes 2 to 4 arguments; got 1"),
    ("1 + exp", 4, "the function exp has no argument"),
    ("tahn(z)", 0, "unknown function 'tahn'; did you mean 'tanh'?"),
    ("z + x", 4, "unknown name 'x'; expected one of beta, e, pi, z"),
    ("softmax(z)", 0, "unknown function 'softmax'"),
    ("z > 0", 2, "only in where"),
    ("where(z, 1, 2)", 6, "is no comparison"),
    ("where(z == 0, 1, z)", 8, "holds at single points"),
    ("where(0 < z < 1, 1, z)", 12, "two sides"),
    ("where(1 > 0, 1, z)", 8, "both sides of the comparison are constant"),
    ("z = 1", 2, "cannot read '='"),
    ("z − 1", 2, "did you mean '-'?"),
    ("2×z", 1, "did you mean '*'?"),
    ("π*z", 0, "did you mean 'pi'?"),
    ("ｚ + 1", 0, "did you mean 'z'?"),
    ("z\0", 1, r"cannot read '\x00'"),
    ("z\n+1", 1, r"cannot read '\n'"),
    ("z \u202e+ 1", 2, r"cannot read '\u202e'"),
    ("z.__class__", 1, "cannot read '.'"),
    ("__import__('os')", 0, "cannot read '_'"),
    ("lambda: z", 6, "cannot read ':'"),
    ("[z]", 0, "cannot read '['"),
    ('"z"', 0, "cannot read"),
    ("Symbol(z)", 0, "unknown function 'Symbol'"),
    ("eval(z)", 0, "unknown function 'eval'"),
    ("1_000*z", 1, "cannot read '_'"),
    ("9" * 31 + "*z", 0, "a number is too long"),
    ("1e999999999*z", 0, "a number is too long"),
    ("a" * 31, 0, "is too long"),
    ("9**9**9", 1, "the power is too high"),
    ("z**100", 1, "the power is too high"),
    ("(z**60)**60", 7, "the power is too high"),
    ("((9**64)**64)*z", 8, "the power of this number is too large"),
    ("exp(exp(exp(9)))", 4, "this number is too large"),
    ("exp(1e20*log(2))*z", 8, "holds a number above"),
    ("2**(z + 1e20)", 1, "holds a number above"),
    ("exp(z + 1e20*log(2))", 6, "holds a number above"),
    ("1/0", 1, "a division by zero"),
    ("1/(z - z)", 1, "a division by zero"),
    ("z + log(0)", 4, "no real number"),
    ("sqrt(-1)*z", 0, "no real number"),
    ("sqrt(-z**2)", 0, "no real number"),
    ("(0 - 8)**(1/3)", 7, "no real number"),
    ("0**z", 1, "not positive"),
    ("(-2)**z", 4, "not positive"),
    ("(" * 41 + "z" + ")" * 41, 40, "nested more than 40 deep"),
    ("-" * 41 + "z", 40, "nested more than 40 deep"),
    ("+".join("z" * 120), 199, "more than 200 parts"),
    ("abs(" * 9 + "z" + ") - 1" * 9, 0, "more than 8 corners"),
    ("z" * (MAX_LENGTH + 1), MAX_LENGTH, "characters; expected at most"),
]


def read(text):
    return read_formula(text, [Z], [BETA], functions())


@pytest.mark.parametrize(("text", "expected"), READ.items(), ids=READ)
def test_a_formula_means_what_python_would_make_of_it(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(("text", "at", "words"), REFUSED, ids=[text[:20] for text, _, _ in REFUSED])
def test_what_is_refused_is_refused_where_it_stands(text, at, words):
    start = time.perf_counter()
    with pytest.raises(FormulaError) as refusal:
        read(text)
    assert refusal.value.position == at
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 1200
    assert time.perf_counter() - start < 1


def test_nothing_of_the_text_is_evaluated(monkeypatch):
    def forbidden(*_, **__):
        raise AssertionError("text was evaluated")

    functions()
    with monkeypatch.context() as patched:
        for place, name in ((sp, "parse_expr"), (builtins, "eval"), (builtins, "exec"), (builtins, "compile")):
            patched.setattr(place, name, forbidden)
        for text, at, _ in REFUSED:
            try:
                read(text)
            except FormulaError as refusal:
                assert refusal.position == at
        assert read("z*sigmoid(beta*z)").has(BETA)


def test_strings_never_reach_sympify(monkeypatch):
    handed = []
    convert = sp.sympify

    def watched(value, *args, **kwargs):
        handed.extend([value] if isinstance(value, str) else [])
        return convert(value, *args, **kwargs)

    for module in ("add", "mul", "power", "function", "basic", "expr", "numbers"):
        monkeypatch.setattr(f"sympy.core.{module}.sympify", watched, raising=False)
    read("max(z, 1.5e-3)**2/(1 + exp(-beta*z))")
    assert handed == []


def test_the_caret_stands_under_the_offending_character():
    for text, at in (("z + 2y", 5), ("z" + " + z" * 60 + " $ 1", 242)):
        with pytest.raises(FormulaError) as refusal:
            read(text)
        line, caret = refusal.value.pointer
        assert line[caret.index("^")] == text[at] and len(line) <= 80
    assert FormulaError("a message", "z\0ｚ", 2).pointer == ("z??", "  ^")
    assert FormulaError("a message").pointer is None


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*FUNCTIONS, *"z+-*/^()|,.<>=0159e ", "**", "beta", "where(", "∂", "1e9"]), max_size=14)
)
def test_any_text_is_a_formula_or_refused_with_a_position(pieces):
    text = "".join(pieces)
    try:
        value = read(text)
    except FormulaError as refusal:
        assert 0 <= refusal.position <= len(text)
    else:
        assert value.free_symbols <= {Z, BETA}
        assert not value.has(sp.I, sp.nan, sp.zoo)


@pytest.mark.parametrize(
    "text", ["z**3 - 2", "exp(-z)", "log(2 + z)", "max(z, 1)", "where(z > 1, z, 1)", "erf(z)", "2**z"]
)
def test_numbers_are_evaluated_as_sympy_does(text):
    value = read(text)
    for at in (Rational(-3, 2), Rational(1), Rational(7, 3)):
        assert abs(near(value, Z, at) - sp.N(value.subs(Z, at), 40)) < 1e-30


def test_numbers_far_out_are_never_computed_in_full():
    tower = sp.exp(sp.exp(Z))
    assert near(tower, Z, sp.Integer(10**9)) == float("inf")
    assert near(2 ** (-(2**Z)), Z, sp.Integer(10**9)) == 0
