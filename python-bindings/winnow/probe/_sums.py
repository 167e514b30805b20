"""Running sums over activations, kept on the device of the tensors: what a 2:4 selection of them would drop.

The selection is that of ``ffn.sparsify`` (docs/ffn-spec.md): of every four consecutive elements the two of largest
magnitude stay, NaN above infinity above every finite number, and a last, incomplete group is completed with zeros.
Which of two equals stays changes neither the number nor the magnitude of what is dropped.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor
from torch.nn import functional as F

# Rows are taken in pieces of about so many elements: in the cache of a CPU; on a GPU few launches, for half a gigabyte.
_PIECES = {"cpu": 1 << 20}
_PIECE = 1 << 23


@dataclasses.dataclass
class Sums:
    """Of every row of activations seen so far, as tensors on one device.

    feature_nonzeros: int64 (features,). NaN and infinity are not zero; -0.0 is.
    energy: float64, sum of the squares of all finite elements.
    nonfinite: int64, number of NaNs and infinities.
    dropped_nonzeros, dropped_energy: int64 and float64, each (2,): what the selection would drop along features
        (groups of one token) and along tokens (groups of one feature). Only finite elements have energy.
    tokens: number of rows. calls: how often rows came; groups along tokens do not reach from one call into the next.
    """

    feature_nonzeros: Tensor
    energy: Tensor
    nonfinite: Tensor
    dropped_nonzeros: Tensor
    dropped_energy: Tensor
    tokens: int = 0
    calls: int = 0

    @classmethod
    def zero(cls, features: int, device: torch.device) -> Sums:
        def zeros(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
            return torch.zeros(shape, dtype=dtype, device=device)

        return cls(
            feature_nonzeros=zeros((features,), torch.int64),
            energy=zeros((), torch.float64),
            nonfinite=zeros((), torch.int64),
            dropped_nonzeros=zeros((2,), torch.int64),
            dropped_energy=zeros((2,), torch.float64),
        )

    def add(self, rows: Tensor) -> None:
        """Adds the activations of one call, (tokens, features) of a floating-point type. Waits for nothing."""
        self.tokens += rows.shape[0]
        self.calls += 1
        piece = _PIECES.get(rows.device.type, _PIECE)
        step = max(4, piece // max(1, rows.shape[1]) // 4 * 4)  # no group lies in two pieces
        for start in range(0, rows.shape[0], step):
            self._add_piece(rows[start : start + step])

    def _add_piece(self, rows: Tensor) -> None:
        magnitudes = rows.abs().float()  # a copy: what follows changes it
        finite = magnitudes < torch.inf
        nonzero = (rows != 0).view(torch.uint8)
        self.feature_nonzeros += nonzero.sum(0, dtype=torch.int32)
        self.nonfinite += finite.numel() - finite.sum()
        # Relative to the largest one, so that no square overflows and none that matters underflows.
        magnitudes.masked_fill_(~finite, 0.0)
        largest = magnitudes.max()
        unit = torch.where(largest > 0, largest, 1.0)
        magnitudes /= unit
        self.energy += _energy(magnitudes, unit)
        magnitudes.masked_fill_(~finite, torch.inf)
        for axis, dim in enumerate((1, 0)):
            first, second, third, fourth = _quarters(nonzero, dim)
            count = first + second + third + fourth
            self.dropped_nonzeros[axis] += count.clamp_(min=2).sub_(2).sum(dtype=torch.int32)
            for dropped in _two_smallest(*_quarters(magnitudes, dim)):
                self.dropped_energy[axis] += _energy(dropped.masked_fill_(dropped.isinf(), 0.0), unit)


def _energy(magnitudes: Tensor, unit: Tensor) -> Tensor:
    """Sum of squares of numbers that are given in units of their maximum; f64, to about 1e-6 of itself."""
    return magnitudes.square().sum().double() * unit.double().square()


def _quarters(rows: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """First, second, third and fourth elements of all groups of four along `dim`, completed with zeros."""
    missing = -rows.shape[dim] % 4
    if missing:
        rows = F.pad(rows, (0, missing) if dim == 1 else (0, 0, 0, missing))
    first, second, third, fourth = rows.unflatten(dim, (-1, 4)).unbind(dim + 1)
    return first, second, third, fourth


def _two_smallest(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    low2, high2 = torch.minimum(c, d), torch.maximum(c, d)
    return torch.minimum(low, low2), torch.minimum(torch.maximum(low, low2), torch.minimum(high, high2))
