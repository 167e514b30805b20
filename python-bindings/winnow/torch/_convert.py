"""Replaces the squared-ReLU blocks of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .. import _winnow
from .._compiled import lower
from .._find import FoundFFN, evaluating, find_ffns
from ._module import SparseFFN
from ._report import Block, ConversionReport

_PROBE_TOKENS = 4
_ELEMENT_BYTES = {"f8e4m3": 1, "f8e5m2": 1, "bf16": 2, "f16": 2, "f32": 4}
_ROW_BYTES = 16  # what tensor cores are fed in
_TOKENS = 8192
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def convert(
    model: nn.Module,
    *,
    dtype: str = "f8e4m3",
    density: float | None = None,
    max_drop: float | None = None,
    sparsity: Mapping[str, Any] | None = None,
    tokens: int | None = None,
    dry_run: bool = False,
) -> ConversionReport:
    """Replaces, in place, every block that computes ``down(relu(up(x))²)`` by a :class:`SparseFFN`, and says which
    blocks were replaced and why others were not.

    Blocks are found by structure: two linears, from d_model to d_ffn and back, whatever they and their classes are
    called. Each is called with random numbers, in evaluation mode, to see what it computes. Parameters are shared, not
    copied, and the keys of the model's state dict stay what they are. Blocks that are gated, have a bias, another
    activation, dropout that is active in training, hooks, or sizes that tensor cores cannot read are left alone. The
    model is for inference afterwards.

    dtype, density, max_drop, tokens: as for :class:`SparseFFN`, for all blocks.
    sparsity: what was measured, by the names of the blocks, as for :class:`SparseFFN`: a report of winnow.probe, or a
        mapping. Blocks that it does not name get density and max_drop.
    dry_run: changes nothing; the report says what would be done.

    Raises ValueError for a name in `sparsity` that no block has.
    """
    found = find_ffns(model)
    measured = {} if sparsity is None else sparsity
    unknown = sorted(set(measured) - {block.name for block in found})
    if unknown:
        names = ", ".join(block.name for block in found) or "none"
        raise ValueError(f"sparsity: expected names of blocks of the model ({names}), got {', '.join(unknown)}")
    blocks, planned = [], []
    for block in found:
        known: dict[str, Any] = (
            {"sparsity": measured[block.name]} if block.name in measured else {"density": density, "max_drop": max_drop}
        )
        reason, replacement = _obstacle(model, block, dtype), None
        if not reason:
            replacement = SparseFFN.from_linears(
                block.up, block.down, names=_paths(block), dtype=dtype, tokens=tokens, **known
            )
            replacement.train(block.module.training)
            reason = _unsupported(replacement)
        note = "sparsity as measured" if block.name in measured else ""
        blocks.append(Block(block.name, block.d_model, block.d_ffn, reason, "" if reason else note))
        if replacement is not None and not reason:
            planned.append((block.module, replacement))
    if not dry_run:
        for old, new in planned:
            _replace(model, old, new)
    return ConversionReport(tuple(blocks), dry_run)


def _obstacle(model: nn.Module, block: FoundFFN, dtype: str) -> str:
    """Why a block cannot be replaced; empty if it can."""
    if isinstance(block.module, SparseFFN):
        return "it is a SparseFFN already"
    if block.obstacle:
        return block.obstacle
    if block.activation != "relu2":
        return f"its activation is {block.activation}, not relu2"
    if block.module is model:
        return "it is the model itself; use SparseFFN.from_linears"
    if any(getattr(part, hooks) for part in block.module.modules() for hooks in _HOOKS):
        return "it has hooks"
    if any(parent._modules.get("_orig_mod") is block.module for parent in model.modules()):
        return "it is compiled by itself; convert it before torch.compile"
    if any(isinstance(part, nn.Dropout) and part.p > 0 and part.training for part in block.module.modules()):
        return "it has dropout and is in training mode; call .eval() first"
    if set(block.module.state_dict()) != {f"{path}.weight" for path in _paths(block)}:
        return "it has parameters or buffers beside two weights"
    for extent in (block.d_model, block.d_ffn):
        if extent * _ELEMENT_BYTES[dtype] % _ROW_BYTES:
            return f"{extent} features of {dtype} are not a multiple of {_ROW_BYTES} bytes, as tensor cores need"
    if not _computes_relu2(block):
        return "it does not compute down(relu(up(x))²) with the weights that it has"
    return ""


def _computes_relu2(block: FoundFFN) -> bool:
    """Whether the block as a whole, called as it is, agrees with the formula on its weights."""
    up, down = block.up.weight, block.down.weight
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, _PROBE_TOKENS, block.d_model, generator=generator).to(up.device, up.dtype)
    with evaluating(block.module), torch.no_grad(), torch.autocast(up.device.type, enabled=False):
        actual = block.module(x.clone()).double()
        expected = F.linear(F.relu(F.linear(x, up)).square(), down).double()
    # The same operations on the same numbers; kernels may differ in the order of sums.
    return bool((actual - expected).norm() <= 4 * torch.finfo(up.dtype).eps * expected.norm())


def _unsupported(replacement: SparseFFN) -> str:
    """Why the compiler has no kernels for a block; empty if it has."""
    try:
        lower(replacement.spec, "sm_90a", tokens=replacement.tokens or _TOKENS).ir("kern")
    except _winnow.Error as error:
        return str(error).partition("\n")[0]
    return ""


def _paths(block: FoundFFN) -> tuple[str, str]:
    """The names of the linears in the block."""
    names = {id(part): name for name, part in block.module.named_modules()}
    return names[id(block.up)], names[id(block.down)]


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Wherever in the model it stands."""
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child is old:
                parent._modules[name] = new
