"""What a call hands to the runtime on a GPU: addresses, stream and workspace. The framework and the executable are
stand-ins, so that this runs anywhere; test_gpu.py is the real thing."""

import contextlib
import itertools
import threading
import types

import pytest
import winnow
from winnow import _winnow

TWO = """func.func @f(%a: tensor<?x4xf32>, %b: tensor<8xbf16>) -> (tensor<?x4xf32>, tensor<8xbf16>) {
  return %a, %b : tensor<?x4xf32>, tensor<8xbf16>
}
"""


class Tensor:
    """As much of a torch.Tensor as is asked for."""

    addresses = itertools.count(0x10040, 0x100000)
    requires_grad, layout = False, "strided"

    def __init__(self, shape, dtype, device=0, stream=0, contiguous=True):
        self.shape, self.dtype, self.stream, self.address = shape, f"torch.{dtype}", stream, next(self.addresses)
        self.device = types.SimpleNamespace(type="cuda", index=device)
        self.is_contiguous = lambda: contiguous

    def data_ptr(self):
        return self.address


class Torch(types.ModuleType):
    Tensor, strided = Tensor, "strided"
    float32, bfloat16, uint8 = "float32", "bfloat16", "uint8"

    def __init__(self):
        super().__init__("torch")
        self.stream, self.made, self.grad = 0, [], True
        self.cuda = types.SimpleNamespace(
            current_stream=lambda device: types.SimpleNamespace(cuda_stream=self.stream),
            ExternalStream=lambda stream, device: stream,
            stream=self._use,
        )

    def is_grad_enabled(self):
        return self.grad

    @contextlib.contextmanager
    def _use(self, stream):
        before, self.stream = self.stream, stream
        yield
        self.stream = before

    def empty(self, shape, dtype, device):
        self.made.append(Tensor(shape, dtype, int(device.removeprefix("cuda:")), self.stream))
        return self.made[-1]


class Executable:
    """Notes what it is asked to do."""

    def __init__(self, artifact, device):
        self.device, self.calls = device, []

    def arguments(self, outputs):
        return winnow.lower(TWO, target="sm_90a").outputs if outputs else winnow.lower(TWO, target="sm_90a").inputs

    def workspace_bytes(self, tokens):
        return 1000 * tokens

    def execute(self, *arguments):
        self.calls.append(arguments)

    def call(self, *arguments):
        """As for arrays whose framework has no C functions."""


@pytest.fixture
def torch(monkeypatch):
    module = Torch()
    monkeypatch.setitem(__import__("sys").modules, "torch", module)
    return module


@pytest.fixture
def ffn(monkeypatch):
    monkeypatch.setattr(_winnow, "Executable", Executable)
    monkeypatch.setattr(winnow.CompiledFFN, "artifact", b"")
    return winnow.lower(TWO, target="sm_90a")


def test_addresses_in_order_and_results_of_the_same_framework(torch, ffn):
    a, b = Tensor((3, 4), "float32"), Tensor((8,), "bfloat16")
    first, second = ffn(a, b)
    assert (first.shape, first.dtype) == ((3, 4), "torch.float32")
    assert (second.shape, second.dtype) == ((8,), "torch.bfloat16")
    ((stream, tokens, addresses, workspace, size),) = ffn._executable(0).calls
    assert (stream, tokens, size) == (0, 3, 3000)
    assert addresses == [t.address for t in (a, b, first, second)]
    assert workspace % 256 == 0
    kept = torch.made[-1]
    assert kept.address <= workspace and workspace + size <= kept.address + kept.shape[0]


def test_results_belong_to_the_stream_of_the_call(torch, ffn):
    stream = types.SimpleNamespace(cuda_stream=77)
    first, second = ffn(Tensor((3, 4), "float32"), Tensor((8,), "bfloat16"), stream=stream)
    assert [tensor.stream for tensor in torch.made] == [77, 77, 77]
    assert ffn._executable(0).calls[0][0] == 77
    assert torch.stream == 0, "the framework's current stream is as before"


