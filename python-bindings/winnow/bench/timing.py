"""Time on the device, without a synchronisation per call. Needs torch with CUDA."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

import torch

from .candidates import Checked, LeftOut, first_line
from .turns import calls_per_sample, take_turns

SAMPLE_SECONDS = 1.0e-3  # of a sample, at least; the resolution of events is 0.5 us
_SAMPLES_PER_TURN = 2
# Calls shorter than this are captured in a CUDA graph, so that their launches from the host are not what is measured.
_GRAPH_SECONDS = 2.0e-3
_PAUSE_SECONDS = 0.02  # before each sample of burst mode: the device cools down and its clocks are free to rise


class Repeated:
    """A candidate, called so often that a sample of it can be timed."""

    def __init__(self, checked: Checked, copies: int, pool: Any) -> None:
        self.candidate, self.error = checked.candidate, checked.error
        seconds = self._estimate(copies)
        self.calls = calls_per_sample(seconds, SAMPLE_SECONDS, copies)
        self._copies = copies
        self._graph: Any = None
        if seconds < _GRAPH_SECONDS:
            self._graph = self._capture(pool)

    @property
    def captured(self) -> bool:
        return self._graph is not None

    def run(self) -> None:
        """Enqueues a sample."""
        if self._graph is not None:
            self._graph.replay()
            return
        for i in range(self.calls):
            self.candidate.call(i % self._copies)

    def _estimate(self, copies: int) -> float:
        """Seconds of a call, from above: few calls, and with what their launches cost."""
        start, stop = _events()
        for i in range(copies):
            self.candidate.call(i)
        start.record()
        for i in range(2 * copies):
            self.candidate.call(i % copies)
        stop.record()
        stop.synchronize()
        return start.elapsed_time(stop) / 1e3 / (2 * copies)

    def _capture(self, pool: Any) -> Any:
        """None where something in the call cannot be captured."""
        graph = self._captured_graph(pool)
        if graph is None:
            return None
        graph.replay()
        # Captured, calls may be much shorter than what their launches took.
        start, stop = _events()
        start.record()
        graph.replay()
        stop.record()
        stop.synchronize()
        seconds = start.elapsed_time(stop) / 1e3
        if seconds < 0.7 * SAMPLE_SECONDS:
            self.calls = calls_per_sample(seconds / self.calls, SAMPLE_SECONDS, self._copies)
            graph = self._captured_graph(pool)
        return graph

    def _captured_graph(self, pool: Any) -> Any:
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.stream(torch.cuda.Stream()):
            # Not torch.cuda.graph, which collects garbage and empties the allocator's cache each time.
            graph.capture_begin(pool=pool, capture_error_mode="thread_local")
            failed = True
            try:
                for i in range(self.calls):
                    self.candidate.call(i % self._copies)
                failed = False
            except RuntimeError:
                pass  # what ends the capture below says so again
            finally:
                try:
                    graph.capture_end()
                except RuntimeError:
                    failed = True
        torch.cuda.synchronize()
        return None if failed else graph


class _Turn:
    """Samples between events that lie on the stream already."""

    def __init__(self, repeated: Repeated, samples: int) -> None:
        self._calls = repeated.calls
        self._events = [_events() for _ in range(samples)]
        for start, stop in self._events:
            start.record()
            repeated.run()
            stop.record()

    def wait(self) -> list[float]:
        """Milliseconds per call."""
        self._events[-1][1].synchronize()
        return [start.elapsed_time(stop) / self._calls for start, stop in self._events]


class _BurstTurn(_Turn):
    def __init__(self, repeated: Repeated) -> None:
        torch.cuda.synchronize()
        time.sleep(_PAUSE_SECONDS)
        repeated.run()  # caches and clocks as in a stream of calls
        super().__init__(repeated, 1)


def repeat_all(checked: Sequence[Checked], copies: int) -> tuple[list[Repeated], list[LeftOut]]:
    """Prepares candidates for timing. Graphs share one pool of memory: they replay one after another."""
    pool = torch.cuda.graph_pool_handle()
    ready, left_out = [], []
    for item in checked:
        try:
            ready.append(Repeated(item, copies, pool))
        except RuntimeError as error:
            left_out.append(LeftOut(item.candidate.stage, item.candidate.who, first_line(error)))
    return ready, left_out


def soak(repeated: Sequence[Repeated], seconds: float) -> None:
    """Keeps the device under the load that will be timed, until its clocks have settled."""
    begin = time.monotonic()
    while repeated and time.monotonic() - begin < seconds:
        for item in repeated:
            item.run()
        torch.cuda.synchronize()


def sample_all(
    repeated: Sequence[Repeated], seconds: float, burst: bool, generator: random.Random
) -> list[list[float]]:
    """Milliseconds per call of each candidate, which take turns for `seconds`."""
    samples = take_turns(
        range(len(repeated)),
        (lambda i: _BurstTurn(repeated[i])) if burst else (lambda i: _Turn(repeated[i], _SAMPLES_PER_TURN)),
        seconds,
        time.monotonic,
        generator,
        ahead=0 if burst else 1,
    )
    return [samples[i] for i in range(len(repeated))]


def _events() -> tuple[Any, Any]:
    return torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
