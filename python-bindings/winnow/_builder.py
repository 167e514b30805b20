"""The text of a feed-forward block from its dimensions."""

from __future__ import annotations

from typing import Any

from ._sparsity import annotation_of, sparsity_attribute

_ACTIVATIONS = ("relu2", "relu", "gelu", "silu")
_F8 = {"f8e4m3": "f8E4M3FN", "f8e5m2": "f8E5M2"}
_WIDE = {"bf16": "bf16", "f16": "f16", "f32": "f32"}
_SCALES = ("dynamic_row", "static")
_LARGEST_EXTENT = 2**31 - 1


def ffn(
    d_model: int,
    d_ffn: int,
    *,
    activation: str = "relu2",
    dtype: str = "f8e4m3",
    scale: str = "dynamic_row",
    density: float | None = None,
    max_drop: float | None = None,
    sparsity: Any = None,
    count_nonzero: bool = False,
    bias: bool = False,
) -> str:
    """MLIR text of ``activation(x · w1ᵀ) · w2ᵀ`` with a dynamic token count, for :func:`winnow.compile`.

    The weights are inputs, stored as ``torch.nn.Linear`` stores them: w1 is (d_ffn, d_model), w2 is (d_model, d_ffn).

    dtype: "f8e4m3" or "f8e5m2" (x and the result are bf16; each weight is followed by its float32 scales, one per
        row), or "bf16", "f16" or "f32" for everything.
    scale: how f8 activations are scaled: "dynamic_row" (computed per token) or "static" (y2_scale is the last input;
        x is still scaled per token).
    density: expected fraction of activations that are not zero. max_drop: greatest fraction of those that the compiler
        may drop to reach 2:4 sparsity; 0 forbids it. Defaults: 0.1 and 0.05 for relu2 and relu; for activations that
        are never zero there is no expectation.
    sparsity: instead of density and max_drop, what was measured: a layer of a report of winnow.probe, or a mapping with
        the keys density and, optionally, max_drop (default 0.05) and profile, (d_ffn,).
    count_nonzero: whether there is a second result, (d_ffn,) int32: for how many tokens each feature's activation is
        not zero, before any is dropped.
    """
    for name, value in (("d_model", d_model), ("d_ffn", d_ffn)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name}: expected an int, got {type(value).__name__}")
        if not 1 <= value <= _LARGEST_EXTENT:
            raise ValueError(f"{name}: expected a size from 1 to {_LARGEST_EXTENT}, got {value}")
    _expect("activation", activation, _ACTIVATIONS)
    _expect("dtype", dtype, (*_F8, *_WIDE))
    _expect("scale", scale, _SCALES)
    profile = None
    if sparsity is not None:
        if density is not None or max_drop is not None:
            raise ValueError("sparsity: expected neither density nor max_drop beside it")
        annotation = annotation_of(sparsity)
        density, max_drop, profile = annotation["density"], annotation.get("max_drop"), annotation.get("profile")
        if profile is not None and len(profile) != d_ffn:
            raise ValueError(f"sparsity: expected a profile of d_ffn = {d_ffn} features, got {len(profile)}")
    for name, fraction in (("density", density), ("max_drop", max_drop)):
        if fraction is not None and not 0.0 <= fraction <= 1.0:
            raise ValueError(f"{name}: expected a fraction from 0 to 1, got {fraction}")
    if max_drop is not None and density is None and activation not in ("relu2", "relu"):
        raise ValueError(f"max_drop: expected a density beside it, since {activation} has no zeros by itself")
    if bias:
        raise ValueError(
            "bias: expected False, got True; the ffn dialect has no bias (models with sparse activations have none)"
        )
    if scale == "static" and dtype not in _F8:
        raise ValueError(f"scale: 'static' is for f8, and dtype {dtype} is not scaled; leave scale out")
    if density is None and activation in ("relu2", "relu"):
        density = 0.1
    note = ""
    if density is not None:
        attribute = sparsity_attribute(density, 0.05 if max_drop is None else max_drop, profile)
        note = f" {{ffn.sparsity = {attribute}}}"
    if dtype in _F8:
        return _quantised(d_model, d_ffn, activation, _F8[dtype], scale == "static", note, count_nonzero)
    return _wide(d_model, d_ffn, activation, _WIDE[dtype], note, count_nonzero)


