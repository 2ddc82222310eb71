"""Formulas in LaTeX and plain text: golden strings for every shape, and a reader that computes what is printed."""

import math
import re

import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Add, Integer, KroneckerDelta, Mul, Piecewise, Rational, Sum, Symbol

from symbackprop.calculus.inert import Apply, Chain, Partial, Total
from symbackprop.catalogue.entries import A, T, Z
from symbackprop.derivation.matrix_terms import (
    EXAMPLES,
    Axis,
    Gradient,
    Hadamard,
    Leaf,
    Map,
    Ones,
    Plus,
    Product,
    Scaled,
    SumOver,
    Transpose,
)
from symbackprop.errors import UnsupportedExpression
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    DELTA,
    ERROR,
    FROM,
    LAYER,
    OBJECTIVE,
    OUT,
    OUTPUT_UNIT,
    PRE,
    RATE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
)
from symbackprop.notation.apply import Notation
from symbackprop.notation.profile import load_profile
from symbackprop.render.formula import FormulaPrinter
from symbackprop.render.latex import LatexMarkup
from symbackprop.render.matrix_formula import MatrixPrinter
from symbackprop.render.printed import broken
from symbackprop.render.text import TextMarkup

S1, S4 = (Notation(load_profile(name), 3) for name in ("S1", "S4"))
LATEX, TEXT = FormulaPrinter(S1, LatexMarkup()), FormulaPrinter(S1, TextMarkup())
LATEX_S4, TEXT_S4 = FormulaPrinter(S4, LatexMarkup()), FormulaPrinter(S4, TextMarkup())

a, t = OUT[3, 1], TARGET[1]
hidden, target = OUT[2, 1], TARGET[OUTPUT_UNIT]
slope = Apply(Symbol("g"), 1, PRE[2, 1])
outputs = (OUTPUT_UNIT, 1, SIZE[3])
passed_back = Sum(DELTA[3, OUTPUT_UNIT] * WEIGHT[2, TO, OUTPUT_UNIT], outputs)
step = Piecewise((Z, Z > 0), (0, True))

