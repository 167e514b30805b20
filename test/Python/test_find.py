"""Finding feed-forward blocks by what they compute."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from winnow._find import find_ffns  # noqa: E402


class ReLU2(nn.Module):
    def forward(self, x):
        return F.relu(x) ** 2


class Block(nn.Module):
    """A feed-forward block whose parts have names that say nothing."""

    def __init__(self, d_model=8, d_ffn=24, bias=False, act=ReLU2, before=None, residual=False, dropout=0.0):
        super().__init__()
        self.a = nn.Linear(d_ffn, d_model, bias=bias)  # down comes first among the children
        self.b = nn.Linear(d_model, d_ffn, bias=bias)
        self.act, self.before, self.residual = act(), before or nn.Identity(), residual
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        y = self.a(self.dropout(self.act(self.b(self.before(x)))))
        return x + y if self.residual else y


class Gated(nn.Module):
    def __init__(self, act=F.silu):
        super().__init__()
        self.up, self.gate, self.down = nn.Linear(8, 24), nn.Linear(8, 24), nn.Linear(24, 8)
        self.act = act

    def forward(self, x):
        return self.down(self.up(x) * self.act(self.gate(x)))


class TwoInputs(Block):
    def forward(self, x, state):
        return super().forward(x) + state


class CallsTwice(Block):
    def forward(self, x):
        return super().forward(super().forward(x))


def only(model):
    (found,) = find_ffns(model)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "act, name", [(ReLU2, "relu2"), (nn.ReLU, "relu"), (nn.GELU, "gelu"), (nn.SiLU, "silu"), (nn.Tanh, None)]
)
def test_activation(act, name, dtype):
    found = only(Block(act=act).to(dtype))
    assert (found.activation, found.d_model, found.d_ffn) == (name, 8, 24)
    assert found.up is found.module.b and found.down is found.module.a and found.called
    assert found.obstacle == ("" if name else "its activation is none of relu2, relu, gelu, silu")


@pytest.mark.parametrize(
    "module, obstacle",
    [
        (Block(bias=True), "its linears have a bias"),
        (Block(before=nn.LayerNorm(8)), "it changes its input before the first linear"),
        (Block(residual=True), "its result is not that of its last linear"),
        (Gated(), "it is gated (silu)"),
        (Gated(F.relu), "it is gated (relu)"),
        (Gated(torch.tanh), "it has three linears"),
        (CallsTwice(), "it does not call each of its linears once"),
        (Block().to("meta"), "its weights are on the meta device"),
    ],
)
def test_obstacles(module, obstacle):
    assert only(module).obstacle == obstacle


def test_a_module_that_cannot_be_called_says_why():
    found = only(TwoInputs())
    assert found.obstacle.startswith("it cannot be called with one tensor (1, 8, 8): ") and "state" in found.obstacle
    assert not found.called and found.up is found.module.b and found.down is found.module.a


def test_gate_and_up_are_told_apart():
    found = only(Gated())
    assert found.gate is found.module.gate and found.up is found.module.up


def test_a_narrow_block():
    found = only(Block(d_model=24, d_ffn=8))
    assert found.up is found.module.b and found.down is found.module.a and found.obstacle == ""


def test_square_linears_are_ordered_by_the_calls():
    found = only(Block(d_model=16, d_ffn=16))
    assert found.up is found.module.b and found.down is found.module.a


def test_linears_in_a_container_belong_to_its_parent():
    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleDict({"in": nn.Linear(8, 24, bias=False), "out": nn.Linear(24, 8, bias=False)})

        def forward(self, x):
            return self.parts["out"](F.relu(self.parts["in"](x)).square())

    found = only(nn.ModuleDict({"mlp": Nested()}))
    assert (found.name, found.activation, found.obstacle) == ("mlp", "relu2", "")


def test_dropout_and_modes():
    block = Block(dropout=0.5)
    block.dropout.eval()
    block.train(True)
    block.act.eval()
    before = [part.training for part in block.modules()]
    state = torch.get_rng_state()
    assert only(block).obstacle == ""
    assert [part.training for part in block.modules()] == before
    assert torch.equal(torch.get_rng_state(), state)
    assert not block.a._forward_hooks and not block.b._forward_hooks


def test_what_is_not_one():
    low_rank = nn.Sequential(nn.Linear(8, 2), nn.Linear(2, 8))
    attention = nn.ModuleDict({name: nn.Linear(8, 8) for name in "qkvo"})
    assert find_ffns(nn.ModuleList([low_rank, attention, nn.Linear(8, 8)])) == []


def test_names_in_a_model():
    layers = nn.ModuleList(
        nn.ModuleDict({"attention": nn.ModuleList(nn.Linear(8, 8) for _ in range(4)), "mlp": Block()}) for _ in range(3)
    )
    model = nn.ModuleDict({"layers": layers, "head": nn.Linear(8, 50)})
    assert [found.name for found in find_ffns(model)] == [f"layers.{i}.mlp" for i in range(3)]
    assert [found.name for found in find_ffns(nn.Sequential(nn.Linear(8, 24), ReLU2(), nn.Linear(24, 8)))] == [""]


def test_compiled_models():
    model = nn.ModuleDict({"mlp": torch.compile(Block(), backend="eager")})
    found = only(model)
    assert (found.name, found.activation, found.obstacle) == ("mlp", "relu2", "")


def test_shared_block_is_found_once():
    block = Block()
    assert [found.name for found in find_ffns(nn.ModuleList([block, block]))] == ["0"]


def test_nemotron():
    transformers = pytest.importorskip("transformers", reason="needs transformers (scripts/setup installs it)")
    config = transformers.NemotronConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
    )
    model = transformers.NemotronForCausalLM(config)
    found = find_ffns(model)
    assert [(f.name, f.activation, f.obstacle) for f in found] == [
        (f"model.layers.{i}.mlp", "relu2", "") for i in range(2)
    ]
    assert found[0].up is model.model.layers[0].mlp.up_proj
