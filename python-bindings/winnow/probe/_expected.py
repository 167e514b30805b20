"""What the compiler expects a 2:4 selection to drop, given the density of every feature."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def expected_drop(profile: npt.ArrayLike, along: str) -> float:
    """Expected fraction of the non-zeros that keeping two of four loses where every element is not zero with the
    density of its feature, independently: what the compiler compares with max_drop.

    profile: (features,). along: "features" (groups of four features of one token) or "tokens".
    """
    p = np.asarray(profile, np.float64)
    total = p.sum()
    if total == 0:
        return 0.0
    if along == "tokens":
        return _excess([p, p, p, p]) / 4 / float(total)
    groups = np.pad(p, (0, -len(p) % 4)).reshape(-1, 4).T
    return _excess(list(groups)) / float(total)


def _excess(densities: Sequence[npt.NDArray[np.float64]]) -> float:
    """Expected number of non-zeros beyond two in groups of four independent elements, summed over the groups."""
    a, b, c, d = densities
    three = a * b * c * (1 - d) + a * b * (1 - c) * d + a * (1 - b) * c * d + (1 - a) * b * c * d
    return float((three + 2 * a * b * c * d).sum())


def round_up(fraction: float, digits: int = 6) -> float:
    """The next larger decimal of so many digits, at most 1."""
    return min(1.0, math.ceil(fraction * 10**digits) / 10**digits)
