"""winnow.jax on the CPU: shapes, transformations, errors. test_jax_gpu.py is for CUDA devices."""

import os
import pathlib
import pickle
import re
import runpy
import subprocess
import sys
import threading

import numpy as np
import pytest
import winnow
from conftest import RELU
from hypothesis import given, settings
from hypothesis import strategies as st

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402
import winnow.jax  # noqa: E402

# Rows depend on each other: one scale for all of them.
TENSOR_SCALE = """
func.func @forward(%x: tensor<?x4xf32>) -> (tensor<?x4xf8E4M3FN>, tensor<f32>) {
  %q, %s = ffn.quantize %x by tensor : (tensor<?x4xf32>) -> (tensor<?x4xf8E4M3FN>, tensor<f32>)
  return %q, %s : tensor<?x4xf8E4M3FN>, tensor<f32>
}
"""
# Two token inputs, a weight handed through, and a static input.
SEVERAL = """
func.func @forward(%x: tensor<?x4xf8E4M3FN>, %s: tensor<?xf32>, %w: tensor<8x4xf8E4M3FN> {ffn.weight}, %t: tensor<f32>)
    -> (tensor<?x8xf32>, tensor<f32>) {
  %y = ffn.matmul %x scaled %s, %w scaled %t {transpose_rhs}
     : (tensor<?x4xf8E4M3FN>, tensor<?xf32>, tensor<8x4xf8E4M3FN>, tensor<f32>) -> tensor<?x8xf32>
  return %y, %t : tensor<?x8xf32>, tensor<f32>
}
"""
SMALL = winnow.ffn(16, 32, dtype="f32")


@pytest.fixture(autouse=True, scope="module")
def on_the_cpu():
    with jax.default_device(jax.devices("cpu")[0]):
        yield


@pytest.fixture(scope="module")
def ffn():
    return winnow.jax.compile(SMALL)


def reference(spec, *arrays):
    return winnow.compile(spec, target="cpu")(*[np.asarray(array) for array in arrays])


