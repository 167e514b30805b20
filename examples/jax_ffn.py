#!/usr/bin/env python3
"""A squared-ReLU feed-forward block in JAX: as jax.numpy in bf16, and compiled by Winnow in f8 and bf16. Prints how far
the results are apart and how long each takes, on the device that JAX takes by default.

    python examples/jax_ffn.py --d-model=4096 --d-ffn=16384 --tokens=4096
"""

import argparse
import time

import jax
import jax.numpy as jnp
import winnow
import winnow.jax


def dense(x: jax.Array, w1: jax.Array, w2: jax.Array) -> jax.Array:
    """What Winnow replaces: x (tokens, d_model), w1 (d_ffn, d_model), w2 (d_model, d_ffn)."""
    y = jnp.maximum(x @ w1.T, 0)
    return (y * y) @ w2.T


def draw(d_model: int, d_ffn: int, tokens: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Inputs of which about a tenth of the activations is not zero, as in trained models: x has mean 1 and w1 a mean
    below 0, which puts products of variance 2 to 1.28 standard deviations below 0 on average."""
    keys = jax.random.split(jax.random.key(0), 3)
    x = 1 + jax.random.normal(keys[0], (tokens, d_model))
    w1 = jax.random.normal(keys[1], (d_ffn, d_model)) / d_model**0.5 - 1.28 * 2**0.5 / d_model
    w2 = jax.random.normal(keys[2], (d_model, d_ffn)) / d_ffn**0.5
    return x.astype(jnp.bfloat16), w1.astype(jnp.bfloat16), w2.astype(jnp.bfloat16)


def measure(call, arrays: tuple[jax.Array, ...], repeat: int) -> tuple[jax.Array, str]:
    """The result, and the times of the first call (which compiles) and of later ones."""
    begin = time.perf_counter()
    y = jax.block_until_ready(call(*arrays))
    first = time.perf_counter() - begin
    for _ in range(repeat):  # the device at the speed that it keeps
        y = call(*arrays)
    jax.block_until_ready(y)
    begin = time.perf_counter()
    for _ in range(repeat):
        y = call(*arrays)
    enqueued = time.perf_counter() - begin
    jax.block_until_ready(y)
    whole = time.perf_counter() - begin
    each, host = whole / repeat * 1e3, enqueued / repeat * 1e6
    return y, f"first call {first:.2f} s, then {each:.3f} ms, of which the host {host:.1f} us"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--d-model", type=int, default=64)
    parser.add_argument("--d-ffn", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=30, help="calls that are timed")
    options = parser.parse_args()

    x, w1, w2 = jax.jit(draw, static_argnums=(0, 1, 2))(options.d_model, options.d_ffn, options.tokens)
    shape = f"{options.d_model}/{options.d_ffn}, {options.tokens} tokens"
    density = float((x @ w1.T > 0).mean())
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {shape}, density {density:.3f}")
    expected, times = measure(jax.jit(dense), (x, w1, w2), options.repeat)
    print(f"jax.numpy bf16: {times}")
    quantize = jax.jit(winnow.jax.quantize_rows)
    for dtype in ("f8e4m3", "bf16"):
        spec = winnow.ffn(options.d_model, options.d_ffn, dtype=dtype)
        ffn = winnow.jax.compile(spec, tokens=options.tokens)
        weights = (w1, w2) if dtype == "bf16" else (*quantize(w1), *quantize(w2))
        y, times = measure(jax.jit(ffn), (x, *weights), options.repeat)
        error = jnp.linalg.norm((y - expected).astype(jnp.float32)) / jnp.linalg.norm(expected.astype(jnp.float32))
        print(f"winnow.jax {dtype}: {times}; relative difference {float(error):.1e}")


if __name__ == "__main__":
    main()
