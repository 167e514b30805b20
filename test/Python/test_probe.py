"""Probes on small models: which layers, which tokens, in which modes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

import winnow.probe  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402


class ReLU2(nn.Module):
    def forward(self, x):
        return F.relu(x).square()


def ffn(act=ReLU2):
    return nn.Sequential(nn.Linear(8, 20, bias=False), act(), nn.Linear(20, 8, bias=False))


class Model(nn.Module):
    """Two blocks with residuals; remembers the activations of each."""

    def __init__(self, act=ReLU2):
        super().__init__()
        self.layers = nn.ModuleList(ffn(act) for _ in range(2))
        self.scale = 1.0

    def forward(self, x, attention_mask=None):
        for layer in self.layers:
            x = x + layer(x) * self.scale
        return x

    def activations(self, x):
        """What a probe should see, per layer, (tokens, features)."""
        seen = []
        with torch.no_grad():
            for layer in self.layers:
                seen.append(layer[1](layer[0](x)).flatten(0, -2))
                x = x + layer(x)
        return seen


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model()


def check(layer, rows):
    """A layer's report against the activations themselves."""
    x = rows.double().numpy()
    assert (layer.tokens, layer.features) == x.shape
    np.testing.assert_array_equal(layer.feature_nonzeros, (x != 0).sum(0))
    assert layer.density == (x != 0).mean()
    np.testing.assert_array_equal(layer.profile, (x != 0).mean(0))
    assert layer.energy == pytest.approx((x**2).sum(), rel=1e-5)
    groups = np.sort(x.reshape(len(x), -1, 4) ** 2, axis=2)
    assert layer.drop.features == (groups[:, :, :2] != 0).sum() / (x != 0).sum()
    assert layer.energy_drop.features == pytest.approx(groups[:, :, :2].sum() / groups.sum(), rel=1e-5)
    padded = np.concatenate([x, np.zeros((-len(x) % 4, x.shape[1]))])
    groups = np.sort(padded.reshape(-1, 4, x.shape[1]) ** 2, axis=1)
    assert layer.drop.tokens == (groups[:, :2] != 0).sum() / (x != 0).sum()
    assert layer.energy_drop.tokens == pytest.approx(groups[:, :2].sum() / groups.sum(), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("act", [ReLU2, nn.ReLU])
def test_against_numpy(dtype, act):
    torch.manual_seed(1)
    model = Model(act).to(dtype)
    x = torch.randn(3, 7, 8).to(dtype)
    with winnow.probe.Probe(model) as probe:
        model(x)
    report = probe.report()
    assert list(report) == ["layers.0", "layers.1"]
    for layer, rows in zip(report.values(), model.activations(x)):
        check(layer, rows)
        assert layer.activation == {ReLU2: "relu2", nn.ReLU: "relu"}[act]


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_modes(model, mode):
    """Entered in one mode, called in another, and read in a third."""
    x = torch.randn(8, 8)
    with winnow.probe.Probe(model) as probe:
        with mode():
            model(x)
        with torch.inference_mode():
            model(x)
    layer = probe.report()["layers.0"]
    assert (layer.tokens, layer.calls) == (16, 2)
    np.testing.assert_array_equal(layer.feature_nonzeros, 2 * (model.activations(x)[0] != 0).sum(0).numpy())


def test_gradients_stay_the_same(model):
    x = torch.randn(8, 8)
    model(x).sum().backward()
    expected = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    with winnow.probe.Probe(model):
        model(x).sum().backward()
    assert all(torch.equal(p.grad, e) for p, e in zip(model.parameters(), expected))


def test_several_batches_are_one(model):
    x = torch.randn(24, 8)
    one = winnow.probe.measure(model, [x])
    several = winnow.probe.measure(model, [x[:8], x[8:12], x[12:]])
    for name in one:
        np.testing.assert_array_equal(one[name].feature_nonzeros, several[name].feature_nonzeros)
        assert one[name].dropped_nonzeros == several[name].dropped_nonzeros
        assert one[name].energy == pytest.approx(several[name].energy, rel=1e-5)
        assert (one[name].calls, several[name].calls) == (1, 3)


def test_entering_again_goes_on(model):
    x = torch.randn(4, 8)
    probe = winnow.probe.Probe(model)
    for _ in range(2):
        with probe:
            model(x)
        model(x)  # unseen
    assert probe.report()["layers.1"].calls == 2
    with probe, pytest.raises(RuntimeError, match="entered already"):
        probe.__enter__()
    assert not any(part._forward_pre_hooks for part in model.modules())


def test_masks(model):
    """Padding does not count, and what is left moves together."""
    x = torch.randn(2, 6, 8)
    mask = torch.tensor([[1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0]])
    with winnow.probe.Probe(model) as probe, probe.masked(mask):
        model(x)
    for layer, rows in zip(probe.report().values(), model.activations(x)):
        check(layer, rows[mask.flatten().bool()])
    by_key = winnow.probe.measure(model, [{"x": x, "attention_mask": mask}])
    by_function = winnow.probe.measure(model, [x], mask=lambda batch: mask.bool())
    for name, layer in probe.report().items():
        np.testing.assert_array_equal(layer.feature_nonzeros, by_key[name].feature_nonzeros)
        np.testing.assert_array_equal(layer.feature_nonzeros, by_function[name].feature_nonzeros)
    unmasked = winnow.probe.measure(model, [{"x": x, "attention_mask": mask}], mask=None)
    assert unmasked["layers.0"].tokens == 12


def test_a_mask_of_another_shape(model):
    with winnow.probe.Probe(model) as probe, probe.masked(torch.ones(2, 5)):
        with pytest.raises(ValueError, match=r"mask: expected \(2, 6\), .* enter layers.0, got \(2, 5\)"):
            model(torch.randn(2, 6, 8))
        model(torch.randn(10, 8))  # flattened by the model


def test_compiled_models(model):
    """Also where the code was made before the hooks, which it would not call."""
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    x = torch.randn(8, 8)
    compiled(x)
    with winnow.probe.Probe(compiled) as probe:
        compiled(x)
    assert list(probe.report()) == ["layers.0", "layers.1"]
    check(probe.report()["layers.0"], model.activations(x)[0])
    compiled(x)
    assert probe.report()["layers.0"].calls == 1


def test_measure_restores_modes(model):
    model.train()
    model.layers[0].eval()
    winnow.probe.measure(model, [torch.randn(4, 8)])
    assert model.training and not model.layers[0].training


def test_batches_of_every_kind(model):
    x, seen = torch.randn(4, 8), []
    batches = [x, (x,), [x, None], {"x": x}]
    report = winnow.probe.measure(model, batches, on_batch=lambda n, probe: seen.append((n, len(probe.report()))))
    assert report["layers.0"].calls == 4
    assert seen == [(1, 2), (2, 2), (3, 2), (4, 2)]


def test_choosing_layers(model):
    x = torch.randn(4, 8)
    assert list(winnow.probe.measure(model, [x], layers=["*.1"])) == ["layers.1"]
    report = winnow.probe.measure(model, [x], layers=["layers.?.2"])
    assert list(report) == ["layers.0.2", "layers.1.2"] and report["layers.0.2"].activation is None
    check(report["layers.0.2"], model.activations(x)[0])


def test_a_layer_that_is_never_called(model):
    model.extra = ffn()
    report = winnow.probe.measure(model, [torch.randn(4, 8)])
    assert report.skipped == {"extra": "no token came by"}
    with pytest.raises(KeyError, match="no layer 'extra' in the report: no token came by"):
        report["extra"]


def test_refusals(model):
    with pytest.raises(ValueError, match="model: found no feed-forward block to record in Linear; name the linears"):
        winnow.probe.Probe(nn.Linear(8, 8))
    with pytest.raises(ValueError, match=r"in Sequential \(the model: it cannot be called with .*\); name the linears"):
        winnow.probe.Probe(nn.Sequential(nn.Embedding(9, 8), *ffn()))
    with pytest.raises(ValueError, match="layers: 'mlp' fits no feed-forward block and no linear; there are layers.0,"):
        winnow.probe.Probe(model, layers=["mlp"])
    with pytest.raises(ValueError, match="layers: expected at least one pattern"):
        winnow.probe.Probe(model, layers=[])
    with pytest.raises(TypeError, match="layers: expected a list of patterns, got the string"):
        winnow.probe.Probe(model, layers="layers.*")
    with winnow.probe.Probe(model.double(), layers=["*.2"]):
        with pytest.raises(TypeError, match="layers.0.2: expected activations of float32, .*, got float64"):
            model(torch.randn(4, 8, dtype=torch.float64))


def test_an_error_in_the_model_leaves_no_hook(model):
    with pytest.raises(RuntimeError), winnow.probe.Probe(model):
        model(torch.randn(4, 9))
    assert not any(part._forward_pre_hooks for part in model.modules())


def test_autocast(model):
    with winnow.probe.Probe(model) as probe, torch.autocast("cpu", dtype=torch.bfloat16):
        model(torch.randn(8, 8))
    assert probe.report()["layers.0"].tokens == 8


def nemotron():
    transformers = pytest.importorskip("transformers", reason="needs transformers (scripts/setup installs it)")
    config = transformers.NemotronConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    return transformers.NemotronForCausalLM(config)


def test_nemotron():
    ids = torch.randint(0, 64, (2, 12))
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    report = winnow.probe.measure(nemotron(), [{"input_ids": ids, "attention_mask": mask}])
    assert list(report) == ["model.layers.0.mlp", "model.layers.1.mlp"]
    assert all((layer.tokens, layer.activation) == (21, "relu2") for layer in report.values())
    assert 0.2 < report["model.layers.0.mlp"].density < 0.8


def test_what_was_measured_reaches_converted_blocks():
    import winnow.torch

    model = nemotron()
    report = winnow.probe.measure(model, [torch.randint(0, 64, (2, 12))])
    winnow.torch.convert(model, dtype="bf16", sparsity=report)
    for name, layer in report.items():
        text = model.get_submodule(name).spec
        assert winnow.ffn(32, 96, dtype="bf16", sparsity=layer) == text
        assert "tensor<96xf16>" in text
