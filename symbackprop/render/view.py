"""How much of a derivation a document shows, and with what beside it."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.derivation.numbers import Worked
from symbackprop.render.detail import FULL


@dataclass(frozen=True)
class View:
    """What is shown.

    ``detail`` is one of ``detail.LEVELS``; ``worked`` are the numbers that are put into the equations; with
    ``any_sizes``, the derivation for any sizes is written beside the network's own.
    """

    detail: str = FULL
    worked: Worked | None = None
    any_sizes: bool = False

    @property
    def brief(self) -> bool:
        """Whether tables, proofs and code are left out."""
        return self.detail == "exam"


WHOLE = View()
