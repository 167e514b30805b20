"""Memory that outlives a call, whatever pool the call allocates from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def make_outside(device: torch.device, make: Callable[[], T]) -> T:
    """What `make` returns, called in a thread of its own without gradients and waited for: its tensors are normal ones
    even in inference mode, and can be read on any stream.

    The pools from which torch.compile allocates for CUDA graphs serve one thread; tensors that stay must not lie there.
    """

    def work() -> T:
        with torch.inference_mode(False), torch.no_grad():
            made = make()
            if device.type == "cuda":
                torch.cuda.current_stream(device).synchronize()
            return made

    if device.type == "cuda":
        # What `make` reads may still be being written.
        torch.cuda.current_stream(device).synchronize()
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(work).result()
