"""On an H100: arrays of every framework, of every element type and layout. Skipped elsewhere."""

import numpy as np
import pytest
import winnow
from gpu_frameworks import FRAMEWORKS, bits
from winnow._arrays import numpy_dtype

pytestmark = pytest.mark.gpu
_ELEMENTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


@pytest.fixture(scope="module", params=list(FRAMEWORKS))
def framework(request):
    return FRAMEWORKS[request.param]()


@pytest.fixture(scope="module", params=["torch", "cupy"])
def strided(request):
    return FRAMEWORKS[request.param]()


def relu_of(element, features=8):
    mlir = _ELEMENTS[element]
    return winnow.compile(
        f"""func.func @forward(%x: tensor<?x{features}x{mlir}>) -> tensor<?x{features}x{mlir}> {{
          %y = ffn.relu %x : tensor<?x{features}x{mlir}> -> tensor<?x{features}x{mlir}>
          return %y : tensor<?x{features}x{mlir}>
        }}"""
    )


def signed(element, tokens=5):
    return np.arange(-4, 8 * tokens - 4).reshape(tokens, 8).astype(numpy_dtype(element))


@pytest.mark.parametrize("element", list(_ELEMENTS))
def test_element_types(framework, element):
    x = signed(element)
    try:
        given, out = framework.put(x), framework.empty(x.shape, element)
    except (TypeError, ValueError) as error:
        pytest.skip(f"{framework.name} has no {element}: {str(error).splitlines()[0]}")
    ffn = relu_of(element)
    assert ffn(given, out=out) is out
    assert (framework.get(out) == bits(np.maximum(x, x.dtype.type(0)))).all()


@pytest.mark.parametrize("tokens", [1, 33])
def test_f8_weights_and_scales(framework, tokens):
    """All inputs of a quantised forward, in the framework's own f8 and bf16."""
    ffn = winnow.compile(winnow.ffn(256, 1024))
    arrays = ffn.random_inputs(tokens, seed=3)
    try:
        given, out = [framework.put(array) for array in arrays], framework.empty((tokens, 256), "bfloat16")
    except (TypeError, ValueError) as error:
        pytest.skip(f"{framework.name} has no f8 or bf16: {str(error).splitlines()[0]}")
    # jax cannot allocate a workspace for others.
    workspace = FRAMEWORKS["torch"]().empty((ffn.workspace_bytes(tokens),), "uint8")
    ffn(*given, out=out, workspace=workspace)
    result = framework.get(out).view(numpy_dtype("bfloat16")).astype("f4")
    expected = ffn.reference(*arrays, level="ffn").astype("f4")
    # Twice the law of docs/benchmarks.md, "Accuracy", with one rounding of the activations to f8 between the products.
    assert np.linalg.norm(result - expected) / np.linalg.norm(expected) < 1e-2


def test_f8_results(strided):
    """Two results, of which one is f8: allocated by the framework of the inputs."""
    ffn = winnow.compile(
        """func.func @forward(%x: tensor<?x16xbf16>) -> (tensor<?x16xf8E4M3FN>, tensor<?xf32>) {
          %q, %s = ffn.quantize %x by row : (tensor<?x16xbf16>) -> (tensor<?x16xf8E4M3FN>, tensor<?xf32>)
          return %q, %s : tensor<?x16xf8E4M3FN>, tensor<?xf32>
        }"""
    )
    x = np.linspace(-3, 5, 7 * 16, dtype="f4").reshape(7, 16).astype(numpy_dtype("bfloat16"))
    try:
        codes, scale = ffn(strided.put(x))
    except (TypeError, ValueError) as error:
        if strided.name == "torch":
            raise
        pytest.skip(f"{strided.name} has no f8 or bf16: {str(error).splitlines()[0]}")
    expected = ffn.reference(x)
    assert (strided.get(codes) == bits(expected[0])).all() and (strided.get(scale) == bits(expected[1])).all()


def test_results_are_of_the_inputs_framework(strided):
    x = strided.put(signed("float32"))
    result = relu_of("float32")(x)
    assert type(result) is type(x) and tuple(result.shape) == (5, 8)
    assert (strided.get(result) == bits(np.maximum(signed("float32"), 0))).all()


def test_a_framework_that_cannot_allocate_is_told_so():
    jax = FRAMEWORKS["jax"]()
    with pytest.raises(TypeError, match="cannot allocate device memory for a result: expected inputs of torch or cupy"):
        relu_of("float32")(jax.put(signed("float32")))


def test_frameworks_mix(framework):
    """Inputs, results and workspace of different frameworks in one call."""
    torch = FRAMEWORKS["torch"]()
    x, ffn = signed("float32"), relu_of("float32")
    out = torch.empty((5, 8), "float32")
    workspace = torch.empty((max(1, ffn.workspace_bytes(5)),), "uint8")
    ffn(framework.put(x), out=out, workspace=workspace)
    assert (torch.get(out) == bits(np.maximum(x, 0))).all()


def test_what_is_not_row_major_is_refused(strided):
    x = strided.put(signed("float32"))
    with pytest.raises(ValueError, match="x: expected row-major memory without gaps"):
        relu_of("float32")(strided.strided(x))
    with pytest.raises(ValueError, match="x: expected row-major memory without gaps"):
        relu_of("float32", 4)(x[:, ::2])
    out = strided.strided(strided.empty((5, 8), "float32"))
    with pytest.raises(ValueError, match="out: expected row-major memory without gaps"):
        relu_of("float32")(x, out=out)


def test_one_row_of_a_strided_array_is_row_major(strided):
    x = strided.put(signed("float32", 6))[::3][1:]
    assert (strided.get(relu_of("float32")(x)) == bits(np.maximum(signed("float32", 6)[3:4], 0))).all()


def test_memory_that_is_not_aligned_is_refused(strided):
    with pytest.raises(ValueError, match="x: expected 16-byte aligned memory, got address 0x"):
        relu_of("float32")(strided.off_by_one(strided.put(signed("float32"))))


def test_no_tokens_are_refused(framework):
    with pytest.raises(ValueError, match=r"x: expected at least one token, got shape \(0, 8\)"):
        relu_of("float32")(framework.put(np.zeros((0, 8), "f4")), out=framework.empty((0, 8), "float32"))


def test_another_shape_or_type_is_refused(framework):
    out = framework.empty((5, 8), "float32")
    with pytest.raises(ValueError, match=r"x: expected shape \(tokens, 8\), got \(5, 9\)"):
        relu_of("float32")(framework.put(np.zeros((5, 9), "f4")), out=out)
    with pytest.raises(TypeError, match="x: expected float32, got float16"):
        relu_of("float32")(framework.put(np.zeros((5, 8), "f2")), out=out)


def test_memory_of_the_host_is_refused(strided):
    ffn, x = relu_of("float32"), signed("float32")
    with pytest.raises(ValueError, match="x: expected memory of a CUDA device for sm_90a, got host memory"):
        ffn(x)
    with pytest.raises(ValueError, match="out: expected memory of a CUDA device for the target, got host memory"):
        ffn(strided.put(x), out=np.empty_like(x))
    with pytest.raises(ValueError, match="workspace: expected at least"):
        ffn(strided.put(x), workspace=np.empty(1 << 20, "u1"))


@pytest.mark.parametrize("stream", ["1", 1.5, object()])
def test_what_is_no_stream_is_refused(strided, stream):
    with pytest.raises(TypeError, match="stream: expected an integer handle or a CUDA stream object"):
        relu_of("float32")(strided.put(signed("float32")), stream=stream)
