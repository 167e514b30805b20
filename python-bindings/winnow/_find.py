"""Finds the feed-forward blocks of a torch model: by the shapes of their linears, then by what they compute.

Names of classes and attributes play no part. A candidate is the innermost module with exactly two linears, d_model to
d_ffn and back, or three where one more leads to d_ffn, a gate. It is called once with random numbers, and what enters
and leaves its linears says which activation it has and whether it is ``down(activation(up(x)))`` and nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu2": lambda x: F.relu(x).square(),
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
}
_TOKENS = 8


@dataclasses.dataclass(frozen=True)
class FoundFFN:
    """A feed-forward block of a model.

    name: of the module in the model ("" is the model itself), without what torch.compile puts in front.
    up, gate, down: its linears; gate is None where there is none. Weights are (d_ffn, d_model), (d_ffn, d_model) and
        (d_model, d_ffn).
    activation: one of `ACTIVATIONS`; None if it is none of them or was not determined.
    obstacle: why the block is not exactly ``down(activation(up(x)))``; empty if it is.
    called: whether it could be called; if not, up and down are told apart by shape and order alone.
    """

    name: str
    module: nn.Module
    up: nn.Linear
    down: nn.Linear
    gate: nn.Linear | None = None
    activation: str | None = None
    obstacle: str = ""
    called: bool = False

    @property
    def d_model(self) -> int:
        return self.up.in_features

    @property
    def d_ffn(self) -> int:
        return self.up.out_features


def find_ffns(model: nn.Module) -> list[FoundFFN]:
    """Every feed-forward block of a model, in the order of its modules.

    Calls each candidate with 8 tokens, in evaluation mode and without gradients; parameters, modes and the state of
    random number generators stay as they are.
    """
    found: dict[int, FoundFFN] = {}

    def visit(module: nn.Module, name: str) -> list[nn.Linear]:
        """The linears in `module` that belong to no block found so far."""
        if isinstance(module, nn.Linear):
            return [module]
        linears: list[nn.Linear] = []
        for child_name, child in module.named_children():
            linears += visit(child, f"{name}.{child_name}" if name else child_name)
        linears = list(dict.fromkeys(linears))
        if type(module).forward is nn.Module.forward:  # a container, which only its parent knows how to use
            return linears
        orders = _orders(linears)
        if not orders:
            return linears
        if id(module) not in found:
            block = _examine(clean_name(name), module, orders)
            if block is None:
                return linears
            found[id(module)] = block
        return []

    visit(model, "")
    return list(found.values())


def clean_name(name: str) -> str:
    """A module's name without the parts that torch.compile adds."""
    return ".".join(part for part in name.split(".") if part != "_orig_mod")


def _orders(linears: list[nn.Linear]) -> list[list[nn.Linear]]:
    """The orders [up, (gate,) down] that the shapes allow, the likeliest first: two linears of different shapes fit
    either way, and d_ffn is usually the larger extent."""
    if len(linears) not in (2, 3):
        return []
    orders = []
    for down in reversed(linears):
        ups = [linear for linear in linears if linear is not down]
        if all((up.in_features, up.out_features) == (down.out_features, down.in_features) for up in ups):
            orders.append([*ups, down])
    return sorted(orders, key=lambda order: order[-1].in_features < order[-1].out_features)


