"""Weights as programs take them: quantised as the specification says, kept beside the parameters."""

import gc
import threading
import weakref

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

import winnow  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from winnow.torch import quantize_weight  # noqa: E402
from winnow.torch._weights import known, prepared  # noqa: E402

F8 = torch.float8_e4m3fn
NAMES = {torch.float8_e4m3fn: "f8E4M3FN", torch.float8_e5m2: "f8E5M2"}


def quantize_as_specified(weight, dtype):
    rows, columns = weight.shape
    f8 = NAMES[dtype]
    source, values, scales = f"tensor<{rows}x{columns}xf32>", f"tensor<{rows}x{columns}x{f8}>", f"tensor<{rows}xf32>"
    spec = f"""func.func @q(%w: {source}) -> ({values}, {scales}) {{
      %v, %s = ffn.quantize %w by row : ({source}) -> ({values}, {scales})
      return %v, %s : {values}, {scales}
    }}"""
    return winnow.compile(spec, target="cpu")(weight.float().numpy())


def assert_as_specified(weight, dtype):
    values, scales = quantize_weight(weight, dtype)
    expected_values, expected_scales = quantize_as_specified(weight, dtype)
    np.testing.assert_array_equal(scales.numpy(), expected_scales)
    actual = values.view(torch.uint8).numpy()
    nan = np.isnan(expected_values.astype("f4"))
    np.testing.assert_array_equal(values.float().isnan().numpy(), nan)
    np.testing.assert_array_equal(actual[~nan], expected_values.view(np.uint8)[~nan])


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("source", [torch.float32, torch.bfloat16, torch.float16])
def test_bit_for_bit_as_specified(source, dtype):
    weight = torch.randn(7, 64, generator=torch.Generator().manual_seed(0)) * torch.logspace(-12, 3, 7)[:, None]
    assert_as_specified(weight.to(source), dtype)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32), min_size=4, max_size=4), st.sampled_from(list(NAMES)))
def test_any_numbers(numbers, dtype):
    assert_as_specified(torch.tensor([numbers]), dtype)


def test_the_weight_stays_as_it_is():
    weight = torch.randn(4, 8)
    before = weight.clone()
    quantize_weight(weight)
    assert torch.equal(weight, before) and weight._version == 0


def test_large_weights_in_pieces(monkeypatch):
    weight = torch.randn(10, 16)
    whole = quantize_weight(weight)
    monkeypatch.setattr("winnow.torch._weights._ELEMENTS_AT_ONCE", 48)
    for one, other in zip(whole, quantize_weight(weight), strict=True):
        assert torch.equal(one.float(), other.float())


def test_refusals():
    with pytest.raises(
        ValueError, match="dtype: expected torch.float8_e4m3fn or torch.float8_e5m2, got torch.bfloat16"
    ):
        quantize_weight(torch.ones(2, 2), torch.bfloat16)
    with pytest.raises(ValueError, match=r"weight: expected a matrix .* got shape \(2,\) of torch.int64"):
        quantize_weight(torch.ones(2, dtype=torch.int64))


def test_made_once_and_shared():
    weight = torch.nn.Parameter(torch.randn(4, 32))
    first = prepared(weight, F8)
    assert prepared(weight, F8) is first
    assert prepared(weight.detach(), F8) is first, "as compiled graphs hand them over"
    (same,) = prepared(weight, torch.float32)
    assert same is weight


def test_made_again_in_place_when_the_weight_changes():
    weight = torch.nn.Parameter(torch.randn(4, 32))
    values, scales = prepared(weight, F8)
    address = values.data_ptr()
    with torch.no_grad():
        weight.mul_(3)
    assert prepared(weight, F8)[0] is values and values.data_ptr() == address
    assert torch.equal(scales, quantize_weight(weight)[1])
    weight.data.zero_()  # which torch does not count
    assert not torch.equal(prepared(weight, F8)[1], torch.ones(4))
    assert torch.equal(prepared(weight, F8, again=True)[1], torch.ones(4))


def test_views_of_one_storage_are_told_apart():
    both = torch.randn(8, 32)
    upper, lower = both[:4], both[4:]
    assert torch.equal(prepared(upper, F8)[1], quantize_weight(upper)[1])
    assert torch.equal(prepared(lower, F8)[1], quantize_weight(lower)[1])


@pytest.mark.parametrize("inference", [False, True])
def test_in_inference_mode(inference):
    weight = torch.randn(4, 32)
    with torch.inference_mode():
        if inference:
            weight = torch.randn(4, 32)
        first = prepared(weight, F8)
    assert prepared(weight, F8) is first
    assert not any(tensor.is_inference() for tensor in first)
    prepared(weight, F8, again=True)


def test_goes_with_the_weight():
    weight = torch.nn.Parameter(torch.randn(4, 32))
    gone = weakref.ref(prepared(weight, F8)[0])
    assert gone() is not None
    del weight
    gc.collect()
    assert gone() is None


def test_made_in_a_thread_of_its_own(monkeypatch):
    """Since the pools of torch.compile's CUDA graphs serve the calling thread."""
    threads, original = [], quantize_weight
    monkeypatch.setattr(
        "winnow.torch._weights.quantize_weight",
        lambda *arguments: threads.append(threading.get_ident()) or original(*arguments),
    )
    prepared(torch.randn(4, 32), F8)
    assert len(threads) == 1 and threads[0] != threading.get_ident()


def test_conversion_to_another_wide_type():
    weight = torch.randn(4, 32)
    (made,) = prepared(weight, torch.bfloat16)
    assert torch.equal(made, weight.bfloat16()) and prepared(weight, torch.bfloat16)[0] is made
    (made,) = prepared(weight.t(), torch.float32)
    assert made.is_contiguous() and torch.equal(made, weight.t())


def test_several_threads_make_it_once(monkeypatch):
    made, original = [], quantize_weight

    def count(weight, dtype):
        made.append(threading.get_ident())
        return original(weight, dtype)

    monkeypatch.setattr("winnow.torch._weights.quantize_weight", count)
    weight, start, results = torch.randn(64, 64), threading.Barrier(4), []

    def work():
        start.wait()
        results.append(prepared(weight, F8))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and all(result is results[0] for result in results)


def test_what_was_made_is_known_as_long_as_the_weight_is_the_same():
    """A serial number stands for values and their place: it must change whenever either does."""
    linear = torch.nn.Linear(64, 32, bias=False)
    weight, f8 = linear.weight, torch.float8_e4m3fn

    def serial():
        entry = known(weight, f8)
        return None if entry is None else entry.serial

    assert serial() is None
    made = prepared(weight, f8)
    first = serial()
    assert first is not None and serial() == first
    assert [t.data_ptr() for t in prepared(weight, f8)] == [t.data_ptr() for t in made]
    assert known(weight, torch.float8_e5m2) is None
    assert known(weight.detach().t(), f8) is None
    assert known(weight.detach()[:16], f8) is None
    with torch.no_grad():
        weight.mul_(2)
    assert serial() is None
    prepared(weight, f8)
    second = serial()
    assert second not in (None, first)
    # Another piece of memory with the same contents, and the same memory seen in another way.
    weight.data = weight.data.clone()
    assert serial() is None
    prepared(weight, f8)
    third = serial()
    assert third not in (None, first, second)
    weight.data = weight.data.view(64, 32)
    assert serial() is None
    prepared(weight, f8, again=True)
    assert serial() not in (None, first, second, third)
