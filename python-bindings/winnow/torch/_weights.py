"""Weights as a program takes them: quantised by row, once, and kept beside the parameters that they come from."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import _winnow
from ._outside import make_outside

_LARGEST = {torch.float8_e4m3fn: 448.0, torch.float8_e5m2: 57344.0}
_SMALLEST_SCALE = 2.0**-126
_ELEMENTS_AT_ONCE = 1 << 26  # of f32 temporaries
_ALIGNMENT = 16  # bytes, of what a kernel reads
_KEPT = "_winnow_prepared"
_lock = threading.Lock()
_serials = itertools.count()


@dataclass(slots=True)
class Prepared:
    """What was made of a matrix, and of which version of it. The tensors keep their memory as long as this lives."""

    look: _winnow.Look  # of the matrix
    dtype: torch.dtype
    version: int
    source: torch.dtype
    tensors: tuple[Tensor, ...]
    serial: int  # of no other, ever


class Kept(dict[tuple[object, ...], Prepared]):
    """All that was made of matrices in one piece of memory, by :func:`_key`, and what was last asked for."""

    last: Prepared | None = None


def quantize_weight(weight: Tensor, dtype: torch.dtype = torch.float8_e4m3fn) -> tuple[Tensor, Tensor]:
    """Values (out, in) of `dtype`, and float32 scales (out,), one per row, with ``values * scales[:, None]`` about
    `weight`, (out, in) of a floating-point type.

    Bit for bit what ``ffn.quantize … by row`` computes: the scale is the largest magnitude of the row over the largest
    finite value of `dtype`, and 1 for a row of zeros.
    """
    if dtype not in _LARGEST:
        raise ValueError(f"dtype: expected torch.float8_e4m3fn or torch.float8_e5m2, got {dtype}")
    if weight.dim() != 2 or not weight.is_floating_point():
        raise ValueError(
            f"weight: expected a matrix of a floating-point type, got shape {tuple(weight.shape)} of {weight.dtype}"
        )
    largest = _LARGEST[dtype]
    values = torch.empty(weight.shape, dtype=dtype, device=weight.device)
    scales = torch.empty(weight.shape[0], dtype=torch.float32, device=weight.device)
    rows = max(1, _ELEMENTS_AT_ONCE // max(1, weight.shape[1]))
    with torch.no_grad():
        for begin in range(0, weight.shape[0] if weight.shape[1] else 0, rows):
            part = weight.detach()[begin : begin + rows].float()
            amax = part.abs().amax(dim=1)
            # Divided by a tensor: by a number, a GPU would multiply with the reciprocal, which rounds differently.
            scale = (amax / torch.full_like(amax, largest)).clamp(min=_SMALLEST_SCALE)
            scale = torch.where(amax == 0, 1.0, scale)
            quotients = part * scale.reciprocal()[:, None]
            values[begin : begin + rows] = quotients.clamp_(-largest, largest).to(dtype)
            scales[begin : begin + rows] = scale
    return values, scales


def prepared(weight: Tensor, dtype: torch.dtype, *, again: bool = False) -> tuple[Tensor, ...]:
    """`weight` as a program with weights of `dtype` takes it: (values, scales) for f8, else (weight,), itself where it
    has that type already and lies row-major.

    What had to be made is kept with the weight's memory, so it goes when the weight goes, and is shared by all modules
    and all threads. It is made again, into the same memory, when the weight's version has changed, or if `again`.
    """
    if weight.dtype is dtype and weight.is_contiguous() and weight.data_ptr() % _ALIGNMENT == 0:
        return (weight,)
    if not again:
        entry = known(weight, dtype)
        if entry is not None:
            return entry.tensors
    return _prepare(weight, dtype, _version(weight), again)


def known(weight: Tensor, dtype: torch.dtype) -> Prepared | None:
    """What was made of `weight` as it is now, if anything was."""
    # Part of every call: that the matrix is the one asked for last is found out in a sixth of the time of the rest.
    kept: Kept | None = getattr(weight.untyped_storage(), _KEPT, None)
    if kept is None:
        return None
    entry = kept.last
    if entry is not None and entry.dtype is dtype and entry.look.same(weight):
        return entry
    entry = kept.get(_key(weight, dtype))
    if entry is None or entry.source is not weight.dtype or entry.version != _version(weight):
        return None
    kept.last = entry
    return entry


def _version(weight: Tensor) -> int:
    return -1 if weight.is_inference() else weight._version


def _key(weight: Tensor, dtype: torch.dtype) -> tuple[object, ...]:
    return weight.storage_offset(), weight.shape, weight.stride(), dtype


def _entry(weight: Tensor, dtype: torch.dtype) -> Prepared | None:
    kept: Kept | None = getattr(weight.untyped_storage(), _KEPT, None)
    return None if kept is None else kept.get(_key(weight, dtype))


def _prepare(weight: Tensor, dtype: torch.dtype, version: int, again: bool) -> tuple[Tensor, ...]:
    if weight.is_cuda and torch.cuda.is_current_stream_capturing():
        raise RuntimeError(
            "winnow: these weights are not yet quantised and cannot be while a CUDA graph is captured; call prepare(), "
            "or run the model once, before the capture"
        )
    with _lock:
        entry = _entry(weight, dtype)
        if entry is not None and not again and entry.version == version and entry.source == weight.dtype:
            return entry.tensors  # by another thread, while this one waited
        look = _winnow.Look(weight)  # before: what another thread changes meanwhile is then seen as changed
        made = make_outside(weight.device, lambda: _make(weight, dtype, entry))
        storage = weight.untyped_storage()
        kept = getattr(storage, _KEPT, None)
        if kept is None:
            kept = Kept()
            setattr(storage, _KEPT, kept)
        entry = Prepared(look, dtype, version, weight.dtype, made, next(_serials))
        kept[_key(weight, dtype)] = kept.last = entry
        return made


def _make(weight: Tensor, dtype: torch.dtype, entry: Prepared | None) -> tuple[Tensor, ...]:
    made: tuple[Tensor, ...] = (
        quantize_weight(weight, dtype) if dtype in _LARGEST else (weight.detach().to(dtype).contiguous(),)
    )
    if entry is None:
        return made
    # The same memory, since captured graphs may read it.
    for old, new in zip(entry.tensors, made, strict=True):
        old.copy_(new)
    return entry.tensors