def _examine(name: str, module: nn.Module, orders: list[list[nn.Linear]]) -> FoundFFN | None:
    """What `module` computes; None if nothing lies between its linears, so that it is no feed-forward block."""
    linears = orders[0]
    weight = linears[0].weight
    unknown = FoundFFN(name, module, linears[0], linears[-1], linears[1] if len(linears) == 3 else None)
    if weight.is_meta:
        return dataclasses.replace(unknown, obstacle="its weights are on the meta device")
    if not weight.is_floating_point() or weight.element_size() < 2:
        return dataclasses.replace(unknown, obstacle=f"its weights are {str(weight.dtype).removeprefix('torch.')}")
    failure = ""
    for d_model in dict.fromkeys(order[0].in_features for order in orders):
        try:
            x, calls, result = _trace(module, linears, d_model)
        except Exception as error:  # whatever the forward of somebody's module may raise
            why = str(error).partition("\n")[0]
            failure = failure or f"it cannot be called with one tensor (1, {_TOKENS}, {d_model}): {why}"
            continue
        if sorted(id(linear) for linear, _, _ in calls) != sorted(map(id, linears)):
            return dataclasses.replace(unknown, obstacle="it does not call each of its linears once")
        return _classify(name, module, x, calls, result)
    return dataclasses.replace(unknown, obstacle=failure)


_Call = tuple[nn.Linear, Tensor, Tensor]


def _trace(module: nn.Module, linears: list[nn.Linear], d_model: int) -> tuple[Tensor, list[_Call], Any]:
    """Calls the module: its input, what entered and left each linear in the order of calls, and its result."""
    weight = linears[0].weight
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, _TOKENS, d_model, generator=generator).to(weight.device, weight.dtype)
    calls: list[_Call] = []

    def note(linear: nn.Linear, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append((linear, inputs[0].detach().clone(), output.detach().clone()))

    with contextlib.ExitStack() as stack:
        for linear in linears:
            stack.callback(linear.register_forward_hook(note).remove)
        stack.enter_context(evaluating(module))
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.autocast(weight.device.type, enabled=False))
        result = module(x.clone())
    return x, calls, result


def uncompiled() -> contextlib.AbstractContextManager[None]:
    """While entered, compiled models run uncompiled: code that torch.compile made earlier calls no new hooks."""
    if not hasattr(torch.compiler, "set_stance"):
        raise RuntimeError(f"torch: expected version 2.6 or later, got {torch.__version__}")
    return torch.compiler.set_stance("force_eager")


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """In evaluation mode and uncompiled, so that hooks are called; afterwards as before."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with uncompiled():
            yield
    finally:
        for part, training in modes:
            part.training = training


def _classify(name: str, module: nn.Module, x: Tensor, calls: list[_Call], result: Any) -> FoundFFN | None:
    *firsts, (down, hidden, last) = calls
    up, gate, activation = firsts[0][0], None, None
    if len(firsts) == 1:
        output = firsts[0][2]
        if _same(hidden, output):
            return None
        activation = next((key for key, f in ACTIVATIONS.items() if _same(hidden, f(output))), None)
    else:
        gate, up = firsts[0][0], firsts[1][0]
        for one, other in (firsts, firsts[::-1]):
            for key, f in ACTIVATIONS.items():
                if activation is None and _same(hidden, f(one[2]) * other[2]):
                    gate, up, activation = one[0], other[0], key

    def find_obstacle() -> str:
        if (down.out_features, down.in_features) != (up.in_features, up.out_features):
            return "the linear that it calls last does not lead back to d_model"
        if gate is not None:
            return f"it is gated ({activation})" if activation else "it has three linears"
        if activation is None:
            return f"its activation is none of {', '.join(ACTIVATIONS)}"
        if up.bias is not None or down.bias is not None:
            return "its linears have a bias"
        if not _same(firsts[0][1], x):
            return "it changes its input before the first linear"
        if not isinstance(result, Tensor) or not _same(result, last):
            return "its result is not that of its last linear"
        return ""

    return FoundFFN(name, module, up, down, gate, activation, find_obstacle(), called=True)


def _same(a: Tensor, b: Tensor) -> bool:
    """Equal up to two units in the last place of the narrower type, with zeros in the same places."""
    if a.shape != b.shape:
        return False
    bound = 2 * max(torch.finfo(a.dtype).eps, torch.finfo(b.dtype).eps)
    a, b = a.float(), b.float()
    return bool(((a == 0) == (b == 0)).all()) and torch.allclose(a, b, rtol=bound, atol=0.0, equal_nan=True)
