"""Weights in f8, as FFNs of f8 take them."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

_LARGEST = {"float8_e4m3fn": 448.0, "float8_e5m2": 57344.0}


def quantize_rows(weight: jax.Array, dtype: Any = jnp.float8_e4m3fn) -> tuple[jax.Array, jax.Array]:
    """A weight in f8 with one scale per row, as ``ffn.quantize … by row`` computes them: to the last bit on a CPU; on a
    GPU, where XLA's division is not correctly rounded, scales may differ by two units in the last place.

    weight: (rows, columns), of float32, bfloat16 or float16; leading axes are taken as more rows.
    dtype: float8_e4m3fn or float8_e5m2.

    XLA takes subnormal weights for zero on some platforms.

    Returns values (rows, columns) of `dtype` and scales (rows) of float32, with weight ≈ values · scales. Raises
    TypeError for other element types.
    """
    name = jnp.dtype(dtype).name
    if name not in _LARGEST:
        raise TypeError(f"dtype: expected {' or '.join(_LARGEST)}, got {name}")
    weight = jnp.asarray(weight)
    if weight.dtype.name not in ("float32", "bfloat16", "float16"):
        raise TypeError(f"weight: expected float32, bfloat16 or float16, got {weight.dtype.name}")
    if weight.ndim < 2:
        raise ValueError(f"weight: expected a matrix, got shape {weight.shape}")
    largest = jnp.float32(_LARGEST[name])
    wide = weight.astype(jnp.float32)
    amax = jnp.max(jnp.abs(wide), axis=-1)
    # XLA would multiply by the reciprocal of a constant, which rounds differently.
    divisor = jax.lax.optimization_barrier(jnp.full_like(amax, largest))
    scales = jnp.where(amax == 0, jnp.float32(1), jnp.maximum(amax / divisor, jnp.float32(2.0**-126)))
    values = jnp.clip(wide * (jnp.float32(1) / scales)[..., None], -largest, largest)
    return values.astype(dtype), scales
