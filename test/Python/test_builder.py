"""The builder: every combination compiles, everything else is refused."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import winnow


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(
    d_model=st.integers(1, 24).map(lambda n: 4 * n),
    d_ffn=st.integers(1, 24).map(lambda n: 4 * n),
    activation=st.sampled_from(["relu2", "relu", "gelu", "silu"]),
    dtype=st.sampled_from(["f8e4m3", "f8e5m2", "bf16", "f16", "f32"]),
    static=st.booleans(),
    density=st.none() | st.floats(0, 1),
    tokens=st.integers(1, 9),
    counts=st.booleans(),
)
@hypothesis.example(d_model=4, d_ffn=4, activation="relu2", dtype="bf16", static=False, density=5e-324, tokens=1, counts=True)
def test_everything_it_builds_compiles_and_runs(d_model, d_ffn, activation, dtype, static, density, tokens, counts):
    scale = "static" if static and dtype.startswith("f8") else "dynamic_row"
    text = winnow.ffn(
        d_model, d_ffn, activation=activation, dtype=dtype, scale=scale, density=density, count_nonzero=counts
    )
    ffn = winnow.compile(text, target="cpu")
    result = ffn(*ffn.random_inputs(tokens))
    if counts:
        result, count = result
        assert count.dtype == np.int32 and count.shape == (d_ffn,)
        assert (count >= 0).all() and (count <= tokens).all()
    assert result.shape == (tokens, d_model)
    assert np.isfinite(result.astype(np.float32)).all()


def test_agrees_with_numpy():
    ffn = winnow.compile(winnow.ffn(64, 128, dtype="f32"), target="cpu")
    x, w1, w2 = ffn.random_inputs(5, seed=3)
    expected = np.maximum(x.astype("f8") @ w1.T, 0) ** 2 @ w2.T
    np.testing.assert_allclose(ffn(x, w1, w2), expected, rtol=1e-5, atol=1e-5)


def test_counts_agree_with_numpy():
    ffn = winnow.compile(winnow.ffn(64, 128, dtype="f32", count_nonzero=True), target="cpu")
    x, w1, w2 = ffn.random_inputs(5, seed=3)
    y, counts = ffn(x, w1, w2)
    np.testing.assert_array_equal(counts, (x.astype("f8") @ w1.T > 0).sum(0))
    np.testing.assert_array_equal(y, winnow.compile(winnow.ffn(64, 128, dtype="f32"), target="cpu")(x, w1, w2))


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (dict(d_model=0), ValueError, "d_model: expected a size from 1 to 2147483647, got 0"),
        (dict(d_ffn=2**31), ValueError, "d_ffn: expected a size"),
        (dict(d_ffn=1.0), TypeError, "d_ffn: expected an int, got float"),
        (dict(d_model=True), TypeError, "d_model: expected an int, got bool"),
        (dict(activation="tanh"), ValueError, "activation: expected one of relu2, relu, gelu, silu, got 'tanh'"),
        (dict(dtype="int8"), ValueError, "dtype: expected one of"),
        (dict(scale="delayed"), ValueError, "scale: expected one of dynamic_row, static"),
        (dict(scale="static", dtype="bf16"), ValueError, "'static' is for f8"),
        (dict(density=1.5), ValueError, "density: expected a fraction from 0 to 1, got 1.5"),
        (dict(max_drop=-0.1), ValueError, "max_drop: expected a fraction from 0 to 1"),
        (dict(max_drop=0.1, activation="silu"), ValueError, "max_drop: expected a density beside it"),
        (dict(bias=True), ValueError, "bias: expected False"),
    ],
)
def test_refusals(arguments, error, text):
    with pytest.raises(error, match=text):
        winnow.ffn(**{"d_model": 64, "d_ffn": 128, **arguments})


def test_annotation():
    assert "density = 0.1, max_drop = 0.05" in winnow.ffn(64, 128)
    assert "density = 0.02, max_drop = 0.0>" in winnow.ffn(64, 128, density=0.02, max_drop=0)
    assert "sparsity" not in winnow.ffn(64, 128, activation="gelu")
