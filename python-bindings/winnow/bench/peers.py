"""What else computes the FFN: torch's FP8 products with a compiled middle, and cuSPARSELt. Needs torch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from . import record
from .candidates import Candidate, Check, LeftOut, first_line
from .workload import (
    FORWARD_BOUND,
    PRODUCT_BOUND,
    Activations,
    Workload,
    keep_two_of_four_codes,
    product,
    quantize_by,
    quantize_rows,
    relu2,
)


def scaled_product(
    codes: torch.Tensor, scale: torch.Tensor, weight: torch.Tensor, weight_scale: torch.Tensor
) -> torch.Tensor:
    """codes · weightᵀ by torch, bf16, with fast accumulation. Scales are of rows, or of rank 0."""
    if weight_scale.dim() == 1:
        weight_scale = weight_scale[None, :]
    return torch._scaled_mm(codes, weight.t(), scale, weight_scale, out_dtype=torch.bfloat16, use_fast_accum=True)


def middle(y1: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """relu², quantised by row."""
    return quantize_rows(relu2(y1))


def middle_by(y1: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """relu², quantised with a given scale."""
    return quantize_by(relu2(y1), scale)[0]


class RowKernels:
    """The row kernels of the dense chain. torch.compile compiles them once, with dynamic shapes, for all cases."""

    def __init__(self, compiled: bool) -> None:
        self.compiled = compiled
        wrap: Callable[..., Any] = functools.partial(torch.compile, dynamic=True) if compiled else lambda f: f
        if compiled:
            # One token, and arrays of more than 2^31 elements, are compiled by themselves.
            torch._dynamo.config.recompile_limit = 64
        self.quantize, self.middle, self.middle_by = wrap(quantize_rows), wrap(middle), wrap(middle_by)

    def warm_up(self, rows: int, d_model: int, d_ffn: int, device: str) -> None:
        """Compiles what calls with `rows` tokens need, which takes tens of seconds the first time. The sizes are hints:
        what is compiled takes others too."""
        y1 = torch.zeros(rows, d_ffn, dtype=torch.bfloat16, device=device)
        self.quantize(torch.zeros(rows, d_model, dtype=torch.bfloat16, device=device))
        self.middle(y1)
        self.middle_by(y1, torch.ones((), device=device))


def activations(work: Workload) -> Activations:
    """What the single products and row kernels are timed on."""
    first = work.weights[0]
    return Activations(scaled_product(work.xq, work.xs, first.w1, first.s1))


def dense_candidates(work: Workload, given: Activations, rows: RowKernels) -> list[Candidate]:
    """torch's products, row-wise and tensor-wise, its row kernels, and whole forwards of them."""
    case, first = work.case, work.weights[0]
    one = torch.ones((), device=work.x.device)
    results: dict[str, Any] = {}

    def keep(name: str, value: Any) -> Any:
        # Results live until their successors do, as in a model.
        results[name] = value
        return value

    y1, yq, ys = given.y1, given.yq, given.ys
    sampled = work.rows

    def row_wise(number: int) -> Callable[[int], Any]:
        if number == 1:
            return lambda i: keep("1", scaled_product(work.xq, work.xs, work.weights[i].w1, work.weights[i].s1))
        return lambda i: keep("2", scaled_product(yq, ys, work.weights[i].w2, work.weights[i].s2))

    def tensor_wise(number: int) -> Callable[[int], Any]:
        if number == 1:
            return lambda i: keep("1t", scaled_product(work.xq, one, work.weights[i].w1, one))
        return lambda i: keep("2t", scaled_product(yq, one, work.weights[i].w2, one))

    def forward(i: int) -> Any:
        w = work.weights[i]
        a, sa = rows.quantize(work.x)
        b, sb = rows.middle(scaled_product(a, sa, w.w1, w.s1))
        return keep("f", scaled_product(b, sb, w.w2, w.s2))

    rowwise_scale = work.y2_scale.expand(case.tokens, 1).contiguous()

    def forward_static(i: int) -> Any:
        w = work.weights[i]
        a, sa = rows.quantize(work.x)
        b = rows.middle_by(scaled_product(a, sa, w.w1, w.s1), work.y2_scale)
        return keep("s", scaled_product(b, rowwise_scale, w.w2, w.s2))

    def check(name: str, expected: Callable[[], torch.Tensor], bound: float) -> Check:
        return Check(lambda: results[name][sampled], expected, bound)

    ones = torch.ones(case.d_ffn, device=work.x.device), torch.ones(case.d_model, device=work.x.device)
    unit = torch.ones(len(sampled), 1, device=work.x.device)
    flops = case.flops
    return [
        Candidate(record.QUANTIZE, record.TORCH, lambda i: keep("q", rows.quantize(work.x)), 0.0, None),
        Candidate(
            record.GEMM1,
            record.TORCH,
            row_wise(1),
            flops,
            check("1", lambda: product(work.xq[sampled], work.xs[sampled], first.w1, first.s1), PRODUCT_BOUND),
        ),
        Candidate(
            record.GEMM1,
            record.TENSOR_WISE,
            tensor_wise(1),
            flops,
            check("1t", lambda: product(work.xq[sampled], unit, first.w1, ones[0]), PRODUCT_BOUND),
        ),
        Candidate(record.MIDDLE, record.TORCH, lambda i: keep("m", rows.middle(y1)), 0.0, None),
        Candidate(
            record.GEMM2,
            record.TORCH,
            row_wise(2),
            flops,
            check("2", lambda: product(yq[sampled], ys[sampled], first.w2, first.s2), PRODUCT_BOUND),
        ),
        Candidate(
            record.GEMM2,
            record.TENSOR_WISE,
            tensor_wise(2),
            flops,
            check("2t", lambda: product(yq[sampled], unit, first.w2, ones[1]), PRODUCT_BOUND),
        ),
        Candidate(
            record.DYNAMIC,
            record.TORCH,
            forward,
            2 * flops,
            check("f", lambda: work.reference(False, False), FORWARD_BOUND),
        ),
        Candidate(
            record.STATIC,
            record.TORCH,
            forward_static,
            2 * flops,
            check("s", lambda: work.reference(False, True), FORWARD_BOUND),
        ),
    ]


