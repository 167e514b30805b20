"""Converting models: which blocks are replaced, which are not and why, and that the model stays what it was."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

import winnow.torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from winnow.torch import SparseFFN, convert  # noqa: E402


class ReLU2(nn.Module):
    def forward(self, x):
        return F.relu(x) ** 2


class Block(nn.Module):
    """Squared ReLU under names that say nothing."""

    def __init__(self, d_model=32, d_ffn=64, bias=False, act=None, dropout=0.0):
        super().__init__()
        self.inner = nn.ModuleDict(
            {"b": nn.Linear(d_ffn, d_model, bias=bias), "a": nn.Linear(d_model, d_ffn, bias=bias)}
        )
        self.act, self.dropout = act or ReLU2(), nn.Dropout(dropout)

    def forward(self, x):
        return self.inner["b"](self.dropout(self.act(self.inner["a"](x))))


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.up, self.down = (nn.Linear(*s, bias=False) for s in ((32, 64), (32, 64), (64, 32)))

    def forward(self, x):
        return self.down(F.relu(self.gate(x)).square() * self.up(x))


class Halved(nn.Linear):
    """Looks like a linear, computes something else."""

    def forward(self, x):
        return super().forward(x) / 2


class Deceptive(Block):
    def __init__(self):
        super().__init__()
        self.inner["a"] = Halved(32, 64, bias=False)


class Extra(Block):
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.zeros(()))


def sequential():
    return nn.Sequential(nn.Linear(32, 64, bias=False), ReLU2(), nn.Linear(64, 32, bias=False))


def hooked():
    block = Block()
    block.inner["a"].register_forward_hook(lambda module, inputs, output: output)
    return block


def nemotron(**options):
    transformers = pytest.importorskip("transformers", reason="needs transformers (scripts/setup installs it)")
    torch.manual_seed(0)
    config = transformers.NemotronConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=96,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        pad_token_id=0,
        eos_token_id=None,
        **{"num_hidden_layers": 2, **options},
    )
    return transformers.NemotronForCausalLM(config).eval()


@pytest.mark.parametrize("make", [Block, sequential])
def test_replaced_by_structure(make):
    model = nn.Sequential(nn.LayerNorm(32), make()).eval().requires_grad_(False)
    before, x = copy.deepcopy(model), torch.randn(2, 3, 32)
    report = convert(model, dtype="f32")
    assert [(block.name, block.d_model, block.d_ffn, block.reason) for block in report.blocks] == [("1", 32, 64, "")]
    assert isinstance(model[1], SparseFFN) and not model[1].training
    torch.testing.assert_close(model(x), before(x), rtol=1e-5, atol=1e-6)
    assert model.state_dict().keys() == before.state_dict().keys()
    model.load_state_dict({key: -value for key, value in before.state_dict().items()})
    before.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(x), before(x), rtol=1e-5, atol=1e-6)


def test_parameters_are_shared():
    model = nn.ModuleList([Block().eval()])
    up = model[0].inner["a"].weight
    convert(model)
    assert model[0].up.weight is up and next(iter(dict(model.named_parameters()))) == "0.inner.a.weight"


@pytest.mark.parametrize(
    "make, reason",
    [
        (lambda: Block(act=nn.GELU()), "its activation is gelu, not relu2"),
        (lambda: Block(act=nn.ReLU()), "its activation is relu, not relu2"),
        (lambda: Block(act=nn.Tanh()), "its activation is none of relu2, relu, gelu, silu"),
        (lambda: Block(bias=True), "its linears have a bias"),
        (Gated, "it is gated (relu2)"),
        (hooked, "it has hooks"),
        (Deceptive, "it does not compute down(relu(up(x))²) with the weights that it has"),
        (Extra, "it has parameters or buffers beside two weights"),
        (lambda: Block(dropout=0.5).train(), "it has dropout and is in training mode; call .eval() first"),
        (lambda: torch.compile(Block(), backend="eager"), "it is compiled by itself; convert it before torch.compile"),
        (lambda: SparseFFN(32, 64), "it is a SparseFFN already"),
        (lambda: Block(d_ffn=72), "72 features of f8e4m3 are not a multiple of 16 bytes, as tensor cores need"),
        (lambda: Block().to("meta"), "its weights are on the meta device"),
    ],
)
def test_left_alone(make, reason):
    model = nn.ModuleDict({"mlp": make().requires_grad_(False)})
    before = model["mlp"]
    report = convert(model)
    assert [(block.name, block.reason) for block in report.blocks] == [("mlp", reason)]
    assert not report.replaced and model["mlp"] is before


def test_the_model_itself_cannot_be_replaced():
    report = convert(sequential())
    assert report.kept[0].reason == "it is the model itself; use SparseFFN.from_linears"


def test_what_the_compiler_refuses_is_left_alone(monkeypatch):
    def lower(*arguments, **named):
        return winnow.lower("nonsense", target="sm_90a")

    monkeypatch.setattr("winnow.torch._convert.lower", lower)
    (block,) = convert(nn.ModuleList([Block()])).kept
    assert "error:" in block.reason


def test_a_shared_block_is_replaced_everywhere():
    block = Block().eval()
    model = nn.Sequential(block, nn.LayerNorm(32), block)
    assert len(convert(model).replaced) == 1
    assert isinstance(model[0], SparseFFN) and model[0] is model[2]


def test_dry_run_changes_nothing():
    model = nn.ModuleList([Block(), Gated()]).eval()
    before = list(model)
    report = convert(model, dry_run=True)
    assert len(report.replaced) == 1 and list(model) == before
    assert str(report) == (
        "block  d_model  d_ffn  outcome\n"
        "0      32       64     would be replaced\n"
        "1      32       64     left alone: it is gated (relu2)\n"
        "1 of 2 feed-forward blocks would be replaced"
    )
    assert "<td>left alone: it is gated (relu2)</td>" in report._repr_html_()


def test_no_blocks():
    assert str(convert(nn.Linear(8, 8))) == "no feed-forward blocks found"


def test_measured_sparsity_by_name():
    model = nn.ModuleList([Block(), Block()]).eval()
    report = convert(model, density=0.3, max_drop=0.0, sparsity={"1": {"density": 0.02, "max_drop": 0.01}})
    assert [block.note for block in report.blocks] == ["", "sparsity as measured"]
    assert "density = 0.3, max_drop = 0.0" in model[0].spec
    assert "density = 0.02, max_drop = 0.01" in model[1].spec


def test_names_that_no_block_has_are_refused():
    with pytest.raises(ValueError, match=r"sparsity: expected names of blocks of the model \(0, 1\), got 2"):
        convert(nn.ModuleList([Block(), Block()]), sparsity={"2": {"density": 0.1}})


def test_a_report_of_the_probe():
    from winnow.probe import Probe

    model = nn.Sequential(nn.LayerNorm(32), Block()).eval().requires_grad_(False)
    before, x = copy.deepcopy(model), torch.randn(64, 32)
    with Probe(model) as probe:
        model(x)
    measured = probe.report()
    convert(model, dtype="f32", sparsity=measured)
    assert f"density = {measured['1'].annotation()['density']}" in model[1].spec and "profile" in model[1].spec
    torch.testing.assert_close(model(x), before(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype, bound", [("f32", 1e-5), ("bf16", 2e-2), ("f8e4m3", 5e-2)])
def test_nemotron(dtype, bound):
    model = nemotron()
    before, ids = copy.deepcopy(model), torch.randint(1, 64, (2, 9))
    report = convert(model, dtype=dtype)
    assert [block.name for block in report.replaced] == ["model.layers.0.mlp", "model.layers.1.mlp"]
    assert list(model.state_dict()) == list(before.state_dict())
    with torch.no_grad():
        actual, expected = model(ids).logits, before(ids).logits
    # The blocks' own rounding, on a residual stream that they are only a part of.
    assert ((actual - expected).norm() / expected.norm()).item() < bound


def test_nemotron_generates():
    model = nemotron()
    before, ids = copy.deepcopy(model), torch.randint(1, 64, (1, 9))
    convert(model, dtype="f32")
    options = {"max_new_tokens": 6, "do_sample": False, "attention_mask": torch.ones_like(ids)}
    assert torch.equal(model.generate(ids, **options), before.generate(ids, **options))


def test_nemotron_is_saved_and_loaded(tmp_path):
    model = nemotron()
    convert(model)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    for key, value in loaded.state_dict().items():
        assert torch.equal(value, model.state_dict()[key]), key


def test_nemotron_compiled():
    model = nemotron(num_hidden_layers=1)
    convert(model)
    compiled = torch.compile(model, backend="eager", dynamic=True)
    with torch.no_grad():
        for tokens in (5, 11):
            ids = torch.randint(1, 64, (2, tokens))
            assert torch.equal(compiled(ids, use_cache=False).logits, model(ids, use_cache=False).logits)
    torch.compiler.reset()
