"""Names and defaults as users of PyTorch, Keras and scikit-learn know them, and how lists print the formulas."""

import inspect

import pytest

from symbackprop import cli
from symbackprop.catalogue.activations import ACTIVATIONS
from symbackprop.catalogue.lookup import find_activation, find_loss, find_penalty
from symbackprop.catalogue.losses import LOSSES
from symbackprop.catalogue.penalties import PENALTIES
from symbackprop.render.listing import listed

ACTIVATION_NAMES = {  # row -> PyTorch's, Keras's and scikit-learn's names, or what papers call it
    "identity": "Identity linear identity",
    "sigmoid": "Sigmoid sigmoid logistic",
    "tanh": "Tanh tanh",
    "relu": "ReLU relu",
    "leaky_relu": "LeakyReLU leaky_relu",
    "prelu": "PReLU",
    "elu": "ELU elu",
    "softplus": "Softplus softplus",
    "silu": "SiLU silu swish",
    "gelu": "GELU gelu",
    "relu6": "ReLU6 relu6 relu_6",
    "rrelu": "RReLU",
    "selu": "SELU selu",
    "hard_sigmoid": "Hardsigmoid hard_sigmoid",
    "hard_swish": "Hardswish hard_swish hard_silu",
    "hard_tanh": "Hardtanh hard_tanh",
    "soft_shrink": "Softshrink soft_shrink",
    "hard_shrink": "Hardshrink hard_shrink",
    "threshold": "Threshold threshold",
    "celu": "CELU celu",
    "mish": "Mish mish",
    "softsign": "Softsign softsign",
    "log_sigmoid": "LogSigmoid log_sigmoid logsigmoid",
    "tanh_shrink": "Tanhshrink tanh_shrink",
    "exponential": "exponential",
    "squareplus": "squareplus",
    "softmax": "Softmax softmax",
    "log_softmax": "LogSoftmax log_softmax",
    "softmin": "Softmin softmin",
    "glu": "GLU glu",
    "maxout": "maxout",
}
LOSS_NAMES = {
    "mse": "mse mean_squared_error MeanSquaredError",
    "squared_error": "squared_error mse_loss MSELoss",
    "mae": "L1Loss l1_loss mae mean_absolute_error MeanAbsoluteError absolute_error",
    "msle": "msle mean_squared_logarithmic_error MeanSquaredLogarithmicError mean_squared_log_error",
    "mape": "mape mean_absolute_percentage_error MeanAbsolutePercentageError",
    "huber": "HuberLoss huber_loss huber Huber",
    "smooth_l1": "SmoothL1Loss smooth_l1_loss",
    "log_cosh": "log_cosh logcosh LogCosh",
    "quantile": "quantile pinball_loss",
    "bce": "BCELoss bce_loss binary_cross_entropy binary_crossentropy BinaryCrossentropy binary_log_loss",
    "bce_with_logits": "BCEWithLogitsLoss bce_with_logits_loss binary_cross_entropy_with_logits",
    "ce": "CrossEntropyLoss cross_entropy_loss cross_entropy categorical_crossentropy CategoricalCrossentropy "
    "sparse_categorical_crossentropy SparseCategoricalCrossentropy log_loss",
    "ce_smoothed": "label_smoothing",
    "nll": "NLLLoss nll_loss",
    "kl": "KLDivLoss kl_div kl_div_loss kl_divergence KLDivergence kullback_leibler_divergence",
    "focal": "focal_loss binary_focal_crossentropy BinaryFocalCrossentropy",
    "poisson": "poisson Poisson",
    "poisson_nll": "PoissonNLLLoss poisson_nll_loss",
    "hinge": "hinge Hinge hinge_loss",
    "squared_hinge": "squared_hinge SquaredHinge",
    "soft_margin": "SoftMarginLoss soft_margin_loss",
    "multi_margin": "MultiMarginLoss multi_margin_loss multi_class_hinge",
    "cosine": "CosineEmbeddingLoss cosine_embedding_loss",
    "cosine_similarity": "cosine_similarity CosineSimilarity",
}
PENALTY_NAMES = {"l2": "l2 L2 ridge weight_decay", "l1": "l1 L1 lasso", "elastic_net": "elasticnet l1_l2 L1L2"}


