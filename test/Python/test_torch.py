"""SparseFFN and the operators beneath it, on the CPU: test_torch_gpu.py is the same on a GPU."""

import copy
import io
import pickle
import subprocess
import sys
import threading

import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

import winnow  # noqa: E402
import winnow.torch  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from winnow.torch import SparseFFN, quantize_weight  # noqa: E402

KINDS = [
    ("f8e4m3", torch.bfloat16),
    ("f8e4m3", torch.float32),
    ("bf16", torch.bfloat16),
    ("bf16", torch.float32),
    ("f16", torch.float16),
    ("f32", torch.float32),
]
CHECKS = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")


def block(dtype="f32", param_dtype=torch.float32, **options):
    torch.manual_seed(0)
    return SparseFFN(32, 96, dtype=dtype, param_dtype=param_dtype, **options).requires_grad_(False)


def linears(ffn, x):
    return F.linear(F.relu(F.linear(x, ffn.up.weight)).square(), ffn.down.weight)


def error_of(actual, expected):
    return ((actual.double() - expected.double()).norm() / expected.double().norm()).item()


@pytest.fixture(autouse=True)
def fresh_dynamo():
    yield
    torch.compiler.reset()


@pytest.mark.parametrize("dtype, param_dtype", KINDS)
def test_agrees_with_two_linears(dtype, param_dtype):
    ffn = block(dtype, param_dtype)
    x = torch.randn(2, 5, 32, dtype=param_dtype)
    y = ffn(x)
    assert (y.shape, y.dtype) == (x.shape, x.dtype) and y.is_contiguous()
    # Rounding of f8: at most 2^-4 of each factor, independent, so that sums of 96 products stay near 2^-4 in all.
    bound = {"f8e4m3": 0.0625, "bf16": 2e-2, "f16": 2e-3, "f32": 1e-6}[dtype]
    assert error_of(y, linears(ffn, x)) < bound


def test_f8_is_exactly_the_program():
    ffn = block("f8e4m3", torch.bfloat16)
    x = torch.randn(6, 32, dtype=torch.bfloat16)
    weights = [t for linear in (ffn.up, ffn.down) for t in quantize_weight(linear.weight)]
    expected = torch.empty(6, 32, dtype=torch.bfloat16)
    winnow.compile(winnow.ffn(32, 96), target="cpu")(x, *weights, out=expected)
    assert torch.equal(ffn(x), expected)
    assert torch.equal(torch.ops.winnow.ffn(x, weights, winnow.ffn(32, 96)), expected)


def test_static_scale():
    ffn = block("f8e4m3", torch.bfloat16, y2_scale=0.01)
    x = torch.randn(6, 32, dtype=torch.bfloat16)
    assert error_of(ffn(x), linears(ffn, x)) < 0.0625
    assert not torch.equal(ffn(x), block("f8e4m3", torch.bfloat16)(x))
    weights = [t for linear in (ffn.up, ffn.down) for t in quantize_weight(linear.weight)]
    expected = torch.ops.winnow.ffn(x, [*weights, torch.tensor(0.01)], winnow.ffn(32, 96, scale="static"))
    assert torch.equal(ffn(x), expected)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=3), st.sampled_from(["plain", "permuted", "strided", "offset"]))
def test_any_leading_axes_and_strides(lead, how):
    ffn = block()
    x = torch.randn(*lead, 32)
    if how == "permuted":
        x = x.permute(*reversed(range(x.dim()))).contiguous().permute(*reversed(range(x.dim())))
    elif how == "strided":
        x = torch.randn(*lead, 64)[..., ::2]
    elif how == "offset":
        x = torch.randn(x.numel() + 1)[1:].view(x.shape)
    y = ffn(x)
    assert y.shape == x.shape and y.is_contiguous()
    if x.numel():
        assert error_of(y, linears(ffn, x)) < 1e-6


def test_zero_tokens():
    for shape in ((0, 32), (2, 0, 32)):
        assert block("f8e4m3", torch.bfloat16)(torch.empty(shape, dtype=torch.bfloat16)).shape == shape


