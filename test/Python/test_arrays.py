"""Arrays that fit and arrays that do not, on the CPU."""

import gc
import os
import threading
import weakref

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import ml_dtypes
import numpy as np
import pytest
import winnow
from conftest import RELU

DTYPES = {
    "f32": np.float32,
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f8E4M3FN": ml_dtypes.float8_e4m3fn,
    "f8E5M2": ml_dtypes.float8_e5m2,
}


def identity(element):
    return winnow.compile(
        f"func.func @f(%x: tensor<?x8x{element}>) -> tensor<?x8x{element}> {{ return %x : tensor<?x8x{element}> }}",
        target="cpu",
    )


@pytest.mark.parametrize("element", DTYPES)
def test_every_element_type_passes_bit_for_bit(element):
    bits = np.arange(256 * np.dtype(DTYPES[element]).itemsize, dtype=np.uint8)
    x = bits.view(DTYPES[element]).reshape(-1, 8)
    y = identity(element)(x)
    assert y.dtype == x.dtype
    assert (y.view(np.uint8) == x.view(np.uint8)).all()


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.just(4)), elements=st.floats(-8, 8, width=32))
)
def test_relu_of_anything(relu, x):
    np.testing.assert_array_equal(relu(x), np.maximum(x, 0))


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    rows=st.integers(0, 6),
    columns=st.integers(0, 6),
    row_step=st.integers(1, 3),
    column_step=st.integers(1, 2),
    transpose=st.booleans(),
)
def test_strides_are_right_or_refused(relu, rows, columns, row_step, column_step, transpose):
    whole = np.arange(rows * row_step * columns * column_step, dtype=np.float32)
    x = whole.reshape(rows * row_step, columns * column_step)[::row_step, ::column_step]
    x = x.T if transpose else x
    if x.shape[1] == 4 and x.shape[0] > 0 and x.flags.c_contiguous:
        np.testing.assert_array_equal(relu(x), x)
    else:
        with pytest.raises(ValueError, match="^x: expected"):
            relu(x)


def test_messages(relu):
    good = np.ones((2, 4), np.float32)
    cases = [
        (np.ones((0, 4), np.float32), ValueError, r"x: expected at least one token, got shape \(0, 4\)"),
        (np.ones((2, 5), np.float32), ValueError, r"x: expected shape \(tokens, 4\), got \(2, 5\)"),
        (np.ones(4, np.float32), ValueError, r"x: expected shape \(tokens, 4\), got \(4,\)"),
        (np.ones((2, 4)), TypeError, "x: expected float32, got float64"),
        (good.astype(">f4"), TypeError, "x: expected float32, got >f4"),
        (np.ones((4, 2), np.float32).T, ValueError, "x: expected row-major memory without gaps"),
        ([[1.0] * 4], TypeError, "x: expected an array .*, got list"),
        (None, TypeError, "x: expected an array .*, got NoneType"),
    ]
    for array, error, text in cases:
        with pytest.raises(error, match=text):
            relu(array)
    for call, error, text in [
        (lambda: relu(), TypeError, r"expected 1 inputs \(x\), got 0: x missing"),
        (lambda: relu(good, good), TypeError, r"expected 1 inputs \(x\), got 2"),
        (lambda: relu(y=good), TypeError, "there is no input called 'y'; there are x"),
        (lambda: relu(good, x=good), TypeError, "x: given twice"),
        (lambda: relu(good, stream=0), ValueError, "takes neither a stream nor a workspace"),
        (
            lambda: relu(good, out=np.ones((3, 4), np.float32)),
            ValueError,
            r"out: expected shape \(2, 4\), got \(3, 4\)",
        ),
        (lambda: relu(good, out=np.ones((2, 4))), TypeError, "out: expected float32, got float64"),
        (lambda: relu(good, out=[good, good]), TypeError, "out: expected 1 arrays, got 2"),
        (lambda: relu(good, out=np.broadcast_to(np.float32(1), (2, 4))), ValueError, "out: expected row-major"),
    ]:
        with pytest.raises(error, match=text):
            call()


def test_out_is_written_and_returned(relu):
    x, out = np.full((2, 4), -1, np.float32), np.full((2, 4), 7, np.float32)
    assert relu(x, out=out) is out
    assert (out == 0).all()
    frozen = np.ones((2, 4), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="out: expected an array that can be written"):
        relu(x, out=frozen)
    assert (relu(frozen) == 1).all(), "an input may be read-only"


