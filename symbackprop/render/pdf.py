"""PDF by Typst, which comes with the program: no line wider than the page, tagged, the same bytes every time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from symbackprop.errors import SymbackpropError
from symbackprop.render.style import Style

FILE = "derivation.typ"
ROUNDS = 8  # of breaking lines again
SPARE = 0.97  # broken lines get a little less room than there is


@dataclass(frozen=True)
class Typeset:
    """A document as Typst's source, and the PDF that Typst makes of it."""

    source: str
    pdf: bytes
    # Blocks by the number of their first equation, and the share of a line that would fit.
    cramped: Mapping[str, float]  # those whose reasons leave too little room for formulas
    overfull: Mapping[str, float]  # those that are wider than the page


class Typesetting:
    """A document whose pages are being set, while other work goes on: Typst needs nothing of Python's meanwhile."""

    def __init__(self, write: Callable[[Style], str], style: Style) -> None:
        self._write, self._style = write, style
        self._pool = ThreadPoolExecutor(1)
        self._first = self._pool.submit(set_pages, write(style))

    def result(self) -> Typeset:
        """The document that ``write`` gives in the style, its lines broken until none is wider than the page.

        The page measures every block itself; those that are too wide say how much room their formulas have. Raises
        ``SymbackpropError`` if Typst refuses the source.
        """
        with self._pool:
            made, style = self._first.result(), self._style
        for _ in range(ROUNDS):
            shares = {name: style.narrower.get(name, 1.0) * room * SPARE for name, room in made.cramped.items()}
            style = replace(style, narrower={**style.narrower, **shares})
            source = self._write(style) if shares else made.source
            if source == made.source:  # there is no place left to break a line at
                break
            made = set_pages(source)
        return made


def set_pages(source: str) -> Typeset:
    """The pages that Typst makes of ``source``, as they come. Raises ``SymbackpropError`` if it refuses."""
    import typst  # only PDF needs it

    # The folder holds this one file, so nothing else can be read into the document.
    with tempfile.TemporaryDirectory(prefix="symbackprop-") as folder:
        file = Path(folder, FILE)
        file.write_text(source, encoding="utf-8")
        try:
            # What the query asks for is known when the PDF is made: one compiler sets the pages once for both.
            compiler = typst.Compiler(file, root=folder, ignore_system_fonts=True)
            pdf = compiler.compile(format="pdf", timestamp=0, pdf_standards="ua-1")
            cramped, overfull = (_marks(compiler.query(mark, field="value")) for mark in ("<cramped>", "<overfull>"))
        except typst.TypstError as error:
            complaint = " ".join(str(error.diagnostic).split())
            raise SymbackpropError(f"typst refuses the document: {complaint}") from error
    assert isinstance(pdf, bytes)
    return Typeset(source, pdf, cramped, overfull)


def _marks(found: str) -> dict[str, float]:
    return {each["name"]: each["room"] for each in json.loads(found)}
