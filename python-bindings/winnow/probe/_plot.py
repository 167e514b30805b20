"""Draws a report with matplotlib."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .._files import write_whole

if TYPE_CHECKING:
    from ._report import Report

_FORMATS = ("png", "svg", "pdf")
_QUANTILES = np.linspace(0.0, 1.0, 101)


def plot(report: Report, path: str | os.PathLike[str]) -> None:
    """Three panels over the layers: density with the quantiles of the features; the features sorted by density; what
    2:4 drops, measured and expected."""
    format = format_of(path)
    if not report:
        raise ValueError("the report has no layers to draw")
    Figure = figure_class()

    names, layers = shortened(list(report)), list(report.values())
    positions = np.arange(len(layers))
    percentiles = 100 * np.array([np.quantile(layer.profile, _QUANTILES) for layer in layers]).T
    figure = Figure(figsize=(max(6.4, 2.4 + 0.3 * len(layers)), 9.6), layout="constrained")
    density, features, drop = figure.subplots(3, 1, sharex=True)
    tokens = max(layer.tokens for layer in layers)
    figure.suptitle(f"{report.origin.get('model', 'model')}: activations of {tokens} tokens")

    density.fill_between(positions, percentiles[10], percentiles[90], alpha=0.25, label="features, p10 to p90")
    density.plot(positions, percentiles[50], "--", marker=".", label="features, median")
    density.plot(positions, [100 * layer.density for layer in layers], marker="o", label="layer")
    density.set_ylabel("not zero, %")
    density.set_ylim(bottom=0)
    density.legend()

    extent = (-0.5, len(layers) - 0.5, 0.0, 100.0)
    image = features.imshow(percentiles, origin="lower", aspect="auto", extent=extent, interpolation="nearest", vmin=0)
    features.set_ylabel("features by density, %")
    figure.colorbar(image, ax=features, label="not zero, %")

    drop.plot(positions, [100 * layer.drop.features for layer in layers], marker="o", label="by token")
    drop.plot(positions, [100 * layer.drop.tokens for layer in layers], marker="s", label="by feature")
    expected = [100 * layer.expected_drop.features for layer in layers]
    drop.plot(positions, expected, ":", marker=".", label="by token, expected")
    drop.set_ylabel("non-zeros dropped by 2:4, %")
    drop.set_ylim(bottom=0)
    drop.legend()
    every = -(-len(layers) // 48)
    drop.set_xticks(positions[::every], names[::every], rotation=90 if max(map(len, names)) > 3 else 0)
    drop.set_xlabel("layer")

    contents = io.BytesIO()
    figure.savefig(contents, format=format, dpi=150)
    write_whole(path, contents.getvalue())


def format_of(path: str | os.PathLike[str]) -> str:
    """What the name says of the format."""
    format = os.path.splitext(os.fsdecode(path))[1].lower().removeprefix(".")
    if format not in _FORMATS:
        raise ValueError(f"path: expected a name that ends in .{', .'.join(_FORMATS)}, got {os.fsdecode(path)!r}")
    return format


def figure_class() -> Any:
    """matplotlib's Figure, or ImportError that says what to do."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("drawing a report needs matplotlib: pip install matplotlib") from error
    return Figure


def shortened(names: list[str]) -> list[str]:
    """Names without the parts that all begin or end with."""
    parts = [name.split(".") for name in names]
    while len(names) > 1 and all(len(part) > 1 for part in parts) and len({part[0] for part in parts}) == 1:
        parts = [part[1:] for part in parts]
    while len(names) > 1 and all(len(part) > 1 for part in parts) and len({part[-1] for part in parts}) == 1:
        parts = [part[:-1] for part in parts]
    return [".".join(part) or "(model)" for part in parts]
