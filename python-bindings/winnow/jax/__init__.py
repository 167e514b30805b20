"""Winnow's FFNs in JAX, under ``jit``, ``vmap`` and ``shard_map``, on the CPU (by the reference) and on CUDA devices.

    import winnow.jax
    ffn = winnow.jax.compile(winnow.ffn(d_model=256, d_ffn=1024))
    y = jax.jit(ffn)(x, *weights)

Importing it imports JAX.
"""

from ._function import FFN, compile
from ._quantize import quantize_rows

__all__ = ["FFN", "compile", "quantize_rows"]
