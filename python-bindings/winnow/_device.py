"""Running on a CUDA device what has been compiled, now or earlier."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import _winnow
from ._arrays import View, view, views_of
from ._call import Argument, bind, check_inputs, check_outputs, result_shapes, stream_handle
from ._cuda import allocate_like
from ._recorded import RecordedFFN

WORKSPACE_ALIGNMENT = 256


class TokenRange(NamedTuple):
    """Token counts that have kernels of their own."""

    first: int
    last: int  # in the range
    decided_for: int  # the count in the range that layouts and schedules were decided for; 0: not known
    summary: str  # what was decided, for people


def load(path: str | os.PathLike[str], device: int = 0) -> LoadedFFN:
    """An artifact (.wnw) that was saved earlier, on a CUDA device. Needs no compiler and no NVRTC."""
    with open(path, "rb") as file:
        return LoadedFFN(file.read(), device)


class DeviceFFN:
    """What all FFNs that run on a GPU have in common. `inputs` and `outputs` say what they take and give."""

    def __init__(self, target: str, inputs: Sequence[_winnow.Argument], outputs: Sequence[_winnow.Argument]) -> None:
        self.target = target
        self.inputs = tuple(map(Argument.of, inputs))
        self.outputs = tuple(map(Argument.of, outputs))
        self._lock = threading.RLock()
        self._executables: dict[int, _winnow.Executable] = {}
        self._workspaces: dict[tuple[int, int], _Workspace] = {}
        self._latest: tuple[int, _winnow.Executable] | None = None  # device of the last call

    @property
    def signature(self) -> str:
        """What it takes and gives, in a line."""
        return f"{_text_of(self.inputs)} -> {_text_of(self.outputs)}"

    @property
    def token_ranges(self) -> list[TokenRange]:
        """Which token counts have kernels of their own, ascending from 1 on. A call takes those for its count."""
        return [TokenRange(*fields) for fields in self._ranges()]

    def __call__(self, *arrays: Any, out: Any = None, stream: Any = None, workspace: Any = None, **named: Any) -> Any:
        """The result, or a tuple of them.

        Inputs are numpy arrays (with ml_dtypes for bfloat16 and float8) or anything with ``__dlpack__`` or
        ``__cuda_array_interface__``; row-major, in memory of the target. Nothing is converted, copied or waited
        for: work is enqueued on `stream` (an integer handle, or a stream of torch or cupy; by default the default
        stream), and arrays must live until it is done.

        out: array or arrays to write; by default arrays of the inputs' framework.
        workspace: device memory of at least `workspace_bytes`, 256-byte aligned; by default one is kept per stream
            until this object goes. A captured CUDA graph should have its own.

        Raises TypeError and ValueError for arrays that do not fit, and :class:`winnow.Error`.
        """
        return self._call(arrays, named, out, stream, workspace)

    def record(self, *arrays: Any, out: Any, stream: Any = None, **named: Any) -> RecordedFFN:
        """This call with these arrays, as a CUDA graph: :meth:`RecordedFFN.launch` then costs the host one call of the
        driver, however many kernels there are. For loops whose arrays stay in place, such as decoding.

        Arrays, `out` and `stream` as for a call; each launch reads and writes their memory as it is then, on that
        stream. Waits until the graph has reached the device. Inside a CUDA graph of torch or cupy, capture a plain call instead.
        """
        inputs, views, tokens = self._take(arrays, named, "cuda", self.target)
        device = views[0].ordinal if views else 0
        results, outputs = check_outputs(self.outputs, out, tokens, "cuda", device)
        executable = self._executable(device)
        handle = 0 if stream is None else stream_handle(stream)
        workspace = _Workspace()  # of the stream, as its framework's allocator wants to know
        workspace.grow(executable.workspace_bytes(tokens), inputs[0] if inputs else None, device, handle)
        addresses = [v.address for v in views] + [v.address for v in outputs]
        call = executable.record(tokens, addresses, workspace.address, workspace.bytes)
        result = results[0] if len(results) == 1 else tuple(results)
        return RecordedFFN(call, handle, result, (inputs, views, workspace, stream))

    def workspace_bytes(self, tokens: int, device: int = 0) -> int:
        """Bytes of device memory that a call with `tokens` tokens needs beside its arguments."""
        return self._executable(device).workspace_bytes(tokens)

    def _artifact(self) -> bytes:
        raise NotImplementedError

    def _ranges(self) -> list[tuple[int, int, int, str]]:
        raise NotImplementedError

    def _call(self, arrays: tuple[Any, ...], named: dict[str, Any], out: Any, stream: Any, workspace: Any) -> Any:
        handle = 0 if stream is None else stream_handle(stream)
        if not named and self._latest is not None:
            result = self._call_again(arrays, out, handle, workspace)
            if result is not None:
                return result
        inputs, views, tokens = self._take(arrays, named, "cuda", self.target)
        return self._run_cuda(inputs, views, tokens, out, handle, workspace)

    def _call_again(self, arrays: tuple[Any, ...], out: Any, stream: int, workspace: Any) -> Any:
        """A call like one before, without looking at the arrays from Python; None where that does not do."""
        device, executable = self._latest  # type: ignore[misc]
        if workspace is not None:
            return executable.call(arrays, out, stream, workspace, 0, 0)
        kept = self._workspaces.get((device, stream))
        if kept is None:
            return None
        with kept.lock:
            return executable.call(arrays, out, stream, None, kept.address, kept.bytes)

    def _take(
        self, arrays: tuple[Any, ...], named: dict[str, Any], device: str, target: str
    ) -> tuple[list[Any], list[View], int]:
        """The inputs, what they are, and the token count."""
        inputs = bind(self.inputs, arrays, named)
        views = views_of(inputs, self.inputs)
        return inputs, views, check_inputs(self.inputs, views, device, target)

    def _executable(self, device: int) -> _winnow.Executable:
        executable = self._executables.get(device)
        if executable is None:
            with self._lock:
                executable = self._executables.get(device)
                if executable is None:
                    executable = self._executables[device] = _winnow.Executable(self._artifact(), device)
        return executable

    def _run_cuda(
        self, inputs: list[Any], views: list[View], tokens: int, out: Any, stream: int, workspace: Any
    ) -> Any:
        device = views[0].ordinal if views else 0
        executable = self._executable(device)
        if out is None:
            shapes = result_shapes(self.outputs, tokens)
            results = [allocate_like(inputs[0], s, a.element, device, stream) for s, a in zip(shapes, self.outputs)]
            outputs = views_of(results, self.outputs)
        else:
            results, outputs = check_outputs(self.outputs, out, tokens, "cuda", device)
        addresses = [v.address for v in views] + [v.address for v in outputs]
        needed = executable.workspace_bytes(tokens)
        if workspace is not None:
            given = view(workspace, "workspace")
            size = _bytes_of(given)
            if given.device != "cuda" or given.ordinal != device or not given.contiguous or size < needed:
                raise ValueError(
                    f"workspace: expected at least {needed} contiguous bytes on CUDA device {device}, got {size} on "
                    f"{given.device} {given.ordinal}"
                )
            executable.execute(stream, tokens, addresses, given.address, size)
        else:
            with self._lock:
                kept = self._workspaces.setdefault((device, stream), _Workspace())
            # The lock is for whole calls: launches of two calls on one stream must not interleave in one workspace.
            with kept.lock:
                kept.grow(needed, inputs[0] if inputs else None, device, stream)
                executable.execute(stream, tokens, addresses, kept.address, kept.bytes)
        self._latest = device, executable
        return results[0] if len(results) == 1 else tuple(results)


class LoadedFFN(DeviceFFN):
    """An artifact on a CUDA device. Call it as a :class:`CompiledFFN`."""

    def __init__(self, artifact: bytes, device: int) -> None:
        executable = _winnow.Executable(artifact, device)
        super().__init__(f"CUDA device {device}", executable.arguments(False), executable.arguments(True))
        self.artifact = artifact
        self._executables[device] = executable

    def _artifact(self) -> bytes:
        return self.artifact

    def _ranges(self) -> list[tuple[int, int, int, str]]:
        return next(iter(self._executables.values())).ranges()

    def __repr__(self) -> str:
        return f"<winnow.LoadedFFN on {self.target}: {self.signature}>"


class _Workspace:
    """Device memory of one stream. What it outgrows is kept too, since enqueued work and captured graphs may use it; by
    doubling, that is at most as much again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.address = 0
        self.bytes = 0
        self._pieces: list[Any] = []

    def grow(self, needed: int, like: Any, device: int, stream: int) -> None:
        if needed <= self.bytes:
            return
        size = max(needed, 2 * self.bytes)
        piece = allocate_like(like, (size + WORKSPACE_ALIGNMENT,), "uint8", device, stream)
        start = view(piece, "workspace").address
        self._pieces.append(piece)
        self.address = -(-start // WORKSPACE_ALIGNMENT) * WORKSPACE_ALIGNMENT
        self.bytes = size


def _bytes_of(v: View) -> int:
    size = {"float32": 4, "int32": 4, "bfloat16": 2, "float16": 2}.get(v.element, 1)
    for extent in v.shape:
        size *= extent
    return size


def _text_of(arguments: tuple[Argument, ...]) -> str:
    texts = []
    for argument in arguments:
        shape = ", ".join("tokens" if extent < 0 else str(extent) for extent in argument.shape)
        texts.append(f"{argument.name} {argument.element}({shape})")
    return ", ".join(texts)
