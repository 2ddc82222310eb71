"""The one set-up of Jinja that all templates share."""

from __future__ import annotations

from functools import lru_cache

import jinja2

from symbackprop.resources import templates


@lru_cache
def environment() -> jinja2.Environment:
    """What fills every template, of documents and of programs.

    >>> environment().from_string("<< 1 + 1 >>").render()
    '2'
    """
    # One set of delimiters for all formats, because LaTeX is full of the usual ones.
    # Texts are escaped where they enter; in HTML everything else is escaped too.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        undefined=jinja2.StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=lambda name: name is not None and name.endswith(".html.jinja"),
    )
