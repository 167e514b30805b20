"""Programs by their text: compiled when first needed, once per process, and run on torch tensors."""

from __future__ import annotations

import atexit
import hashlib
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor

from .. import _winnow
from .._call import Argument
from .._compiled import CompiledFFN, compile
from ._outside import make_outside

_LONGEST_TEXT = 8192  # characters that an operator is handed at every call
_ALIGNMENT = 16
_MOST_SHAPES = 1024  # of x, remembered
_MOST_WEIGHTS = 4096  # places of them, remembered

# Serial numbers of what was made of two matrices, scale of activations, device of x.
WeightsKey = tuple[int, int, float | None, int]

_programs: dict[str, Program] = {}
_lock = threading.Lock()
# Before the interpreter takes down the extension module that they need.
atexit.register(_programs.clear)


def register_program(text: str) -> str:
    """The name by which ``torch.ops.winnow`` knows a program: its text in one line, if that is short enough and has no
    comments or strings. Another (with a sparsity profile) is named by its SHA-256, and known only to processes that
    have registered it.

    text: MLIR of a function whose first argument and only result are matrices with a row per token, and whose other
        arguments are of static shape, as :func:`winnow.ffn` writes it.

    Raises :class:`winnow.Error` or ValueError for other text.
    """
    # In one line, since torch.compile puts arguments into comments of the code that it writes.
    name = text if "//" in text or '"' in text else " ".join(text.split())
    if len(name) > _LONGEST_TEXT or "\n" in name:
        name = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    with _lock:
        if name not in _programs:
            _programs[name] = Program(text)
        # The text as it was given is a name, too, in this process.
        _programs[text] = _programs[name]
    return name


def find_program(name: str) -> Program:
    """The program of a name that :func:`register_program` has given, or of a text."""
    program = _programs.get(name)
    if program is None:
        if name.startswith("sha256:"):
            raise ValueError(
                f"program: {name} is unknown to this process; call winnow.torch.register_program with its text first"
            )
        program = _programs[register_program(name)]
    return program


class _Cuda:
    """What of torch's CUDA every call needs: found once, since builds without CUDA have none of it."""

    __slots__ = ("allocate", "device", "release", "stream")

    def bind(self) -> None:
        self.device = torch._C._cuda_getDevice
        # What torch.cuda.current_stream asks, too, without making an object of it: 4 us less.
        self.stream = torch._C._cuda_getCurrentRawStream
        self.allocate = torch._C._cuda_cudaCachingAllocator_raw_alloc
        self.release = torch._C._cuda_cudaCachingAllocator_raw_delete


_cuda = _Cuda()


