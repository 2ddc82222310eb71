"""The words of the documents, read from ``wording.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
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


def variant(section: str, key: str, variants: Iterable[str]) -> str:
    """The key of what is said where one of the ``variants`` changes it; ``key`` where none does.

    >>> variant("meanings", "bias", ["positive", "threshold"])
    'bias_threshold'
    """
    return next((f"{key}_{each}" for each in variants if f"{key}_{each}" in _table()[section]), key)


def block_words(key: str, first: bool, *formulas: str, variants: Iterable[str] = (), **names: object) -> str:
    """The sentence over a block, as it opens the first block of its kind or a later one.

    Some blocks have sentences of their own for one of the ``variants``.

    >>> block_words("error", True)
    'The error compares the outputs with the targets.'
    """
    sentences = _table()["blocks"].get(key)
    if not isinstance(sentences, dict):
        raise UnsupportedExpression(f"no wording for blocks.{key}")
    where = "first" if first or "next" not in sentences else "next"
    text = next((sentences[f"{where}_{each}"] for each in variants if f"{where}_{each}" in sentences), sentences[where])
    return text.format(*formulas, **names)


def group_words(group: str) -> str:
    """What a group of checks is called: the heading of the part of a document that it is about, or its own name.

    >>> group_words("start"), group_words("emitted code")
    ('The chain rule at the output', 'Emitted code')
    """
    return words("headings", group) if group in keys("headings") else group[:1].upper() + group[1:]


def keys(section: str) -> list[str]:
    """What a section of the words has sentences for.

    >>> "forward" in keys("headings")
    True
    """
    return list(_table()[section])
