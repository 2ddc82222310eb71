"""PDF: the Typst document without overfull lines, and the engines that set a document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import typst

from symbackprop.errors import SymbackpropError
from symbackprop.render.style import Style

ROUNDS = 8  # of breaking lines again
SPARE = 0.97  # broken lines get a little less room than there is


def fitted(write: Callable[[Style], str], style: Style) -> str:
    """The Typst source that ``write`` gives, its lines broken until none is wider than the page.

    The page measures every block itself; those that are too wide say how much room their formulas have.
    """
    source = write(style)
    for _ in range(ROUNDS):
        overfull = overfull_blocks(source)
        if not overfull:
            break
        shares = {name: style.narrower.get(name, 1.0) * room * SPARE for name, room in overfull.items()}
        style = replace(style, narrower={**style.narrower, **shares})
        source = write(style)
    return source


def overfull_blocks(source: str) -> dict[str, float]:
    """The blocks that are wider than the page: the number of the first equation -> the share that fits."""
    try:
        found = json.loads(
            typst.query(source.encode(), "<overfull>", field="value", ignore_system_fonts=True, format="json")
        )
    except RuntimeError as error:
        raise typst_error(error) from error
    return {each["name"]: each["room"] for each in found}


def typst_pdf(source: str) -> bytes:
    """The PDF that Typst makes of ``source``: fonts embedded, tagged for screen readers, the same bytes every time."""
    try:
        made = typst.compile(
            source.encode(), format="pdf", ignore_system_fonts=True, timestamp=0, pdf_standards="ua-1"
        )
    except RuntimeError as error:
        raise typst_error(error) from error
    assert isinstance(made, bytes)
    return made


def typst_error(error: RuntimeError) -> SymbackpropError:
    """Typst's complaint on one line, with the line of the source that it is about."""
    return SymbackpropError(f"typst cannot set the document: {' '.join(str(getattr(error, 'diagnostic', error)).split())}")
