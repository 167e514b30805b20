"""The text of sparsity annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

# Longer profiles are written as the bytes of a tensor.
_LONGEST_LIST = 16


def sparsity_attribute(density: float, max_drop: float = 0.0, profile: npt.ArrayLike | None = None) -> str:
    """``#ffn.sparsity<…>`` as MLIR reads it.

    density: fraction of activations that are not zero. max_drop: greatest expected fraction of those that may be
        dropped. profile: density of every feature, (d_ffn,); written as f16 where that is exact, else as f32.

    Raises ValueError where a number is not in [0, 1].
    """
    for name, fraction in (("density", density), ("max_drop", max_drop)):
        if not 0.0 <= fraction <= 1.0:
            raise ValueError(f"{name}: expected a fraction from 0 to 1, got {fraction}")
    fields = f"density = {literal(density)}, max_drop = {literal(max_drop)}"
    if profile is not None:
        fields += f", profile = {_profile_text(profile)}"
    return f"#ffn.sparsity<{fields}>"


def annotation_of(sparsity: Any) -> dict[str, Any]:
    """density, max_drop and profile from a mapping with these keys, or from what has an `annotation` (a layer of a
    report of winnow.probe)."""
    if hasattr(sparsity, "annotation"):
        sparsity = sparsity.annotation()
    if not isinstance(sparsity, Mapping):
        raise TypeError(
            f"sparsity: expected a layer of a report or a mapping with density, max_drop and profile, got "
            f"{type(sparsity).__name__}"
        )
    unknown = sorted(set(sparsity) - {"density", "max_drop", "profile"})
    if unknown or sparsity.get("density") is None:
        raise ValueError(
            f"sparsity: expected the keys density and, optionally, max_drop and profile, got "
            f"{', '.join(map(str, sparsity)) or 'none'}"
        )
    return dict(sparsity)


def literal(value: float) -> str:
    """A number as MLIR reads it: exact, and with a point, which repr leaves out of "5e-324"."""
    digits, exponent, power = repr(float(value)).partition("e")
    return digits + ("" if "." in digits else ".0") + exponent + power


def _profile_text(profile: npt.ArrayLike) -> str:
    import numpy as np

    values = np.asarray(profile)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"profile: expected one density per feature, got an array of shape {values.shape}")
    values = values.astype(np.float32)
    outside = ~((values >= 0) & (values <= 1))
    if outside.any():
        feature = int(np.argmax(outside))
        raise ValueError(f"profile: expected fractions from 0 to 1, got {values[feature]} for feature {feature}")
    if values.size <= _LONGEST_LIST:
        return "[" + ", ".join(literal(value) for value in values) + "]"
    narrow = values.astype(np.float16)
    exact = bool((narrow.astype(np.float32) == values).all())
    stored = narrow.astype("<f2") if exact else values.astype("<f4")
    if (values == values[0]).all():
        contents = literal(values[0])
    else:
        contents = f'"0x{stored.tobytes().hex().upper()}"'
    return f"dense<{contents}> : tensor<{values.size}x{'f16' if exact else 'f32'}>"
