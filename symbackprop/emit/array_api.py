"""The words of the Python array API standard: one source for NumPy, PyTorch, JAX, Dask and whatever follows it."""

from __future__ import annotations

from symbackprop.emit.arrays import Library, named_as, reduced

ARRAY_API = Library(
    helpers="array_api{}.py.jinja",
    functions=named_as("xp", {"erf": "_erf", "normal_tail": "_normal_tail"}),
    where="xp.where({}, {}, {})",
    reductions=reduced("xp"),
    opening={
        "xp": "xp = _namespace({})",
        "n": "n = {}.shape[0]",
        "real": "real = partial(xp.full_like, {}[0, 0])",
    },
    rows="_joined({}, {}, 0)",
    columns="_joined({}, {}, 1)",
    joined="xp.concat(({}), axis=1)",
    normal="_normal({}, {}, rng, xp, options)",
    zeros="xp.zeros({}, **options)",
    start="xp.asarray({}, **options)",
    as_array="{}",
    as_arrays="{}",
    given="Any",
    array="Any",
    number="Any",
    class_weights='{1} = xp.asarray([CLASS_WEIGHTS], dtype={0}.dtype, device=getattr({0}, "device", None))',
    truth_counts=False,
    bare="real({})",
    beyond_the_classes="; others give nan",
    shaped="xp.reshape({}, {})",
)
