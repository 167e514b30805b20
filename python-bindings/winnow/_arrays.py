"""Arrays of any framework, seen as an address with a type and a shape. Nothing is copied; no framework is imported but
numpy, and that only when it is needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from . import _winnow

# Kinds of memory (dlpack.h, DLDeviceType) that a CPU and a CUDA device can use.
_DLPACK_DEVICES = {1: "cpu", 2: "cuda", 3: "cpu", 11: "cpu", 13: "cuda"}
# (type code, bits) of dlpack.h, DLDataTypeCode.
_DLPACK_ELEMENTS = {
    (0, 32): "int32",
    (1, 8): "uint8",
    (2, 16): "float16",
    (2, 32): "float32",
    (4, 16): "bfloat16",
    (6, 8): "bool",
    (10, 8): "float8_e4m3fn",
    (12, 8): "float8_e5m2",
}
_TYPESTRS = {"<f4": "float32", "<f2": "float16", "<i4": "int32", "|u1": "uint8", "|b1": "bool"}
_torch_elements: dict[Any, str] = {}  # names of the dtypes met so far
_BYTES = {"float32": 4, "int32": 4, "bfloat16": 2, "float16": 2}


class View(NamedTuple):
    address: int
    element: str  # numpy's name, with those of ml_dtypes
    shape: tuple[int, ...]
    contiguous: bool  # row-major, without gaps
    device: str  # "cpu" or "cuda"
    ordinal: int  # which CUDA device
    writable: bool
    owner: Any  # keeps the memory alive


class Named(Protocol):
    @property
    def name(self) -> str: ...


def views_of(arrays: Sequence[Any], arguments: Sequence[Named]) -> list[View]:
    """What each array is; arguments name them in messages. Looks for torch once, since this is part of every call."""
    torch = sys.modules.get("torch")
    tensor = torch.Tensor if torch is not None else ()
    return [
        _view_torch(torch, array, argument.name) if isinstance(array, tensor) else view(array, argument.name)
        for array, argument in zip(arrays, arguments, strict=True)
    ]


def view(array: Any, name: str) -> View:
    """What `array` is. TypeError if it is nothing that can be seen without a copy."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return _view_torch(torch, array, name)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(array, (numpy.ndarray, numpy.generic)):
        return _view_numpy(numpy.asarray(array), name)
    if hasattr(array, "__cuda_array_interface__"):
        return _view_cuda(array, name)
    if hasattr(array, "__dlpack__"):
        return _view_dlpack(array, name)
    raise TypeError(
        f"{name}: expected an array (numpy, or anything with __dlpack__ or __cuda_array_interface__), "
        f"got {type(array).__name__}"
    )


def is_row_major(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether elements with these strides (in elements) lie one after the other, the last axis fastest."""
    expected = 1
    for extent, stride in zip(reversed(shape), reversed(strides)):
        if extent == 0:
            return True
        if extent != 1 and stride != expected:
            return False
        expected *= extent
    return True


def _view_numpy(array: Any, name: str) -> View:
    return View(
        array.ctypes.data,
        array.dtype.name if array.dtype.isnative else str(array.dtype),
        array.shape,
        array.flags.c_contiguous,
        "cpu",
        0,
        array.flags.writeable,
        array,
    )


def _view_torch(torch: Any, tensor: Any, name: str) -> View:
    if tensor.requires_grad and torch.is_grad_enabled():
        raise ValueError(f"{name}: gradients do not flow through a compiled FFN; use torch.no_grad() or .detach()")
    if tensor.layout is not torch.strided:
        raise TypeError(f"{name}: expected a dense tensor, got layout {tensor.layout}")
    dtype, device = tensor.dtype, tensor.device
    element = _torch_elements.get(dtype)
    if element is None:
        element = _torch_elements[dtype] = str(dtype).removeprefix("torch.")
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"{name}: expected a tensor on the CPU or a CUDA device, got one on {device}")
    return View(
        tensor.data_ptr(),
        element,
        tensor.shape,
        tensor.is_contiguous(),
        device.type,
        device.index or 0,
        True,
        tensor,
    )


def _view_cuda(array: Any, name: str) -> View:
    facts = array.__cuda_array_interface__
    shape = tuple(facts["shape"])
    address, read_only = facts["data"]
    element = _TYPESTRS.get(facts["typestr"])
    if element is None:
        # bf16 and f8 have no type string; DLPack names them.
        if hasattr(array, "__dlpack__"):
            return _view_dlpack(array, name)
        raise TypeError(f"{name}: the element type {facts['typestr']} of __cuda_array_interface__ is unknown")
    strides = facts.get("strides")
    size = _BYTES.get(element, 1)
    contiguous = strides is None or is_row_major(shape, tuple(stride // size for stride in strides))
    index = getattr(getattr(array, "device", None), "id", 0)
    return View(address, element, shape, contiguous, "cuda", index, not read_only, array)


def _view_dlpack(array: Any, name: str) -> View:
    try:
        owner, address, code, bits, shape, strides, device, index = _winnow.view_dlpack(array)
    except TypeError as error:
        raise TypeError(f"{name}: {type(array).__name__} does not hand out its memory through __dlpack__") from error
    if device not in _DLPACK_DEVICES:
        raise ValueError(f"{name}: expected memory of the CPU or a CUDA device, got DLPack device type {device}")
    element = _DLPACK_ELEMENTS.get((code, bits), f"DLPack type {code} of {bits} bits")
    # Whether it may be written is not asked: outputs of this kind are the caller's to offer.
    return View(
        address,
        element,
        tuple(shape),
        is_row_major(tuple(shape), tuple(strides)),
        _DLPACK_DEVICES[device],
        index,
        True,
        (owner, array),
    )


def empty_host(shape: tuple[int, ...], element: str) -> Any:
    """A numpy array; bf16 and f8 by ml_dtypes."""
    import numpy

    return numpy.empty(shape, numpy_dtype(element))


def numpy_dtype(element: str) -> Any:
    import numpy

    if element.startswith(("bfloat", "float8")):
        import ml_dtypes

        return numpy.dtype(getattr(ml_dtypes, element))
    return numpy.dtype(element)
