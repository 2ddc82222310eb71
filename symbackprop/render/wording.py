"""The words of the documents, read from ``wording.toml``."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from symbackprop.errors import UnsupportedExpression

FILE = Path(__file__).resolve().with_name("wording.toml")


@lru_cache
def _table() -> dict[str, dict[str, str | dict[str, str]]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def words(section: str, key: str, *formulas: str, **names: object) -> str:
    """The sentence under ``key``, its places filled in.

    >>> words("words", "equation")
    'equation'
    """
    text = _table()[section].get(key)
    if not isinstance(text, str):
        raise UnsupportedExpression(f"no wording for {section}.{key}")
    return text.format(*formulas, **names)


def block_words(key: str, first: bool, *formulas: str, **names: object) -> str:
    """The sentence over a block, as it opens the first block of its kind or a later one.

    >>> block_words("error", True)
    'The error compares the outputs with the targets.'
    """
    sentences = _table()["blocks"].get(key)
    if not isinstance(sentences, dict):
        raise UnsupportedExpression(f"no wording for blocks.{key}")
    text = sentences["first"] if first else sentences.get("next", sentences["first"])
    return text.format(*formulas, **names)


def keys(section: str) -> list[str]:
    """What a section of the words has sentences for.

    >>> "forward" in keys("headings")
    True
    """
    return list(_table()[section])
