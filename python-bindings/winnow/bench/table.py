"""Records as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .record import (
    CUSPARSELT,
    DYNAMIC,
    FUSED,
    GEMM1,
    GEMM2,
    MIDDLE,
    OWN_DENSE,
    QUANTIZE,
    STATIC,
    TENSOR_WISE,
    TORCH,
    WINNOW,
    medians,
    ratios,
    summary,
)

# Heading, and how to find it: a time by stage and who, or a ratio by name.
_TIMES = (
    ("quantize", QUANTIZE, WINNOW),
    ("gemm 1", GEMM1, WINNOW),
    ("fused", FUSED, WINNOW),
    ("middle", MIDDLE, WINNOW),
    ("gemm 2", GEMM2, WINNOW),
    ("forward", DYNAMIC, WINNOW),
    ("static", STATIC, WINNOW),
    ("torch g1", GEMM1, TORCH),
    ("g2 row", GEMM2, TORCH),
    ("g2 tensor", GEMM2, TENSOR_WISE),
    ("cuSPARSELt", GEMM2, CUSPARSELT),
    ("torch fwd", DYNAMIC, TORCH),
    ("torch static", STATIC, TORCH),
)
_RATIOS = (
    ("gemm 2", GEMM2),
    ("/cuSPARSELt", f"{GEMM2} over cusparselt"),
    ("gemm 1", GEMM1),
    ("fused", FUSED),
    ("middle", MIDDLE),
    ("forward", DYNAMIC),
    ("static", STATIC),
    ("/own dense", f"{DYNAMIC} over {OWN_DENSE}"),
)


def render(record: Mapping[str, Any]) -> str:
    """All tables of a record: times, ratios over the best dense peer, what was left out, and the figures."""
    cases = record["cases"]
    device = record.get("device", {})
    lines = [
        f"{device.get('name', 'no device')}, driver {device.get('driver', '?')}; "
        f"Winnow {record['build']}; {record['date']}",
    ]
    if not record.get("complete", True):
        lines.append("(interrupted: what had been measured by then)")
    for mode in dict.fromkeys(case["mode"] for case in cases):
        timed = [case for case in cases if case["mode"] == mode and case.get("times")]
        if not timed:
            continue
        lines += ["", f"{mode}: milliseconds per call (median)", *_times(timed)]
        lines += ["", f"{mode}: how often as fast as the best dense peer (sparse stages: 'layout')", *_ratios(timed)]
    left_out = _left_out(cases)
    if left_out:
        lines += ["", "left out", *left_out]
    for mode in dict.fromkeys(case["mode"] for case in cases):
        figures = summary(cases, mode)
        if figures:
            lines += ["", f"figures, {mode}"]
            width = max(len(figure.name) for figure in figures)
            for figure in figures:
                where = figure.where or f"{figure.over} cases"
                lines.append(f"  {figure.name:{width}}  {figure.value:6.3f}x  ({where})")
    return "\n".join(lines)


def _label(case: Mapping[str, Any]) -> list[str]:
    return [f"{case['d_model']}/{case['d_ffn']}", str(case["tokens"]), f"{case['density_percent']:g}"]


def _times(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [medians(case) for case in cases]
    columns = [column for column in _TIMES if any(column[1:] in times for times in found)]
    rows = [["shape", "tokens", "%", *(heading for heading, _, _ in columns), "SM MHz", "W"]]
    for case, times in zip(cases, found, strict=True):
        clocks = case.get("clocks") or {}
        cells = [_milliseconds(times.get((stage, who))) for _, stage, who in columns]
        rows.append([*_label(case), *cells, _whole(clocks.get("sm_mhz")), _whole(clocks.get("power_w"))])
    return align(rows)


def _ratios(cases: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [ratios(case) for case in cases]
    columns = [column for column in _RATIOS if any(column[1] in values for values in found)]
    rows = [["shape", "tokens", "%", "layout", *(heading for heading, _ in columns), "gemm 2 TFLOP/s"]]
    for case, values in zip(cases, found, strict=True):
        speed = [t.get("tflops") for t in case["times"] if (t["stage"], t["who"]) == (GEMM2, WINNOW)]
        cells = [f"{values[key]:.3f}" if key in values else "-" for _, key in columns]
        layout = (case.get("layout") or {}).get(DYNAMIC, "-")
        rows.append([*_label(case), layout, *cells, _whole(speed[0] if speed else None)])
    return align(rows)


def _left_out(cases: Iterable[Mapping[str, Any]]) -> list[str]:
    """Reasons, each with how many cases it holds for, in the order in which they were met."""
    reasons: dict[str, list[str]] = {}
    for case in cases:
        where = f"{case['d_model']}/{case['d_ffn']} at {case['tokens']} tokens"
        if "skipped" in case:
            reasons.setdefault(case["skipped"], []).append(where)
        for candidate in case.get("left_out", ()):
            what = f"{candidate['who']}, {candidate['stage']}: {candidate['reason']}"
            reasons.setdefault(what, []).append(where)
    return [
        f"  {reason} ({places[0]}" + (f" and {len(places) - 1} more)" if len(places) > 1 else ")")
        for reason, places in reasons.items()
    ]


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value >= 1 else f"{value:.4f}"


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of text: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  " + "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))]).rstrip()
        for row in rows
    ]
