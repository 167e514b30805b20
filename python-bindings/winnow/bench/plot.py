"""Records as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .record import DYNAMIC, GEMM2, STATIC, WINNOW, ratios

FORMATS = (".png", ".svg", ".pdf")
_PANELS = (
    ("GEMM 2 over the best dense GEMM", GEMM2),
    ("forward, dynamic scales, over the best dense chain", DYNAMIC),
    ("forward, given scale, over the best dense chain", STATIC),
    ("GEMM 2, TFLOP/s (zeros included)", None),
)


def check_path(path: str) -> None:
    """ValueError unless the name says a format that can be drawn."""
    if os.path.splitext(path)[1].lower() not in FORMATS:
        raise ValueError(f"{path}: expected a name that ends in {', '.join(FORMATS)}")


def draw(record: Mapping[str, Any], path: str) -> None:
    """Writes a plot: a row for each density, over the token count; lines are shapes, dashed ones of burst mode. Needs
    matplotlib (ImportError without it)."""
    check_path(path)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a plot needs matplotlib: pip install matplotlib") from error
    cases = [case for case in record["cases"] if case.get("times")]
    if not cases:
        raise ValueError("nothing to plot: no case was timed")
    densities = sorted({case["density_percent"] for case in cases})
    shapes = list(dict.fromkeys((case["d_model"], case["d_ffn"]) for case in cases))
    figure = Figure(figsize=(5.2 * len(_PANELS), 3.6 * len(densities) + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(densities), len(_PANELS), squeeze=False)
    for row, density in zip(grid, densities, strict=True):
        for axes, (title, stage) in zip(row, _PANELS, strict=True):
            _panel(axes, [case for case in cases if case["density_percent"] == density], shapes, stage)
            axes.set_title(f"{title}\n{density:g} % of the activations not zero", fontsize=9)
    handles: dict[str, Any] = {}
    for axes in grid.flat:
        for handle, label in zip(*axes.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=7, fontsize=8)
    device = record.get("device", {})
    figure.suptitle(f"{device.get('name', '')}, Winnow {record['build']}, {record['date'][:10]}", fontsize=10)
    figure.savefig(path, dpi=110)


def _panel(axes: Any, cases: list[Mapping[str, Any]], shapes: list[tuple[int, int]], stage: str | None) -> None:
    for mode, style in (("sustained", "o-"), ("burst", "s--")):
        for index, shape in enumerate(shapes):
            points = sorted(
                (case["tokens"], value)
                for case in cases
                if (case["d_model"], case["d_ffn"]) == shape and case["mode"] == mode
                for value in [_value(case, stage)]
                if value is not None
            )
            if points:
                label = f"{shape[0]}/{shape[1]}" + ("" if mode == "sustained" else ", burst")
                axes.plot(*zip(*points), style, color=f"C{index}", label=label, markersize=3.5, linewidth=1.2)
    counts = sorted({case["tokens"] for case in cases})
    axes.set_xscale("log", base=2)
    axes.set_xticks(counts, [str(count) for count in counts], fontsize=8)
    axes.set_xlabel("tokens")
    axes.grid(alpha=0.3)
    if stage is None:
        axes.set_ylim(bottom=0)
    else:
        axes.axhline(1.0, color="black", linewidth=0.8)


def _value(case: Mapping[str, Any], stage: str | None) -> float | None:
    if stage is not None:
        return ratios(case).get(stage)
    found = [time.get("tflops") for time in case["times"] if (time["stage"], time["who"]) == (GEMM2, WINNOW)]
    return found[0] if found else None
