"""What a run has found: records as JSON holds them, and the ratios that follow from them.

Schema "winnow.bench", version 1. The root holds `schema`, `version`, `date`, `command`, `build`, `device`, `software`,
`settings`, `complete` (false when interrupted), `cases` and `summary`. A case holds its coordinates (`d_model`,
`d_ffn`, `tokens`, `density_percent`, `mode`) and either `skipped`, a reason, or:

- `density`: fraction of the activations that were not zero; `kept_energy`: share of their squares that 2:4 keeps
- `layout`: stage of a forward → "2:4" or "dense", what the compiler chose for GEMM 2
- `times`: a record for each candidate: `stage`, `who`, `median_ms`, `p10_ms`, `p90_ms` and `samples_ms` (all per call),
  `calls` (in a sample), `graph` (whether a CUDA graph repeats them), `tflops` (zeros included; absent for row kernels),
  `error` (relative, against the f32 reference on sampled rows; absent for parts of a forward that is checked itself)
- `left_out`: `stage`, `who` and `reason` of candidates that do not run here, or whose result was wrong (`wrong`: true)
- `clocks`: medians of `sm_mhz`, `power_w` and `temperature_c` while it was timed, where NVML could be asked
- `preparation_s`, `timing_s`: seconds that making the data, checking, capturing and soaking took, and the timing
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from .._files import write_whole
from .stats import geometric_mean

SCHEMA, VERSION = "winnow.bench", 1
# Stages of a forward.
QUANTIZE, GEMM1, FUSED, MIDDLE, GEMM2, DYNAMIC, STATIC = (
    "quantize x",
    "gemm 1",
    "gemm 1 fused",
    "middle",
    "gemm 2",
    "forward",
    "forward static",
)
STAGES = (QUANTIZE, GEMM1, FUSED, MIDDLE, GEMM2, DYNAMIC, STATIC)
# Who computes them.
WINNOW, OWN_DENSE, TORCH, TENSOR_WISE, CUSPARSELT = (
    "winnow",
    "winnow dense",
    "torch",
    "torch tensor-wise",
    "cusparselt",
)
# What a stage of Winnow could be replaced with, dense. A given scale can be ignored, and a fused GEMM 1 is set beside a
# GEMM 1 alone.
_PEERS = {
    QUANTIZE: ((QUANTIZE, TORCH),),
    GEMM1: ((GEMM1, TORCH), (GEMM1, TENSOR_WISE)),
    FUSED: ((GEMM1, TORCH), (GEMM1, TENSOR_WISE)),
    MIDDLE: ((MIDDLE, TORCH),),
    GEMM2: ((GEMM2, TORCH), (GEMM2, TENSOR_WISE)),
    DYNAMIC: ((DYNAMIC, TORCH),),
    STATIC: ((STATIC, TORCH), (DYNAMIC, TORCH)),
}
MANY_TOKENS = 4096


def medians(case: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Milliseconds per call by stage and who."""
    return {(time["stage"], time["who"]): time["median_ms"] for time in case.get("times", ())}


def best_dense(times: Mapping[tuple[str, str], float], stage: str) -> float | None:
    """Milliseconds of the fastest dense peer of a stage of Winnow, or None where none was timed."""
    found = [times[peer] for peer in _PEERS[stage] if peer in times]
    return min(found) if found else None


def ratios(case: Mapping[str, Any]) -> dict[str, float]:
    """Over the best dense peer, by stage; "gemm 2 over cusparselt"; and "… over winnow dense", what sparsity alone
    gains."""
    times, result = medians(case), {}
    for stage in STAGES:
        own = times.get((stage, WINNOW))
        if own is None:
            continue
        dense = best_dense(times, stage)
        if dense is not None:
            result[stage] = dense / own
        for other, name in ((CUSPARSELT, "cusparselt"), (OWN_DENSE, "winnow dense")):
            if (stage, other) in times:
                result[f"{stage} over {name}"] = times[stage, other] / own
    return result


class Figure(NamedTuple):
    """A number that sums up a run."""

    name: str
    value: float
    over: int  # how many cases
    where: str  # the case, if it is a single one


def summary(cases: Iterable[Mapping[str, Any]], mode: str) -> list[Figure]:
    """Geometric means over the cases of a mode with at least MANY_TOKENS tokens (of GEMM 2: where it is sparse), and
    the worst ratio of any forward."""
    timed = [(case, ratios(case)) for case in cases if case.get("times") and case["mode"] == mode]
    many = [(case, found) for case, found in timed if case["tokens"] >= MANY_TOKENS]
    figures = []

    def mean(name: str, key: str, chosen: Sequence[tuple[Mapping[str, Any], dict[str, float]]]) -> None:
        values = [found[key] for _, found in chosen if key in found]
        value = geometric_mean(values)
        if value is not None:
            figures.append(Figure(f"{name}, >= {MANY_TOKENS} tokens, geometric mean", value, len(values), ""))

    sparse = [(case, found) for case, found in many if case.get("layout", {}).get(DYNAMIC) == "2:4"]
    mean("sparse GEMM 2 over the best dense GEMM", GEMM2, sparse)
    mean("sparse GEMM 2 over cuSPARSELt", f"{GEMM2} over cusparselt", sparse)
    mean("sparse GEMM 2 over Winnow's dense GEMM", f"{GEMM2} over {OWN_DENSE}", sparse)
    mean("forward with a given scale over the best dense chain", STATIC, many)
    mean("forward with dynamic scales over the best dense chain", DYNAMIC, many)
    mean("forward with a given scale over Winnow's dense", f"{STATIC} over {OWN_DENSE}", many)
    mean("forward with dynamic scales over Winnow's dense", f"{DYNAMIC} over {OWN_DENSE}", many)
    for suffix, what in (("", "the best dense chain"), (f" over {OWN_DENSE}", "Winnow's dense")):
        all_of = [
            (found[stage + suffix], stage, case)
            for case, found in timed
            for stage in (DYNAMIC, STATIC)
            if stage + suffix in found
        ]
        if all_of:
            value, stage, case = min(all_of, key=lambda item: item[0])
            where = (
                f"{stage}, {case['d_model']}/{case['d_ffn']}, {case['tokens']} tokens, {case['density_percent']:g} %"
            )
            figures.append(Figure(f"worst forward over {what}", value, len(all_of), where))
    return figures


def write_json(path: str, record: Mapping[str, Any]) -> None:
    """Writes the record, whole or not at all."""
    write_whole(path, (json.dumps(record, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: str) -> dict[str, Any]:
    """A record that was written. ValueError if it is something else."""
    with open(path, encoding="utf-8") as file:
        try:
            record = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path}: expected JSON: {error}") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise ValueError(f"{path}: expected what winnow.bench --json wrote, got something else")
    if record.get("version") != VERSION:
        raise ValueError(f"{path}: expected version {VERSION} of the schema, got {record.get('version')}")
    return record