def _expect(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")


def _counted(h: int, t: str, d: int, out: str, counts: bool) -> tuple[str, str, str]:
    """The count of %y2 (?xhxt), the types of the function's results, and its end."""
    y3 = f"tensor<?x{d}x{out}>"
    if not counts:
        return "", y3, f"return %y3 : {y3}"
    n = f"tensor<{h}xi32>"
    return f"\n  %n = ffn.count_nonzero %y2 : tensor<?x{h}x{t}> -> {n}", f"({y3}, {n})", f"return %y3, %n : {y3}, {n}"


def _wide(d: int, h: int, activation: str, t: str, note: str, counts: bool) -> str:
    count, results, end = _counted(h, t, d, t, counts)
    return f"""\
func.func @forward(%x: tensor<?x{d}x{t}>, %w1: tensor<{h}x{d}x{t}> {{ffn.weight}},
                   %w2: tensor<{d}x{h}x{t}> {{ffn.weight}}) -> {results} {{
  %y1 = ffn.matmul %x, %w1 {{transpose_rhs}} : (tensor<?x{d}x{t}>, tensor<{h}x{d}x{t}>) -> tensor<?x{h}x{t}>
  %y2 = ffn.{activation} %y1{note} : tensor<?x{h}x{t}> -> tensor<?x{h}x{t}>{count}
  %y3 = ffn.matmul %y2, %w2 {{transpose_rhs}} : (tensor<?x{h}x{t}>, tensor<{d}x{h}x{t}>) -> tensor<?x{d}x{t}>
  {end}
}}
"""


def _quantised(d: int, h: int, activation: str, f8: str, static: bool, note: str, counts: bool) -> str:
    count, results, end = _counted(h, "f32", d, "bf16", counts)
    extra = ",\n                   %y2_scale: tensor<f32>" if static else ""
    if static:
        scale_type = "tensor<f32>"
        quantise = (
            "  %y2q = ffn.quantize %y2 scaled %y2_scale by tensor"
            f" : (tensor<?x{h}xf32>, tensor<f32>) -> tensor<?x{h}x{f8}>"
        )
    else:
        scale_type = "tensor<?xf32>"
        quantise = (
            f"  %y2q, %y2_scale = ffn.quantize %y2 by row : (tensor<?x{h}xf32>) -> (tensor<?x{h}x{f8}>, tensor<?xf32>)"
        )
    return f"""\
func.func @forward(%x: tensor<?x{d}xbf16>,
                   %w1: tensor<{h}x{d}x{f8}> {{ffn.weight}}, %w1_scale: tensor<{h}xf32> {{ffn.weight}},
                   %w2: tensor<{d}x{h}x{f8}> {{ffn.weight}}, %w2_scale: tensor<{d}xf32> {{ffn.weight}}{extra})
    -> {results} {{
  %xq, %x_scale = ffn.quantize %x by row : (tensor<?x{d}xbf16>) -> (tensor<?x{d}x{f8}>, tensor<?xf32>)
  %y1 = ffn.matmul %xq scaled %x_scale, %w1 scaled %w1_scale {{transpose_rhs}}
      : (tensor<?x{d}x{f8}>, tensor<?xf32>, tensor<{h}x{d}x{f8}>, tensor<{h}xf32>) -> tensor<?x{h}xbf16>
  %y2 = ffn.{activation} %y1{note} : tensor<?x{h}xbf16> -> tensor<?x{h}xf32>{count}
{quantise}
  %y3 = ffn.matmul %y2q scaled %y2_scale, %w2 scaled %w2_scale {{transpose_rhs}}
      : (tensor<?x{h}x{f8}>, {scale_type}, tensor<{d}x{h}x{f8}>, tensor<{d}xf32>) -> tensor<?x{d}xbf16>
  {end}
}}
"""
