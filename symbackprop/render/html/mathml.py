"""LaTeX to MathML Core, and words made harmless for HTML."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from math_core import LatexError, LatexToMathML

from symbackprop.errors import UnsupportedExpression, shown
from symbackprop.render.escape import one_line

# The number of a layer in its brackets is one sign; as three operators, it would be half of every page.
ABOVE = re.compile(r'<mrow><mo stretchy="false">\(</mo><mn>(\d+)</mn><mo stretchy="false">\)</mo></mrow>')
BESIDE = re.compile(r'<mo stretchy="false">\[</mo><mn>(\d+)</mn><mo stretchy="false">\]</mo>')
# Around a part of a formula that comes from a part of the picture: its address, and where it starts and ends. LaTeX has
# no mark that MathML keeps but colour, so one colour that no formula has stands for all of them on the way.
OPENED, NAMED, CLOSED = "\ue010", "\ue011", "\ue012"
MARK = re.compile(f"{OPENED}([^{NAMED}]*){NAMED}|{CLOSED}")
COLOUR, COLOURED = r"\textcolor{red}{", '<mrow style="color:#FF0000;">'
BLOCK, IN_LINE = '<math display="block">', "<math>"  # the page's style sets equations in their size


@lru_cache
def _converter() -> LatexToMathML:
    return LatexToMathML()


@lru_cache(maxsize=4096)
def mathml(latex: str, *, display: bool = False) -> str:
    """A formula as MathML, within words or, with ``display``, with limits above and below their signs.

    What is marked becomes a row with ``data-from``. Raises ``UnsupportedExpression`` for LaTeX that MathML Core has
    nothing for.

    >>> mathml("a_1")
    '<math><msub><mi>a</mi><mn>1</mn></msub></math>'
    >>> mathml(marked("x", "w11[1]"))
    '<math><mrow data-from="w11[1]"><mi>x</mi></mrow></math>'
    """
    coloured = MARK.sub(lambda mark: "}" if mark[0] == CLOSED else COLOUR, latex)
    try:
        converted = _converter().convert_with_local_state(coloured, displaystyle=display)
    except LatexError as error:
        raise UnsupportedExpression(f"no MathML for {shown(unmarked(latex))}") from error
    for source in sources(latex):
        converted = converted.replace(COLOURED, f'<mrow data-from="{html.escape(source)}">', 1)
    return BESIDE.sub(r"<mn>[\1]</mn>", ABOVE.sub(r"<mn>(\1)</mn>", converted.replace(BLOCK, IN_LINE, 1)))


def marked(latex: str, source: str) -> str:
    """A formula that comes from the part of the picture with the address ``source``."""
    return f"{OPENED}{source}{NAMED}{latex}{CLOSED}"


def sources(latex: str) -> list[str]:
    """The addresses that parts of a formula are marked with, in their order.

    >>> sources(f"x{marked('y', 'w11[1]')}")
    ['w11[1]']
    """
    return [source for source in MARK.findall(latex) if source]


def unmarked(latex: str) -> str:
    """A formula without its marks.

    >>> unmarked(f"x{marked('y', 'w11[1]')}")
    'xy'
    """
    return MARK.sub("", latex)


def continued(latex: str) -> str:
    """A line that goes on with a sign: the sign stands between two things, though one is on the line before."""
    return f"{{}}{latex}" if latex.startswith((" ", "+", "-", "\\cdot")) else latex


def for_html(text: str) -> str:
    """The text as a page shows it, every special character literal.

    >>> for_html("<b> & 'x'")
    '&lt;b&gt; &amp; &#x27;x&#x27;'
    """
    return html.escape(one_line(text))


def html_inline(formula: str) -> str:
    """A formula within words, on a page."""
    return mathml(formula)


def html_reason(lines: list[str]) -> str:
    """A reason beside an equation, on a page, which breaks lines itself."""
    return for_html(" ".join(lines))
