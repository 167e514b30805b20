"""The operators ``torch.ops.winnow.ffn`` and ``torch.ops.winnow.sparse_ffn``.

Both run a program on x, (…, features), and give (…, result_features), a new row-major tensor. Work is enqueued on the
current stream; result and workspace come from the caching allocator; nothing is waited for. x is copied if it is not
row-major. Defined by schema and a kernel per kind of device, which costs a third of what ``custom_op`` costs per call.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ._program import Program, find_program
from ._weights import known, prepared

# The weights as the program takes them. Nothing is converted.
_FFN = "ffn(Tensor x, Tensor[] weights, str program, int tokens=0) -> Tensor"
# The weights as nn.Linear keeps them, (d_ffn, d_model) and (d_model, d_ffn): quantised, when first seen, as the program
# wants them. y2_scale: of activations, for programs that take one.
_SPARSE_FFN = "sparse_ffn(Tensor x, Tensor up, Tensor down, float? y2_scale, str program, int tokens=0) -> Tensor"


def refuse_gradients(*tensors: Tensor) -> None:
    """RuntimeError where autograd would expect a gradient.

    The backward pass will take the place of this call: its formula belongs to the two operators, and what it saves will
    be further results of the program.
    """
    if torch.is_grad_enabled():
        for tensor in tensors:
            if tensor.requires_grad:
                raise RuntimeError(
                    "winnow: gradients are not supported, and x or a weight requires them; call the model under "
                    "torch.no_grad() or torch.inference_mode(), or keep nn.Linear for training"
                )


def program_weights(
    program: Program, up: Tensor, down: Tensor, y2_scale: float | None, *, again: bool = False
) -> tuple[Tensor, ...]:
    """The weights that a program takes, from those of two nn.Linear and, for a static scale, a number."""
    dtypes = program.weight_dtypes
    if not program.is_quantized:
        return *prepared(up, dtypes[0], again=again), *prepared(down, dtypes[1], again=again)
    weights = *prepared(up, dtypes[0], again=again), *prepared(down, dtypes[2], again=again)
    return weights if y2_scale is None else (*weights, program.scalar(y2_scale, up.device))


def _ffn(x: Tensor, weights: Sequence[Tensor], program: str, tokens: int = 0) -> Tensor:
    if torch.is_grad_enabled():
        refuse_gradients(x, *weights)
    return find_program(program).run(x, weights, tokens)


def _ffn_fake(x: Tensor, weights: Sequence[Tensor], program: str, tokens: int = 0) -> Tensor:
    refuse_gradients(x, *weights)
    return _result_fake(x, program)


def _sparse_ffn(x: Tensor, up: Tensor, down: Tensor, y2_scale: float | None, program: str, tokens: int = 0) -> Tensor:
    if torch.is_grad_enabled():
        refuse_gradients(x, up, down)
    found = find_program(program)
    dtypes = found.quantized_dtypes
    if dtypes is None or not x.is_cuda:
        return found.run(x, program_weights(found, up, down, y2_scale), tokens)
    # Every call comes through here: weights that were made for an earlier one are known by their serial numbers.
    first, second = known(up, dtypes[0]), known(down, dtypes[1])
    if first is not None and second is not None:
        addresses = found.addresses.get((first.serial, second.serial, y2_scale, x.get_device()))
        if addresses is not None:
            result = found.again(x, addresses, tokens)
            if result is not None:
                return result
    weights = program_weights(found, up, down, y2_scale)
    result = found.run(x, weights, tokens)
    first, second = known(up, dtypes[0]), known(down, dtypes[1])
    if first is not None and second is not None:
        found.remember_weights((first.serial, second.serial, y2_scale, x.get_device()), weights)
    return result


def _sparse_ffn_fake(
    x: Tensor, up: Tensor, down: Tensor, y2_scale: float | None, program: str, tokens: int = 0
) -> Tensor:
    refuse_gradients(x, up, down)
    return _result_fake(x, program)


def _result_fake(x: Tensor, name: str) -> Tensor:
    program = find_program(name)
    torch._check(
        x.dim() > 0 and x.shape[-1] == program.features,
        lambda: f"x: expected {program.features} features along the last axis, got shape {tuple(x.shape)}",
    )
    torch._check_type(x.dtype == program.dtype, lambda: f"x: expected {program.dtype}, got {x.dtype}")
    return x.new_empty((*x.shape[:-1], program.result_features), dtype=program.result_dtype)


# Lives as long as the process: when it goes, the operators go.
_library = torch.library.Library("winnow", "DEF")
for _schema, _kernel, _fake in ((_FFN, _ffn, _ffn_fake), (_SPARSE_FFN, _sparse_ffn, _sparse_ffn_fake)):
    _name = _schema.partition("(")[0]
    _library.define(_schema, tags=(torch.Tag.needs_exact_strides, torch.Tag.pt2_compliant_tag))
    for _key in ("CPU", "CUDA"):
        _library.impl(_name, _kernel, _key)
    torch.library.register_fake(f"winnow::{_name}", _fake, lib=_library)

ffn = torch.ops.winnow.ffn.default
sparse_ffn = torch.ops.winnow.sparse_ffn.default
