"""The programs that are emitted from a derivation, by file name: the usual ones, those asked for, a page's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from symbackprop.derivation.derive import Derivation
from symbackprop.derivation.derive import derive as derive_graph
from symbackprop.emit.targets import TARGETS, emit, known_targets, usual_targets
from symbackprop.network.forward import forward_graph
from symbackprop.network.spec import NetworkSpec
from symbackprop.network.stand_in import with_formulas
from symbackprop.notation.profile import Profile


@dataclass(frozen=True)
class Programs:
    """The programs of ``derivation`` in the letters of ``profile``; their comments cite equations by ``numbers``."""

    derivation: Derivation
    profile: Profile
    numbers: Mapping[str, int]

    @property
    def spec(self) -> NetworkSpec:
        """The network."""
        return self.derivation.graph.spec

    def __call__(self, targets: Iterable[str] = ()) -> dict[str, str]:
        """Those of ``targets``; where none are named, of the network's own, or else the usual ones."""
        names = known_targets(targets) or known_targets(self.spec.targets) or usual_targets(self.spec)
        return {TARGETS[name].file: self.usual.get(TARGETS[name].file) or self._source(name) for name in names}

    @cached_property
    def usual(self) -> dict[str, str]:
        """Those that need no asking."""
        return {TARGETS[name].file: self._source(name) for name in usual_targets(self.spec)}

    @cached_property
    def of_page(self) -> dict[str, str]:
        """What a page computes with; functions that are known by name only get formulas there."""
        with_numbers = derive_graph(forward_graph(with_formulas(self.spec)), "none")
        names = usual_targets(self.spec, for_pages=True)
        return {TARGETS[name].file: emit(with_numbers, self.profile, self.numbers, name) for name in names}

    def _source(self, target: str) -> str:
        return emit(self.derivation, self.profile, self.numbers, target)
