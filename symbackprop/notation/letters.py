"""Which key of a profile gives the letter of which quantity, and the names that no profile changes."""

from __future__ import annotations

from sympy import Symbol

from symbackprop.calculus.indices import Base, index
from symbackprop.catalogue.entries import OUTPUTS, A, C, T, V, W, Z
from symbackprop.network.quantities import (
    BATCH,
    BIAS,
    CLASS_WEIGHT,
    DELTA,
    ERROR,
    EXAMPLE,
    FROM,
    LAYER,
    NEXT_BIAS,
    NEXT_WEIGHT,
    OBJECTIVE,
    OUT,
    OUTPUT_UNIT,
    PRE,
    RATE,
    SIZE,
    TARGET,
    TO,
    WEIGHT,
)
from symbackprop.notation.substitution import MINUS_DELTA, NEXT_THRESHOLD, THRESHOLD

KEYS: dict[Base, str] = {
    WEIGHT: "weight",
    NEXT_WEIGHT: "weight",
    BIAS: "bias",
    NEXT_BIAS: "bias",
    PRE: "pre_activation",
    V: "pre_activation",
    OUTPUTS: "activation",
    OUT: "activation",
    DELTA: "delta",
    MINUS_DELTA: "delta",
    THRESHOLD: "threshold",
    NEXT_THRESHOLD: "threshold",
    TARGET: "target",
    CLASS_WEIGHT: "class_weight",
    SIZE: "size",
}
SYMBOLS: dict[Symbol, str] = {
    ERROR: "error",
    OBJECTIVE: "objective",
    RATE: "rate",
    BATCH: "batch",
    Z: "pre_activation",
    A: "activation",
    T: "target",
    C: "class_weight",
    W: "weight",
}
INDEX_KEYS = {FROM: "from", TO: "to", OUTPUT_UNIT: "output", index("q"): "other", LAYER: "layer", EXAMPLE: "example"}
INDEX_LETTERS = "ijkmpqrsuvlabcdefgh"
# A loss's threshold delta gets a mark of its own, for δ is the local gradient.
PARAMETERS = {
    "alpha": "α",
    "beta": "β",
    "delta": "δ_H",
    "epsilon": "ε",
    "lambda": "λ",
    "gamma": "γ",
    "kappa": "κ",
    "tau": "τ",
    "theta": "θ",
    "mu": "μ",
    "rho": "ρ",
}

# How the activations of the catalogue are written; a tag of one letter, or a letter and a number, is its own name.
FUNCTIONS = {
    "sigmoid": "σ",
    "tanh": "tanh",
    "relu": "ReLU",
    "leaky_relu": "LReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "softplus": "softplus",
    "silu": "SiLU",
    "gelu": "GELU",
    "softmax": "softmax",
    "identity": "id",
    "cost": "cost",
    "phi": "φ",
    "psi": "ψ",
    "varphi": "φ",
}
