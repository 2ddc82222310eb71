"""What the LaTeX templates place: links to the equations that are cited, pictures, title and author as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbackprop.network.spec import NetworkSpec
from symbackprop.render.equations import EquationWriter
from symbackprop.render.escape import for_latex, for_pdf_string
from symbackprop.render.figures import figures
from symbackprop.render.front import title_of
from symbackprop.render.links import Linking, with_links
from symbackprop.render.picture.tikz import tikz

# Escaped signs and formulas cite nothing.
LINKS = Linking(r"\\.|\$[^$]*\$", lambda number: rf"\hyperref[eq:{number}]{{({number})}}")


def latex_parts(writer: EquationWriter, placed: dict[str, Any], code: Mapping[str, str]) -> dict[str, Any]:
    """``placed`` with links to the equations that are printed, and the pictures in TikZ."""
    return {
        **with_links(placed, LINKS),
        "figures": figures(writer, placed, tikz, for_latex),
        "metadata": metadata(writer.derivation.graph.spec),
    }


def metadata(spec: NetworkSpec) -> dict[str, str | None]:
    """Title and author as a PDF keeps them."""
    author = None if spec.author is None else for_pdf_string(spec.author)
    return {"title": for_pdf_string(title_of(spec)), "author": author}