def test_state_dicts_are_those_of_linears():
    ffn = block("f8e4m3", torch.bfloat16)
    plain = nn.ModuleDict(
        {name: nn.Linear(*shape, bias=False) for name, shape in (("up_proj", (32, 96)), ("down_proj", (96, 32)))}
    ).bfloat16()
    assert list(ffn.state_dict()) == list(plain.state_dict())
    x = torch.randn(3, 32, dtype=torch.bfloat16)
    before = ffn(x)
    ffn.load_state_dict(plain.state_dict())
    after = ffn(x)
    assert not torch.equal(before, after), "weights are quantised again"
    plain.load_state_dict(ffn.state_dict())
    shared = SparseFFN.from_linears(plain["up_proj"], plain["down_proj"]).requires_grad_(False)
    assert torch.equal(shared(x), after)


def test_from_linears_shares_parameters_and_keeps_names():
    model = nn.Sequential(nn.Linear(8, 16, bias=False), nn.ReLU(), nn.Linear(16, 8, bias=False))
    ffn = SparseFFN.from_linears(model[0], model[2], names=("0", "deep.down"), dtype="f32")
    assert list(ffn.state_dict()) == ["0.weight", "deep.down.weight"]
    assert ffn.up.weight is model[0].weight and ffn.down is model[2]
    with pytest.raises(ValueError, match="down: expected a linear from 16 to 8 features, got one from 8 to 16"):
        SparseFFN.from_linears(model[0], model[0])
    with pytest.raises(ValueError, match="up: expected a linear without bias"):
        SparseFFN.from_linears(nn.Linear(8, 16), model[2])


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda ffn: pickle.loads(pickle.dumps(ffn))], ids=["deepcopy", "pickle"]
)
def test_copies(duplicate):
    ffn = block("f8e4m3", torch.bfloat16)
    x = torch.randn(3, 32, dtype=torch.bfloat16)
    y = ffn(x)
    other = duplicate(ffn)
    assert torch.equal(other(x), y)
    other.up.weight.zero_()
    assert (other(x) == 0).all() and torch.equal(ffn(x), y)


def test_changed_parameters_are_noticed():
    ffn = block("f8e4m3", torch.bfloat16)
    x = torch.randn(3, 32, dtype=torch.bfloat16)
    y = ffn(x)
    ffn.down.weight.mul_(2)
    assert torch.equal(ffn(x), 2 * y)
    ffn.down.weight.data.mul_(2)
    assert torch.equal(ffn.prepare()(x), 4 * y)
    ffn.down.weight = nn.Parameter(-ffn.down.weight)
    assert torch.equal(ffn.requires_grad_(False)(x), -4 * y)


def test_moving_between_types():
    ffn = block("f8e4m3", torch.float32)
    x = torch.randn(3, 32).bfloat16()
    y = ffn.bfloat16()(x)
    assert y.dtype == torch.bfloat16 and torch.equal(y, block("f8e4m3", torch.float32).bfloat16()(x))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients(mode):
    ffn = block().requires_grad_(True)
    x = torch.randn(3, 32, requires_grad=True)
    with mode():
        y = ffn(x)
    assert not y.requires_grad and error_of(y, linears(ffn, x.detach())) < 1e-6


@pytest.mark.parametrize("which", ["x", "weight"])
def test_gradients_are_refused(which):
    ffn = block().requires_grad_(which == "weight")
    x = torch.randn(3, 32, requires_grad=which == "x")
    with pytest.raises(RuntimeError, match="gradients are not supported.*torch.no_grad"):
        ffn(x)
    with pytest.raises(RuntimeError, match="gradients are not supported"):
        torch.compile(ffn, backend="aot_eager")(x)
    with pytest.raises(RuntimeError, match="gradients are not supported"):
        torch.ops.winnow.ffn(x, [ffn.up.weight, ffn.down.weight], ffn.spec)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_autocast(dtype):
    ffn = block("f8e4m3", torch.float32)
    x = torch.randn(3, 32, dtype=dtype)
    with torch.autocast("cpu", torch.bfloat16):
        y, plain = ffn(x), linears(ffn, x)
        compiled = torch.compile(ffn, backend="aot_eager", fullgraph=True)(x)
    assert y.dtype == plain.dtype == torch.bfloat16
    assert torch.equal(y, ffn(x.float().bfloat16().float()).bfloat16())
    assert torch.equal(compiled, y)