@pytest.mark.parametrize(("row", "names"), ACTIVATION_NAMES.items(), ids=ACTIVATION_NAMES)
def test_activations_are_found_by_their_names_elsewhere(row: str, names: str) -> None:
    assert {find_activation(name)[1].name for name in names.split()} == {row}


@pytest.mark.parametrize(("row", "names"), LOSS_NAMES.items(), ids=LOSS_NAMES)
def test_losses_are_found_by_their_names_elsewhere(row: str, names: str) -> None:
    assert {find_loss(name)[0].name for name in names.split()} == {row}


@pytest.mark.parametrize(("row", "names"), PENALTY_NAMES.items(), ids=PENALTY_NAMES)
def test_penalties_are_found_by_their_names_elsewhere(row: str, names: str) -> None:
    assert {find_penalty(name).name for name in names.split()} == {row}


def test_every_alias_finds_its_row() -> None:
    for rows, find in ((ACTIVATIONS, find_activation), (LOSSES, find_loss), (PENALTIES, find_penalty)):
        for row in rows.values():
            for name in row.aliases:
                found = find(name)
                assert (found[1] if rows is ACTIVATIONS else found[0] if rows is LOSSES else found) == row


DEFAULTS = {  # row and parameter -> PyTorch's class and argument
    ("leaky_relu", "alpha"): ("LeakyReLU", "negative_slope"),
    ("prelu", "alpha"): ("PReLU", "init"),
    ("elu", "alpha"): ("ELU", "alpha"),
    ("celu", "alpha"): ("CELU", "alpha"),
    ("softplus", "beta"): ("Softplus", "beta"),
    ("rrelu", "lower"): ("RReLU", "lower"),
    ("rrelu", "upper"): ("RReLU", "upper"),
    ("hard_tanh", "low"): ("Hardtanh", "min_val"),
    ("hard_tanh", "high"): ("Hardtanh", "max_val"),
    ("soft_shrink", "kappa"): ("Softshrink", "lambd"),
    ("hard_shrink", "kappa"): ("Hardshrink", "lambd"),
    ("huber", "delta"): ("HuberLoss", "delta"),
    ("smooth_l1", "beta"): ("SmoothL1Loss", "beta"),
    ("multi_margin", "mu"): ("MultiMarginLoss", "margin"),
}


@pytest.mark.parametrize(("ours", "theirs"), DEFAULTS.items(), ids=str)
def test_defaults_are_pytorch_s(ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    parameters = {**ACTIVATIONS, **LOSSES}[ours[0]].parameters
    number = next(value for symbol, value in parameters.items() if symbol.name == ours[1])
    default = inspect.signature(getattr(torch.nn, theirs[0])).parameters[theirs[1]].default
    assert float(number) == default


def test_lists_print_formulas_that_a_person_can_read(capsys) -> None:
    texts = {}
    for catalogue in ("activations", "losses", "penalties"):
        assert cli.main(["list", catalogue]) == 0
        texts[catalogue] = capsys.readouterr().out
        assert not any(
            raw in texts[catalogue] for raw in ("Piecewise", "Sum(", "**", "*", "Max(", "sqrt", "exp(-z)", "θ₀")
        )
    assert "{z if z > 0; α z otherwise}   (alpha: α = 0.01)" in texts["activations"]
    assert "(scale = 1.0507…, alpha: α = 1.6733…)" in texts["activations"]
    assert "exp(zₖ)/(Σₚ exp(zₚ))" in texts["activations"]
    assert "−(ε/n + t (1 − ε)) ln a   (epsilon: ε = 0.1)" in texts["losses"]
    assert "½ w² + ½ |w|" in texts["penalties"]


def test_every_row_of_a_list_has_a_formula() -> None:
    for rows in (ACTIVATIONS, LOSSES, PENALTIES):
        for row, (name, _, formula) in zip(rows.values(), listed(rows.values()), strict=True):
            assert name == row.name and formula
