"""Arrays of torch, cupy and jax on a GPU, made and read alike. For the GPU tests."""

import os

import numpy as np
import pytest

# Frameworks share the device: none of them may take all of its memory for itself.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def bits(array):
    """The same bytes as unsigned integers, which every framework takes."""
    array = np.ascontiguousarray(array)
    return array.view(f"u{array.itemsize}")


class Torch:
    name = "torch"

    def __init__(self):
        self.torch = pytest.importorskip("torch", reason="needs torch")

    def put(self, array):
        torch = self.torch
        raw = bits(array).view({1: "u1", 2: "i2", 4: "i4"}[array.itemsize])
        return torch.from_numpy(raw.copy()).cuda().view(getattr(torch, array.dtype.name))

    def empty(self, shape, element):
        return self.torch.empty(shape, dtype=getattr(self.torch, element), device="cuda")

    def get(self, array):
        """Its bytes, once the device is done."""
        torch = self.torch
        torch.cuda.synchronize()
        integer = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[array.element_size()]
        return bits(array.contiguous().view(integer).cpu().numpy())

    def strided(self, array):
        """The same shape, column by column."""
        return array.t().contiguous().t()

    def off_by_one(self, array):
        """The same shape and values, one element behind an aligned address."""
        flat = self.empty((array.numel() + 1,), str(array.dtype).removeprefix("torch."))
        flat[1:] = array.flatten()
        return flat[1:].view(array.shape)


class Cupy:
    name = "cupy"

    def __init__(self):
        self.cupy = pytest.importorskip("cupy", reason="needs cupy")

    def put(self, array):
        return self.cupy.asarray(array)

    def empty(self, shape, element):
        from winnow._arrays import numpy_dtype

        return self.cupy.empty(shape, numpy_dtype(element))

    def get(self, array):
        self.cupy.cuda.Device().synchronize()
        return bits(array.get())

    def strided(self, array):
        return self.cupy.asfortranarray(array)

    def off_by_one(self, array):
        flat = self.cupy.empty(array.size + 1, array.dtype)
        flat[1:] = array.ravel()
        return flat[1:].reshape(array.shape)


class Jax:
    """Arrays of jax are inputs only, and always row-major; results go to memory of torch."""

    name = "jax"

    def __init__(self):
        self.jax = pytest.importorskip("jax", reason="needs jax")
        try:
            self.device = self.jax.devices("cuda")[0]
        except RuntimeError:
            pytest.skip("needs jax with CUDA")
        self._results = Torch()

    def put(self, array):
        # Ready before it is handed over: jax works on streams of its own.
        return self.jax.device_put(array, self.device).block_until_ready()

    def empty(self, shape, element):
        return self._results.empty(shape, element)

    def get(self, array):
        return self._results.get(array)


FRAMEWORKS = {framework.name: framework for framework in (Torch, Cupy, Jax)}
