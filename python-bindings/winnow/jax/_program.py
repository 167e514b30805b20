"""What a custom call runs, and the key by which it names that."""

from __future__ import annotations

import hashlib
import threading

from .. import _winnow
from .._call import Argument
from .._compiled import CompiledFFN
from .._compiled import compile as compile_ffn


class Program:
    """One function of a spec. Equal to every other of the same text, compiled by the same build."""

    def __init__(self, reference: CompiledFFN, tokens: int | None) -> None:
        self.reference = reference
        self.text: str = reference.ir("spec")
        self.entry = reference.entry
        self.tokens = tokens
        self.inputs: tuple[Argument, ...] = reference.inputs
        self.outputs: tuple[Argument, ...] = reference.outputs
        self.token_wise = reference.token_wise
        identity = "\0".join((_winnow.build_id(), self.entry, str(tokens), self.text))
        self.key = hashlib.sha256(identity.encode()).hexdigest()[:32]
        self._lock = threading.Lock()
        self._compiled: dict[str, CompiledFFN] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"@{self.entry}-{self.key[:8]}"

    def compiled(self, target: str) -> CompiledFFN:
        """With kernels for a chip, made once."""
        with self._lock:
            if target not in self._compiled:
                self._compiled[target] = compile_ffn(self.text, target, self.entry, self.tokens)
            return self._compiled[target]

    def workspace_bytes(self, target: str, tokens: int) -> int:
        """Bytes of device memory that a call needs beside its arguments. Needs no device."""
        return self.compiled(target)._compile().workspace_bytes(tokens)

    def prepare_cpu(self) -> str:
        """Makes calls on the CPU possible. Gives the key that they name."""
        key = f"{self.key}-cpu"
        _winnow.add_jax_program(key, self.text.encode(), self.entry)
        return key

    def prepare_cuda(self, target: str) -> str:
        """Makes calls on CUDA devices of a chip possible, kernels compiled. Gives the key that they name."""
        key = f"{self.key}-{target}"
        artifact = self.compiled(target).artifact
        _winnow.add_jax_program(key, self.text.encode(), self.entry)
        _winnow.set_jax_artifact(key, artifact)
        return key
