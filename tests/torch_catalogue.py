"""Every row of the catalogue as PyTorch computes it: what formulas and emitted modules are compared with."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812 - as everyone calls it

ACTIVATIONS = {
    "identity": lambda z: z * 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    "prelu": lambda z: F.prelu(z, z.new_tensor([0.25])),
    "elu": F.elu,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "relu6": F.relu6,
    "rrelu": lambda z: F.rrelu(z, training=False),
    "selu": F.selu,
    "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish,
    "hard_tanh": F.hardtanh,
    "soft_shrink": F.softshrink,
    "hard_shrink": F.hardshrink,
    "threshold": lambda z: F.threshold(z, 1.0, 0.0),
    "celu": F.celu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "mish": F.mish,
    "softsign": F.softsign,
    "log_sigmoid": F.logsigmoid,
    "tanh_shrink": F.tanhshrink,
    "exponential": torch.exp,
    "squareplus": lambda z: (z + (z**2 + 4).sqrt()) / 2,
    "gaussian": lambda z: (-(z**2)).exp(),
    "scaled_tanh": lambda z: 1.7159 * (2 * z / 3).tanh(),
    "softmax": lambda z: F.softmax(z, dim=-1),
    "log_softmax": lambda z: F.log_softmax(z, dim=-1),
    "softmin": lambda z: F.softmin(z, dim=-1),
    "glu": lambda z: F.glu(z, dim=-1),
    "maxout": lambda z: z.unflatten(-1, (2, -1)).max(dim=-2).values,
    "maxout3": lambda z: z.unflatten(-1, (3, -1)).max(dim=-2).values,
}
LOSSES = {  # of outputs and targets; the shares of the outputs, or their sum
    "mse": lambda a, t: F.mse_loss(a, t, reduction="none") / 2,
    "squared_error": lambda a, t: F.mse_loss(a, t, reduction="none"),
    "mae": lambda a, t: F.l1_loss(a, t, reduction="none"),
    "huber": lambda a, t: F.huber_loss(a, t, reduction="none"),
    "msle": lambda a, t: (a.log1p() - t.log1p()) ** 2,
    "mape": lambda a, t: 100 * ((a - t) / t).abs(),
    "smooth_l1": lambda a, t: F.smooth_l1_loss(a, t, reduction="none"),
    "log_cosh": lambda a, t: (a - t).cosh().log(),
    "quantile": lambda a, t: F.l1_loss(a, t, reduction="none") / 2,
    "poisson": lambda a, t: a - t * a.log(),
    "poisson_nll": lambda a, t: F.poisson_nll_loss(a, t, reduction="none"),
    "gaussian_nll": lambda a, t: F.gaussian_nll_loss(*halves(a, t), reduction="none", eps=1e-300),
    "bce": lambda a, t: F.binary_cross_entropy(a, t, reduction="none"),
    "bce_with_logits": lambda a, t: F.binary_cross_entropy_with_logits(a, t, reduction="none"),
    "ce": lambda a, t: -t * a.log(),
    "ce_any_sum": lambda a, t: -t * a.log(),
    "ce_smoothed": lambda a, t: -(0.9 * t + 0.1 / t.shape[-1]) * a.log(),
    "nll": lambda a, t: -t * a,
    "kl": lambda a, t: F.kl_div(a.log(), t, reduction="none"),
    "focal": lambda a, t: -t * (1 - a) ** 2 * a.log() - (1 - t) * a**2 * (1 - a).log(),
    "hinge": lambda a, t: (1 - t * a).clamp(min=0),
    "squared_hinge": lambda a, t: (1 - t * a).clamp(min=0) ** 2,
    "soft_margin": lambda a, t: F.softplus(-t * a),
    "cosine": lambda a, t: 1 - F.cosine_similarity(a, t, dim=-1),
    "cosine_similarity": lambda a, t: -F.cosine_similarity(a, t, dim=-1),
    "multi_margin": lambda a, t: F.multi_margin_loss(a, t.argmax(dim=-1), reduction="none"),
    "squared_multi_margin": lambda a, t: F.multi_margin_loss(a, t.argmax(dim=-1), p=2, reduction="none"),
}
OF_TWO = {"gaussian_nll"}  # two outputs for each target
PROBABILITIES = {"ce", "ce_smoothed", "nll", "kl"}
SIGNS = {"hinge", "squared_hinge", "soft_margin"}
CLASSES = {"multi_margin", "squared_multi_margin"}  # 1 for one class, 0 for the others
POSITIVE = {"msle", "mape", "poisson", "poisson_nll", "ce_any_sum"}


def halves(a, t):
    """Means, targets and variances."""
    mean, log_variance = a.chunk(2, dim=-1)
    return mean, t, log_variance.exp()


def targets(loss: str, shape: tuple[int, int], seed: int = 0) -> torch.Tensor:
    """Targets that the loss is made for, where there are so many examples and outputs."""
    if loss in OF_TWO:
        shape = (shape[0], shape[1] // 2)
    chance = torch.Generator().manual_seed(seed)
    numbers = torch.rand(shape, dtype=torch.float64, generator=chance)
    if loss in PROBABILITIES:
        return numbers / numbers.sum(dim=-1, keepdim=True)
    if loss in CLASSES:
        return F.one_hot(numbers.argmax(dim=-1), shape[-1]).to(numbers)
    if loss in SIGNS:
        return (numbers - 0.5).sign()
    if loss in POSITIVE:
        return numbers + 0.1
    return numbers if "bce" in loss or loss == "focal" else 4 * numbers - 2


def loss_and_gradients(spec, params, x, t):
    """The objective and its gradients by PyTorch, for arrays with weights from row to column."""
    values = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in params.items()}
    a = torch.as_tensor(x, dtype=torch.float64)
    for layer, use in enumerate(spec.activations, start=1):
        z = a @ values[f"W{layer}"]
        z = z + values[f"b{layer}"] if f"b{layer}" in values else z
        # A slope that is learned is one number for its layer; layers are counted from the input.
        slope = values.get(f"alpha{layer + 1}")
        a = ACTIVATIONS[use.entry.name](z) if slope is None else F.prelu(z, slope.reshape(1))
    total = LOSSES[spec.loss.entry.name](a, torch.as_tensor(t)).sum()
    if spec.output_reduction == "mean":
        total = total / np.shape(t)[-1]
    if spec.batch_reduction == "mean":
        total = total / len(x)
    total.backward()
    assert math.isfinite(total.detach())
    return float(total.detach()), {name: value.grad.numpy() for name, value in values.items()}
