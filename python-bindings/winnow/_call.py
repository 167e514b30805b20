"""Whether arrays fit a function, and messages that say why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from . import _winnow
from ._arrays import View, view

_ALIGNMENT = 16


class Argument(NamedTuple):
    """An input or output."""

    name: str
    element: str  # numpy's name, with those of ml_dtypes
    shape: tuple[int, ...]  # -1 is the token count
    is_weight: bool
    token_axes: tuple[int, ...]  # where the shape is -1

    @staticmethod
    def of(argument: _winnow.Argument) -> Argument:
        shape = tuple(argument.shape)
        axes = tuple(axis for axis, extent in enumerate(shape) if extent < 0)
        return Argument(argument.name, argument.element, shape, argument.is_weight, axes)


def bind(arguments: Sequence[Argument], arrays: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
    """One array per argument, positional ones first."""
    if len(arrays) == len(arguments) and not named:
        return list(arrays)
    names = [argument.name for argument in arguments]
    if len(arrays) > len(names):
        raise TypeError(f"expected {len(names)} inputs ({', '.join(names)}), got {len(arrays)}")
    bound = dict(zip(names, arrays))
    for name, array in named.items():
        if name not in names:
            raise TypeError(f"there is no input called {name!r}; there are {', '.join(names)}")
        if name in bound:
            raise TypeError(f"{name}: given twice, by position and by name")
        bound[name] = array
    missing = [name for name in names if name not in bound]
    if missing:
        raise TypeError(
            f"expected {len(names)} inputs ({', '.join(names)}), got {len(bound)}: {', '.join(missing)} missing"
        )
    return [bound[name] for name in names]


def check_inputs(arguments: Sequence[Argument], views: Sequence[View], device: str, target: str) -> int:
    """The token count (1 where no extent is one)."""
    tokens, counted_by = 0, ""
    ordinal = views[0].ordinal if views else 0
    for argument, v in zip(arguments, views, strict=True):
        _check(argument, v, device, target)
        if v.ordinal != ordinal:
            raise ValueError(
                f"{argument.name}: expected memory of CUDA device {ordinal}, as the inputs before it, got {v.ordinal}"
            )
        for axis in argument.token_axes:
            actual = v.shape[axis]
            if actual == 0:
                raise ValueError(f"{argument.name}: expected at least one token, got shape {tuple(v.shape)}")
            if not tokens:
                tokens, counted_by = actual, argument.name
            elif actual != tokens:
                raise ValueError(
                    f"{argument.name}: expected {tokens} tokens, as {counted_by} has, got shape {tuple(v.shape)}"
                )
    return tokens or 1


def result_shapes(arguments: Sequence[Argument], tokens: int) -> list[tuple[int, ...]]:
    return [tuple(tokens if extent < 0 else extent for extent in argument.shape) for argument in arguments]


def check_outputs(
    arguments: Sequence[Argument], out: Any, tokens: int, device: str, index: int
) -> tuple[list[Any], list[View]]:
    """The arrays to write, and views of them."""
    results = list(out) if isinstance(out, (tuple, list)) else [out]
    if len(results) != len(arguments):
        raise TypeError(f"out: expected {len(arguments)} arrays, got {len(results)}")
    views = []
    for argument, result, shape in zip(arguments, results, result_shapes(arguments, tokens)):
        v = view(result, "out")
        if v.shape != shape:
            raise ValueError(f"out: expected shape {shape}, got {tuple(v.shape)}")
        _check(argument, v, device, "the target", "out")
        if device == "cuda" and v.ordinal != index:
            raise ValueError(f"out: expected memory of CUDA device {index}, as the inputs, got {v.ordinal}")
        if not v.writable:
            raise ValueError("out: expected an array that can be written, got a read-only one")
        views.append(v)
    return results, views


def stream_handle(stream: Any) -> int:
    """The CUstream of an integer, of a torch or cupy stream, or of anything with __cuda_stream__."""
    if stream is None:
        return 0
    if isinstance(stream, int) and not isinstance(stream, bool):
        return stream
    for attribute in ("cuda_stream", "ptr"):  # torch, cupy
        handle = getattr(stream, attribute, None)
        if isinstance(handle, int):
            return handle
    if hasattr(stream, "__cuda_stream__"):
        return int(stream.__cuda_stream__()[1])
    raise TypeError(f"stream: expected an integer handle or a CUDA stream object, got {type(stream).__name__}")


def _check(argument: Argument, v: View, device: str, target: str, name: str = "") -> None:
    # Every call comes through here for every array: the good case must stay short.
    if (
        v.device != device
        or v.element != argument.element
        or not v.contiguous
        or (v.shape != argument.shape and not _fits(argument.shape, v.shape))
        or (v.address % _ALIGNMENT and device == "cuda")
    ):
        _refuse(argument, v, device, target, name or argument.name)


def _fits(wanted: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    if len(wanted) != len(shape):
        return False
    for extent, actual in zip(wanted, shape, strict=True):  # noqa: SIM110 (a generator takes twice as long)
        if extent != actual and extent >= 0:
            return False
    return True


def _refuse(argument: Argument, v: View, device: str, target: str, name: str) -> NoReturn:
    if v.device != device:
        where = "host memory" if device == "cpu" else "memory of a CUDA device"
        got = "host memory" if v.device == "cpu" else f"memory of CUDA device {v.ordinal}"
        raise ValueError(f"{name}: expected {where} for {target}, got {got}")
    if v.element != argument.element:
        raise TypeError(f"{name}: expected {argument.element}, got {v.element}")
    if not _fits(argument.shape, v.shape):
        text = ", ".join("tokens" if extent < 0 else str(extent) for extent in argument.shape)
        raise ValueError(f"{name}: expected shape ({text}), got {tuple(v.shape)}")
    if not v.contiguous:
        raise ValueError(
            f"{name}: expected row-major memory without gaps; copy it first (numpy.ascontiguousarray, .contiguous())"
        )
    raise ValueError(f"{name}: expected {_ALIGNMENT}-byte aligned memory, got address {v.address:#x}")
