"""Winnow's own candidates: forwards as the compiler makes them, and their parts. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch

from .. import _winnow
from .._builder import ffn
from .._compiled import compile
from . import record
from .candidates import Candidate, Check
from .grid import Case
from .workload import FORWARD_BOUND, Workload

_ALIGNMENT = 256


class Program(NamedTuple):
    """A compiled forward."""

    artifact: bytes
    sparse: bool  # whether GEMM 2 reads a 2:4 operand


class Key(NamedTuple):
    """What a forward is compiled for."""

    d_model: int
    d_ffn: int
    tokens: int
    density: float  # percent
    scale: str  # as winnow.ffn has it
    max_drop: float


def keys_of(case: Case, max_drop: float) -> dict[tuple[str, str], Key]:
    """The forwards of a case, by stage and who. With a drop of 0 the compiler may not choose 2:4."""
    shared = case.d_model, case.d_ffn, case.tokens, case.density
    return {
        (record.DYNAMIC, record.WINNOW): Key(*shared, "dynamic_row", max_drop),
        (record.STATIC, record.WINNOW): Key(*shared, "static", max_drop),
        (record.DYNAMIC, record.OWN_DENSE): Key(*shared, "dynamic_row", 0.0),
        (record.STATIC, record.OWN_DENSE): Key(*shared, "static", 0.0),
    }


def build(key: Key, target: str) -> Program:
    text = ffn(key.d_model, key.d_ffn, scale=key.scale, density=key.density / 100.0, max_drop=key.max_drop)
    compiled = compile(text, target=target, tokens=key.tokens)
    return Program(compiled.artifact, "sparse24" in compiled.ir("ffn"))


class Programs:
    """Compiles forwards ahead of their use, on several cores."""

    def __init__(self, keys: Sequence[Key], target: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="winnow-bench-compile")
        self._futures: dict[Key, Future[Program]] = {}
        for key in keys:
            if key not in self._futures:
                self._futures[key] = self._pool.submit(build, key, target)

    def get(self, key: Key) -> Program:
        """Waits for it. Raises winnow.Error if it could not be compiled."""
        return self._futures[key].result()

    def close(self) -> None:
        """Drops what has not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Forward:
    """A program bound to the data of a case."""

    def __init__(self, program: Program, work: Workload, given_scale: bool) -> None:
        tokens, device = work.case.tokens, work.x.device
        self.sparse = program.sparse
        self._executable = _winnow.Executable(program.artifact, device.index or 0)
        self._tokens = tokens
        self.result = torch.empty(tokens, work.case.d_model, dtype=torch.bfloat16, device=device)
        size = self._executable.workspace_bytes(tokens)
        self._workspace = torch.empty(size + _ALIGNMENT, dtype=torch.uint8, device=device)
        start = -(-self._workspace.data_ptr() // _ALIGNMENT) * _ALIGNMENT
        self._where = start, size
        self._addresses = []
        for weights in work.weights:
            tensors = [work.x, weights.w1, weights.s1, weights.w2, weights.s2]
            tensors += [work.y2_scale] * given_scale + [self.result]
            self._addresses.append([tensor.data_ptr() for tensor in tensors])
        self._work = work  # whose memory the addresses are of
        self.launches = self._executable.launches(tokens)

    def __call__(self, i: int) -> None:
        """Enqueues the forward on torch's current stream."""
        stream = torch.cuda.current_stream().cuda_stream
        self._executable.execute(stream, self._tokens, self._addresses[i], *self._where)

    def launch(self, indices: Sequence[int], i: int) -> None:
        """Enqueues some launches alone. They read what the last whole forward has left in the workspace."""
        stream = torch.cuda.current_stream().cuda_stream
        for index in indices:
            self._executable.execute_launch(index, stream, self._tokens, self._addresses[i], *self._where)


class Parts(NamedTuple):
    """Indices of the launches of a forward. Fills go with the kernel that follows them."""

    quantize: list[int]
    gemm1: list[int]
    middle: list[int]
    gemm2: list[int]


def parts_of(launches: Sequence[str | None]) -> Parts | None:
    """None where the kernels are not two products with row kernels before and between them."""
    products = [i for i, name in enumerate(launches) if name is not None and "gemm" in name]
    if len(products) != 2:
        return None
    first, second = (_with_fills(launches, product) for product in products)
    last_of_first = products[0]
    return Parts(
        list(range(first[0])),
        first,
        list(range(last_of_first + 1, second[0])),
        [*second, *range(products[1] + 1, len(launches))],
    )


def _with_fills(launches: Sequence[str | None], kernel: int) -> list[int]:
    begin = kernel
    while begin > 0 and launches[begin - 1] is None:
        begin -= 1
    return list(range(begin, kernel + 1))


def candidates(forward: Forward, work: Workload, stage: str, who: str) -> list[Candidate]:
    """A whole forward and, of the dynamic one, its parts; of the static one, GEMM 1 with its epilogue. Of what is
    compiled dense, whole forwards and GEMM 2."""
    given_scale = stage == record.STATIC
    check = Check(lambda: forward.result[work.rows], lambda: work.reference(forward.sparse, given_scale), FORWARD_BOUND)
    flops = work.case.flops
    found = [Candidate(stage, who, forward, 2 * flops, check)]
    parts = parts_of(forward.launches)
    if parts is None:
        return found

    def part(name: str, indices: list[int], work_of: float) -> None:
        if indices:
            found.append(Candidate(name, who, lambda i: forward.launch(indices, i), work_of, None, stage))

    if who == record.OWN_DENSE:
        if not given_scale:
            part(record.GEMM2, parts.gemm2, flops)
    elif given_scale:
        part(record.FUSED if not parts.middle else record.GEMM1, parts.gemm1, flops)
    else:
        part(record.QUANTIZE, parts.quantize, 0.0)
        part(record.GEMM1, parts.gemm1, flops)
        part(record.MIDDLE, parts.middle, 0.0)
        part(record.GEMM2, parts.gemm2, flops)
    return found
