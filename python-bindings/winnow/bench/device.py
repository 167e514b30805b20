"""What a device is, and its clocks and power while it works."""

from __future__ import annotations

import importlib
import statistics
import threading
from types import TracebackType
from typing import Any, Self

_INTERVAL_SECONDS = 0.02


class Monitor:
    """Samples a device's SM clock, power and temperature in the background, through NVML (nvidia-ml-py) where it can be
    had. A context manager; `take` returns medians since it was last asked."""

    def __init__(self, uuid: str, nvml: Any = None) -> None:
        """uuid: of the device, as NVML has it. nvml: the module pynvml, or None to look for it."""
        self.missing: str | None = None  # why nothing is sampled
        self._samples: list[tuple[float, float, float]] = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._nvml: Any = None
        try:
            nvml = self._nvml = nvml or importlib.import_module("pynvml")
            nvml.nvmlInit()
            self._handle = nvml.nvmlDeviceGetHandleByUUID(uuid)
        except ImportError:
            self.missing = "pynvml is not installed (pip install nvidia-ml-py)"
        except nvml.NVMLError as error:
            self.missing = f"NVML: {error}"

    def __enter__(self) -> Self:
        if self.missing is None:
            self._thread = threading.Thread(target=self._sample, name="winnow-bench-monitor", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def facts(self) -> dict[str, Any]:
        """Driver and limits, as far as NVML knows them."""
        if self.missing is not None:
            return {}
        nvml, facts = self._nvml, {}
        for name, ask in (
            ("driver", lambda: nvml.nvmlSystemGetDriverVersion()),
            ("power_limit_w", lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(self._handle) / 1e3),
            ("max_sm_mhz", lambda: nvml.nvmlDeviceGetMaxClockInfo(self._handle, nvml.NVML_CLOCK_SM)),
        ):
            try:
                value = ask()
            except nvml.NVMLError:  # not every device says everything
                continue
            facts[name] = value.decode() if isinstance(value, bytes) else value
        return facts

    def take(self) -> dict[str, float] | None:
        """Medians since the last call, or None where nothing was sampled."""
        with self._lock:
            samples, self._samples = self._samples, []
        if not samples:
            return None
        names = ("sm_mhz", "power_w", "temperature_c")
        return {name: statistics.median(values) for name, values in zip(names, zip(*samples))}

    def _sample(self) -> None:
        nvml = self._nvml
        while not self._stop.wait(_INTERVAL_SECONDS):
            try:
                sample = (
                    float(nvml.nvmlDeviceGetClockInfo(self._handle, nvml.NVML_CLOCK_SM)),
                    nvml.nvmlDeviceGetPowerUsage(self._handle) / 1e3,
                    float(nvml.nvmlDeviceGetTemperature(self._handle, nvml.NVML_TEMPERATURE_GPU)),
                )
            except nvml.NVMLError as error:
                self.missing = f"NVML: {error}"
                return
            with self._lock:
                self._samples.append(sample)
