"""What the tests share."""

import os
import sys

import hypothesis
import pytest

# The same examples for the same tests wherever and whenever they run, and no limit of time for one example, which a busy
# machine would break. Fresh examples: pytest --hypothesis-profile=default
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

# A build tree's package, where it is not installed.
_built = os.path.join(os.path.dirname(__file__), "..", "..", os.environ.get("WINNOW_BUILD", "build"), "python")
if os.path.isdir(_built):
    sys.path.insert(0, os.path.abspath(_built))
    os.environ["PYTHONPATH"] = os.pathsep.join([os.path.abspath(_built), os.environ.get("PYTHONPATH", "")])

# JAX would take most of the memory of a GPU that other tests use too.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import winnow  # noqa: E402

RELU = """func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = ffn.relu %x : tensor<?x4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
"""


@pytest.fixture(scope="session")
def relu():
    """y = relu(x), 4 features, on the CPU."""
    return winnow.compile(RELU, target="cpu")


@pytest.fixture(autouse=True, scope="session")
def private_cache(tmp_path_factory):
    """Tests neither see nor touch the kernel cache of the person who runs them."""
    os.environ["WINNOW_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


def gpu_missing():
    """Why GPU tests cannot run here, or None."""
    from winnow import _winnow

    try:
        if _winnow.device_count() == 0:
            return "needs a CUDA device"
    except winnow.Error:
        return "needs the CUDA driver"
    if _winnow.device_target(0) != "sm_90a":
        return "needs an H100 or H200"
    return None


def nvrtc_missing():
    """Why kernels cannot be compiled here, or None."""
    try:
        winnow.compile(RELU, target="sm_90a", use_cache=False)
    except winnow.Error as error:
        if "libnvrtc" in str(error):
            return "needs NVRTC"
        raise
    return None


def pytest_configure(config):
    config.addinivalue_line("markers", "gpu: needs a GPU")
    config.addinivalue_line("markers", "nvrtc: needs NVRTC")


def pytest_collection_modifyitems(items):
    for marker, why in (("gpu", gpu_missing), ("nvrtc", nvrtc_missing)):
        marked = [item for item in items if item.get_closest_marker(marker)]
        reason = why() if marked else None
        for item in marked if reason else ():
            item.add_marker(pytest.mark.skip(reason=reason))