def test_workspace_is_kept_per_stream_and_never_taken_away(torch, ffn):
    a, b, out = (
        Tensor((3, 4), "float32"),
        Tensor((8,), "bfloat16"),
        (Tensor((3, 4), "float32"), Tensor((8,), "bfloat16")),
    )
    for stream in (0, 0, 5):
        ffn(a, b, out=out, stream=stream)
    calls = ffn._executable(0).calls
    assert calls[0][3] == calls[1][3] != calls[2][3]
    assert len(torch.made) == 2
    larger = (Tensor((9, 4), "float32"), out[1])
    ffn(Tensor((9, 4), "float32"), b, out=larger)
    assert calls[3][4] == 9000 and len(torch.made) == 3
    ffn(a, b, out=out)
    assert calls[4][3] == calls[3][3], "the larger one serves fewer tokens too"
    assert len(ffn._workspaces[0, 0]._pieces) == 2, "a captured graph may still use the smaller one"


def test_workspace_of_the_caller(torch, ffn):
    a, b, out = (
        Tensor((3, 4), "float32"),
        Tensor((8,), "bfloat16"),
        [Tensor((3, 4), "float32"), Tensor((8,), "bfloat16")],
    )
    workspace = Tensor((4000,), "uint8")
    ffn(a, b, out=out, workspace=workspace)
    assert ffn._executable(0).calls[0][3:] == (workspace.address, 4000)
    assert torch.made == []
    with pytest.raises(
        ValueError, match="workspace: expected at least 3000 contiguous bytes on CUDA device 0, got 2999"
    ):
        ffn(a, b, out=out, workspace=Tensor((2999,), "uint8"))


def test_the_device_is_that_of_the_inputs(torch, ffn):
    ffn(Tensor((3, 4), "float32", 1), Tensor((8,), "bfloat16", 1))
    assert list(ffn._executables) == [1]
    assert {tensor.device.index for tensor in torch.made} == {1}
    with pytest.raises(ValueError, match="b: expected memory of CUDA device 1, as the inputs before it, got 0"):
        ffn(Tensor((3, 4), "float32", 1), Tensor((8,), "bfloat16", 0))
    with pytest.raises(ValueError, match="out: expected memory of CUDA device 1, as the inputs, got 0"):
        out = Tensor((3, 4), "float32", 0), Tensor((8,), "bfloat16", 1)
        ffn(Tensor((3, 4), "float32", 1), Tensor((8,), "bfloat16", 1), out=out)


def test_refusals(torch, ffn):
    b = Tensor((8,), "bfloat16")
    with pytest.raises(ValueError, match="a: expected row-major memory"):
        ffn(Tensor((3, 4), "float32", contiguous=False), b)
    odd = Tensor((3, 4), "float32")
    odd.address += 4
    with pytest.raises(ValueError, match="a: expected 16-byte aligned memory, got address 0x"):
        ffn(odd, b)
    grad = Tensor((3, 4), "float32")
    grad.requires_grad = True
    with pytest.raises(ValueError, match="a: gradients do not flow"):
        ffn(grad, b)
    torch.grad = False
    ffn(grad, b)


def test_a_loaded_artifact_is_called_alike(torch, monkeypatch, tmp_path):
    monkeypatch.setattr(_winnow, "Executable", Executable)
    path = tmp_path / "ffn.wnw"
    path.write_bytes(b"artifact")
    loaded = winnow.load(path, device=1)
    assert [argument.name for argument in loaded.inputs] == ["a", "b"]
    first, _ = loaded(Tensor((3, 4), "float32", 1), b=Tensor((8,), "bfloat16", 1))
    assert first.shape == (3, 4) and len(loaded._executables[1].calls) == 1
    assert "a float32(tokens, 4)" in repr(loaded)


def test_calls_on_one_stream_do_not_overlap(torch, ffn):
    inside, overlaps = [], []

    def execute(*arguments):
        inside.append(1)
        overlaps.append(len(inside) > 1)
        threading.Event().wait(0.001)
        inside.pop()

    ffn._executable(0).execute = execute
    a, b, out = (
        Tensor((3, 4), "float32"),
        Tensor((8,), "bfloat16"),
        (Tensor((3, 4), "float32"), Tensor((8,), "bfloat16")),
    )
    threads = [threading.Thread(target=lambda: [ffn(a, b, out=out) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [False] * 40
