"""Networks: their description, their forward equations. ``symbackprop.network(...)`` is ``network.read.network``."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.network.spec import NetworkSpec


class _Network(ModuleType):
    """Importing a file of this package binds the package to the name that the public function has, so both are one."""

    def __call__(self, layers: object, **words: Any) -> NetworkSpec:
        from symbackprop.network.read import network

        return network(layers, **words)


sys.modules[__name__].__class__ = _Network
