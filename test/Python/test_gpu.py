"""On an H100: the same arrays, streams and results. Skipped elsewhere."""

import threading
import time

import pytest
import winnow
from conftest import RELU

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def on_gpu(torch, array):
    import numpy

    raw = torch.from_numpy(array.view(numpy.uint8 if array.itemsize == 1 else f"i{array.itemsize}").copy()).cuda()
    names = {"bfloat16": torch.bfloat16, "float8_e4m3fn": torch.float8_e4m3fn, "float32": torch.float32}
    return raw.view(names[array.dtype.name])


@pytest.mark.parametrize("tokens", [1, 7, 300])
def test_agrees_with_the_reference(torch, tokens):
    ffn = winnow.compile(winnow.ffn(256, 1024))
    assert ffn.target == "sm_90a"
    inputs = ffn.random_inputs(tokens)
    expected = torch.from_numpy(ffn.reference(*inputs, level="ffn").astype("f4"))
    result = ffn(*[on_gpu(torch, array) for array in inputs])
    assert result.dtype == torch.bfloat16 and result.shape == (tokens, 256)
    assert ((result.cpu().float() - expected).norm() / expected.norm()).item() < 1e-2


def test_runs_on_the_callers_stream_into_the_callers_memory(torch):
    ffn = winnow.compile(RELU)
    stream = torch.cuda.Stream()
    x = torch.full((1000, 4), -1.0, device="cuda")
    out = torch.ones_like(x)
    ffn(x, out=out, stream=stream)  # what is loaded and allocated once may wait
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(100_000_000)
        x.fill_(2.0)
        assert ffn(x, out=out, stream=stream) is out
    assert not stream.query(), "the call has not waited for the stream"
    stream.synchronize()
    assert (out == 2).all()


def test_captured_in_a_graph(torch):
    ffn = winnow.compile(RELU)
    x = torch.ones(8, 4, device="cuda")
    out = torch.zeros_like(x)
    workspace = torch.empty(max(1, ffn.workspace_bytes(8)), dtype=torch.uint8, device="cuda")
    ffn(x, out=out, workspace=workspace)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        ffn(x, out=out, workspace=workspace, stream=torch.cuda.current_stream())
    x.fill_(3.0)
    graph.replay()
    torch.cuda.synchronize()
    assert (out == 3).all()


def test_recorded(torch):
    """A recorded call gives what a call gives, whatever its inputs hold by then, and costs the host at most 5 us."""
    ffn = winnow.compile(winnow.ffn(256, 1024))
    inputs = [on_gpu(torch, array) for array in ffn.random_inputs(64)]
    out = torch.empty(64, 256, dtype=torch.bfloat16, device="cuda")
    stream = torch.cuda.Stream()
    recorded = ffn.record(*inputs, out=out, stream=stream)
    for _ in range(3):
        inputs[0].copy_(torch.randn(64, 256, device="cuda").bfloat16())
        expected = ffn(*inputs)
        torch.cuda.synchronize()
        out.fill_(float("nan"))
        torch.cuda.synchronize()
        assert recorded.launch() is out
        stream.synchronize()
        assert torch.equal(out.view(torch.int16), expected.view(torch.int16))
    times = []
    for _ in range(2000):
        begin = time.perf_counter()
        recorded.launch()
        times.append(time.perf_counter() - begin)
        if len(times) % 100 == 0:
            torch.cuda.synchronize()
    median = sorted(times)[len(times) // 2]
    print(f"a launch of a recorded forward costs the host {median * 1e6:.1f} us")
    assert median <= 5e-6


def test_threads_and_streams(torch):
    ffn = winnow.compile(winnow.ffn(256, 1024))
    inputs = [on_gpu(torch, array) for array in ffn.random_inputs(64)]
    expected = ffn(*inputs)
    torch.cuda.synchronize()
    failures = []

    def work():
        stream = torch.cuda.Stream()
        for _ in range(20):
            result = ffn(*inputs, stream=stream)
            stream.synchronize()
            if not torch.equal(result.view(torch.int16), expected.view(torch.int16)):
                failures.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_refusals(torch):
    ffn = winnow.compile(RELU)
    x = torch.ones(8, 4, device="cuda")
    with pytest.raises(ValueError, match="x: expected memory of a CUDA device for sm_90a, got host memory"):
        ffn(x.cpu())
    with pytest.raises(ValueError, match="x: expected row-major"):
        ffn(torch.ones(4, 8, device="cuda").t())
    with pytest.raises(ValueError, match="16-byte aligned"):
        ffn(torch.ones(33, device="cuda")[1:].view(8, 4))
    with pytest.raises(ValueError, match="gradients do not flow"):
        ffn(x.requires_grad_())


def test_host_overhead(torch):
    """A Python call costs at most 10 us more than the C call, measured on enqueueing alone."""
    import time

    ffn = winnow.compile(RELU)
    x = torch.ones(8, 4, device="cuda")
    out = torch.empty_like(x)
    executable = ffn._executable(0)
    needed = executable.workspace_bytes(8)
    workspace = torch.empty(max(needed, 1), dtype=torch.uint8, device="cuda")

    def median(call):
        times = []
        for _ in range(2000):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
        torch.cuda.synchronize()
        return sorted(times)[len(times) // 2]

    addresses = [x.data_ptr(), out.data_ptr()]
    bare = median(lambda: executable.execute(0, 8, addresses, workspace.data_ptr(), needed))
    whole = median(lambda: ffn(x, out=out, workspace=workspace))
    assert whole - bare <= 10e-6
