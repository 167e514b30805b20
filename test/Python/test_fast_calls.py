"""What a call costs the host, and that the fast way does what the other does. No GPU: the driver is a stand-in."""

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.nvrtc
_HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    pytest.importorskip("torch", reason="needs torch")
    import torch

    if not hasattr(torch.Tensor, "__dlpack_c_exchange_api__"):
        pytest.skip("needs torch 2.10 or later, which has DLPack's C functions")
    compiler = next(filter(None, map(shutil.which, ("cc", "clang-22", "gcc"))), None)
    if compiler is None:
        pytest.skip("needs a C compiler")
    driver = str(tmp_path_factory.mktemp("driver") / "libcuda.so.1")
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-Wl,-soname,libcuda.so.1", "-o", driver, f"{_HERE}/quiet_driver.c"],
        check=True,
    )
    done = subprocess.run(
        [sys.executable, f"{_HERE}/fast_calls.py", driver], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_results_of_the_inputs_framework(found):
    assert found["allocated"] == [True, True, [3, 4], "torch.bfloat16"]


def test_results_in_the_callers_memory(found):
    assert found["given"] == [True] * 4


def test_parameters_and_offsets(found):
    assert found["parameter"] and found["offset"]


def test_what_is_unusual_is_left_to_the_other_way(found):
    """Nothing has been enqueued for it: the other way looks at it anew, and says what is wrong."""
    assert [what for what, refused in found["refused"].items() if not refused] == []
    assert len(found["refused"]) == 19


def test_torch_operators_call_again_from_c(found):
    """A call like one before goes straight to C; another, or a wrong one, is left to the way that looks at all of it."""
    assert found["torch, before"] is None
    kernels = found["torch, again"][0][1]
    assert kernels > 0 and found["torch, again"] == [[[64, 512], kernels], [[4, 16, 512], kernels]]
    assert [what for what, result in found["torch, refused"].items() if result is not None] == []
    assert len(found["torch, refused"]) == 6
    assert found["torch, unknown"] is None
    assert found["torch, known"] == found["torch, again"]
    assert [what for what, result in found["torch, known, refused"].items() if result is not None] == []
    assert len(found["torch, known, refused"]) == 5
    assert found["torch, changed weights"] is None
    assert found["torch, memory"] == 0, "workspace that was not given back"


def test_a_call_is_recorded(found):
    launches, nothing = found["recorded"]
    assert launches >= 3 and nothing is None
    assert "expected 6 argument addresses (5 inputs, then 1 outputs), got 5" in found["recorded, wrong"]


def test_a_call_costs_the_host_little(found):
    """A Python call of a forward with five inputs takes at most 10 us more than the C call, and that at most 5 us, less
    what the driver takes. The quietest stretch of many counts, since the machine may be busy."""
    times = {name: values["best"] for name, values in found["microseconds"].items()}
    print(times)
    assert times["c"] - times["loop"] <= 5.0
    assert times["python"] - times["c"] <= 10.0
    assert times["python, allocating"] - times["c"] <= 10.0
    assert times["recorded"] - times["loop"] <= 5.0
