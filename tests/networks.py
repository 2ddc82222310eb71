"""Networks that the tests of the derivation run over: non-square, several outputs, one to three hidden layers."""

from functools import cache

from symbackprop.derivation.derive import Derivation, derive
from symbackprop.network.forward import forward_graph
from symbackprop.network.read import network

NETWORKS = {
    "S1": {"layers": "2-3-1", "activation": "sigmoid", "loss": "mse", "bias": False},
    "tanh": {"layers": "2-3-2", "activation": "tanh", "loss": "squared_error", "output_reduction": "mean"},
    "bce": {"layers": "3-2-1", "activation": "sigmoid", "loss": "bce"},
    "softmax": {"layers": "2-4-3", "activation": "tanh", "loss": "ce"},
    "softmax-mse": {"layers": "2-3-2", "activation": "sigmoid", "output_activation": "softmax", "loss": "mse"},
    "linear": {"layers": "3-2-2", "activation": ["softplus", "identity"], "loss": "mse"},
    "deep": {"layers": "2-3-2-3-1", "activation": ["silu", "tanh", "sigmoid", "identity"], "loss": "mse"},
    "relu": {"layers": "3-4-2", "activation": ["relu", "leaky_relu(0.2)"], "loss": "huber", "bias": [True, False]},
    "elu": {"layers": "2-3-2", "activation": ["elu", "gelu"], "loss": "mae"},
    "penalty": {
        "layers": "2-3-2",
        "activation": "sigmoid",
        "loss": "mse",
        "penalty": {"kind": "l2", "strength": 0.3, "biases": True},
    },
}

# The output activation that goes with a loss; the others go with identity.
OUTPUTS = {
    **dict.fromkeys(["ce", "ce_any_sum", "ce_smoothed", "kl"], "softmax"),
    **dict.fromkeys(["bce", "focal"], "sigmoid"),
    **dict.fromkeys(["msle", "poisson"], "softplus"),
    "nll": "log_softmax",
}


@cache
def derived(name: str) -> Derivation:
    """The derivation of one of the networks."""
    return derive(forward_graph(network(**NETWORKS[name])))
