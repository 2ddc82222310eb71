"""The words of JAX: pure functions for ``jit``, ``vmap`` and arrays spread over devices."""

from __future__ import annotations

from symbackprop.emit.arrays import Library, named_as, reduced

JAX = Library(
    helpers="jax{}.py.jinja",
    functions=named_as("jnp", {"atan": "jnp.arctan", "erf": "jax.lax.erf", "normal_tail": "_normal_tail"}),
    where="jnp.where({}, {}, {})",
    reductions=reduced("jnp"),
    opening={"n": "n = len({})", "real": "real = partial(jnp.full_like, {}[0, 0])"},
    rows="jnp.vstack(({}, {}))",
    columns="jnp.column_stack(({}, {}))",
    joined="jnp.concatenate(({}), axis=1)",
    normal="jax.random.normal(next(keys), {}, dtype) / {}**0.5",
    zeros="jnp.zeros({}, dtype)",
    start="jnp.asarray({}, dtype)",
    as_array="jnp.asarray({})",
    as_arrays="[jnp.asarray(w) for w in {}]",
    given="ArrayLike",
    array="Array",
    number="Array",
    class_weights="{1} = jnp.asarray([CLASS_WEIGHTS], {0}.dtype)",
    bare="real({})",
    beyond_the_classes="; others give nan under jit",
)
