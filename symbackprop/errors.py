"""Every error that a user can cause: one line that says what was wrong, what was expected, the nearest valid choice."""

from __future__ import annotations

from collections.abc import Iterable

POINTER_WIDTH = 38  # characters shown on each side of the offending one


class SymbackpropError(ValueError):
    """Base of all errors a user can cause; its text is one line, ready to print."""


class SpecError(SymbackpropError):
    """The description of the network, a file or an option cannot be used."""


class FormulaError(SymbackpropError):
    """A formula cannot be read; ``position`` is the offset of the offending character."""

    def __init__(self, message: str, text: str = "", position: int | None = None) -> None:
        super().__init__(message)
        self.text = text
        self.position = position

    @property
    def pointer(self) -> tuple[str, str] | None:
        r"""The formula around the offending character, and a line with a caret under it; both fit on a terminal.

        >>> print("\n".join(FormulaError("not a name", "z + 2y", 5).pointer))
        z + 2y
             ^
        """
        if self.position is None or not self.text:
            return None
        start = max(0, self.position - POINTER_WIDTH)
        part = self.text[start : self.position + POINTER_WIDTH]
        # One column a character: what is no plain letter or sign could be invisible, or two columns wide.
        plain = "".join(character if " " <= character <= "~" else "?" for character in part)
        return plain, " " * (self.position - start) + "^"


class ProfileError(SymbackpropError):
    """A notation profile is unknown or has a key that cannot be used."""


class UnsupportedExpression(SymbackpropError):  # noqa: N818 - it names what was met, as SymPy's own do
    """A printer met a node that it has no rule for."""


def shown(text: object, limit: int = 60) -> str:
    r"""The user's own text as it is repeated in a message: one line, quoted, cut to ``limit`` characters.

    >>> shown("two\nlines")
    "'two\\nlines'"
    """
    quoted = repr(text)
    return quoted if len(quoted) <= limit else quoted[: limit - 4] + "...'"


def unknown(what: str, name: str, choices: Iterable[str]) -> str:
    """The message for a name that is not in a catalogue.

    >>> unknown("activation", "tahn", ["tanh", "relu"])
    "unknown activation 'tahn'; did you mean 'tanh'?"
    >>> unknown("format", "doc", ["md", "tex"])
    "unknown format 'doc'; expected one of md, tex"
    """
    names = sorted(choices)
    close = closest(name, names)
    hint = f"did you mean {close!r}?" if close else f"expected one of {', '.join(names)}"
    return f"unknown {what} {shown(name)}; {hint}"


def closest(name: str, choices: Iterable[str]) -> str | None:
    """The one of ``choices`` that looks most like ``name``; None where none does.

    >>> closest("alpa[2]", ["alpha[2]", "beta[3]"])
    'alpha[2]'
    """
    from difflib import get_close_matches  # takes as long to import as all of ours before it; only mistakes need it

    return next(iter(get_close_matches(name.lower(), sorted(choices), n=1, cutoff=0.6)), None)
