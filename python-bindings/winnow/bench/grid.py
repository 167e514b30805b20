"""The cases that are timed: shapes, token counts, densities and modes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

MODES = ("sustained", "burst")
SHAPES = (
    (4096, 16384),
    (6144, 24576),
    (4096, 21504),
    (4480, 15680),
    (2560, 18432),
    (8192, 28672),
    (18432, 73728),
)
TOKENS = (4096, 8192, 16384, 2048, 1024, 256, 64, 16, 1)
DENSITIES = (10.0, 2.0, 5.0, 15.0, 30.0)
# Weights are rotated through at least this much memory where they are what is read: far more than any L2.
_ROTATED_BYTES = 256 << 20
_MOST_COPIES = 1024
_FEW_TOKENS = 512
# Bytes per activation that a case holds at its worst: bf16 and f8 forms for each candidate, of which most keep their
# last result, and once more while graphs are captured.
_BYTES_PER_ACTIVATION = 26
# Bytes per element of x: bf16 and f8 inputs and every candidate's result.
_BYTES_PER_INPUT = 16
_FIXED_BYTES = 1 << 30  # the contexts of torch, its libraries and their workspaces


class Case(NamedTuple):
    """One line of the table."""

    d_model: int
    d_ffn: int
    tokens: int
    density: float  # percent of the activations that are not zero
    mode: str  # one of MODES

    def __str__(self) -> str:
        return f"{self.d_model}/{self.d_ffn}, {self.tokens} tokens, {self.density:g} %, {self.mode}"

    @property
    def flops(self) -> float:
        """Of one product, zeros included."""
        return 2.0 * self.tokens * self.d_model * self.d_ffn

    @property
    def copies(self) -> int:
        """How many sets of weights take turns. More than one only for few tokens, so that none stays in L2."""
        if self.tokens > _FEW_TOKENS:
            return 1
        return min(_MOST_COPIES, max(2, -(-_ROTATED_BYTES // (self.d_model * self.d_ffn))))

    @property
    def bytes(self) -> int:
        """Device memory that timing it takes, estimated from above."""
        weights = 2 * self.d_model * self.d_ffn * (self.copies + 1)
        activations = _BYTES_PER_ACTIVATION * self.tokens * self.d_ffn
        return weights + activations + _BYTES_PER_INPUT * self.tokens * self.d_model + _FIXED_BYTES


def cases(
    shapes: Sequence[tuple[int, int]], tokens: Sequence[int], densities: Sequence[float], modes: Sequence[str]
) -> list[Case]:
    """Every combination. Where time runs out the last ones are left out: so modes and densities vary slowest and shapes
    fastest, and what comes first in each list is what matters most."""
    return [
        Case(*shape, count, density, mode)
        for mode, density, count, shape in itertools.product(modes, densities, tokens, shapes)
    ]


def parse_shapes(text: str) -> list[tuple[int, int]]:
    """ "4096/16384,8192/28672": d_model/d_ffn."""
    shapes = []
    for item in text.split(","):
        parts = item.strip().split("/")
        if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
            raise ValueError(f"expected D_MODEL/D_FFN with positive sizes, as in 4096/16384, got '{item}'")
        d_model, d_ffn = int(parts[0]), int(parts[1])
        if d_model % 16 or d_ffn % 16:
            raise ValueError(
                f"expected multiples of 16, which torch's f8 products need, got '{item}'"
            )
        shapes.append((d_model, d_ffn))
    return _distinct(shapes)


def parse_tokens(text: str) -> list[int]:
    """ "1,16,4096": token counts."""
    counts = []
    for item in text.split(","):
        if not item.strip().isdigit() or not 1 <= int(item) < 2**31:
            raise ValueError(f"expected token counts from 1 to 2147483647, got '{item}'")
        counts.append(int(item))
    return _distinct(counts)


def parse_densities(text: str) -> list[float]:
    """ "2,10": percent of the activations that are not zero."""
    densities = []
    for item in text.split(","):
        try:
            density = float(item)
        except ValueError:
            density = -1.0
        if not 0.0 < density < 100.0:
            raise ValueError(f"expected percentages between 0 and 100, got '{item}'")
        densities.append(density)
    return _distinct(densities)


def parse_modes(text: str) -> list[str]:
    """ "sustained,burst"."""
    modes = [item.strip() for item in text.split(",")]
    for mode in modes:
        if mode not in MODES:
            raise ValueError(f"expected {' or '.join(MODES)}, got '{mode}'")
    return _distinct(modes)


def _distinct(values: list) -> list:
    return list(dict.fromkeys(values))


class Budget:
    """Divides the seconds of a run over its cases."""

    def __init__(self, seconds: float | None, cases: int, most: float, least: float) -> None:
        """seconds: for all cases, or None for no limit. most, least: seconds of timing that a case gets at the most,
        and that it is not worth starting without."""
        self.seconds, self.left, self.most, self.least = seconds, cases, most, least
        self._overhead: list[float] = []  # of cases, per size

    def allot(self, elapsed: float, size: float = 1.0) -> float:
        """Seconds of timing for the next case; 0 where nothing is left to do it justice. `elapsed`: seconds since the
        run began. `size`: of the case, to which the time beside its timing is taken to be proportional."""
        if self.seconds is None:
            return self.most
        overhead = size * self._overhead_per_size()
        share = (self.seconds - elapsed) / max(1, self.left) - overhead
        if share >= self.least:
            return min(share, self.most)
        # Not all will fit: those that do get the least that is worth having.
        return self.least if elapsed + self.least + overhead <= self.seconds else 0.0

    def spend(self, overhead: float | None = None, size: float = 1.0) -> None:
        """A case of `size` is done, or was left out (None). `overhead`: seconds that it took beside its timing."""
        self.left -= 1
        if overhead is not None:
            self._overhead.append(overhead / size)

    def _overhead_per_size(self) -> float:
        recent = sorted(self._overhead[-5:])
        return recent[(len(recent) - 1) // 2] if recent else 0.0
