"""A whole run: case after case, with what is known of the device. Needs torch with CUDA."""

from __future__ import annotations

import datetime
import gc
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from .. import _winnow
from . import ours, peers, record, timing
from .candidates import Candidate, LeftOut, check_all, first_line
from .device import Monitor
from .grid import Budget, Case
from .stats import finite, spread
from .workload import Workload

_LEAST_SECONDS = 0.3  # of timing, for a case to be worth starting
_WARM_UP_TOKENS = 4096
_SAMPLE_DIGITS = 5  # significant ones of a sample


class Settings(NamedTuple):
    cases: Sequence[Case]
    device: int
    budget: float | None  # seconds in all
    case_seconds: float
    soak_seconds: float
    max_drop: float
    seed: int
    peers: frozenset[str]  # which of "torch", "compile", "cusparselt", "dense"
    json: str | None
    command: str


class Run:
    """Fills a record. `say` gets a line for each step."""

    def __init__(self, settings: Settings, say: Callable[[str], None], began: float) -> None:
        """began: time.monotonic() when the command was started; the budget counts from there."""
        self.settings, self._say, self._began = settings, say, began
        self._generator = random.Random(settings.seed)
        torch.cuda.set_device(settings.device)
        self._target = _winnow.device_target(settings.device)
        self._device = f"cuda:{settings.device}"
        self._rows = peers.RowKernels("compile" in settings.peers)
        properties = torch.cuda.get_device_properties(settings.device)
        self._monitor = Monitor(f"GPU-{properties.uuid}")
        if self._monitor.missing:
            say(f"clocks and power are not recorded: {self._monitor.missing}")
        self.record: dict[str, Any] = {
            "schema": record.SCHEMA,
            "version": record.VERSION,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "command": settings.command,
            "build": _winnow.build_id(),
            "device": {
                "name": properties.name,
                "target": self._target,
                "multiprocessors": properties.multi_processor_count,
                "memory_bytes": properties.total_memory,
                **self._monitor.facts(),
            },
            "software": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "cuda": torch.version.cuda,
            },
            "settings": {
                "budget_s": settings.budget,
                "case_s": settings.case_seconds,
                "soak_s": settings.soak_seconds,
                "max_drop": settings.max_drop,
                "seed": settings.seed,
                "peers": sorted(settings.peers),
            },
            "complete": False,
            "cases": [],
            "summary": {},
        }

    def __call__(self) -> dict[str, Any]:
        """Times every case that the budget allows. After an interrupt the record holds what was done by then."""
        settings = self.settings
        keys = [key for case in settings.cases for key in self._keys(case).values()]
        threads = max(1, min(16, (os.cpu_count() or 2) - 2))
        programs = ours.Programs(keys, self._target, threads)
        budget = Budget(settings.budget, len(settings.cases), settings.case_seconds, _LEAST_SECONDS)
        written = time.monotonic()
        try:
            with self._monitor:
                self._warm_up()
                for number, case in enumerate(settings.cases, 1):
                    seconds = budget.allot(time.monotonic() - self._began, case.bytes)
                    start = time.monotonic()
                    found = self._case(case, seconds, programs) if seconds else {"skipped": "no time left"}
                    self.record["cases"].append({**_coordinates(case), **found})
                    budget.spend(time.monotonic() - start - seconds if "times" in found else None, case.bytes)
                    self._say(f"[{number}/{len(settings.cases)}] {case}: {_progress(found)}")
                    if settings.json and time.monotonic() - written > 5:
                        self.write()
                        written = time.monotonic()
            self.record["complete"] = True
        except KeyboardInterrupt:
            self._say("interrupted; what follows is what had been measured")
        finally:
            programs.close()
            self.record["summary"] = {
                mode: [figure._asdict() for figure in record.summary(self.record["cases"], mode)]
                for mode in dict.fromkeys(case.mode for case in settings.cases)
            }
            self.write()
        return self.record

    def _warm_up(self) -> None:
        """Compiles torch's row kernels, so that the first case does not take longer than the others."""
        if not {"torch", "compile"} <= self.settings.peers:
            return
        self._say("compiling torch's row kernels")
        first = self.settings.cases[0]
        counts = {min(case.tokens, _WARM_UP_TOKENS) for case in self.settings.cases}
        for tokens in sorted({max(counts), min(counts)}, reverse=True):
            try:
                self._rows.warm_up(tokens, first.d_model, first.d_ffn, self._device)
            except RuntimeError as error:  # it will be said of each candidate, too
                self._say(f"torch.compile: {first_line(error)}")

    def write(self) -> None:
        if self.settings.json:
            record.write_json(self.settings.json, self.record)

    def _keys(self, case: Case) -> dict[tuple[str, str], ours.Key]:
        keys = ours.keys_of(case, self.settings.max_drop)
        if "dense" not in self.settings.peers:
            keys = {name: key for name, key in keys.items() if name[1] != record.OWN_DENSE}
        return keys

    def _case(self, case: Case, seconds: float, programs: ours.Programs) -> dict[str, Any]:
        """The record of a case, less its coordinates."""
        gc.collect()
        torch.cuda.empty_cache()
        free, _ = torch.cuda.mem_get_info()
        if case.bytes > free:
            return {
                "skipped": f"needs about {case.bytes / 2**30:.0f} GiB of device memory, {free / 2**30:.0f} are free"
            }
        try:
            return self._measure(case, seconds, programs)
        except torch.OutOfMemoryError as error:
            return {"skipped": f"out of device memory: {first_line(error)}"}

    def _measure(self, case: Case, seconds: float, programs: ours.Programs) -> dict[str, Any]:
        begin = time.monotonic()
        work = Workload(case, self._device, self.settings.seed)
        candidates, left_out, layout = self._candidates(case, work, programs)
        checked, wrong = check_all(candidates)
        ready, failed = timing.repeat_all(checked, case.copies)
        burst = case.mode == "burst"
        if not burst:
            timing.soak(ready, self.settings.soak_seconds)
        self._monitor.take()
        start = time.monotonic()
        preparation = start - begin
        samples = timing.sample_all(ready, seconds, burst, self._generator)
        times = []
        for item, values in zip(ready, samples, strict=True):
            found = spread(values)
            time_of: dict[str, Any] = {
                "stage": item.candidate.stage,
                "who": item.candidate.who,
                "calls": item.calls,
                "graph": item.captured,
                "median_ms": finite(found.median),
                "p10_ms": finite(found.p10),
                "p90_ms": finite(found.p90),
                "samples_ms": [finite(value, _SAMPLE_DIGITS) for value in values],
            }
            if item.candidate.flops:
                time_of["tflops"] = finite(item.candidate.flops / found.median / 1e9)
            if item.error is not None:
                time_of["error"] = finite(item.error, 3)
            times.append(time_of)
        return {
            "density": finite(work.density, 4),
            "kept_energy": finite(work.kept_energy, 5),
            "layout": layout,
            "copies": case.copies,
            "preparation_s": finite(preparation, 4),
            "timing_s": finite(time.monotonic() - start, 4),
            "clocks": self._monitor.take(),
            "times": times,
            "left_out": [entry._asdict() for entry in [*left_out, *wrong, *failed]],
        }

    def _candidates(
        self, case: Case, work: Workload, programs: ours.Programs
    ) -> tuple[list[Candidate], list[LeftOut], dict[str, str]]:
        candidates: list[Candidate] = []
        left_out: list[LeftOut] = []
        layout: dict[str, str] = {}
        for (stage, who), key in self._keys(case).items():
            try:
                forward = ours.Forward(programs.get(key), work, stage == record.STATIC)
            except _winnow.Error as error:
                left_out.append(LeftOut(stage, who, first_line(error)))
                continue
            if who == record.WINNOW:
                layout[stage] = "2:4" if forward.sparse else "dense"
            candidates += ours.candidates(forward, work, stage, who)
        if not self.settings.peers & {"torch", "cusparselt"}:
            return candidates, left_out, layout
        try:
            given = peers.activations(work)
        except RuntimeError as error:
            return candidates, [*left_out, LeftOut(record.GEMM1, record.TORCH, first_line(error))], layout
        if "torch" in self.settings.peers:
            candidates += peers.dense_candidates(work, given, self._rows)
        if "cusparselt" in self.settings.peers:
            found, refused = peers.sparse_candidates(work, given)
            candidates, left_out = candidates + found, left_out + refused
        return candidates, left_out, layout


def _coordinates(case: Case) -> dict[str, Any]:
    return {
        "d_model": case.d_model,
        "d_ffn": case.d_ffn,
        "tokens": case.tokens,
        "density_percent": case.density,
        "mode": case.mode,
    }


def _progress(found: dict[str, Any]) -> str:
    if "skipped" in found:
        return f"left out, {found['skipped']}"
    ratios = record.ratios(found)
    parts = [
        f"{stage} {ratios[stage]:.2f}x" for stage in (record.GEMM2, record.DYNAMIC, record.STATIC) if stage in ratios
    ]
    wrong = sum(bool(entry["wrong"]) for entry in found["left_out"])
    if wrong:
        parts.append(f"{wrong} wrong results")
    return ", ".join(parts) or "timed, with nothing to compare with"


def warn(line: str) -> None:
    """Progress, to standard error."""
    print(line, file=sys.stderr, flush=True)