SHAPES = [
    # order in sums and products
    (a - t, "a_1[3] - t_1", "a₁[3] − t₁"),
    (1 - hidden, "1 - a_1[2]", "1 − a₁[2]"),
    (hidden - 1, "a_1[2] - 1", "a₁[2] − 1"),
    ((1 + Z - A) * A / Z, r"\frac{a\,(1 + z - a)}{z}", "a (1 + z − a)/z"),
    (DELTA[3, 1] * WEIGHT[2, 1, 1] * slope, r"\delta_1[3]\,w_{11}[2]\,g'(z_1[2])", "δ₁[3] w₁₁[2] g′(z₁[2])"),
    (passed_back * slope,
     r"{\left(\sum_{p=1}^{n_3} \delta_p[3]\,w_{jp}[2]\right)}\,g'(z_1[2])", "(Σₚ δₚ[3] wⱼₚ[2]) g′(z₁[2])"),
    (DELTA[2, 1] * OUT[1, 2], r"\delta_1[2]\,x_2", "δ₁[2] x₂"),
    (WEIGHT[1, 1, 1] * OUT[1, 1] + WEIGHT[1, 2, 1] * OUT[1, 2] + BIAS[1, 1],
     r"w_{11}[1]\,x_1 + w_{21}[1]\,x_2 + b_1[1]", "w₁₁[1] x₁ + w₂₁[1] x₂ + b₁[1]"),
    (Sum(WEIGHT[1, FROM, TO] * OUT[1, FROM], (FROM, 1, SIZE[1])) + BIAS[1, TO],
     r"\sum_{i=1}^{n_1} w_{ij}[1]\,x_i + b_j[1]", "Σᵢ wᵢⱼ[1] xᵢ + bⱼ[1]"),
    (OUT[3, OUTPUT_UNIT] * Sum(target, outputs) - target,
     r"a_p[3]\,\sum_{p=1}^{n_3} t_p - t_p", "aₚ[3] Σₚ tₚ − tₚ"),
    (WEIGHT[1, 1, 1] - RATE * Partial(ERROR, WEIGHT[1, 1, 1]),
     r"w_{11}[1] - \eta\,\frac{dE}{dw_{11}[1]}", "w₁₁[1] − η dE/dw₁₁[1]"),
    # precedence: each beside what it must not be
    (a * (t - A), r"(t_1 - a)\,a_1[3]", "(t₁ − a) a₁[3]"),
    (a * t - A, r"t_1\,a_1[3] - a", "t₁ a₁[3] − a"),
    (Mul(-1, a + t, evaluate=False), "-(a_1[3] + t_1)", "−(a₁[3] + t₁)"),
    (-a - t, "-a_1[3] - t_1", "−a₁[3] − t₁"),
    (A - (T + Z) * RATE, "a - \\eta\\,(z + t)", "a − η (z + t)"),
    ((a - t) ** 2 / 2, r"\tfrac{1}{2}\,(a_1[3] - t_1)^2", "½ (a₁[3] − t₁)²"),
    (-(A**2), "-a^2", "−a²"),
    ((-A) ** Integer(3), "-a^3", "−a³"),
    ((A * T) ** 2, "t^2\\,a^2", "t² a²"),
    (1 / (A * (1 - A)), r"\frac{1}{a\,(1 - a)}", "1/(a (1 − a))"),
    ((A - T) / (A * (1 - A)), r"\frac{a - t}{a\,(1 - a)}", "(a − t)/(a (1 − a))"),
    (-T / A, r"-\frac{t}{a}", "−t/a"),
    (sp.exp(-Z) / (1 + sp.exp(-Z)) ** 2, r"\frac{e^{-z}}{(1 + e^{-z})^2}", "e⁻ᶻ/(1 + e⁻ᶻ)²"),
    (sp.exp(Z) ** 2, "e^{2\\,z}", "e²ᶻ"),
    (sp.exp(-(Z**2) / 2), r"e^{-\frac{1}{2}\,z^2}", "exp(−½ z²)"),
    (Z * sp.sqrt(2) / 2, r"\frac{z}{\sqrt{2}}", "z/√2"),
    (sp.sqrt(2) * Z / (2 * sp.sqrt(sp.pi)), r"\frac{z}{\sqrt{2\,\pi}}", "z/√(2 π)"),
    (Rational(-2, 3) * A, r"-\tfrac{2}{3}\,a", "−⅔ a"),
    (3 * A * Rational(1, 2) / T, r"\frac{3\,a}{2\,t}", "3 a/(2 t)"),
    # functions and cases
    (sp.log(A), r"\ln a", "ln a"),
    (sp.log(1 - A) * (1 - T), r"(1 - t)\,\ln(1 - a)", "(1 − t) ln(1 − a)"),
    (sp.log(1 / (1 + A)), r"\ln{\left(\frac{1}{1 + a}\right)}", "ln(1/(1 + a))"),
    (1 - sp.tanh(Z) ** 2, r"1 - \tanh(z)^2", "1 − tanh(z)²"),
    (sp.erf(Z / sp.sqrt(2)), r"\mathrm{erf}{\left(\frac{z}{\sqrt{2}}\right)}", "erf(z/√2)"),
    (sp.Abs(A - T), r"\lvert a - t\rvert", "|a − t|"),
    (sp.sign(A - T), r"\mathrm{sign}(a - t)", "sign(a − t)"),
    (sp.Max(0, Z), r"\max(0, z)", "max(0, z)"),
    (step, r"\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}", "{z if z > 0; 0 otherwise}"),
    (Piecewise((1, Z > 1), (Piecewise((Z, Z > 0), (0, True)), True)),
     r"\begin{cases} 1 & \text{if } z > 1 \\ z & \text{else if } z > 0 \\ 0 & \text{otherwise} \end{cases}",
     "{1 if z > 1; z else if z > 0; 0 otherwise}"),
    (step * A, r"a\,{\left(\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}\right)}",
     "a ({z if z > 0; 0 otherwise})"),
    (Piecewise((1, sp.Abs(A - T) < Symbol("delta", positive=True)), (0, True)),
     r"\begin{cases} 1 & \text{if } \lvert a - t\rvert < \delta_{\mathrm{H}} \\ 0 & \text{otherwise} \end{cases}",
     "{1 if |a − t| < δ_H; 0 otherwise}"),
    (Apply(Symbol("cost"), 1, A, T), r"\mathrm{cost}'(a, t)", "cost′(a, t)"),
    (KroneckerDelta(FROM, TO), r"\mathbf{1}_{i=j}", "1{i=j}"),
    (Sum(-target * sp.log(OUT[3, OUTPUT_UNIT]), outputs), r"-\sum_{p=1}^{n_3} t_p\,\ln a_p[3]", "−Σₚ tₚ ln aₚ[3]"),
    (Sum(a - target, outputs), r"\sum_{p=1}^{n_3} (a_1[3] - t_p)", "Σₚ (a₁[3] − tₚ)"),
    (Sum(target, outputs) / SIZE[3], r"\frac{1}{n_3}\,\sum_{p=1}^{n_3} t_p", "1/n₃ Σₚ tₚ"),
    # what keeps its order
    (Chain(Partial(ERROR, a), Partial(a, PRE[3, 1])), r"\frac{dE}{da_1[3]} \cdot \frac{da_1[3]}{dz_1[3]}",
     "dE/da₁[3] · da₁[3]/dz₁[3]"),
    (Chain(a - t, slope, WEIGHT[2, 1, 1], OUT[1, 1]), r"(a_1[3] - t_1)\,g'(z_1[2])\,w_{11}[2]\,x_1",
     "(a₁[3] − t₁) g′(z₁[2]) w₁₁[2] x₁"),
    (Chain(-T, 1 / A), r"-t \cdot \frac{1}{a}", "−t · 1/a"),
    (Chain(T, -A), r"t\,(-a)", "t (−a)"),
    (Chain(A, Integer(-1)), r"a \cdot (-1)", "a · (−1)"),
    (Chain(Partial(ERROR, PRE[2, 1]), Integer(1)), r"\frac{dE}{dz_1[2]} \cdot 1", "dE/dz₁[2] · 1"),
    (Total(Chain(T, A), Chain(-Z, A), -T), r"t\,a - z\,a - t", "t a − z a − t"),
    (Chain(A, Total(T, -Z)), r"a\,(t - z)", "a (t − z)"),
    (Total(T, Total(-A, Z)), "t + (-a + z)", "t + (−a + z)"),
    (Chain(A, Chain(T, Z)), r"a\,(t\,z)", "a (t z)"),
    (Chain(passed_back, slope), r"{\left(\sum_{p=1}^{n_3} \delta_p[3]\,w_{jp}[2]\right)}\,g'(z_1[2])",
     "(Σₚ δₚ[3] wⱼₚ[2]) g′(z₁[2])"),
    (Partial(Apply(Symbol("g"), 0, Z), Z), r"\frac{d}{dz}\,g(z)", "d/dz g(z)"),
    (Partial(-Z, Z), r"\frac{d}{dz}\,(-z)", "d/dz (−z)"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "latex", "text"), SHAPES, ids=[text for _, _, text in SHAPES])
