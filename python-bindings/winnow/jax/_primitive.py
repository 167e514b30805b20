"""The JAX primitive behind every call: shapes, batching, and its lowering to an XLA custom call per platform."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.ffi
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from .. import _winnow
from .._arrays import numpy_dtype
from .._call import result_shapes
from .._device import WORKSPACE_ALIGNMENT
from ._program import Program

_TARGET = "winnow_ffn"  # of the custom calls

_ffn_p = Primitive("winnow_ffn")
_ffn_p.multiple_results = True


def bind_program(program: Program, arrays: Sequence[jax.Array]) -> list[jax.Array]:
    """The results for arrays of the shapes in the signature."""
    tokens = _count_tokens(program, [array.shape for array in arrays])
    if tokens == 0:
        if any(not output.token_axes for output in program.outputs):
            raise ValueError("expected at least one token, since a result is not per token; got none")
        return [jnp.zeros(shape, dtype) for shape, dtype in _results(program, 0)]
    return _ffn_p.bind(*arrays, program=program)


def _count_tokens(program: Program, shapes: Sequence[tuple[int, ...]]) -> int:
    """The token count; 1 where no extent is one. ValueError where a shape does not fit."""
    tokens, counted_by = -1, ""
    for argument, shape in zip(program.inputs, shapes, strict=True):
        if len(shape) != len(argument.shape) or any(e not in (-1, s) for e, s in zip(argument.shape, shape)):
            text = ", ".join("tokens" if extent < 0 else str(extent) for extent in argument.shape)
            raise ValueError(f"{argument.name}: expected shape ({text}), got {tuple(shape)}")
        for axis in argument.token_axes:
            if tokens < 0:
                tokens, counted_by = shape[axis], argument.name
            elif shape[axis] != tokens:
                raise ValueError(
                    f"{argument.name}: expected {tokens} tokens, as {counted_by} has, got shape {tuple(shape)}"
                )
    return 1 if tokens < 0 else tokens


def _results(program: Program, tokens: int) -> list[tuple[tuple[int, ...], Any]]:
    shapes = result_shapes(program.outputs, tokens)
    return [(shape, numpy_dtype(output.element)) for shape, output in zip(shapes, program.outputs)]


# Shapes and execution outside of jit.


def _abstract(*avals: Any, program: Program) -> list[jax.core.ShapedArray]:
    tokens = _count_tokens(program, [aval.shape for aval in avals])
    return [jax.core.ShapedArray(shape, dtype) for shape, dtype in _results(program, tokens)]


@functools.partial(jax.jit, static_argnames="program")
def _jitted(*arrays: jax.Array, program: Program) -> list[jax.Array]:
    return _ffn_p.bind(*arrays, program=program)


def _execute(*arrays: jax.Array, program: Program) -> list[jax.Array]:
    with jax.disable_jit(False):
        return _jitted(*arrays, program=program)


_ffn_p.def_abstract_eval(_abstract)
_ffn_p.def_impl(_execute)

# Batching: the batch becomes more tokens of one call where that changes nothing, else calls run one after the other.


def _batch(arrays: Sequence[jax.Array], axes: Sequence[int | None], *, program: Program) -> tuple[list[Any], list[Any]]:
    size = next(array.shape[axis] for array, axis in zip(arrays, axes) if axis is not None)
    moved = [array if axis is None else jnp.moveaxis(array, axis, 0) for array, axis in zip(arrays, axes)]
    batched = [axis is not None for axis in axes]
    if not program.token_wise or any(
        is_batched and argument.token_axes != (0,) for is_batched, argument in zip(batched, program.inputs)
    ):
        return _run_in_turn(moved, batched, program)
    tokens = next(array.shape[1] for array, is_batched in zip(moved, batched) if is_batched)
    flat = []
    for array, is_batched, argument in zip(moved, batched, program.inputs):
        if argument.token_axes:
            if not is_batched:
                array = jnp.broadcast_to(array, (size, *array.shape))
            array = array.reshape(size * tokens, *argument.shape[1:])
        flat.append(array)
    results = [
        result.reshape(size, tokens, *output.shape[1:]) if output.token_axes else result
        for result, output in zip(bind_program(program, flat), program.outputs)
    ]
    return results, [0 if output.token_axes else None for output in program.outputs]


def _run_in_turn(
    moved: Sequence[jax.Array], batched: Sequence[bool], program: Program
) -> tuple[list[jax.Array], list[int]]:
    def call(mapped: list[jax.Array]) -> list[jax.Array]:
        rest = iter(mapped)
        return bind_program(program, [next(rest) if is_batched else array for array, is_batched in zip(moved, batched)])

    results = jax.lax.map(call, [array for array, is_batched in zip(moved, batched) if is_batched])
    return results, [0] * len(results)


batching.primitive_batchers[_ffn_p] = _batch

# Gradients.


def _refuse_gradients(*_: Any, program: Program, **__: Any) -> Any:
    raise NotImplementedError(
        f"@{program.entry}: gradients do not flow through a compiled FFN; keep the JAX function for training, or stop "
        "them with jax.lax.stop_gradient on every input"
    )


def _jvp(primals: Any, tangents: Any, *, program: Program) -> Any:
    return _refuse_gradients(program=program)


ad.primitive_jvps[_ffn_p] = _jvp
ad.primitive_transposes[_ffn_p] = _refuse_gradients

# Lowering. It happens when JAX compiles for a platform, which is when the kernels are needed.


def _call_cpu(*arrays: jax.Array, program: Program) -> Sequence[jax.Array]:
    tokens = _count_tokens(program, [array.shape for array in arrays])
    results = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in _results(program, tokens)]
    return jax.ffi.ffi_call(_TARGET, results)(*arrays, program=program.prepare_cpu())


def _call_cuda(*arrays: jax.Array, program: Program) -> Sequence[jax.Array]:
    target = cuda_target()
    tokens = _count_tokens(program, [array.shape for array in arrays])
    results = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in _results(program, tokens)]
    # A buffer that XLA plans: unlike scratch memory of the call, it is still there when a CUDA graph is replayed.
    size = program.workspace_bytes(target, tokens) + WORKSPACE_ALIGNMENT
    results.append(jax.ShapeDtypeStruct((size,), jnp.uint8))
    return jax.ffi.ffi_call(_TARGET, results)(*arrays, program=program.prepare_cuda(target))[:-1]


def cuda_target() -> str:
    """The chip to compile for: that of the first device, or the one that there are kernels for where there is none."""
    try:
        target = _winnow.device_target(0)
    except _winnow.Error:  # lowering for a machine with a GPU, on one without
        return "sm_90a"
    if target != "sm_90a":
        raise NotImplementedError(
            f"CUDA device 0 is {target}, for which there are no kernels yet: expected sm_90a (H100, H200); "
            "run this on the CPU, with jax.default_device(jax.devices('cpu')[0])"
        )
    return target


_cpu_handler, _cuda_handler = _winnow.jax_handlers()
jax.ffi.register_ffi_target(_TARGET, _cpu_handler, platform="cpu")
jax.ffi.register_ffi_target(_TARGET, {"initialize": _cuda_handler, "execute": _cuda_handler}, platform="CUDA")
mlir.register_lowering(_ffn_p, mlir.lower_fun(_call_cpu, multiple_results=True), platform="cpu")
mlir.register_lowering(_ffn_p, mlir.lower_fun(_call_cuda, multiple_results=True), platform="cuda")
