"""Device memory from the framework that the caller's arrays come from. Frameworks are found where they already are,
never imported."""

from __future__ import annotations

import sys
from typing import Any


def allocate_like(array: Any, shape: tuple[int, ...], element: str, device: int, stream: int) -> Any:
    """An uninitialised array on CUDA device `device`, of the framework of `array`, for use on `stream`."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and isinstance(array, torch.Tensor):
        dtype = getattr(torch, element)
        current = torch.cuda.current_stream(device).cuda_stream
        if stream == current:
            return torch.empty(shape, dtype=dtype, device=f"cuda:{device}")
        # The allocator gives memory back to the stream that it was allocated on.
        with torch.cuda.stream(torch.cuda.ExternalStream(stream, device=f"cuda:{device}")):
            return torch.empty(shape, dtype=dtype, device=f"cuda:{device}")
    if cupy is not None and isinstance(array, cupy.ndarray):
        from ._arrays import numpy_dtype

        from_external = getattr(cupy.cuda.Stream, "from_external", None)  # cupy 14; before it, by another name
        wrapped = from_external(_Stream(stream)) if from_external else cupy.cuda.ExternalStream(stream)
        with cupy.cuda.Device(device), wrapped:
            return cupy.empty(shape, numpy_dtype(element))
    raise TypeError(
        f"cannot allocate device memory for a result: expected inputs of torch or cupy, got {type(array).__name__}; "
        "hand in out= and workspace="
    )


class _Stream:
    """A stream as the protocol of that name hands it over."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self._handle  # version of the protocol, handle