def test_shapes(expr, latex, text):
    assert (LATEX(expr).text, TEXT(expr).text) == (latex, text)


# A name with a superscript is bracketed before it takes another.
SCRIPTED = [
    (hidden**2, "(a^{(2)}_1)^2", "(a₁⁽²⁾)²"),
    (1 - hidden**2, "1 - (a^{(2)}_1)^2", "1 − (a₁⁽²⁾)²"),
    (Partial(ERROR, hidden), r"\frac{\partial C}{\partial a^{(2)}_1}", "∂C/∂a₁⁽²⁾"),
    (WEIGHT[LAYER, FROM, TO], "w^{(l)}_{jk}", "wⱼₖ⁽ˡ⁾"),
]


@pytest.mark.parametrize(("expr", "latex", "text"), SCRIPTED)
def test_superscripts(expr, latex, text):
    assert (LATEX_S4(expr).text, TEXT_S4(expr).text) == (latex, text)


UNKNOWN = [
    sp.gamma(Z),
    sp.Derivative(sp.Function("f")(Z), Z),
    sp.Function("f")(Z),
    sp.Integral(Z, Z),
    sp.Heaviside(Z),
    sp.oo,
    sp.I,
    Piecewise((Z, (Z > 0) & (A > 0)), (0, True)),
    Add(Z, sp.gamma(Z)),
    Symbol("a}b"),
]


