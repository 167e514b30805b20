"""The data of a case, and what its results should be. Needs torch; any device will do."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from .grid import Case
from .stats import bias_for_density

F8 = torch.float8_e4m3fn
_LARGEST = 448.0  # of F8
_CHUNK = 2048  # rows of a weight or of activations that are handled at a time
_SAMPLED_ROWS = 32
# Relative errors (Frobenius norms over sampled rows) above which a result is wrong.
#
# A product: results are rounded to bf16 (1.7e-3), and the tensor core keeps about 14 bits of a running f8 sum, which
# adds 1.5e-4 * sqrt(steps of 32) (docs/benchmarks.md, "Accuracy"): 7.4e-3 for the longest sum, K = 73728.
PRODUCT_BOUND = 1e-2
# A forward: an error of the first product of up to 3.9e-3 (K = 18432) doubles in the square, and where a value crosses
# a rounding boundary of e4m3 its code moves by a whole step of 1/16 to 1/8. With steps of s on average and errors of e,
# e / s of the values move: sqrt(e / s) * s = sqrt(e * s) = 2.7e-2 for e = 7.8e-3 and s = 0.094.
FORWARD_BOUND = 4e-2


class Weights:
    """A quantised FFN: w1 (d_ffn, d_model) and w2 (d_model, d_ffn) with a float32 scale per row."""

    def __init__(self, w1: torch.Tensor, s1: torch.Tensor, w2: torch.Tensor, s2: torch.Tensor) -> None:
        self.w1, self.s1, self.w2, self.s2 = w1, s1, w2, s2

    def clone(self) -> Weights:
        return Weights(self.w1.clone(), self.s1.clone(), self.w2.clone(), self.s2.clone())


class Workload:
    """Random inputs of a case. The first feature of x is 1, so that the first column of w1 is a bias, with which relu²
    leaves the wanted share of the activations.

    Holds x (tokens, d_model) in bf16, xq and xs (x quantised by row), `weights` (as many copies as take turns),
    y2_scale (a scale for the whole of relu²), `rows` (the sampled rows), and of these rows `density` (share of the
    activations that are not zero) and `kept_energy` (share of their squares that 2:4 keeps).
    """

    def __init__(self, case: Case, device: str, seed: int) -> None:
        self.case = case
        generator = torch.Generator(device).manual_seed(seed)
        bias = bias_for_density(case.density / 100.0)
        w1, s1 = _random_weight(case.d_ffn, case.d_model, bias, device, generator)
        w2, s2 = _random_weight(case.d_model, case.d_ffn, None, device, generator)
        first = Weights(w1, s1, w2, s2)
        self.weights = [first, *(first.clone() for _ in range(case.copies - 1))]
        self.x = torch.randn(case.tokens, case.d_model, generator=generator, device=device).bfloat16()
        self.x[:, 0] = 1.0
        self.rows = torch.randperm(case.tokens, generator=generator, device=device)[:_SAMPLED_ROWS]
        self.xq, self.xs = quantize_rows(self.x)
        y1 = product(self.xq[self.rows], self.xs[self.rows], w1, s1)
        # With a scale beyond what the sampled rows hold, hardly any value of the others saturates.
        self.y2_scale = (relu2(y1).amax() * 1.25 / _LARGEST).reshape(())
        self._references: dict[tuple[bool, bool], torch.Tensor] = {}
        self.density = (y1 > 0).float().mean().item()
        y2 = relu2(y1)
        self.kept_energy = (keep_two_of_four(y2).square().sum() / y2.square().sum()).item()

    def reference(self, sparse: bool, given_scale: bool) -> torch.Tensor:
        """The forward of the sampled rows in f32, with quantised operands as the spec has them; 2:4 if `sparse`."""
        key = sparse, given_scale
        if key not in self._references:
            weights = self.weights[0]
            y1 = product(self.xq[self.rows], self.xs[self.rows], weights.w1, weights.s1)
            y2 = relu2(y1)
            if sparse:
                y2 = keep_two_of_four(y2)
            codes, scale = quantize_by(y2, self.y2_scale) if given_scale else quantize_rows(y2)
            self._references[key] = product(codes, scale, weights.w2, weights.s2)
        return self._references[key]


def relative_error(result: torch.Tensor, expected: torch.Tensor) -> float:
    """Frobenius norm of the difference over that of `expected`; infinite where the result is not finite."""
    difference = result.float() - expected.float()
    error = (difference.norm() / expected.float().norm()).item()
    return error if math.isfinite(error) else math.inf


def quantize_rows(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """f8 codes and the scale of each row, (rows, 1), as ffn.quantize has them."""
    amax = x.float().abs().amax(dim=1, keepdim=True)
    scale = torch.where(amax == 0, torch.ones_like(amax), (amax / _LARGEST).clamp(min=2.0**-126))
    return (x.float() * (1.0 / scale)).clamp(-_LARGEST, _LARGEST).to(F8), scale


def quantize_by(x: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """f8 codes with a scale of rank 0, and that scale for each row, (rows, 1)."""
    codes = (x.float() * (1.0 / scale)).clamp(-_LARGEST, _LARGEST).to(F8)
    return codes, scale.expand(x.shape[0], 1)


def relu2(y1: torch.Tensor) -> torch.Tensor:
    return torch.relu(y1.float()).square()


def keep_two_of_four(values: torch.Tensor) -> torch.Tensor:
    """`values`, of which none is negative, with only the two largest of every four along the rows; among equals the one
    of lower index comes first."""
    lanes = values.view(values.shape[0], -1, 4).unbind(2)
    ahead = [torch.zeros(lanes[0].shape, dtype=torch.uint8, device=values.device) for _ in lanes]
    for i in range(4):
        for j in range(i + 1, 4):
            first = lanes[i] >= lanes[j]
            ahead[j] += first
            ahead[i] += ~first
    kept = [torch.where(count < 2, lane, torch.zeros_like(lane)) for count, lane in zip(ahead, lanes)]
    return torch.stack(kept, dim=2).view(values.shape)


def keep_two_of_four_codes(codes: torch.Tensor) -> torch.Tensor:
    """The same of f8 codes that are not negative, whose bytes are in the order of their values."""
    raw = codes.view(torch.uint8)
    return torch.cat([keep_two_of_four(part) for part in raw.split(_CHUNK)]).view(F8)


class Activations:
    """What GEMM 2 and the row kernels read: y1 (bf16), and its relu² quantised by row, yq and ys."""

    def __init__(self, y1: torch.Tensor) -> None:
        self.y1 = y1
        parts = [quantize_rows(relu2(part)) for part in y1.split(_CHUNK)]
        self.yq = torch.cat([codes for codes, _ in parts])
        self.ys = torch.cat([scale for _, scale in parts])


def product(codes: torch.Tensor, scale: torch.Tensor, weight: torch.Tensor, weight_scale: torch.Tensor) -> torch.Tensor:
    """codes · weightᵀ with scales per row of both, summed in f32 (TF32 is off by default), rounded to bf16."""
    left = codes.float()
    parts = [left @ part.float().t() for part in weight.split(_CHUNK)]
    return (torch.cat(parts, dim=1) * scale * weight_scale[None, :]).bfloat16()


def _random_weight(
    rows: int, columns: int, bias: float | None, device: str, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes and scales of normal values with variance 1 / columns, and in the first column of `bias`."""
    codes = torch.empty(rows, columns, dtype=F8, device=device)
    scales = torch.empty(rows, device=device)
    for first, count in _chunks(rows):
        values = torch.randn(count, columns, generator=generator, device=device) / columns**0.5
        if bias is not None:
            values[:, 0] = bias
        part, scale = quantize_rows(values)
        codes[first : first + count] = part
        scales[first : first + count] = scale[:, 0]
    return codes, scales


def _chunks(rows: int) -> Iterator[tuple[int, int]]:
    for first in range(0, rows, _CHUNK):
        yield first, min(_CHUNK, rows - first)
