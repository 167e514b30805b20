"""FFNs as functions of JAX arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._call import Argument, bind
from .._compiled import CompiledFFN, OnDiagnostic, lower
from ._primitive import bind_program, cuda_target
from ._program import Program


def compile(
    spec: Any,
    entry: str | None = None,
    tokens: int | None = None,
    *,
    on_diagnostic: OnDiagnostic | None = None,
) -> FFN:
    """A function of JAX arrays that computes an FFN.

    Reads and checks the FFN. Kernels are compiled, once in the process, when JAX lowers a call for CUDA devices; on the
    CPU it is evaluated by the reference, which is slow.

    spec: MLIR text (for example of :func:`winnow.ffn`), the path of a file of it, or an ``mlir.ir.Module``.
    entry: function to compile; by default the one called forward, or the only one.
    tokens: token count to decide for. The function takes any.
    on_diagnostic: called for every diagnostic while the FFN is read; what it raises ends the compilation.

    Raises :class:`winnow.Error`, with every diagnostic in its text.
    """
    return FFN(Program(lower(spec, "cpu", entry, tokens, on_diagnostic=on_diagnostic), tokens))


class FFN:
    """An FFN as a function of JAX arrays; made by :func:`winnow.jax.compile`. Use it as any function of them: within
    ``jit``, ``vmap``, ``lax.scan``, ``shard_map``. It is not differentiable.

    Instances are equal when they compute the same by the same build of Winnow, and can be pickled.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self.__name__ = program.entry  # what jit calls it, in profiles too

    @property
    def inputs(self) -> tuple[Argument, ...]:
        """What it takes; extent -1 is the token count."""
        return self._program.inputs

    @property
    def outputs(self) -> tuple[Argument, ...]:
        """What it gives; extent -1 is the token count."""
        return self._program.outputs

    @property
    def signature(self) -> str:
        """What it takes and gives, in a line."""
        return self._program.reference.signature

    def compiled(self, target: str = "sm_90a") -> CompiledFFN:
        """The same FFN as :func:`winnow.compile` gives it, for looking at decisions, code and kernels."""
        return self._program.compiled(target)

    def preload(self, platform: str) -> None:
        """Makes the FFN known to programs that another process has traced: exported and serialised ones name it, and
        hold neither its text nor its kernels.

        platform: "cpu" or "cuda", for which kernels are compiled.
        """
        if platform == "cpu":
            self._program.prepare_cpu()
        elif platform == "cuda":
            self._program.prepare_cuda(cuda_target())
        else:
            raise ValueError(f"platform: expected cpu or cuda, got {platform!r}")

    def random_inputs(self, tokens: int = 1, seed: int = 0) -> tuple[jax.Array, ...]:
        """Realistic inputs, the same for the same seed on every machine."""
        return tuple(jnp.asarray(array) for array in self._program.reference.random_inputs(tokens, seed))

    def __call__(self, *arrays: Any, **named: Any) -> Any:
        """The result, or a tuple of them.

        Arrays are given in the order of `inputs`, or by name, and have exactly the element types there. An input whose
        rows are tokens, of shape (tokens, …), is taken with any leading axes instead, (…, features) for x; all such
        inputs have the same ones, and the results have them too. The tokens of the call are all of them together.

        Raises TypeError and ValueError for arrays that do not fit, and :class:`winnow.Error` where the kernels cannot
        be compiled.
        """
        bound = bind(self.inputs, arrays, named)
        values = [_as_array(array, argument) for array, argument in zip(bound, self.inputs, strict=True)]
        leading = self._leading(values)
        if leading is None:
            results = bind_program(self._program, values)
        else:
            flat = [_with_rows(value, a, (math.prod(leading),)) for value, a in zip(values, self.inputs)]
            results = bind_program(self._program, flat)
            results = [_with_rows(result, a, leading) for result, a in zip(results, self.outputs)]
        return results[0] if len(results) == 1 else tuple(results)

    def _leading(self, values: Sequence[jax.Array]) -> tuple[int, ...] | None:
        """The axes that stand for tokens, the same in every input that has them; None where they are as in the
        signature, or no input has tokens as rows."""
        leading: tuple[int, ...] | None = None
        first = ""
        for value, argument in zip(values, self.inputs):
            if argument.token_axes != (0,):
                continue
            rank = value.ndim - len(argument.shape) + 1
            if rank < 0 or value.shape[rank:] != argument.shape[1:]:
                features = "".join(f", {extent}" for extent in argument.shape[1:])
                raise ValueError(f"{argument.name}: expected shape (…{features}), got {value.shape}")
            if leading is None:
                leading, first = value.shape[:rank], argument.name
            elif value.shape[:rank] != leading:
                raise ValueError(
                    f"{argument.name}: expected leading axes {leading}, as {first} has, got shape {value.shape}"
                )
        return leading if leading is None or len(leading) != 1 else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FFN) and other._program == self._program

    def __hash__(self) -> int:
        return hash(self._program)

    def __reduce__(self) -> tuple[Any, ...]:
        return compile, (self._program.text, self._program.entry, self._program.tokens)

    def __repr__(self) -> str:
        return f"<winnow.jax.FFN @{self._program.entry}: {self.signature}>"


def _with_rows(array: jax.Array, argument: Argument, axes: tuple[int, ...]) -> jax.Array:
    """The array with `axes` in place of its rows, if these are tokens."""
    return array.reshape(*axes, *argument.shape[1:]) if argument.token_axes == (0,) else array


def _as_array(array: Any, argument: Argument) -> jax.Array:
    if not hasattr(array, "dtype") or not hasattr(array, "shape"):
        raise TypeError(f"{argument.name}: expected an array, got {type(array).__name__}")
    element = str(getattr(array.dtype, "name", array.dtype))
    if element != argument.element:
        raise TypeError(f"{argument.name}: expected {argument.element}, got {element}")
    return jnp.asarray(array)