@pytest.mark.parametrize("expr", UNKNOWN, ids=str)
@pytest.mark.parametrize("printer", [LATEX, TEXT])
def test_an_unknown_node_is_refused(expr, printer):
    with pytest.raises(UnsupportedExpression, match=r"^no (rule prints|notation for)"):
        printer(expr)


# A reader of what is printed: it computes the value, by the conventions of mathematical writing.

TOKEN = re.compile(r"\\[A-Za-z]+|\\,|\d+|[a-z]|[-+(){}^]|\s+")


class Reader:
    """Juxtaposition multiplies; a sign stands only at the start of a sum; scripts and fractions take groups."""

    def __init__(self, text, values):
        text = text.replace(r"{\left(", "(").replace(r"\right)}", ")").replace(r"\Bigl(", "(").replace(r"\Bigr)", ")")
        self.tokens = [token for token in TOKEN.findall(text) if token.strip() and token != r"\,"]
        assert "".join(TOKEN.findall(text)) == text
        self.values = values

    def read(self):
        value = self.sum()
        assert not self.tokens
        return value

    def next(self):
        return self.tokens[0] if self.tokens else ""

    def expect(self, token):
        assert self.tokens.pop(0) == token

    def sum(self):
        sign = -1 if self.next() == "-" and self.tokens.pop(0) else 1
        value = sign * self.product()
        while self.next() in ("+", "-"):
            sign = 1 if self.tokens.pop(0) == "+" else -1
            value += sign * self.product()
        return value

    def product(self):
        value = self.factor()
        while self.next() and self.next() not in "+-)}":
            if self.next() == r"\cdot":
                self.tokens.pop(0)
            value *= self.factor()
        return value

    def factor(self):
        base = self.base()
        if self.next() != "^":
            return base
        self.tokens.pop(0)
        return base ** (self.group() if self.next() == "{" else self.base())

    def base(self):
        token = self.tokens.pop(0)
        if token == "(":
            value = self.sum()
            self.expect(")")
            return value
        if token in (r"\frac", r"\tfrac"):
            return self.group() / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token.isdigit():
            return float(token)
        return self.values[token]

    def group(self):
        self.expect("{")
        value = self.sum()
        self.expect("}")
        return value


VALUES = {"a": 0.37, "t": 1.21, "z": 0.83, "e": math.e}
NUMBERS = {symbol: sp.Float(VALUES[symbol.name], 30) for symbol in (A, T, Z)}

leaves = st.sampled_from(
    [
        A,
        T,
        Z,
        sp.exp(-Z),
        sp.exp(2 * A),
        Integer(2),
        Integer(-1),
        Integer(-3),
        Rational(1, 2),
        Rational(-2, 3),
        sp.sqrt(2),
    ]
)


def grown(parts):
    pairs = st.tuples(parts, parts)
    return st.one_of(
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: p[0] - p[1]),
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: Chain(*p)),
        pairs.map(lambda p: Total(*p)),
        pairs.map(lambda p: Total(p[0], -p[1])),
        st.tuples(parts, st.sampled_from([2, 3, -1, -2])).map(lambda p: p[0] ** p[1]),
    )


def value(expr):
    return float(expr.doit().xreplace(NUMBERS).evalf(30))


