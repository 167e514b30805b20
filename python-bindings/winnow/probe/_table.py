"""A report as a table: text for a terminal, HTML for a notebook."""

from __future__ import annotations

import html as html_escapes
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ._report import LayerReport, Report

_HEADINGS = (
    ("layer", ""),
    ("activation", ""),
    ("features", ""),
    ("tokens", ""),
    ("density", "%"),
    ("per feature", "p10 / median / p90 %"),
    ("never", "% of features"),
    ("2:4 by token drops", "% (energy %)"),
    ("2:4 by feature drops", "% (energy %)"),
    ("expected", "by token %"),
)
_NOTE = "2:4 keeps two of every four: by token of features, by feature of tokens. Expected: of independent elements."


def text(report: Report) -> str:
    rows = [tuple(heading for heading, _ in _HEADINGS), tuple(unit for _, unit in _HEADINGS)]
    rows += [_row(name, layer) for name, layer in report.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    rows.insert(2, tuple("-" * width for width in widths))

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.ljust(width) if i < 2 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))]
        return "  ".join(cells).rstrip()

    return "\n".join([*map(line, rows), *([_NOTE] if report else []), *_notes(report)])


def html(report: Report) -> str:
    head = "".join(f"<th>{name}<br>{unit}</th>" for name, unit in _HEADINGS)
    body = "".join(
        "<tr>" + "".join(f"<td>{html_escapes.escape(cell)}</td>" for cell in _row(name, layer)) + "</tr>"
        for name, layer in report.items()
    )
    notes = "".join(f"<p>{html_escapes.escape(note)}</p>" for note in [_NOTE, *_notes(report)])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"


def _row(name: str, layer: LayerReport) -> tuple[str, ...]:
    low, middle, high = np.quantile(layer.profile, (0.1, 0.5, 0.9))
    drop, energy = layer.drop, layer.energy_drop
    return (
        name or "(model)",
        layer.activation or "-",
        str(layer.features),
        str(layer.tokens),
        _percent(layer.density),
        f"{_percent(low)} / {_percent(middle)} / {_percent(high)}",
        _percent(float(np.mean(layer.feature_nonzeros == 0))),
        f"{_percent(drop.features)} ({_percent(energy.features)})",
        f"{_percent(drop.tokens)} ({_percent(energy.tokens)})",
        _percent(layer.expected_drop.features),
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def _notes(report: Report) -> list[str]:
    notes = [
        f"{name or '(model)'}: {layer.nonfinite} of its activations are NaN or infinite"
        for name, layer in report.items()
        if layer.nonfinite
    ]
    return notes + [f"{name or '(model)'}: not recorded, {why}" for name, why in report.skipped.items()]
