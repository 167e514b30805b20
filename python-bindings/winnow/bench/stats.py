"""What is said of a list of times."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """Of a sample, in its unit."""

    median: float
    p10: float
    p90: float
    samples: int


def spread(sample: Sequence[float]) -> Spread:
    """Median, 10th and 90th percentile (interpolated linearly between order statistics)."""
    if not sample:
        raise ValueError("expected at least one sample, got none")
    if len(sample) == 1:
        return Spread(sample[0], sample[0], sample[0], 1)
    tenths = statistics.quantiles(sample, n=10, method="inclusive")
    return Spread(statistics.median(sample), tenths[0], tenths[-1], len(sample))


def geometric_mean(ratios: Iterable[float]) -> float | None:
    """None where there is nothing to take the mean of."""
    values = list(ratios)
    return statistics.geometric_mean(values) if values else None


def normal_quantile(probability: float) -> float:
    """The value below which a standard normal variable lies with this probability."""
    if not 0.0 < probability < 1.0:
        raise ValueError(f"expected a probability between 0 and 1, got {probability}")
    return statistics.NormalDist().inv_cdf(probability)


def bias_for_density(density: float) -> float:
    """What to add to a standard normal variable so that it is positive with probability `density`."""
    return normal_quantile(density)


def finite(value: float | None, digits: int = 6) -> float | None:
    """As JSON can hold it, with as many significant digits as are worth keeping."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")
