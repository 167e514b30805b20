"""A feed-forward block in place of two nn.Linear with squared ReLU between them."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from .._builder import ffn
from ._ops import program_weights, sparse_ffn
from ._program import find_program, register_program

# What x is cast to, by the `dtype` of a module.
_DTYPES = {
    "f8e4m3": torch.bfloat16,
    "f8e5m2": torch.bfloat16,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "f32": torch.float32,
}


class SparseFFN(nn.Module):
    """``down_proj(relu(up_proj(x))²)``, compiled by Winnow.

    The weights are those of two nn.Linear without bias, up_proj.weight (d_ffn, d_model) and down_proj.weight
    (d_model, d_ffn), of any floating-point type and initialised as nn.Linear does; state dicts are interchangeable.
    x is (…, d_model) of the weights' type, and so is the result. Under autocast x may be of any floating-point type
    and the result has autocast's, as with nn.Linear.

    What is compiled, and what is made of the weights, happens on the first call or in :meth:`prepare`. On CPU tensors
    the reference computes the result, slowly. Gradients are not supported: a call that would need them raises
    RuntimeError.

    activation: "relu2", or another that :func:`winnow.ffn` knows.
    dtype: what products are computed in: "f8e4m3" (weights are quantised by row, activations as `y2_scale` says,
        everything else is bf16), "bf16" or "f16"; "f32" and "f8e5m2" as far as the target has them.
    y2_scale: scale of quantised activations, fixed beforehand; by default one is computed for each token. Activations
        beyond 448 times the scale (f8e4m3) saturate.
    density, max_drop, sparsity: what is known of the zeros of activations, as for :func:`winnow.ffn`.
    tokens: token count to decide for. By default there are kernels for every range of token counts, and each call takes
        those for its count.
    device, param_dtype: of the parameters, as torch's factory functions take them.
    """

    def __init__(
        self,
        d_model: int,
        d_ffn: int,
        activation: str = "relu2",
        *,
        dtype: str = "f8e4m3",
        y2_scale: float | None = None,
        density: float | None = None,
        max_drop: float | None = None,
        sparsity: Any = None,
        tokens: int | None = None,
        device: Any = None,
        param_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self._configure(d_model, d_ffn, activation, dtype, y2_scale, density, max_drop, sparsity, tokens)
        self._paths: tuple[tuple[str, ...], tuple[str, ...]] = (("up_proj",), ("down_proj",))
        self.up_proj = nn.Linear(d_model, d_ffn, bias=False, device=device, dtype=param_dtype)
        self.down_proj = nn.Linear(d_ffn, d_model, bias=False, device=device, dtype=param_dtype)

    @classmethod
    def from_linears(
        cls,
        up: nn.Linear,
        down: nn.Linear,
        activation: str = "relu2",
        *,
        names: tuple[str, str] = ("up_proj", "down_proj"),
        dtype: str = "f8e4m3",
        y2_scale: float | None = None,
        density: float | None = None,
        max_drop: float | None = None,
        sparsity: Any = None,
        tokens: int | None = None,
    ) -> SparseFFN:
        """The block of two linears, which it shares.

        names: under which the linears are its submodules, so that the keys of a state dict stay what they were, for
            example ("0", "2"). A name may have dots.

        Raises ValueError for linears that do not lead from d_model to d_ffn and back or have a bias.
        """
        if (down.out_features, down.in_features) != (up.in_features, up.out_features):
            raise ValueError(
                f"down: expected a linear from {up.out_features} to {up.in_features} features, got one from "
                f"{down.in_features} to {down.out_features}"
            )
        for name, linear in (("up", up), ("down", down)):
            if linear.bias is not None:
                raise ValueError(f"{name}: expected a linear without bias, got one with bias")
        block = cls.__new__(cls)
        nn.Module.__init__(block)
        block._configure(
            up.in_features, up.out_features, activation, dtype, y2_scale, density, max_drop, sparsity, tokens
        )
        block._paths = (tuple(names[0].split(".")), tuple(names[1].split(".")))
        for path, linear in zip(block._paths, (up, down), strict=True):
            _attach(block, path, linear)
        block.training = up.training
        return block

    def _configure(
        self,
        d_model: int,
        d_ffn: int,
        activation: str,
        dtype: str,
        y2_scale: float | None,
        density: float | None,
        max_drop: float | None,
        sparsity: Any,
        tokens: int | None,
    ) -> None:
        static = y2_scale is not None
        text = ffn(
            d_model,
            d_ffn,
            activation=activation,
            dtype=dtype,
            scale="static" if static else "dynamic_row",
            **({"density": density, "max_drop": max_drop} if sparsity is None else {"sparsity": sparsity}),
        )
        if y2_scale is not None and not 0.0 < y2_scale < float("inf"):
            raise ValueError(f"y2_scale: expected a positive number, got {y2_scale}")
        if tokens is not None and not 1 <= tokens < 2**31:
            raise ValueError(f"tokens: expected a count from 1 to 2147483647, got {tokens}")
        self.d_model, self.d_ffn, self.activation = d_model, d_ffn, activation
        self.dtype, self.y2_scale, self.tokens = dtype, y2_scale, tokens or 0
        self.spec = text
        self._element = _DTYPES[dtype]
        self._program = register_program(text)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        register_program(self.spec)  # perhaps in another process

    @property
    def up(self) -> nn.Linear:
        """The linear that leads to d_ffn."""
        return _at(self, self._paths[0])

    @property
    def down(self) -> nn.Linear:
        """The linear that leads back to d_model."""
        return _at(self, self._paths[1])

    def prepare(self) -> SparseFFN:
        """Does now what the first call would do: compiles for the device of the parameters, and quantises them (again,
        if they are already). Needed before a CUDA graph is captured, and after parameters were changed in a way that
        torch does not count: through ``.data``, or by another process. A captured graph then uses the new weights."""
        up, down = self.up.weight, self.down.weight
        program = find_program(self._program)
        program_weights(program, up, down, self.y2_scale, again=True)
        program.prepare(up.device, self.tokens)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """The result, (…, d_model), for x of (…, d_model)."""
        up, down = self.up.weight, self.down.weight
        kind = x.device.type
        if torch.is_autocast_enabled(kind):
            result = torch.get_autocast_dtype(kind)
        elif x.dtype == up.dtype:
            result = up.dtype
        else:
            raise TypeError(f"x: expected {up.dtype}, as the weights have, got {x.dtype}; cast one of them")
        y: Tensor = sparse_ffn(x.to(self._element), up, down, self.y2_scale, self._program, self.tokens)
        return y.to(result)

    def extra_repr(self) -> str:
        static = "" if self.y2_scale is None else f", y2_scale={self.y2_scale}"
        return f"d_model={self.d_model}, d_ffn={self.d_ffn}, activation={self.activation}, dtype={self.dtype}{static}"


def _at(module: nn.Module, path: tuple[str, ...]) -> nn.Linear:
    # Part of every call: get_submodule takes four times as long.
    for name in path:
        module = getattr(module, name)
    return cast(nn.Linear, module)


def _attach(block: nn.Module, path: tuple[str, ...], linear: nn.Linear) -> None:
    *outer, name = path
    for part in outer:
        inner = getattr(block, part, None)
        if inner is None:
            inner = nn.Module()
            block.add_module(part, inner)
        block = inner
    block.add_module(name, linear)
