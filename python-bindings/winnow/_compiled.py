"""Compilation, and what comes out of it: a callable that can be looked at."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from . import _winnow
from ._arrays import View, empty_host, views_of
from ._call import check_outputs, result_shapes
from ._device import DeviceFFN
from ._explain import Explanation
from ._files import write_whole

_LEVELS = {"spec": 0, "ffn": 1, "kern": 2}

OnDiagnostic = Callable[[_winnow.Diagnostic], object]


class Kernel(NamedTuple):
    """One kernel in every form that it takes."""

    name: str
    cuda: str
    ptx: str
    cubin: bytes


def compile(
    spec: Any,
    target: str = "auto",
    entry: str | None = None,
    tokens: int | None = None,
    *,
    use_cache: bool = True,
    tuning: str | os.PathLike[str] | None = None,
    on_diagnostic: OnDiagnostic | None = None,
) -> CompiledFFN:
    """Compiles an FFN.

    spec: MLIR text (for example of :func:`winnow.ffn`), the path of a file of it, or an ``mlir.ir.Module``.
    target: a chip ("sm_90a"), "cpu" for the reference, or "auto": the chip of the first CUDA device, or "cpu" without
        one.
    entry: function to compile; by default the one called forward, or the only one.
    tokens: token count to decide for; the result takes any. Without, there are kernels for every range of token counts
        (``token_ranges``), and what is shown (``cuda``, ``kernels``, ``remarks``) is of those for 8192.
    tuning: path of a database of schedules that ``winnow tune`` has written, asked before the one that Winnow comes
        with; "none": neither; by default the latter alone.
    on_diagnostic: called for every diagnostic; what it raises ends the compilation.

    Raises :class:`winnow.Error`, with every diagnostic in its text.
    """
    compiled = lower(spec, target, entry, tokens, tuning=tuning, on_diagnostic=on_diagnostic)
    if compiled.target != "cpu":
        compiled._compile(use_cache)
    return compiled


def lower(
    spec: Any,
    target: str = "auto",
    entry: str | None = None,
    tokens: int | None = None,
    *,
    tuning: str | os.PathLike[str] | None = None,
    on_diagnostic: OnDiagnostic | None = None,
) -> CompiledFFN:
    """As :func:`compile`, but kernels are compiled only when they are needed: decisions, intermediate forms and CUDA
    C++ can be looked at without NVRTC."""
    text, name = _text_of(spec)
    if tokens is not None and (isinstance(tokens, bool) or not isinstance(tokens, int)):
        raise TypeError(f"tokens: expected an int, got {type(tokens).__name__}")
    if tokens is not None and not 1 <= tokens < 2**31:
        raise ValueError(f"tokens: expected a count from 1 to 2147483647, got {tokens}")
    if target == "auto":
        target = _detect_target()
    database = os.fsdecode(tuning) if tuning is not None else ""
    return CompiledFFN(_winnow.Module(text, name), target, entry or "", tokens or 0, database, on_diagnostic)


def _text_of(spec: Any) -> tuple[bytes, str]:
    if isinstance(spec, str):
        return spec.encode(), "<text>"
    if isinstance(spec, bytes):
        return spec, "<text>"
    if isinstance(spec, os.PathLike):
        with open(spec, "rb") as file:
            return file.read(), os.fsdecode(spec)
    if hasattr(spec, "operation"):  # mlir.ir.Module
        return str(spec).encode(), "<module>"
    raise TypeError(f"spec: expected MLIR text, a path or an MLIR module, got {type(spec).__name__}")


def _detect_target() -> str:
    try:
        if _winnow.device_count() == 0:
            return "cpu"
        target = _winnow.device_target(0)
    except _winnow.Error:  # no driver
        return "cpu"
    if target != "sm_90a":
        warnings.warn(
            f"CUDA device 0 is {target}, for which there are no kernels yet; using the CPU reference", stacklevel=4
        )
        return "cpu"
    return target


class CompiledFFN(DeviceFFN):
    """A compiled feed-forward network: call it, or look at what the compiler made of it.

    For the target "cpu" it evaluates the reference, which takes arrays in host memory and copies them. May be used by
    several threads at once.
    """

    def __init__(
        self,
        module: _winnow.Module,
        target: str,
        entry: str,
        tokens: int,
        tuning: str = "",
        on_diagnostic: OnDiagnostic | None = None,
    ) -> None:
        function = module.find_function(entry)
        name, inputs, outputs = module.functions()[function]
        super().__init__(target, inputs, outputs)
        # Whether each row of the results depends on one token alone, so that calls may be split and merged.
        self.token_wise: bool = module.is_token_wise(function)
        self.entry: str = name
        self._options = (target, name, tokens, tuning)
        self._on_diagnostic = on_diagnostic
        self._modules = {0: module}
        self._texts: dict[int, str] = {}
        self._decided: dict[int, _winnow.Module] = {}  # level ffn, by the token count decided for
        self._remarks: list[_winnow.Remark] = []
        self._told: set[str] = set()  # diagnostics of lowering, which compiling repeats
        self._source: _winnow.Program | None = None
        self._program: _winnow.Program | None = None
        self._tell(module)

    def __repr__(self) -> str:
        return f"<winnow.CompiledFFN @{self.entry} for {self.target}: {self.signature}>"

    # What the compiler made of it.

    def ir(self, level: str = "ffn") -> str:
        """MLIR text: "spec" as written, "ffn" with every operation in its kernel, "kern" with schedules and buffers."""
        if level not in _LEVELS:
            raise ValueError(f"level: expected one of {', '.join(_LEVELS)}, got {level!r}")
        with self._lock:
            number = _LEVELS[level]
            if number not in self._texts:
                self._texts[number] = self._module(number).print()
            return self._texts[number]

    @property
    def remarks(self) -> list[_winnow.Remark]:
        """Every decision, with its reason."""
        with self._lock:
            self._module(1 if self.target == "cpu" else 2)
            return list(self._remarks)

    def explain(self) -> Explanation:
        """What was decided and why: a table in a terminal, and in a notebook."""
        return Explanation(f"@{self.entry} for {self.target}", self.remarks)

    @property
    def cuda(self) -> str:
        """CUDA C++ of all kernels."""
        with self._lock:
            program = self._program or self._source
            if program is None:
                program = self._source = self._module(2).emit_cuda(*self._options)
            return "\n".join(source for _, source, _, _ in program.images())

    @property
    def ptx(self) -> str:
        """PTX of all kernels."""
        return "\n".join(kernel.ptx for kernel in self.kernels.values())

    @property
    def kernels(self) -> dict[str, Kernel]:
        """Every kernel by name, in the order of launches."""
        return {image[0]: Kernel(*image) for image in self._compile().images()}

    @property
    def artifact(self) -> bytes:
        """The bytes of a .wnw file, which the runtime loads without the compiler."""
        return self._compile().artifact()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the artifact, whole or not at all."""
        write_whole(path, self.artifact)

    # Running it.

    def __call__(self, *arrays: Any, out: Any = None, stream: Any = None, workspace: Any = None, **named: Any) -> Any:
        if self.target != "cpu":
            return self._call(arrays, named, out, stream, workspace)
        if stream is not None or workspace is not None:
            raise ValueError("the CPU reference takes neither a stream nor a workspace")
        _, views, tokens = self._take(arrays, named, "cpu", self.target)
        return self._run_host(self._modules[0], views, tokens, out)

    def reference(self, *arrays: Any, level: str = "spec", **named: Any) -> Any:
        """What the CPU reference says of arrays in host memory: of the spec as written, or of level "ffn", where the
        compiler has chosen 2:4 layouts (which is what a GPU computes). Once there are kernels for ranges of token
        counts, the level is that of the range of these arrays."""
        if level not in ("spec", "ffn"):
            raise ValueError(f"level: expected spec or ffn, got {level!r}")
        _, views, tokens = self._take(arrays, named, "cpu", "the reference")
        with self._lock:
            module = self._module(0) if level == "spec" else self._decided_for(tokens)
        return self._run_host(module, views, tokens, None)

    def random_inputs(self, tokens: int = 1, seed: int = 0) -> tuple[Any, ...]:
        """Realistic numpy arrays for the inputs, the same for the same seed on every machine."""
        if not 1 <= tokens < 2**31:
            raise ValueError(f"tokens: expected a count from 1 to 2147483647, got {tokens}")
        arrays = tuple(
            empty_host(shape, a.element) for shape, a in zip(result_shapes(self.inputs, tokens), self.inputs)
        )
        handed = [(array.ctypes.data, a.element, list(array.shape)) for array, a in zip(arrays, self.inputs)]
        self._modules[0].random_inputs(self.entry, seed, handed)
        return arrays

    # Below: how.

    def _artifact(self) -> bytes:
        return self.artifact

    def _ranges(self) -> list[tuple[int, int, int, str]]:
        return self._compile().ranges()

    def _tell(self, module: _winnow.Module) -> None:
        known = {_fields(remark) for remark in self._remarks}
        self._remarks += [remark for remark in module.take_remarks() if _fields(remark) not in known]
        for diagnostic in module.take_diagnostics():
            if diagnostic.severity != "error" and repr(diagnostic) in self._told:
                continue
            self._told.add(repr(diagnostic))
            if self._on_diagnostic is not None:
                self._on_diagnostic(diagnostic)
            elif diagnostic.severity == "warning":
                warnings.warn(repr(diagnostic), stacklevel=4)

    def _module(self, level: int) -> _winnow.Module:
        """The module at a level; lowered once. The caller holds the lock."""
        if level not in self._modules:
            module = self._module(level - 1).clone()
            try:
                module.lower(level, *self._options)
            finally:
                self._tell(module)
            self._modules[level] = module
        return self._modules[level]

    def _decided_for(self, tokens: int) -> _winnow.Module:
        """Level "ffn" as it is in the kernels for `tokens`. The caller holds the lock."""
        ranges = self._program.ranges() if self._program is not None else []
        decided = next((count for first, last, count, _ in ranges if first <= tokens <= last), 0)
        if len(ranges) < 2 or decided == 0:
            return self._module(1)
        if decided not in self._decided:
            target, entry, _, tuning = self._options
            module = self._modules[0].clone()
            try:
                module.lower(1, target, entry, decided, tuning)
            finally:
                module.take_remarks()  # those of another token count than the one that is shown
                self._tell(module)
            self._decided[decided] = module
        return self._decided[decided]

    def _compile(self, use_cache: bool = True) -> _winnow.Program:
        with self._lock:
            if self._program is None:
                self._module(2)  # decides for one token count, told step by step; the program has that and others
                module = self._modules[0]
                try:
                    self._program = module.compile(*self._options, use_cache)
                finally:
                    self._tell(module)
            return self._program

    def _run_host(self, module: _winnow.Module, views: list[View], tokens: int, out: Any) -> Any:
        if out is None:
            shapes = result_shapes(self.outputs, tokens)
            results = [empty_host(shape, a.element) for shape, a in zip(shapes, self.outputs)]
            outputs = views_of(results, self.outputs)
        else:
            results, outputs = check_outputs(self.outputs, out, tokens, "cpu", 0)
        module.interpret(self.entry, [_handed(v) for v in views], [_handed(v) for v in outputs])
        return results[0] if len(results) == 1 else tuple(results)


def _fields(remark: _winnow.Remark) -> tuple[str, ...]:
    r = remark
    return r.kind, r.pass_name, r.name, r.function, r.location, r.facts, r.message


def _handed(v: View) -> tuple[int, str, list[int]]:
    return v.address, v.element, list(v.shape)