class Program:
    """A program in all the forms in which it has been compiled so far. May be used by several threads at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lock = threading.Lock()
        self._host = compile(text, "cpu")
        self._variants: dict[tuple[int, int], CompiledFFN] = {}  # by device and asked token count
        # Of calls like those before, by device, asked token count and shape of x: executable, workspace in bytes.
        self._again: dict[tuple[int, int, torch.Size], tuple[_winnow.Executable, int]] = {}
        # Of weights that have fitted a call, by what tells them from all others. Whoever has the key has the memory.
        self.addresses: dict[WeightsKey, tuple[int, ...]] = {}
        self._scalars: dict[tuple[torch.device, float], Tensor] = {}
        inputs, outputs = self._host.inputs, self._host.outputs
        if not (
            inputs
            and len(outputs) == 1
            and all(a.token_axes == (0,) and len(a.shape) == 2 for a in (inputs[0], outputs[0]))
            and not any(a.token_axes for a in inputs[1:])
        ):
            raise ValueError(
                "program: expected a function of a matrix with a row per token and of tensors of static shape, with "
                f"one result that has a row per token, got {self._host.signature}"
            )
        self.weights: tuple[Argument, ...] = inputs[1:]
        self.weight_dtypes = tuple(_dtype(a) for a in self.weights)
        self._weight_shapes = tuple(a.shape for a in self.weights)
        # Whether weights are f8, each followed by its scales.
        self.is_quantized = bool(self.weights) and self.weight_dtypes[0].itemsize == 1
        # Of the two matrices, if they are f8.
        self.quantized_dtypes = (self.weight_dtypes[0], self.weight_dtypes[2]) if self.is_quantized else None
        self.dtype, self.result_dtype = _dtype(inputs[0]), _dtype(outputs[0])
        self.features, self.result_features = inputs[0].shape[1], outputs[0].shape[1]

    def scalar(self, value: float, device: torch.device) -> Tensor:
        """A float32 tensor of rank 0; the same one for the same value and device."""
        tensor = self._scalars.get((device, value))
        if tensor is None:
            made = make_outside(device, lambda: torch.tensor(value, device=device))
            tensor = self._scalars.setdefault((device, value), made)
        return tensor

    def prepare(self, device: torch.device, tokens: int = 0) -> None:
        """Compiles what calls on `device` may need: decided for `tokens`, or, if that is 0, for every token count."""
        if device.type == "cuda":
            index = torch.cuda.current_device() if device.index is None else device.index
            self._variant(index, tokens)._executable(index)

    def run(self, x: Tensor, weights: Sequence[Tensor], tokens: int) -> Tensor:
        """The result, (…, result_features), for x of (…, features), on x's device.

        tokens: token count that decisions are made for; 0 for about as many as there are.
        """
        if x.is_cuda:
            result = self.again(x, weights, tokens)
            if result is not None:
                return result
        shape = x.shape
        if not shape or shape[-1] != self.features:
            raise ValueError(f"x: expected {self.features} features along the last axis, got shape {tuple(shape)}")
        if not x.is_contiguous() or x.data_ptr() % _ALIGNMENT:
            x = x.clone(memory_format=torch.contiguous_format)
        if not self._fits(x, weights):
            self._refuse(x, weights)
        if self.dtype is self.result_dtype and self.features == self.result_features:
            out = torch.empty_like(x, memory_format=torch.contiguous_format)  # in half the time
        else:
            out = torch.empty((*shape[:-1], self.result_features), dtype=self.result_dtype, device=x.device)
        count = x.numel() // self.features
        if count == 0:
            return out
        if x.is_cuda:
            self._enqueue(x, weights, out, count, tokens)
        else:
            with torch.no_grad():
                rows = x.detach().view(count, self.features)
                self._host(rows, *weights, out=out.view(count, self.result_features))
        return out

    def remember_weights(self, key: WeightsKey, weights: Sequence[Tensor]) -> None:
        """Notes where weights lie that `run` has just been called with. The caller vouches that they lie there as long
        as there is somebody who can make the same key."""
        if len(self.addresses) >= _MOST_WEIGHTS:
            self.addresses.clear()
        self.addresses[key] = tuple(weight.data_ptr() for weight in weights)

    def again(self, x: Tensor, weights: Sequence[Tensor] | tuple[int, ...], tokens: int) -> Tensor | None:
        """What `run` returns, for a call like those before it, with tensors looked at from C, which takes a third of the
        host time. `weights`: tensors, or their addresses, as `addresses` knows them. None where something is new,
        unusual or wrong. Every call comes through here: it must stay short."""
        index = x.get_device()
        known = self._again.get((index, tokens, x.shape))
        if known is None or _cuda.device() != index:
            return None
        executable, size = known
        stream = _cuda.stream(index)
        out = torch.empty_like(x)
        # From the caching allocator, for this stream: it may be used again by what is enqueued later. No tensor is made
        # of it: 3 us less.
        workspace = _cuda.allocate(size, stream)
        try:
            return executable.call_rows(x, weights, out, stream, workspace, size)
        finally:
            _cuda.release(workspace)

    def _remember(self, x: Tensor, executable: _winnow.Executable, size: int, tokens: int) -> None:
        """Makes calls like this one, with other contents, ones for `again`."""
        if x.dim() < 2 or self.features != self.result_features or self.dtype is not self.result_dtype:
            return
        if len(self._again) >= _MOST_SHAPES:
            self._again.clear()
        _cuda.bind()
        self._again[x.get_device(), tokens, x.shape] = executable, size

    def _enqueue(self, x: Tensor, weights: Sequence[Tensor], out: Tensor, count: int, tokens: int) -> None:
        index = x.get_device()
        executable = self._executable(index, tokens)
        size = executable.workspace_bytes(count)
        self._remember(x, executable, size, tokens)
        # From the caching allocator, for this stream: it may be used again by what is enqueued later.
        workspace = torch.empty(size, dtype=torch.uint8, device=x.device)
        addresses = [x.data_ptr(), *[w.data_ptr() for w in weights], out.data_ptr()]
        # What torch.cuda.current_stream asks, too, without making an object of it: 4 us less.
        stream = torch._C._cuda_getCurrentRawStream(index)
        executable.execute(stream, count, addresses, workspace.data_ptr(), size)

    def _executable(self, index: int, tokens: int) -> _winnow.Executable:
        compiled = self._variants.get((index, tokens))
        if compiled is not None:
            executable = compiled._executables.get(index)
            if executable is not None:
                return executable
        if torch.cuda.is_current_stream_capturing():
            raise RuntimeError(
                "winnow: this FFN is not yet compiled and cannot be while a CUDA graph is captured; call prepare(), or "
                "run the model once, before the capture"
            )
        return self._variant(index, tokens)._executable(index)

    def _variant(self, index: int, tokens: int) -> CompiledFFN:
        with self._lock:
            compiled = self._variants.get((index, tokens))
            if compiled is None:
                compiled = compile(self.text, _winnow.device_target(index), tokens=tokens or None)
                self._variants[index, tokens] = compiled
            return compiled

    def _fits(self, x: Tensor, weights: Sequence[Tensor]) -> bool:
        # Every call comes through here for every tensor: the good case must stay short.
        if x.dtype is not self.dtype or len(weights) != len(self.weights):
            return False
        device = x.device
        for weight, dtype, shape in zip(weights, self.weight_dtypes, self._weight_shapes, strict=True):
            if weight.dtype is not dtype or weight.shape != shape or weight.device != device:
                return False
            if not weight.is_contiguous() or weight.data_ptr() % _ALIGNMENT:
                return False
        return True

    def _refuse(self, x: Tensor, weights: Sequence[Tensor]) -> NoReturn:
        if x.dtype is not self.dtype:
            raise TypeError(f"x: expected {self.dtype}, got {x.dtype}")
        if len(weights) != len(self.weights):
            names = ", ".join(argument.name for argument in self.weights)
            raise TypeError(f"weights: expected {len(self.weights)} tensors ({names}), got {len(weights)}")
        for weight, argument, dtype in zip(weights, self.weights, self.weight_dtypes, strict=True):
            name = argument.name
            if weight.dtype is not dtype:
                raise TypeError(f"{name}: expected {dtype}, got {weight.dtype}")
            if weight.shape != argument.shape:
                raise ValueError(f"{name}: expected shape {argument.shape}, got {tuple(weight.shape)}")
            if weight.device != x.device:
                raise ValueError(f"{name}: expected a tensor on {x.device}, as x, got one on {weight.device}")
            if not weight.is_contiguous():
                raise ValueError(f"{name}: expected row-major memory without gaps; call .contiguous() on it first")
        raise ValueError(f"weights: expected {_ALIGNMENT}-byte aligned memory; call .clone() on them first")


def _dtype(argument: Argument) -> torch.dtype:
    dtype: Any = getattr(torch, argument.element)
    return dtype
