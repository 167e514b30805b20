"""On an H100: memory, streams, threads, contexts and processes that come and go. Skipped elsewhere."""

import ctypes
import gc
import os
import subprocess
import sys
import textwrap
import threading

import pytest
import winnow
from conftest import RELU

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="needs torch")


@pytest.fixture(scope="module")
def driver():
    return ctypes.CDLL("libcuda.so.1")


def run_script(text, limit=60):
    """Standard output of a Python program; it must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=limit,
        env={**os.environ, "RELU": RELU}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_inputs_may_be_released_after_the_call(torch):
    """On one stream a framework gives memory to others only after the work that reads it."""
    ffn = winnow.compile(RELU)
    torch.cuda._sleep(50_000_000)
    results = []
    for i in range(50):
        results.append(ffn(torch.full((4096, 4), float(i), device="cuda")))
        torch.full((4096, 4), -1.0, device="cuda")
    torch.cuda.synchronize()
    assert [result[0, 0].item() for result in results] == [float(i) for i in range(50)]
    assert all((result == result[0, 0]).all() for result in results)


def test_results_outlive_the_ffn(torch):
    ffn = winnow.compile(RELU)
    result = ffn(torch.full((8, 4), 3.0, device="cuda"))
    torch.cuda.synchronize()
    del ffn
    gc.collect()
    assert (result == 3).all()


def test_an_array_whose_memory_is_gone_is_refused(torch):
    x = torch.ones(8, 4, device="cuda")
    x.untyped_storage().resize_(0)
    with pytest.raises((ValueError, winnow.Error), match="x"):
        winnow.compile(RELU)(x)


def test_work_on_two_streams_overlaps_and_stays_apart(torch):
    """A call waits for its own stream alone: another stream's work goes on."""
    ffn = winnow.compile(RELU)
    slow, fast = torch.cuda.Stream(), torch.cuda.Stream()
    x = torch.full((8, 4), 2.0, device="cuda")
    outs = [torch.zeros_like(x), torch.zeros_like(x)]
    for stream, out in zip((slow, fast), outs):
        ffn(x, out=out, stream=stream)
    torch.cuda.synchronize()
    for out in outs:
        out.zero_()
    torch.cuda.synchronize()
    with torch.cuda.stream(slow):
        torch.cuda._sleep(400_000_000)
    ffn(x, out=outs[0], stream=slow)
    ffn(x, out=outs[1], stream=fast)
    fast.synchronize()
    assert not slow.query() and (outs[1].cpu() == 2).all(), "the fast stream did not wait for the slow one"
    slow.synchronize()
    assert (outs[0].cpu() == 2).all()


def test_threads_that_have_never_used_cuda(torch):
    ffn = winnow.compile(RELU)
    x, outs = torch.full((8, 4), 2.0, device="cuda"), [torch.zeros(8, 4, device="cuda") for _ in range(8)]
    workspace = torch.empty(max(1, ffn.workspace_bytes(8)), dtype=torch.uint8, device="cuda")
    errors = []

    def work(out):
        try:
            ffn(x, out=out, workspace=workspace)
        except Exception as error:  # noqa: BLE001 (the thread's, shown below)
            errors.append(error)

    threads = [threading.Thread(target=work, args=(out,)) for out in outs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    torch.cuda.synchronize()
    assert errors == [] and all((out == 2).all() for out in outs)


def test_two_compilations_and_their_kernels_at_once(torch):
    """Two contexts of the compiler, in two threads, each running what it has made."""
    failures = []

    def work(width):
        text = RELU.replace("x4x", f"x{width}x")
        for i in range(5):
            ffn = winnow.compile(text, use_cache=False)
            stream = torch.cuda.Stream()
            x = torch.full((64, width), i + 1.0, device="cuda")
            torch.cuda.synchronize()
            result = ffn(x, stream=stream)
            stream.synchronize()
            if not (result == i + 1.0).all():
                failures.append((width, i))

    threads = [threading.Thread(target=work, args=(width,)) for width in (4, 8, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_another_context_stays_current(torch, driver):
    """The caller's own CUDA context is current again after a call, which uses the device's primary one."""
    ffn = winnow.compile(RELU)
    x, out = torch.full((8, 4), 2.0, device="cuda"), torch.zeros(8, 4, device="cuda")
    workspace = torch.empty(max(1, ffn.workspace_bytes(8)), dtype=torch.uint8, device="cuda")
    torch.cuda.synchronize()
    context, current = ctypes.c_void_p(), ctypes.c_void_p()
    assert driver.cuCtxCreate_v2(ctypes.byref(context), ctypes.c_uint(0), ctypes.c_int(0)) == 0
    try:
        ffn(x, out=out, workspace=workspace)
        assert driver.cuCtxGetCurrent(ctypes.byref(current)) == 0
        assert current.value == context.value
    finally:
        assert driver.cuCtxDestroy_v2(context) == 0
    torch.cuda.synchronize()
    assert (out == 2).all()


def test_nothing_leaks(torch):
    """Device memory and memory of the host stay where they were over many FFNs, calls and errors."""

    def work():
        ffn = winnow.compile(RELU)
        x = torch.ones(64, 4, device="cuda")
        for tokens in range(1, 40):
            ffn(x[:tokens])
        for _ in range(20):
            with pytest.raises(ValueError, match="row-major"):
                ffn(torch.ones(4, 8, device="cuda").t())
        torch.cuda.synchronize()

    def used():
        gc.collect()
        torch.cuda.empty_cache()
        with open("/proc/self/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return torch.cuda.mem_get_info()[0], resident

    for _ in range(10):
        work()
    free, resident = used()
    for _ in range(40):
        work()
    free_after, resident_after = used()
    assert free_after >= free, "device memory was lost"
    # 40 leaked modules of the compiler would be more than that; allocators keep some.
    assert resident_after - resident < 16 << 20


def test_a_fork_that_uses_cuda_gets_an_error_not_a_crash():
    """CUDA does not survive fork: the child is told, and the parent goes on."""
    output = run_script(
        """
        import os, torch, winnow
        ffn = winnow.compile(os.environ["RELU"])
        x, out = torch.full((8, 4), 2.0, device="cuda"), torch.zeros(8, 4, device="cuda")
        workspace = torch.empty(max(1, ffn.workspace_bytes(8)), dtype=torch.uint8, device="cuda")
        ffn(x, out=out, workspace=workspace)
        torch.cuda.synchronize()
        child = os.fork()
        if child == 0:
            try:
                ffn(x, out=out, workspace=workspace)
                print("the child ran", flush=True)
            except winnow.Error as error:
                print("the child was told:", str(error).splitlines()[0], flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        out.zero_()
        ffn(x, out=out, workspace=workspace)
        torch.cuda.synchronize()
        assert (out == 2).all()
        """
    )
    assert output.startswith("the child was told: cannot enter the context of device 0"), output


def test_a_fork_before_cuda_is_used():
    run_script(
        """
        import os, winnow
        text = winnow.ffn(d_model=64, d_ffn=128)
        winnow.lower(text, target="sm_90a").ir("kern")
        child = os.fork()
        if child == 0:
            import torch
            ffn = winnow.compile(os.environ["RELU"])
            assert (ffn(torch.full((8, 4), 2.0, device="cuda")) == 2).all()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """
    )
