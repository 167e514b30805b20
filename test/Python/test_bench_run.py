"""A whole run with a stand-in for the device: what is called, in which order, and what is recorded of it."""

import json
import time
import types

import pytest
import winnow

torch = pytest.importorskip("torch", reason="needs torch")

from test_bench_data import by_hand  # noqa: E402
from winnow import _winnow  # noqa: E402
from winnow.bench import cli, ours, peers, record, run, timing  # noqa: E402

CASE = ["--shapes=64/128", "--densities=30", "--case-seconds=0.02", "--soak=0.01", "--without=compile"]


class Event:
    """Time of the host."""

    def __init__(self, enable_timing):
        self.at = 0.0

    def record(self):
        self.at = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, other):
        return 1e3 * (other.at - self.at)


class Graph:
    """Notes how often it was replayed; takes a millisecond."""

    replays = 0

    def capture_begin(self, pool, capture_error_mode):
        pass

    def capture_end(self):
        pass

    def replay(self):
        Graph.replays += 1
        end = time.perf_counter() + 1e-3
        while time.perf_counter() < end:
            pass


class Executable:
    def __init__(self, artifact, device):
        self.artifact = artifact

    def workspace_bytes(self, tokens):
        return 1000

    def launches(self, tokens):
        return ["f_0_map", None, "f_1_gemm", "f_2_map", None, "f_3_gemm"]

    def execute(self, *arguments):
        pass

    def execute_launch(self, *arguments):
        pass