@given(st.recursive(leaves, grown, max_leaves=8))
def test_what_is_printed_means_what_was_meant(expr):
    assume(not expr.has(sp.zoo, sp.nan) and not expr.doit().has(sp.zoo, sp.nan))
    meant = value(expr)
    assume(1e-6 < abs(meant) < 1e6)
    assert Reader(LATEX(expr).text, VALUES).read() == pytest.approx(meant, rel=1e-6)


WRONG = [
    (A * (T - Z), r"a\,t - z"),
    (-(A + T), "-a + t"),
    (A - (T - Z), "a - t - z"),
    ((A + T) ** 2, "a + t^2"),
    (1 / (A * T), r"\frac{1}{a}\,t"),
    (Chain(T, -A), "t - a"),
]


@pytest.mark.parametrize(("expr", "wrong"), WRONG)
def test_the_reader_refutes_lost_brackets(expr, wrong):
    assert Reader(wrong, VALUES).read() != pytest.approx(value(expr), rel=1e-6)


# Matrix terms

rows, units, fed = EXAMPLES, Axis(2), Axis(3)
z2, a2 = (Leaf(base, 2, rows, units) for base in (PRE, OUT))
d3 = Leaf(DELTA, 3, rows, fed)
w2, b2 = Leaf(WEIGHT, 2, units, fed), Leaf(BIAS, 2, None, fed)
a3, t3 = Leaf(OUT, 3, rows, fed), Leaf(TARGET, None, rows, fed)
u, v = Symbol("u1", real=True), Symbol("u2", real=True)
one = Ones(None, None)


def mapped(tag, order, of):
    return Map(Apply(Symbol(tag), Integer(order), u), (u,), (of,))


EXP = Map(sp.exp(u), (u,), (Leaf(PRE, 3, rows, fed),))
TERMS = [
    (Plus((Product(a2, w2), b2)), r"A[2]\,W[2] + b[2]", "A[2] W[2] + b[2]"),
    (Plus((a3, Scaled(Integer(-1), t3))), "A[3] - T", "A[3] − T"),
    (Hadamard((Product(d3, Transpose(w2)), mapped("g", 1, z2))),
     r"(\Delta[3]\,W[2]^{\mathsf{T}}) \odot g'(Z[2])", "(Δ[3] W[2]ᵀ) ⊙ g′(Z[2])"),
    (Hadamard((a2, Plus((one, Scaled(Integer(-1), a2))))), r"A[2] \odot (1 - A[2])", "A[2] ⊙ (1 − A[2])"),
    (Product(Transpose(a2), Hadamard((d3, a3))), r"A[2]^{\mathsf{T}}\,(\Delta[3] \odot A[3])", "A[2]ᵀ (Δ[3] ⊙ A[3])"),
    (Product(Plus((a2, z2)), w2), r"(A[2] + Z[2])\,W[2]", "(A[2] + Z[2]) W[2]"),
    (Transpose(Plus((a2, z2))), r"(A[2] + Z[2])^{\mathsf{T}}", "(A[2] + Z[2])ᵀ"),
    (Scaled(1 / BATCH, Product(Transpose(a2), d3)), r"\frac{1}{N}\,A[2]^{\mathsf{T}}\,\Delta[3]", "1/N A[2]ᵀ Δ[3]"),
    (Scaled(1 / BATCH, SumOver(d3, "rows")), r"\frac{1}{N}\,\mathbf{1}^{\mathsf{T}}\,\Delta[3]", "1/N 𝟏ᵀ Δ[3]"),
    (SumOver(d3, "columns"), r"\Delta[3]\,\mathbf{1}", "Δ[3] 𝟏"),
    (Scaled(1 / BATCH, SumOver(SumOver(Map((u - v) ** 2 / 2, (u, v), (a3, t3)), "columns"), "rows")),
     r"\frac{1}{2\,N}\,\mathbf{1}^{\mathsf{T}}\,(A[3] - T)^{\circ2}\,\mathbf{1}", "1/(2 N) 𝟏ᵀ (A[3] − T)°² 𝟏"),
    (Scaled(Integer(-1), Hadamard((t3, Map(sp.log(u), (u,), (a3,))))), r"-T \odot \ln A[3]", "−T ⊙ ln A[3]"),
    (SumOver(Plus((Scaled(Integer(-1), t3), Scaled(Integer(-1), a3))), "columns"),
     r"-(A[3] + T)\,\mathbf{1}", "−(A[3] + T) 𝟏"),
    (Plus((a3, Scaled(Integer(-1), Plus((t3, a3))))), "A[3] - (T + A[3])", "A[3] − (T + A[3])"),
    (Hadamard((EXP, Map(1 / u, (u,), (SumOver(EXP, "columns"),)))),
     r"\frac{e^{Z[3]}}{e^{Z[3]}\,\mathbf{1}}", "exp(Z[3])/(exp(Z[3]) 𝟏)"),
    (Map(u * v, (u, v), (a3, t3)), r"A[3] \odot T", "A[3] ⊙ T"),
    (Gradient(w2, OBJECTIVE), r"\frac{dJ}{dW[2]}", "dJ/dW[2]"),
    (Plus((w2, Scaled(-RATE, Gradient(w2, OBJECTIVE)))), r"W[2] - \eta\,\frac{dJ}{dW[2]}", "W[2] − η dJ/dW[2]"),
    (Scaled(Integer(3), one), "3", "3"),
]  # fmt: skip