def sparse_candidates(work: Workload, given: Activations) -> tuple[list[Candidate], list[LeftOut]]:
    """GEMM 2 by cuSPARSELt, with the algorithm that its search finds. It applies no scales per row or column."""
    try:
        return [_cusparselt(work, given)], []
    except (RuntimeError, AttributeError, NotImplementedError, TypeError) as error:
        return [], [LeftOut(record.GEMM2, record.CUSPARSELT, first_line(error))]


def _cusparselt(work: Workload, given: Activations) -> Candidate:
    kept = keep_two_of_four_codes(given.yq)
    compressed = torch._cslt_compress(kept)
    best = _search(compressed, work.weights[0].w2.t())
    result: list[torch.Tensor] = []

    def call(i: int) -> object:
        result[:] = [torch._cslt_sparse_mm(compressed, work.weights[i].w2.t(), out_dtype=torch.bfloat16, **best)]
        return result[0]

    rows = work.rows
    few = kept[rows].clone()

    def expected() -> torch.Tensor:
        unit = torch.ones(len(rows), 1, device=few.device)
        return product(few, unit, work.weights[0].w2, torch.ones(work.case.d_model, device=few.device))

    check = Check(lambda: result[0][rows], expected, PRODUCT_BOUND)
    return Candidate(record.GEMM2, record.CUSPARSELT, call, work.case.flops, check)


def _search(compressed: torch.Tensor, dense: torch.Tensor) -> dict[str, Any]:
    """The fastest algorithm, as keywords of torch._cslt_sparse_mm. Which search torch offers depends on its version."""
    search = getattr(getattr(torch._C, "_cusparselt", None), "mm_search", None)
    if search is not None:
        found = search(compressed, dense, None, None, torch.bfloat16, False)
        return dict(zip(("alg_id", "split_k", "split_k_mode"), map(int, found[:3])))
    return {"alg_id": int(torch._cslt_sparse_mm_search(compressed, dense, out_dtype=torch.bfloat16))}