@pytest.fixture
def device(monkeypatch):
    """torch with a CUDA device, as far as a run asks it."""
    properties = types.SimpleNamespace(name="stand-in", uuid="0", multi_processor_count=132, total_memory=1 << 36)
    stream = types.SimpleNamespace(cuda_stream=7)
    for name, value in {
        "is_available": lambda: True, "device_count": lambda: 1, "set_device": lambda index: None,
        "get_device_properties": lambda index: properties, "mem_get_info": lambda: (1 << 35, 1 << 36),
        "empty_cache": lambda: None, "synchronize": lambda: None, "current_stream": lambda: stream,
        "Stream": lambda: None, "Event": Event, "CUDAGraph": Graph, "graph_pool_handle": lambda: None,
        "stream": lambda stream: __import__("contextlib").nullcontext(),
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(_winnow, "device_target", lambda index: "sm_90a")
    monkeypatch.setattr(_winnow, "Executable", Executable)
    monkeypatch.setattr(ours, "build", lambda key, target: ours.Program(b"", key.max_drop > 0))
    monkeypatch.setattr(peers, "scaled_product", by_hand)
    begin = run.Run.__init__

    def on_the_cpu(self, *arguments):
        begin(self, *arguments)
        self._device = "cpu"

    monkeypatch.setattr(run.Run, "__init__", on_the_cpu)
    start = ours.Forward.__init__

    def bind(self, program, work, given_scale):
        start(self, program, work, given_scale)
        self.given_scale = given_scale

    def compute(self, i):
        self.result[self._work.rows] = self._work.reference(self.sparse, self.given_scale)

    monkeypatch.setattr(ours.Forward, "__init__", bind)
    monkeypatch.setattr(ours.Forward, "__call__", compute)
    Graph.replays = 0
    return monkeypatch


def measure(tmp_path, arguments):
    path = tmp_path / "run.json"
    status = cli.main([*CASE, *arguments, f"--json={path}"])
    return status, json.loads(path.read_text())


def test_a_run(device, tmp_path, capsys):
    status, found = measure(tmp_path, ["--tokens=768", "--modes=sustained,burst"])
    output = capsys.readouterr()
    assert status == 0, output.err
    assert found["schema"] == "winnow.bench" and found["complete"] and found["build"] == winnow.build_id()
    assert found["device"]["name"] == "stand-in" and found["command"].startswith(
        "python -m winnow.bench --shapes=64/128"
    )
    assert [(case["tokens"], case["mode"]) for case in found["cases"]] == [(768, "sustained"), (768, "burst")]
    case = found["cases"][0]
    assert case["layout"] == {"forward": "2:4", "forward static": "2:4"}
    measured = {(entry["stage"], entry["who"]) for entry in case["times"]}
    assert measured == {
        *((stage, "winnow") for stage in record.STAGES if stage != record.FUSED), (record.FUSED, "winnow"),
        (record.GEMM2, "winnow dense"), (record.DYNAMIC, "winnow dense"), (record.STATIC, "winnow dense"),
        *((stage, "torch") for stage in record.STAGES if stage != record.FUSED),
        (record.GEMM1, "torch tensor-wise"), (record.GEMM2, "torch tensor-wise"),
    } - {(record.FUSED, "winnow")}, "with a middle kernel in the static forward there is no fused GEMM 1"  # fmt: skip
    for entry in case["times"]:
        assert entry["p10_ms"] <= entry["median_ms"] <= entry["p90_ms"]
        assert entry["calls"] >= 1 and len(entry["samples_ms"]) >= 3
    assert {entry["who"] for entry in case["left_out"]} == {"cusparselt"}
    assert {figure["name"] for figure in found["summary"]["burst"]} == {
        "worst forward over the best dense chain", "worst forward over Winnow's dense",
    }  # fmt: skip
    assert "[2/2] 64/128, 768 tokens, 30 %, burst: gemm 2 " in output.err
    assert "figures, sustained" in output.out
    assert Graph.replays > 0


def test_row_kernels_are_compiled_beforehand(device, tmp_path, capsys):
    device.setattr(torch, "compile", lambda function, dynamic: function)
    warm, seen = peers.RowKernels.warm_up, []
    device.setattr(peers.RowKernels, "warm_up", lambda self, *sizes: (seen.append(sizes), warm(self, *sizes)))
    device.setitem(globals(), "CASE", [word for word in CASE if not word.startswith("--without")])
    status, _ = measure(tmp_path, ["--tokens=8192,768", "--densities=30,10", "--budget=0.001"])
    assert status == 1 and seen == [(4096, 64, 128, "cpu"), (768, 64, 128, "cpu")]
    assert "compiling torch's row kernels" in capsys.readouterr().err


def test_what_does_not_fit_is_left_out(device, tmp_path, capsys):
    device.setattr(torch.cuda, "mem_get_info", lambda: (1 << 20, 1 << 36))
    status, found = measure(tmp_path, ["--tokens=1024"])
    assert status == 1, "nothing was timed"
    assert found["cases"][0]["skipped"] == "needs about 1 GiB of device memory, 0 are free"
    assert "left out, needs about 1 GiB" in capsys.readouterr().err


def test_out_of_memory_is_a_reason(device, tmp_path, capsys):
    def refuse(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    device.setattr(run, "Workload", refuse)
    assert measure(tmp_path, ["--tokens=1024"])[1]["cases"][0]["skipped"].startswith("out of device memory: CUDA out")
    capsys.readouterr()


def test_an_interrupt_leaves_what_was_measured(device, tmp_path, capsys):
    sample, count = timing.sample_all, iter(range(100))

    def interrupted(*arguments):
        if next(count) == 1:
            raise KeyboardInterrupt
        return sample(*arguments)

    device.setattr(timing, "sample_all", interrupted)
    status, found = measure(tmp_path, ["--tokens=1024,768"])
    assert status == 130 and not found["complete"]
    assert len(found["cases"]) == 1 and found["cases"][0]["times"]
    assert "(interrupted" in capsys.readouterr().out


def test_a_budget_that_is_spent(device, tmp_path, capsys):
    _, found = measure(tmp_path, ["--tokens=1024,768", "--budget=0.001"])
    assert [case["skipped"] for case in found["cases"]] == ["no time left"] * 2
    capsys.readouterr()


def test_a_wrong_forward_is_found(device, tmp_path, capsys):
    def compute(self, i):
        self.result[self._work.rows] = self._work.reference(self.sparse, self.given_scale) * 1.2

    device.setattr(ours.Forward, "__call__", compute)
    status, found = measure(tmp_path, ["--tokens=1024", "--without=compile,cusparselt,dense"])
    assert status == 1
    wrong = [entry for entry in found["cases"][0]["left_out"] if entry["wrong"]]
    assert {(entry["stage"], entry["who"]) for entry in wrong} == {("forward", "winnow"), ("forward static", "winnow")}
    assert not any(e["who"] == "winnow" for e in found["cases"][0]["times"]), "parts of a wrong forward are not timed"
    capsys.readouterr()


def test_what_does_not_compile_is_left_out(device, tmp_path, capsys):
    def refuse(key, target):
        raise winnow.Error("<text>:1:1: error: no")

    device.setattr(ours, "build", refuse)
    status, found = measure(tmp_path, ["--tokens=1024"])
    assert status == 0, "the peers were timed"
    assert {e["reason"] for e in found["cases"][0]["left_out"] if e["who"] == "winnow"} == {"<text>:1:1: error: no"}
    capsys.readouterr()


def test_parts_of_a_forward():
    assert ours.parts_of(["a_map", None, "b_gemm", "c_map", None, "d_gemm"]) == ([0], [1, 2], [3], [4, 5])
    assert ours.parts_of(["a_map", "b_gemm", "c_gemm", "sum"]) == ([0], [1], [], [2, 3])
    assert ours.parts_of(["a_map", "b_gemm"]) is None


def test_clocks():
    from winnow.bench.device import Monitor

    class NVMLError(Exception):
        pass

    def missing(*arguments):
        raise NVMLError("not supported")

    nvml = types.SimpleNamespace(
        NVMLError=NVMLError, NVML_CLOCK_SM=1, NVML_TEMPERATURE_GPU=0, nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid, nvmlSystemGetDriverVersion=lambda: b"580.1",
        nvmlDeviceGetEnforcedPowerLimit=missing, nvmlDeviceGetMaxClockInfo=lambda handle, clock: 1980,
        nvmlDeviceGetClockInfo=lambda handle, clock: 1500, nvmlDeviceGetPowerUsage=lambda handle: 650000,
        nvmlDeviceGetTemperature=lambda handle, sensor: 60,
    )  # fmt: skip
    with Monitor("GPU-0", nvml) as monitor:
        assert monitor.facts() == {"driver": "580.1", "max_sm_mhz": 1980}
        deadline = time.monotonic() + 10
        found = None
        while found is None and time.monotonic() < deadline:
            time.sleep(0.01)
            found = monitor.take()
    assert found == {"sm_mhz": 1500.0, "power_w": 650.0, "temperature_c": 60.0}
    nvml.nvmlInit = missing
    assert Monitor("GPU-0", nvml).missing == "NVML: not supported"