def same(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    return actual.dtype == expected.dtype and actual.shape == expected.shape and actual.tobytes() == expected.tobytes()


# Values.


@pytest.mark.parametrize("dtype", ["f8e4m3", "f8e5m2", "bf16", "f16", "f32"])
@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_agrees_with_the_reference(dtype, wrap):
    spec = winnow.ffn(16, 32, dtype=dtype)
    ffn = winnow.jax.compile(spec)
    inputs = ffn.random_inputs(5)
    assert [array.dtype.name for array in inputs] == [argument.element for argument in ffn.inputs]
    assert same(wrap(ffn)(*inputs), reference(spec, *inputs))


def test_every_element_type_passes():
    text = "func.func @f(%a: tensor<?x4xf32>, %m: tensor<?x4xi1>) -> (tensor<?x4xf32>, tensor<?x4xi1>)"
    text += " {\n  return %a, %m : tensor<?x4xf32>, tensor<?x4xi1>\n}"
    a, mask = jnp.ones((3, 4)), jnp.array([[True, False, True, False]] * 3)
    first, second = jax.jit(winnow.jax.compile(text))(a, mask)
    assert same(first, a) and same(second, mask)


def test_counts_are_int32_and_belong_to_one_call():
    spec = winnow.ffn(16, 32, dtype="f32", count_nonzero=True)
    ffn = winnow.jax.compile(spec)
    x = jnp.asarray(np.random.default_rng(1).standard_normal((2, 3, 16)), jnp.float32)
    w1, w2 = (jnp.asarray(a) for a in ffn.random_inputs(1)[1:])
    y, counts = jax.jit(ffn)(x[0], w1, w2)
    assert counts.dtype == jnp.int32 and same(counts, reference(spec, x[0], w1, w2)[1])
    _, each = jax.vmap(ffn, in_axes=(0, None, None))(x, w1, w2)
    assert same(each, np.stack([reference(spec, one, w1, w2)[1] for one in x]))


def test_several_inputs_and_results():
    ffn = winnow.jax.compile(SEVERAL)
    inputs = ffn.random_inputs(6)
    y, t = jax.jit(ffn)(*inputs)
    expected_y, expected_t = reference(SEVERAL, *inputs)
    assert same(y, expected_y) and same(t, expected_t)
    named = dict(zip("xswt", inputs))
    assert same(ffn(inputs[0], **{name: named[name] for name in "tws"})[0], expected_y)


@given(leading=st.lists(st.integers(0, 3), max_size=4))
@settings(deadline=None, max_examples=15)
def test_any_leading_axes_are_tokens(ffn, leading):
    rng = np.random.default_rng(sum(leading))
    x = rng.standard_normal((*leading, 16), np.float32)
    _, w1, w2 = ffn.random_inputs(1)
    y = ffn(x, w1, w2)
    assert y.shape == x.shape
    if x.size:
        assert same(y, reference(SMALL, x.reshape(-1, 16), w1, w2).reshape(x.shape))


def test_zero_tokens_need_no_call_unless_a_result_is_not_per_token(ffn):
    _, w1, w2 = ffn.random_inputs(1)
    y = jax.jit(ffn)(jnp.zeros((0, 16)), w1, w2)
    assert (y.shape, y.dtype) == ((0, 16), jnp.float32)
    with pytest.raises(ValueError, match="expected at least one token, since a result is not per token; got none"):
        winnow.jax.compile(TENSOR_SCALE)(jnp.zeros((0, 4)))


# Transformations.


@given(data=st.data(), shape=st.lists(st.integers(1, 3), min_size=1, max_size=3))
@settings(deadline=None, max_examples=15)
def test_vmap_nests_over_any_axes(ffn, data, shape):
    """Each level maps some axis of x; the result is that of the tokens one by one."""
    x = np.random.default_rng(sum(shape)).standard_normal((*shape, 16), np.float32)
    _, w1, w2 = ffn.random_inputs(1)
    levels = data.draw(st.integers(1, len(shape)))
    axes = [data.draw(st.integers(0, len(shape) - 1 - level)) for level in range(levels)]
    mapped, moved = ffn, x
    for axis in reversed(axes):
        mapped = jax.vmap(mapped, in_axes=(axis, None, None))
    for level, axis in enumerate(axes):
        moved = np.moveaxis(moved, axis + level, level)
    expected = reference(SMALL, moved.reshape(-1, 16), w1, w2).reshape(moved.shape)
    wrap = data.draw(st.sampled_from([lambda f: f, jax.jit]))
    assert same(wrap(mapped)(x, w1, w2), expected)


def calls_in(function, *arrays):
    """Custom calls in the program that XLA gets, and whether they are in a loop."""
    text = jax.jit(function).lower(*arrays).as_text()
    return text.count("custom_call @winnow_ffn"), "stablehlo.while" in text


def test_vmap_over_tokens_is_one_call(ffn):
    _, w1, w2 = ffn.random_inputs(1)
    x = jnp.ones((3, 2, 16))
    assert calls_in(jax.vmap(ffn, in_axes=(0, None, None)), x, w1, w2) == (1, False)


def test_vmap_over_weights_runs_in_turn(ffn):
    """Experts: each with its own weights and tokens."""
    inputs = [ffn.random_inputs(4, seed) for seed in range(3)]
    stacked = [jnp.stack(arrays) for arrays in zip(*inputs)]
    y = jax.jit(jax.vmap(ffn))(*stacked)
    for index, own in enumerate(inputs):
        assert same(y[index], reference(SMALL, *own))
    assert calls_in(jax.vmap(ffn), *stacked) == (1, True)
    shared = jax.vmap(ffn, in_axes=(None, 0, None))(inputs[0][0], stacked[1], inputs[0][2])
    assert same(shared[2], reference(SMALL, inputs[0][0], inputs[2][1], inputs[0][2]))


def test_vmap_keeps_what_belongs_to_one_call_apart():
    ffn = winnow.jax.compile(TENSOR_SCALE)
    x = np.random.default_rng(0).standard_normal((3, 2, 4), np.float32) * np.float32([[[1]], [[10]], [[99]]])
    q, scale = jax.vmap(ffn)(x)
    for index in range(3):
        expected_q, expected_scale = reference(TENSOR_SCALE, x[index])
        assert same(q[index], expected_q) and same(scale[index], expected_scale)
    assert len(set(np.asarray(scale).tolist())) == 3


def test_vmap_over_one_of_two_token_inputs():
    ffn = winnow.jax.compile(SEVERAL)
    x, s, w, t = ffn.random_inputs(4)
    scales = jnp.stack([s, 2 * s, 4 * s])
    y, handed = jax.vmap(ffn, in_axes=(None, 0, None, None), out_axes=(0, None))(x, scales, w, t)
    assert same(handed, t)
    for index in range(3):
        assert same(y[index], reference(SEVERAL, x, scales[index], w, t)[0])


def test_no_tokens_in_a_vmap(ffn):
    _, w1, w2 = ffn.random_inputs(1)
    assert jax.vmap(ffn, in_axes=(0, None, None))(jnp.zeros((2, 0, 16)), w1, w2).shape == (2, 0, 16)


def test_within_scan_and_cond(ffn):
    x, w1, w2 = ffn.random_inputs(3)
    expected = np.asarray(x)
    for _ in range(3):
        expected = reference(SMALL, expected, w1, w2)
    looped, _ = jax.jit(lambda x: jax.lax.scan(lambda y, _: (ffn(y, w1, w2), None), x, length=3))(x)
    assert same(looped, expected)
    chosen = jax.jit(lambda p, x: jax.lax.cond(p, lambda y: ffn(y, w1, w2), lambda y: y, x))
    assert same(chosen(True, x), reference(SMALL, x, w1, w2)) and same(chosen(False, x), x)


def test_shapes_without_running(ffn):
    shapes = [jax.ShapeDtypeStruct(s, jnp.float32) for s in ((7, 2, 16), (32, 16), (16, 32))]
    result = jax.eval_shape(ffn, *shapes)
    assert (result.shape, result.dtype) == ((7, 2, 16), jnp.float32)


def test_jit_traces_once_per_token_count(ffn):
    traces = []

    @jax.jit
    def counted(x, w1, w2):
        traces.append(x.shape)
        return ffn(x, w1, w2)

    for tokens in (3, 5, 3, 5):
        inputs = ffn.random_inputs(tokens)
        assert same(counted(*inputs), reference(SMALL, *inputs))
    assert traces == [(3, 16), (5, 16)]


def test_equal_ffns_share_compiled_calls(ffn):
    call = jax.jit(lambda which, *arrays: which(*arrays), static_argnums=0)
    inputs = ffn.random_inputs(2)
    call(ffn, *inputs)
    call(winnow.jax.compile(SMALL), *inputs)
    call(pickle.loads(pickle.dumps(ffn)), *inputs)
    assert call._cache_size() == 1
    assert winnow.jax.compile(SMALL, tokens=64) != ffn and winnow.jax.compile(RELU) != ffn


def test_outside_of_jit_by_request(ffn):
    inputs = ffn.random_inputs(2)
    with jax.disable_jit():
        assert same(ffn(*inputs), reference(SMALL, *inputs))


def test_gradients_are_refused_and_can_be_stopped(ffn):
    x, w1, w2 = ffn.random_inputs(2)
    message = "@forward: gradients do not flow through a compiled FFN"
    with pytest.raises(NotImplementedError, match=message):
        jax.grad(lambda x: ffn(x, w1, w2).sum())(x)
    with pytest.raises(NotImplementedError, match=message):
        jax.jit(jax.grad(lambda w: ffn(x, w, w2).sum()))(w1)
    with pytest.raises(NotImplementedError, match=message):
        jax.jvp(lambda x: ffn(x, w1, w2), (x,), (x,))
    gradient = jax.grad(lambda x: (x * ffn(jax.lax.stop_gradient(x), w1, w2)).sum())(x)
    assert same(gradient, reference(SMALL, x, w1, w2))


# Errors.


@pytest.mark.parametrize(
    "change, error, message",
    [
        (lambda x, w1, w2: (x.astype(jnp.bfloat16), w1, w2), TypeError, "x: expected float32, got bfloat16"),
        (lambda x, w1, w2: (x, w1.astype(jnp.int32), w2), TypeError, "w1: expected float32, got int32"),
        (lambda x, w1, w2: ([1.0], w1, w2), TypeError, "x: expected an array, got list"),
        (lambda x, w1, w2: (x[:, :8], w1, w2), ValueError, r"x: expected shape \(…, 16\), got \(2, 8\)"),
        (lambda x, w1, w2: (x[0, 0], w1, w2), ValueError, r"x: expected shape \(…, 16\), got \(\)"),
        (lambda x, w1, w2: (x, w1.T, w2), ValueError, r"w1: expected shape \(32, 16\), got \(16, 32\)"),
        (lambda x, w1, w2: (x, w1), TypeError, r"expected 3 inputs \(x, w1, w2\), got 2: w2 missing"),
        (lambda x, w1, w2: (x, w1, w2, x), TypeError, r"expected 3 inputs \(x, w1, w2\), got 4"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_refusals(ffn, wrap, change, error, message):
    inputs = change(*ffn.random_inputs(2))
    with pytest.raises(error, match=message):
        wrap(ffn)(*inputs)


def test_token_inputs_must_agree():
    ffn = winnow.jax.compile(SEVERAL)
    x, s, w, t = ffn.random_inputs(4)
    with pytest.raises(ValueError, match=r"s: expected leading axes \(4,\), as x has, got shape \(3,\)"):
        ffn(x, s[:3], w, t)
    with pytest.raises(ValueError, match=r"s: expected leading axes \(2, 2\), as x has, got shape \(4,\)"):
        ffn(x.reshape(2, 2, 4), s, w, t)


def test_a_spec_that_is_none():
    with pytest.raises(winnow.Error, match="<text>:2:3: error: "):
        winnow.jax.compile("func.func @f() {\n  ffn.nothing\n}")


def test_errors_of_the_reference_come_through_xla():
    """A mask that is no 2:4 mask is found when it runs."""
    text = """func.func @f(%v: tensor<?x4xbf16>, %m: tensor<?x4xi1>) -> tensor<?x4xbf16> {
      %c = ffn.compress %v, %m : (tensor<?x4xbf16>, tensor<?x4xi1>) -> !ffn.sparse24<?x4xbf16, axis = 1>
      %d = ffn.decompress %c : !ffn.sparse24<?x4xbf16, axis = 1> -> tensor<?x4xbf16>
      return %d : tensor<?x4xbf16>
    }"""
    ffn = winnow.jax.compile(text)
    with pytest.raises(jax.errors.JaxRuntimeError, match="mask"):
        jax.block_until_ready(ffn(jnp.ones((1, 4), jnp.bfloat16), jnp.ones((1, 4), bool)))


def test_custom_calls_that_something_else_made():
    """By key and by shape: what a stale cache or a hand-written call could ask for."""
    call = jax.ffi.ffi_call("winnow_ffn", jax.ShapeDtypeStruct((2, 4), jnp.float32))
    x = jnp.ones((2, 4))
    with pytest.raises(jax.errors.JaxRuntimeError, match="FAILED_PRECONDITION: no program 123 in this process"):
        jax.block_until_ready(call(x, program="123"))
    with pytest.raises(jax.errors.JaxRuntimeError, match="expected the attribute 'program', a string"):
        jax.block_until_ready(call(x))
    key = winnow.jax.compile(RELU)._program.prepare_cpu()
    assert same(call(x, program=key), x)
    wrong = [
        ((jnp.ones((2, 5)),), r"x: expected \(tokens, 4\) of element type 0, got \(2, 5\) of element type 0"),
        ((jnp.ones((3, 4)),), r"result0: expected \(tokens, 4\) of element type 0, got \(2, 4\)"),
        ((jnp.ones((2, 4), jnp.bfloat16),), "x: expected .* of element type 0, got .* of element type 1"),
        ((jnp.ones((2, 4), jnp.int16),), "expected an element type of Winnow"),
        ((x, x), "expected 1 inputs and 1 outputs, got 2 and 1"),
    ]
    for arrays, message in wrong:
        with pytest.raises(jax.errors.JaxRuntimeError, match=message):
            jax.block_until_ready(call(*arrays, program=key))


# Processes, threads, devices.


def test_threads(ffn):
    inputs = [ffn.random_inputs(3, seed) for seed in range(4)]
    expected = [reference(SMALL, *arrays) for arrays in inputs]
    failures = []

    def work(index):
        call = jax.jit(ffn)
        for _ in range(10):
            with jax.default_device(jax.devices("cpu")[0]):
                if not same(call(*inputs[index]), expected[index]):
                    failures.append(index)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_only_known_platforms_are_preloaded(ffn):
    with pytest.raises(ValueError, match="platform: expected cpu or cuda, got 'tpu'"):
        ffn.preload("tpu")


def test_looks_like_what_it_is(ffn):
    assert repr(ffn) == (
        "<winnow.jax.FFN @forward: x float32(tokens, 16), w1 float32(32, 16), w2 float32(16, 32) -> "
        "result0 float32(tokens, 16)>"
    )
    assert "jit_forward" in jax.jit(ffn).lower(*ffn.random_inputs(1)).as_text()
    assert ffn.compiled("cpu").target == "cpu"


# Lowering for CUDA devices, which needs none.


@pytest.mark.nvrtc
def test_lowering_for_cuda_asks_xla_for_the_workspace(ffn):
    inputs = ffn.random_inputs(9)
    text = jax.jit(ffn).trace(*inputs).lower(lowering_platforms=("cuda",)).as_text()
    size = ffn._program.workspace_bytes("sm_90a", 9)
    assert f"-> (tensor<9x16xf32>, tensor<{size + 256}xui8>)" in text
    assert f'{{program = "{ffn._program.key}-sm_90a"}}' in text


# Weights in f8.


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
@pytest.mark.parametrize("element", ["f32", "bf16", "f16"])
def test_quantized_rows_are_those_of_the_dialect(element, dtype):
    kind = {"float8_e4m3fn": "f8E4M3FN", "float8_e5m2": "f8E5M2"}[dtype]
    t, q = f"tensor<64x33x{element}>", f"tensor<64x33x{kind}>"
    text = f"""func.func @f(%w: {t}) -> ({q}, tensor<64xf32>) {{
      %v, %s = ffn.quantize %w by row : ({t}) -> ({q}, tensor<64xf32>)
      return %v, %s : {q}, tensor<64xf32>
    }}"""
    values = np.random.default_rng(0).standard_normal((64, 33))
    values *= 10.0 ** np.linspace(-38 if element != "f16" else -5, 30 if element != "f16" else 4, 64)[:, None]
    values[7] = 0  # a row of zeros has scale 1
    weight = values.astype({"f32": jnp.float32, "bf16": jnp.bfloat16, "f16": jnp.float16}[element])
    weight[np.abs(values) < 1.2e-38] = 0  # XLA takes subnormal numbers for zero
    expected_values, expected_scales = reference(text, weight)
    for wrap in (lambda f: f, jax.jit):
        actual_values, actual_scales = wrap(lambda w: winnow.jax.quantize_rows(w, dtype))(weight)
        assert same(actual_scales, expected_scales) and same(actual_values, expected_values)


def test_what_cannot_be_quantized():
    with pytest.raises(TypeError, match="dtype: expected float8_e4m3fn or float8_e5m2, got int8"):
        winnow.jax.quantize_rows(jnp.ones((2, 2)), jnp.int8)
    with pytest.raises(TypeError, match="weight: expected float32, bfloat16 or float16, got int32"):
        winnow.jax.quantize_rows(jnp.ones((2, 2), jnp.int32))
    with pytest.raises(ValueError, match=r"weight: expected a matrix, got shape \(3,\)"):
        winnow.jax.quantize_rows(jnp.ones(3))
    stacked = jnp.arange(24.0).reshape(2, 3, 4)
    values, scales = winnow.jax.quantize_rows(stacked)
    assert (values.shape, scales.shape) == ((2, 3, 4), (2, 3))


def test_the_example_agrees_with_jax(monkeypatch, capsys):
    example = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "examples" / "jax_ffn.py"))
    monkeypatch.setattr("sys.argv", ["jax_ffn.py", "--repeat=1"])
    example["main"]()
    text = capsys.readouterr().out
    density = float(re.search(r"density (\S+)", text)[1])
    f8, bf16 = map(float, re.findall(r"relative difference (\S+)", text))
    assert 0.05 < density < 0.15
    # In f8, x, w1, the activations and w2 are each rounded to 4 bits: 2^-4 / sqrt(3) at most, root mean square.
    assert 0 < f8 < 2 * 2**-4 / 3**0.5
    assert bf16 < 2**-8


# Other processes: with several devices, with caches, with exports.


def run(code, **environment):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return result.stdout


DEVICES = """
import jax, jax.numpy as jnp, numpy as np, winnow, winnow.jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
ffn = winnow.jax.compile(winnow.ffn(16, 32, dtype="f32"))
x, w1, w2 = ffn.random_inputs(8)
expected = np.asarray(ffn(x, w1, w2))
mesh = Mesh(jax.devices(), ("tokens",))
mapped = jax.shard_map(ffn, mesh=mesh, in_specs=(P("tokens"), P(), P()), out_specs=P("tokens"))
y = jax.jit(mapped)(x, w1, w2)
assert (np.asarray(y) == expected).all() and y.sharding.spec == P("tokens")
assert "custom_call @winnow_ffn" in jax.jit(mapped).lower(x, w1, w2).as_text()
sharded = jax.device_put(x, NamedSharding(mesh, P("tokens")))
assert (np.asarray(jax.jit(ffn)(sharded, w1, w2)) == expected).all()
y = jax.pmap(ffn, in_axes=(0, None, None))(x.reshape(4, 2, 16), w1, w2)
assert (np.asarray(y).reshape(8, 16) == expected).all()
print(len(jax.devices()))
"""


def test_several_devices():
    assert run(DEVICES, XLA_FLAGS="--xla_force_host_platform_device_count=4") == "4\n"


CACHED = """
import jax, numpy as np, pathlib, pickle, sys, winnow, winnow.jax
from jax.experimental import serialize_executable
ffn = winnow.jax.compile(winnow.ffn(16, 32, dtype="f32"))
inputs = ffn.random_inputs(3)
compiled = jax.jit(ffn).lower(*inputs).compile()
print(np.asarray(compiled(*inputs)).tobytes().hex())
pathlib.Path(sys.argv[1]).write_bytes(pickle.dumps(serialize_executable.serialize(compiled)))
"""
SERIALIZED = """
import jax, numpy as np, pathlib, pickle, sys, winnow, winnow.jax
from jax.experimental import serialize_executable
call = serialize_executable.deserialize_and_load(*pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()))
ffn = winnow.jax.compile(winnow.ffn(16, 32, dtype="f32"))
inputs = ffn.random_inputs(3)
try:
    jax.block_until_ready(call(*inputs))
    raise AssertionError("expected an error")
except jax.errors.JaxRuntimeError as error:
    print(str(error).split(" ")[0])
ffn.preload("cpu")
print(np.asarray(call(*inputs)).tobytes().hex())
"""


def test_caches_and_serialized_programs_name_what_they_need(tmp_path):
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    saved = f"import sys; sys.argv = ['', {str(tmp_path / 'ffn.pickle')!r}]\n"
    first = run(saved + CACHED, **cache)
    assert any((tmp_path / "cache").iterdir())
    assert run(saved + CACHED, **cache) == first
    assert run(saved + SERIALIZED) == "FAILED_PRECONDITION:\n" + first