def test_token_counts_must_agree():
    add = "func.func @f(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {\n"
    ffn = winnow.compile(add + "  return %b, %a : tensor<?x4xf32>, tensor<?x4xf32>\n}", target="cpu")
    a, b = np.zeros((2, 4), np.float32), np.ones((2, 4), np.float32)
    first, second = ffn(b=b, a=a)
    assert (first == 1).all() and (second == 0).all()
    with pytest.raises(ValueError, match=r"b: expected 2 tokens, as a has, got shape \(3, 4\)"):
        ffn(a, np.ones((3, 4), np.float32))


class OnlyDLPack:
    """An array of a framework that Winnow has never heard of."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack_without_copies(relu):
    x, out = np.full((3, 4), -2, np.float32), np.ones((3, 4), np.float32)
    assert (relu(OnlyDLPack(x)) == 0).all()
    relu(OnlyDLPack(x), out=OnlyDLPack(out))
    assert (out == 0).all(), "written in place"
    with pytest.raises(ValueError, match="x: expected row-major"):
        relu(OnlyDLPack(np.ones((4, 3), np.float32).T))
    with pytest.raises(TypeError, match="x: expected float32, got DLPack type 2 of 64 bits"):
        relu(OnlyDLPack(np.ones((3, 4))))


def test_dlpack_that_fails(relu):
    class Broken(OnlyDLPack):
        def __dlpack__(self, **options):
            raise BufferError("not today")

    with pytest.raises((TypeError, BufferError)):
        relu(Broken(np.ones((3, 4), np.float32)))


class FakeCuda:
    """Says that it lies on a GPU."""

    def __init__(self, **facts):
        self.__cuda_array_interface__ = dict(shape=(2, 4), typestr="<f4", data=(4096, False), version=3, **facts)


def test_wrong_device(relu):
    with pytest.raises(ValueError, match="x: expected host memory for cpu, got memory of CUDA device 0"):
        relu(FakeCuda())
    gpu = winnow.lower(RELU, target="sm_90a")
    with pytest.raises(ValueError, match="x: expected memory of a CUDA device for sm_90a, got host memory"):
        gpu(np.ones((2, 4), np.float32))
    with pytest.raises(ValueError, match="x: expected row-major memory"):
        gpu(FakeCuda(strides=(32, 4)))
    with pytest.raises(TypeError, match="stream: expected an integer handle or a CUDA stream object, got str"):
        gpu(FakeCuda(strides=(16, 4)), stream="main")


def test_arrays_are_released(relu):
    x = np.ones((2, 4), np.float32)
    watched = OnlyDLPack(x)
    before = weakref.ref(watched)
    y = relu(watched)
    del watched
    gc.collect()
    assert before() is None
    del x
    assert (y == 1).all(), "the result does not live in the input"


def test_a_released_ffn_leaves_its_results():
    ffn = winnow.compile(RELU, target="cpu")
    y = ffn(np.ones((2, 4), np.float32))
    del ffn
    gc.collect()
    assert (y == 1).all()


def test_threads_share_one_ffn(relu):
    failures = []

    def work(seed):
        x = np.random.default_rng(seed).standard_normal((64, 4), dtype=np.float32)
        for _ in range(20):
            if not (relu(x) == np.maximum(x, 0)).all():
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork_keeps_working(relu):
    x = np.full((64, 4), -1, np.float32)
    relu(x)
    child = os.fork()
    if child == 0:
        try:
            ffn = winnow.compile(winnow.ffn(64, 128), target="cpu")
            good = (relu(x) == 0).all() and ffn(*ffn.random_inputs(3)).shape == (3, 64)
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (relu(x) == 0).all()


def test_reference_of_the_lowered_form():
    ffn = winnow.lower(winnow.ffn(64, 128, dtype="f32", density=0.05, max_drop=1.0), target="sm_90a")
    inputs = ffn.random_inputs(4)
    spec = ffn.reference(*inputs)
    np.testing.assert_array_equal(spec, winnow.compile(ffn.ir("spec"), target="cpu")(*inputs))
    lowered = ffn.reference(*inputs, level="ffn")
    difference = np.linalg.norm(spec - lowered) / np.linalg.norm(spec)
    sparse = any(remark.name == "SparseProduct" for remark in ffn.remarks)
    assert (difference > 0) == sparse, "only dropping to 2:4 changes the result"


def test_random_inputs():
    ffn = winnow.compile(winnow.ffn(64, 128, scale="static"), target="cpu")
    first, again, other = ffn.random_inputs(3, seed=1), ffn.random_inputs(3, seed=1), ffn.random_inputs(3, seed=2)
    assert [a.shape for a in first] == [(3, 64), (128, 64), (128,), (64, 128), (64,), ()]
    assert all((a.view(np.uint8) == b.view(np.uint8)).all() for a, b in zip(first[:5], again))
    assert (first[0] != other[0]).any()
    with pytest.raises(ValueError, match="tokens: expected a count"):
        ffn.random_inputs(0)
