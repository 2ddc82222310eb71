"""symbackprop derives, proves, typesets and runs the backpropagation of a neural network.

>>> import symbackprop as sb
>>> d = sb.derive(sb.network("2-3-1", activation="sigmoid", loss="ce"))
>>> d.delta(1, layer=3).recursion
a1[3] - t1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.api import BackpropDerivation as BackpropDerivation
    from symbackprop.api import derive as derive
    from symbackprop.api import example as example
    from symbackprop.api import examples as examples
    from symbackprop.api import load as load
    from symbackprop.api import network as network
    from symbackprop.api import notations as notations

__all__ = ["BackpropDerivation", "derive", "example", "examples", "load", "network", "notations"]


def __getattr__(name: str) -> Any:
    # SymPy takes a third of a second to import; the command line's help must not wait for it.
    if name in __all__:
        from symbackprop import api

        return getattr(api, name)
    raise AttributeError(f"module 'symbackprop' has no attribute {name!r}")
