"""What a probe adds up, against numpy and against the meaning of ffn.sparsify."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

import hypothesis  # noqa: E402
import hypothesis.strategies as st  # noqa: E402
import winnow  # noqa: E402
from winnow.probe import _sums  # noqa: E402

TYPES = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_selections = {}


def select(x, axis, element):
    """Values and mask of ffn.sparsify along an axis, as the reference computes them."""
    features = x.shape[1]
    if (features, axis, element) not in _selections:
        t, m = f"tensor<?x{features}x{element}>", f"tensor<?x{features}xi1>"
        _selections[features, axis, element] = winnow.compile(
            f"""func.func @forward(%x: {t}) -> ({t}, {m}) {{
              %v, %m = ffn.sparsify %x along {axis} : ({t}) -> ({t}, {m})
              return %v, %m : {t}, {m}
            }}""",
            target="cpu",
        )
    return _selections[features, axis, element](x)


def sums_of(*calls):
    sums = _sums.Sums.zero(calls[0].shape[1], calls[0].device)
    for rows in calls:
        sums.add(rows)
    return sums


# Ties, both zeros, infinities, NaNs, subnormal and largest numbers.
numbers = st.sampled_from(
    [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 6e-8, 1e-40, 1e-45, 65504.0, -3e38, 3.3e38, np.inf, -np.inf, np.nan]
) | st.floats(-8, 8, width=16)


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(st.data())
def test_against_the_reference(data):
    """Every sum of one call is that over the elements which ffn.sparsify does not keep."""
    name = data.draw(st.sampled_from(list(TYPES)))
    tokens, features = data.draw(st.integers(1, 9)), 4 * data.draw(st.integers(1, 2))
    values = data.draw(st.lists(numbers, min_size=tokens * features, max_size=tokens * features))
    rows = torch.tensor(values, dtype=torch.float32).to(getattr(torch, name)).reshape(tokens, features)
    sums = sums_of(rows)

    x = rows.double().numpy()
    finite = np.isfinite(x)
    energies = np.where(finite, x, 0.0) ** 2
    np.testing.assert_array_equal(sums.feature_nonzeros.numpy(), (x != 0).sum(0))
    assert int(sums.nonfinite) == (~finite).sum()
    assert float(sums.energy) == pytest.approx(energies.sum(), rel=1e-5)
    for axis, along in enumerate((1, 0)):
        _, mask = select(rows, along, TYPES[name])
        dropped = ~np.asarray(mask).astype(bool)
        assert int(sums.dropped_nonzeros[axis]) == ((x != 0) & dropped).sum()
        expected = energies[dropped].sum()
        assert float(sums.dropped_energy[axis]) == pytest.approx(expected, rel=1e-5, abs=1e-20 * energies.max())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_pieces_are_the_whole(dtype, monkeypatch):
    """However many rows are taken at once."""
    rows = torch.randn(37, 20, generator=torch.Generator().manual_seed(1)).relu().square().to(dtype)
    whole = sums_of(rows)
    monkeypatch.setitem(_sums._PIECES, "cpu", 100)
    pieces = sums_of(rows)
    assert torch.equal(whole.feature_nonzeros, pieces.feature_nonzeros)
    assert torch.equal(whole.dropped_nonzeros, pieces.dropped_nonzeros)
    torch.testing.assert_close(whole.energy, pieces.energy, rtol=1e-6, atol=0)
    torch.testing.assert_close(whole.dropped_energy, pieces.dropped_energy, rtol=1e-6, atol=0)


def test_several_calls():
    """Groups of tokens do not reach from one call into the next: whole groups add up, others are completed by zeros."""
    rows = torch.randn(24, 8, generator=torch.Generator().manual_seed(2)).relu()
    one = sums_of(rows)
    several = sums_of(rows[:8], rows[8:12], rows[12:])
    assert (several.tokens, several.calls) == (one.tokens, 3) == (24, 3)
    assert torch.equal(one.dropped_nonzeros, several.dropped_nonzeros)
    torch.testing.assert_close(one.dropped_energy, several.dropped_energy, rtol=1e-6, atol=0)
    ones = torch.ones(6, 8)
    assert sums_of(ones).dropped_nonzeros.tolist() == [6 * 4, 2 * 8]
    assert sums_of(ones[:3], ones[3:]).dropped_nonzeros.tolist() == [6 * 4, 2 * 8]
    assert sums_of(ones[:2], ones[2:4], ones[4:]).dropped_nonzeros.tolist() == [6 * 4, 0]


def test_no_tokens():
    sums = sums_of(torch.ones(0, 8))
    assert (sums.tokens, sums.calls, int(sums.feature_nonzeros.sum())) == (0, 1, 0)


def test_features_that_are_no_multiple_of_four():
    sums = sums_of(torch.ones(4, 6))
    assert sums.dropped_nonzeros.tolist() == [4 * 2, 2 * 6]
