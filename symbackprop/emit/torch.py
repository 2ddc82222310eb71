"""The words of PyTorch: plain functions of tensors, on any device, without its automatic differentiation."""

from __future__ import annotations

from symbackprop.emit.arrays import Library, named_as

TORCH = Library(
    helpers="torch{}.py.jinja",
    functions=named_as("torch", {"erf": "torch.erf", "normal_tail": "_normal_tail"}),
    where="torch.where({}, {}, {})",
    reductions={
        ("sum", "rows"): "torch.sum({}, dim=0)",
        ("sum", "columns"): "torch.sum({}, dim=1, keepdim=True)",
        ("sum", "all"): "torch.sum({})",
        ("max", "columns"): "torch.amax({}, dim=1, keepdim=True)",
    },
    opening={"n": "n = len({})", "real": "real = partial(torch.full_like, {}[0, 0])"},
    rows="torch.vstack(({}, {}))",
    columns="torch.column_stack(({}, {}))",
    joined="torch.cat(({}), dim=1)",
    normal="_normal({}, {}, rng, dtype)",
    zeros="torch.zeros({}, dtype=dtype, device=rng.device)",
    start="torch.tensor({}, dtype=dtype, device=rng.device)",
    as_array="torch.as_tensor({})",
    as_arrays="[torch.as_tensor(w) for w in {}]",
    given="Tensor",
    array="Tensor",
    number="Tensor",
    class_weights="{1} = torch.tensor([CLASS_WEIGHTS], dtype={0}.dtype, device={0}.device)",
    bare="real({})",
)
