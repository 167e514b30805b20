"""The data of the benchmark and its expectations, on the CPU: what a result is compared with must be right."""

import numpy as np
import pytest
import winnow

torch = pytest.importorskip("torch", reason="needs torch")

from winnow.bench import candidates, peers, record, workload  # noqa: E402
from winnow.bench.grid import Case  # noqa: E402

SMALL = Case(256, 1024, 96, 30.0, "sustained")


@pytest.fixture(scope="module")
def work():
    return workload.Workload(SMALL, "cpu", 3)


def to_numpy(tensor):
    """The same bytes, as the reference takes them."""
    from winnow._arrays import numpy_dtype

    raw = tensor.contiguous().view(
        torch.uint8 if tensor.element_size() == 1 else getattr(torch, f"int{8 * tensor.element_size()}")
    )
    return raw.numpy().view(numpy_dtype(str(tensor.dtype).removeprefix("torch.")))


@pytest.mark.parametrize("max_drop", [0.0, 1.0])
@pytest.mark.parametrize("scale", ["dynamic_row", "static"])
def test_expectations_are_what_winnow_computes(work, scale, max_drop):
    """The reference interpreter, at the level at which 2:4 has been chosen, agrees with the f32 reference in torch."""
    text = winnow.ffn(256, 1024, scale=scale, density=0.3, max_drop=max_drop)
    ffn = winnow.lower(text, target="sm_90a", tokens=8192)
    sparse = "sparse24" in ffn.ir("ffn")
    assert sparse == (max_drop > 0), "this case is meant to be 2:4 exactly where that is allowed"
    weights = work.weights[0]
    inputs = [work.x, weights.w1, weights.s1, weights.w2, weights.s2] + [work.y2_scale] * (scale == "static")
    result = torch.from_numpy(ffn.reference(*map(to_numpy, inputs), level="ffn").astype("f4"))
    expected = work.reference(sparse, scale == "static")
    assert workload.relative_error(result[work.rows], expected) < workload.PRODUCT_BOUND
    other = work.reference(not sparse, scale == "static")
    assert workload.relative_error(other, expected) > 2 * workload.PRODUCT_BOUND, "the two are told apart"


@pytest.mark.parametrize("density", [2.0, 10.0, 30.0])
def test_density(density):
    found = workload.Workload(SMALL._replace(density=density, d_ffn=4096), "cpu", 0)
    assert found.density * 100 == pytest.approx(density, rel=0.12)
    assert 0.5 < found.kept_energy <= 1.0


def test_copies_of_weights_have_memory_of_their_own():
    found = workload.Workload(Case(64, 64, 1, 10.0, "sustained"), "cpu", 0)
    assert len(found.weights) == found.case.copies >= 2
    assert len({weights.w1.data_ptr() for weights in found.weights}) == len(found.weights)
    assert torch.equal(found.weights[0].w2.view(torch.uint8), found.weights[1].w2.view(torch.uint8))


def test_keep_two_of_four():
    values = torch.tensor([[1.0, 3.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0, 0.0]])
    kept = workload.keep_two_of_four(values)
    assert kept.tolist() == [[0, 3, 0, 4, 5, 5, 0, 0], [0, 0, 0, 7, 0, 0, 0, 0]]


def test_codes_are_kept_by_value():
    codes = torch.tensor([[0.5, 448.0, 1.5, 2.0**-9]]).to(workload.F8)
    assert workload.keep_two_of_four_codes(codes).float().tolist() == [[0.0, 448.0, 1.5, 0.0]]


def test_relative_error_of_what_is_not_finite():
    assert workload.relative_error(torch.tensor([float("nan")]), torch.ones(1)) == float("inf")
    assert workload.relative_error(torch.tensor([1.5]), torch.ones(1)) == pytest.approx(0.5)


def by_hand(codes, scale, weight, weight_scale):
    """torch's scaled product, which the CPU may not have."""
    left = codes.float() * (scale if scale.dim() else scale[None, None])
    return (left @ (weight.float() * (weight_scale[:, None] if weight_scale.dim() else weight_scale)).t()).bfloat16()


@pytest.fixture
def dense(work, monkeypatch):
    monkeypatch.setattr(peers, "scaled_product", by_hand)
    return lambda: peers.dense_candidates(work, peers.activations(work), peers.RowKernels(compiled=False))


def test_torchs_candidates_pass_their_checks(dense):
    checked, left_out = candidates.check_all(dense())
    assert left_out == []
    assert {(item.candidate.stage, item.candidate.who) for item in checked} == {
        (record.QUANTIZE, "torch"), (record.GEMM1, "torch"), (record.GEMM1, "torch tensor-wise"),
        (record.MIDDLE, "torch"),
        (record.GEMM2, "torch"), (record.GEMM2, "torch tensor-wise"),
        (record.DYNAMIC, "torch"), (record.STATIC, "torch"),
    }  # fmt: skip
    assert all(item.error is None or item.error < 1e-2 for item in checked)


def test_a_wrong_result_is_not_timed(dense, monkeypatch):
    found = dense()
    monkeypatch.setattr(peers, "scaled_product", lambda *arguments: by_hand(*arguments) * 1.1)
    checked, left_out = candidates.check_all(found)
    assert {item.candidate.stage for item in checked} == {record.QUANTIZE, record.MIDDLE}
    assert len(left_out) == 6 and all(entry.wrong for entry in left_out)
    assert left_out[0].reason.startswith("wrong result: expected a relative error of at most 1.0e-02, got 1.0e-01")


def test_a_candidate_that_does_not_run_is_left_out_with_its_reason():
    def refuse(i):
        raise RuntimeError("no such kernel\nand a long trace")

    checked, left_out = candidates.check_all([candidates.Candidate(record.GEMM2, "torch", refuse, 1.0, None)])
    assert checked == [] and left_out == [candidates.LeftOut(record.GEMM2, "torch", "no such kernel")]


def test_cusparselt_is_left_out_where_there_is_none(work, monkeypatch):
    def refuse(kept):
        raise RuntimeError("cuSPARSELt not supported on your machine")

    monkeypatch.setattr(peers, "scaled_product", by_hand)
    monkeypatch.setattr(torch, "_cslt_compress", refuse)
    found, left_out = peers.sparse_candidates(work, peers.activations(work))
    assert found == [] and left_out[0].who == "cusparselt" and "not supported" in left_out[0].reason


def test_numpy_sees_the_same_bytes(work):
    assert np.array_equal(to_numpy(work.x).astype("f4"), work.x.float().numpy())
