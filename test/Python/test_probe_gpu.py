"""Probes of models on a GPU: the sums of the CPU, and nothing waits."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

import winnow.probe  # noqa: E402
from torch import nn  # noqa: E402
from winnow.probe import _sums  # noqa: E402

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_sums_are_those_of_the_cpu(dtype, monkeypatch):
    rows = torch.randn(1030, 512, generator=torch.Generator().manual_seed(0)).relu().square().to(dtype)
    rows[5, 7], rows[6, 7], rows[7, 8] = torch.nan, torch.inf, -0.0
    monkeypatch.setattr(_sums, "_PIECE", 1 << 16)  # several pieces
    sums = {}
    for device in ("cpu", "cuda"):
        sums[device] = _sums.Sums.zero(512, torch.device(device))
        sums[device].add(rows.to(device))
    for name in ("feature_nonzeros", "nonfinite", "dropped_nonzeros"):
        assert torch.equal(getattr(sums["cuda"], name).cpu(), getattr(sums["cpu"], name)), name
    for name in ("energy", "dropped_energy"):
        torch.testing.assert_close(getattr(sums["cuda"], name).cpu(), getattr(sums["cpu"], name), rtol=1e-5, atol=0)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype feature")
def test_nothing_waits():
    model = nn.Sequential(nn.Linear(64, 256, bias=False), nn.ReLU(), nn.Linear(256, 64, bias=False)).cuda()
    x = torch.randn(2, 64, 64, device="cuda")
    mask = torch.ones(2, 64, device="cuda", dtype=torch.bool)
    mask[1, 40:] = False
    probe = winnow.probe.Probe(model)
    with probe, torch.no_grad(), probe.masked(mask):
        torch.cuda.set_sync_debug_mode("error")
        try:
            model(x)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    layer = probe.report()[""]
    hidden = model[1](model[0](x)).flatten(0, 1)[mask.flatten()]
    assert layer.tokens == 104
    np.testing.assert_array_equal(layer.feature_nonzeros, (hidden != 0).sum(0).cpu().numpy())