@pytest.mark.parametrize(("term", "latex", "text"), TERMS, ids=[text for _, _, text in TERMS])
def test_matrix_terms(term, latex, text):
    assert (MatrixPrinter(LATEX, True)(term).text, MatrixPrinter(TEXT, True)(term).text) == (latex, text)


def test_one_example_has_small_letters_and_transposes_keep_their_brackets():
    printer = MatrixPrinter(LATEX_S4, False)
    assert printer(a2).text == "a^{(2)}"
    assert printer(Transpose(w2)).text == r"(W^{(2)})^{\mathsf{T}}"


def test_what_is_no_term_is_refused():
    with pytest.raises(UnsupportedExpression, match=r"^no rule prints str: "):
        MatrixPrinter(LATEX, True)("W")


def test_long_sums_are_broken_before_their_signs():
    total = LATEX(Add(*(WEIGHT[1, i, 1] * OUT[1, i] for i in range(1, 9))))
    lines = broken(total, 30, 28)
    assert "".join(lines) == total.text
    assert len(lines) > 1
    assert all(line.startswith(" + ") for line in lines[1:])


def test_lines_end_before_terms_rather_than_within_them():
    def path(unit):
        passed = (Partial(ERROR, OUT[3, 1]), Partial(OUT[3, 1], PRE[3, 1]), Partial(PRE[3, 1], OUT[2, unit]))
        return Chain(*passed, Partial(OUT[2, unit], PRE[2, unit]))

    both = LATEX(Total(path(1), path(2)))
    for room in (1.1, 1.3, 1.6):
        first, second = broken(both, room * LATEX(path(1)).width, room * LATEX(path(1)).width)
        assert second.startswith(" + ") and first.count("frac") == second.count("frac") == 4
    narrow = broken(both, 0.7 * LATEX(path(1)).width, 0.7 * LATEX(path(1)).width)
    assert len(narrow) == 4 and narrow[2].startswith(" + ")


def test_a_line_is_not_left_almost_empty():
    term = RATE * Add(*(WEIGHT[1, i, 1] for i in range(1, 9)))
    width = LATEX(term).width - 2
    assert broken(LATEX(term), width, width)[0].startswith(r"\eta\,(w_{11}[1] + ")


def test_long_brackets_are_broken_too():
    inside = Add(*(DELTA[3, i] * WEIGHT[2, 1, i] for i in range(1, 9)))
    lines = broken(LATEX(inside * slope), 30, 28)
    assert len(lines) > 2
    assert lines[0].startswith("(")
    assert lines[-1].endswith("g'(z_1[2])")