@pytest.mark.parametrize("fullgraph", [True, False])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_compiled(fullgraph, mode):
    model = nn.Sequential(nn.LayerNorm(32), block("f8e4m3", torch.float32), nn.LayerNorm(32))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=fullgraph, dynamic=True)
    with mode():
        for tokens in (2, 7, 33):
            x = torch.randn(2, tokens, 32)
            torch.testing.assert_close(compiled(x), model(x), rtol=1e-5, atol=1e-5)
        model[1].up.weight.neg_()
        torch.testing.assert_close(compiled(x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("default::DeprecationWarning")  # of torch 2.11 about itself
def test_compiled_by_inductor():
    ffn = block("f8e4m3", torch.float32)
    compiled = torch.compile(lambda x: ffn(x * 2) + x, fullgraph=True, dynamic=True)
    for tokens in (3, 8):
        x = torch.randn(tokens, 32)
        torch.testing.assert_close(compiled(x), ffn(x * 2) + x)


def test_token_count_does_not_recompile():
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(block(), backend=counter, fullgraph=True, dynamic=True)
    for tokens in (2, 3, 200):
        assert compiled(torch.randn(tokens, 32)).shape == (tokens, 32)
    assert counter.frame_count == 1


@pytest.mark.filterwarnings("default:The given buffer is not writable")  # of torch 2.11 when it loads a program
def test_exported():
    ffn = block("f8e4m3", torch.bfloat16)
    x = torch.randn(4, 32, dtype=torch.bfloat16)
    program = torch.export.export(ffn, (x,), dynamic_shapes={"x": {0: torch.export.Dim("tokens")}})
    assert list(program.state_dict) == ["up_proj.weight", "down_proj.weight"]
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    assert torch.equal(loaded(x), ffn(x)) and torch.equal(loaded(x[:1]), ffn(x[:1]))


@pytest.mark.parametrize("dtype, param_dtype", KINDS)
def test_opcheck(dtype, param_dtype):
    ffn = block(dtype, param_dtype)
    for shape in ((3, 32), (2, 3, 32), (0, 32)):
        x = torch.randn(shape, dtype=ffn._element)
        torch.library.opcheck(torch.ops.winnow.sparse_ffn.default, (x, ffn.up.weight, ffn.down.weight, None, ffn.spec))
        weights = [ffn.up.weight.to(x.dtype), ffn.down.weight.to(x.dtype)]
        if dtype == "f8e4m3":
            weights = [t for linear in (ffn.up, ffn.down) for t in quantize_weight(linear.weight)]
        # test_schema compares inputs by arithmetic that torch lacks for f8.
        checks = [name for name in CHECKS if dtype != "f8e4m3" or name != "test_schema"]
        torch.library.opcheck(torch.ops.winnow.ffn.default, (x, weights, ffn.spec), {"tokens": 8}, test_utils=checks)


def test_fake_tensors():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        y = SparseFFN(4096, 16384, param_dtype=torch.bfloat16, device="cuda").requires_grad_(False)(
            torch.empty(2, 7, 4096, device="cuda", dtype=torch.bfloat16)
        )
    assert (y.shape, y.dtype, y.device.type) == ((2, 7, 4096), torch.bfloat16, "cuda")


def test_threads():
    ffn = block("f8e4m3", torch.bfloat16)
    inputs = [torch.randn(n, 32, dtype=torch.bfloat16) for n in (1, 3, 9, 27)]
    results = {}

    def work(index):
        results[index] = [ffn(inputs[index]) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, x in enumerate(inputs):
        assert all(torch.equal(y, ffn(x)) for y in results[index])


def test_names_of_programs():
    spec = winnow.ffn(32, 96, dtype="f32")
    name = winnow.torch.register_program("// x\n" + spec)
    assert name.startswith("sha256:") and len(name) == 71
    ffn = block()
    x = torch.randn(3, 32)
    assert torch.equal(torch.ops.winnow.ffn(x, [ffn.up.weight, ffn.down.weight], name), ffn(x))
    assert winnow.torch.register_program(spec) == " ".join(spec.split()) == ffn._program
    with pytest.raises(ValueError, match="program: sha256:0 is unknown to this process"):
        torch.ops.winnow.ffn(x, [], "sha256:0")


@pytest.mark.nvrtc
def test_one_program_for_every_token_count(monkeypatch):
    monkeypatch.setattr(winnow._winnow, "device_target", lambda index: "sm_90a")
    program = winnow.torch._program.Program(winnow.ffn(256, 1024))
    every, one = program._variant(0, 0), program._variant(0, 16)
    assert program._variant(0, 0) is every
    assert len(every.token_ranges) > 1 and [r.decided_for for r in one.token_ranges] == [16]


def test_a_long_profile():
    sparsity = {"density": 0.25, "max_drop": 0.05, "profile": [i % 4 / 6 for i in range(4096)]}
    ffn = SparseFFN(16, 4096, sparsity=sparsity, param_dtype=torch.bfloat16).requires_grad_(False)
    assert ffn._program.startswith("sha256:") and "profile" in ffn.spec
    x = torch.randn(2, 16, dtype=torch.bfloat16)
    assert error_of(ffn(x), linears(ffn, x)) < 0.0625
    script = "import sys, pickle, torch\nffn, x, y = pickle.load(sys.stdin.buffer)\nassert torch.equal(ffn(x), y)"
    subprocess.run([sys.executable, "-c", script], check=True, input=pickle.dumps((ffn, x, ffn(x))))


@pytest.mark.parametrize(
    "spec",
    [
        "func.func @f(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {\n  return %x : tensor<4x4xf32>\n}",
        "func.func @f(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {\n  return %x : tensor<4x?xf32>\n}",
        "func.func @f(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {\n  return %x : tensor<?x4xf32>\n}",
    ],
)
def test_programs_of_another_form_are_refused(spec):
    with pytest.raises(ValueError, match="program: expected a function of a matrix with a row per token"):
        torch.ops.winnow.ffn(torch.ones(4, 4), [], spec)


def test_a_program_without_weights(relu):
    spec = relu.ir("spec")
    x = torch.randn(3, 4)
    assert torch.equal(torch.ops.winnow.ffn(x, [], spec), x.relu())


def test_errors():
    ffn = block("f8e4m3", torch.bfloat16)
    x = torch.randn(3, 32, dtype=torch.bfloat16)
    with pytest.raises(TypeError, match="x: expected torch.bfloat16, as the weights have, got torch.float32"):
        ffn(x.float())
    with pytest.raises(ValueError, match=r"x: expected 32 features along the last axis, got shape \(3, 31\)"):
        ffn(x[:, :31])
    op, values = torch.ops.winnow.ffn, quantize_weight(ffn.up.weight)
    weights = [*values, *quantize_weight(ffn.down.weight)]
    with pytest.raises(TypeError, match=r"weights: expected 4 tensors \(w1, w1_scale, w2, w2_scale\), got 2"):
        op(x, weights[:2], ffn.spec)
    with pytest.raises(TypeError, match="w2: expected torch.float8_e4m3fn, got torch.bfloat16"):
        op(x, [*values, ffn.down.weight, weights[3]], ffn.spec)
    with pytest.raises(ValueError, match=r"w1: expected shape \(96, 32\), got \(32, 96\)"):
        op(x, [weights[2], *weights[1:]], ffn.spec)
    with pytest.raises(ValueError, match="w1: expected row-major memory"):
        op(x, [weights[2].t(), *weights[1:]], ffn.spec)
    with pytest.raises(TypeError, match="x: expected torch.bfloat16, got torch.float16"):
        op(x.half(), weights, ffn.spec)
    with pytest.raises(winnow.Error, match="error:"):
        op(x, weights, "nonsense")
    for options, match in (
        ({"activation": "tanh"}, "activation: expected one of"),
        ({"dtype": "int8"}, "dtype: expected one of"),
        ({"y2_scale": -1.0}, "y2_scale: expected a positive number, got -1.0"),
        ({"y2_scale": 1.0, "dtype": "bf16"}, "'static' is for f8"),
        ({"tokens": 0}, "tokens: expected a count from 1"),
    ):
        with pytest.raises(ValueError, match=match):
            SparseFFN(32, 96, **options)


def test_importing_winnow_leaves_torch_alone():
    script = "import winnow, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_process_ends_cleanly():
    script = "import torch, winnow.torch\nwith torch.no_grad(): winnow.torch.SparseFFN(8, 16)(torch.ones(1, 8))\n"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout + done.stderr == ""
