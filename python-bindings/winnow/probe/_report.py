"""What a probe recorded: counts per layer, the fractions and annotations that follow from them, and their file."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._files import write_whole
from .._winnow import build_id
from . import _table
from ._expected import expected_drop, round_up

SCHEMA = "winnow.probe"
VERSION = 1
ALONG = ("features", "tokens")


class Drop(NamedTuple):
    """Fractions that keeping the two largest of every four consecutive elements loses."""

    features: float
    """Groups of one token: token-wise 2:4, what x · w2ᵀ uses."""
    tokens: float
    """Groups of one feature, of consecutive tokens of one call: feature-wise 2:4, what the weight gradient uses."""


@dataclasses.dataclass(frozen=True, eq=False)
class LayerReport:
    """What was seen of the activations of one layer: sums, from which everything else is derived.

    activation: as found, or None.
    tokens, calls: rows seen, and calls in which they came.
    feature_nonzeros: int64 (features,), elements that are not zero; NaN and infinity are not, -0.0 is.
    nonfinite: NaNs and infinities.
    energy: sum of squares of the finite elements.
    dropped_nonzeros, dropped_energy: what 2:4 selection along features and along tokens loses of these.
    """

    activation: str | None
    tokens: int
    calls: int
    feature_nonzeros: npt.NDArray[np.int64]
    nonfinite: int
    energy: float
    dropped_nonzeros: tuple[int, int]
    dropped_energy: tuple[float, float]

    @property
    def features(self) -> int:
        return len(self.feature_nonzeros)

    @property
    def nonzeros(self) -> int:
        return int(self.feature_nonzeros.sum())

    @property
    def density(self) -> float:
        """Fraction of the elements that are not zero."""
        return self.nonzeros / (self.tokens * self.features)

    @property
    def profile(self) -> npt.NDArray[np.float64]:
        """Density of every feature, (features,)."""
        return self.feature_nonzeros / self.tokens

    @property
    def drop(self) -> Drop:
        """Fraction of the non-zeros that 2:4 loses."""
        return Drop(*(count / max(1, self.nonzeros) for count in self.dropped_nonzeros))

    @property
    def energy_drop(self) -> Drop:
        """Fraction of the sum of squares that 2:4 loses; 0 where that sum is 0."""
        return Drop(*(part / self.energy if self.energy > 0 else 0.0 for part in self.dropped_energy))

    @functools.cached_property
    def expected_drop(self) -> Drop:
        """What `drop` would be if every element were not zero independently, with the density of its feature. This is
        what the compiler computes from an annotation with a profile and compares with its max_drop."""
        profile = self._stored_profile()
        return Drop(*(expected_drop(profile, along) for along in ALONG))

    def annotation(self, tolerance: float = 0.05, along: str = "features", profile: bool = True) -> dict[str, Any]:
        """What the compiler is told: ``{"density": …, "max_drop": …, "profile": …}``.

        tolerance: fraction of the non-zeros that may be lost. Where the measured loss is larger, max_drop is 0, which
            forbids 2:4; otherwise max_drop is the tolerance, or the expected drop if that is larger: what was measured
            counts, not what would be expected of independent elements.
        along: the selection that `tolerance` is about: "features", "tokens", or "both".
        profile: whether to add the density of every feature, rounded to f16; a list, or None.
        """
        if not 0.0 <= tolerance <= 1.0:
            raise ValueError(f"tolerance: expected a fraction from 0 to 1, got {tolerance}")
        if along not in (*ALONG, "both"):
            raise ValueError(f"along: expected features, tokens or both, got {along!r}")
        axes = [i for i, name in enumerate(ALONG) if along in (name, "both")]
        density = float(f"{self.density:.6g}")
        if profile:
            expected = max(self.expected_drop[i] for i in axes)
        else:
            expected = density * density * (1 - density / 2)
        allowed = 0.0
        if max(self.drop[i] for i in axes) <= tolerance and tolerance > 0:
            allowed = max(tolerance, round_up(expected))
        return {
            "density": density,
            "max_drop": allowed,
            "profile": self._stored_profile().tolist() if profile else None,
        }

    def merge(self, other: LayerReport) -> LayerReport:
        """What one probe would have recorded of the calls of both."""
        if self.features != other.features:
            raise ValueError(f"expected {self.features} features in both reports, got {other.features} in one")
        return LayerReport(
            activation=self.activation if self.activation == other.activation else None,
            tokens=self.tokens + other.tokens,
            calls=self.calls + other.calls,
            feature_nonzeros=self.feature_nonzeros + other.feature_nonzeros,
            nonfinite=self.nonfinite + other.nonfinite,
            energy=self.energy + other.energy,
            dropped_nonzeros=_added(self.dropped_nonzeros, other.dropped_nonzeros),
            dropped_energy=_added(self.dropped_energy, other.dropped_energy),
        )

    def __repr__(self) -> str:
        return (
            f"<LayerReport of {self.tokens} tokens, {self.features} features: density {self.density:.4f}, 2:4 drops "
            f"{100 * self.drop.features:.2f} % along features, {100 * self.drop.tokens:.2f} % along tokens>"
        )

    def _stored_profile(self) -> npt.NDArray[np.float16]:
        return self.profile.astype(np.float16)


class Report(Mapping[str, LayerReport]):
    """Layers by name. Prints as a table and shows as one in a notebook.

    skipped: name to reason, of feed-forward blocks of which nothing was recorded.
    origin: what the numbers are of: model, versions, time; strings.
    """

    def __init__(
        self, layers: Mapping[str, LayerReport], skipped: Mapping[str, str] = {}, origin: Mapping[str, str] = {}
    ) -> None:
        self._layers = dict(layers)
        self.skipped = dict(skipped)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.origin = {"created": now, "winnow": build_id(), **origin}

    def __getitem__(self, name: str) -> LayerReport:
        try:
            return self._layers[name]
        except KeyError:
            why = f": {self.skipped[name]}" if name in self.skipped else f"; there are {', '.join(self) or 'none'}"
            raise KeyError(f"no layer {name!r} in the report{why}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __contains__(self, name: object) -> bool:
        return name in self._layers

    def annotations(
        self, tolerance: float = 0.05, along: str = "features", profile: bool = True
    ) -> dict[str, dict[str, Any]]:
        """:meth:`LayerReport.annotation` of every layer, by name."""
        return {name: layer.annotation(tolerance, along, profile) for name, layer in self.items()}

    def annotate(
        self, text: str, layer: str, *, tolerance: float = 0.05, along: str = "features", profile: bool = True
    ) -> str:
        """MLIR text with the annotation of a layer on every activation over as many features; what stood there before
        is replaced."""
        from ._annotate import annotate

        return annotate(text, self[layer].annotation(tolerance, along, profile), self[layer].features)

    def merge(self, other: Report) -> Report:
        """What one probe would have recorded of the calls of both, for example of two processes."""
        layers = {**self._layers, **other._layers}
        for name in set(self).intersection(other):
            layers[name] = self[name].merge(other[name])
        skipped = {name: why for name, why in {**self.skipped, **other.skipped}.items() if name not in layers}
        return Report(layers, skipped, {**other.origin, **self.origin})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes JSON (docs/measured-sparsity.md), whole or not at all."""
        layers = {}
        for name, layer in self.items():
            fields = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer)}
            layers[name] = {**fields, "feature_nonzeros": layer.feature_nonzeros.tolist()}
        contents = {
            "schema": SCHEMA,
            "version": VERSION,
            "origin": self.origin,
            "layers": layers,
            "skipped": self.skipped,
        }
        write_whole(path, json.dumps(contents, separators=(",", ":"), allow_nan=False).encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Report:
        """Reads what `save` wrote. Raises ValueError where the file is something else."""
        with open(path, "rb") as file:
            contents = file.read()
        where = os.fsdecode(path)
        try:
            read = json.loads(contents)
        except ValueError as error:
            raise ValueError(f"{where}: expected the JSON of a report: {error}") from None
        if not isinstance(read, dict) or read.get("schema") != SCHEMA:
            raise ValueError(f"{where}: expected a report of {SCHEMA}, got other JSON")
        if read.get("version") != VERSION:
            raise ValueError(f"{where}: expected version {VERSION} of {SCHEMA}, got {read.get('version')!r}")
        try:
            layers = {name: _layer_of(fields) for name, fields in read["layers"].items()}
            return cls(layers, read["skipped"], read["origin"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: the report is damaged: {type(error).__name__}: {error}") from None

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draws density per layer and feature and what 2:4 would drop; .png, .svg or .pdf. Needs matplotlib."""
        from ._plot import plot

        plot(self, path)

    def __str__(self) -> str:
        return _table.text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return _table.html(self)


def _added(a: Sequence[Any], b: Sequence[Any]) -> tuple[Any, Any]:
    return a[0] + b[0], a[1] + b[1]


def _layer_of(fields: dict[str, Any]) -> LayerReport:
    """A layer from its JSON, checked."""
    counts = np.asarray(fields["feature_nonzeros"])
    if counts.ndim != 1 or counts.size == 0 or counts.dtype.kind != "i":
        raise ValueError("feature_nonzeros: expected a list of integers")
    layer = LayerReport(
        activation=fields["activation"],
        tokens=int(fields["tokens"]),
        calls=int(fields["calls"]),
        feature_nonzeros=counts.astype(np.int64),
        nonfinite=int(fields["nonfinite"]),
        energy=float(fields["energy"]),
        dropped_nonzeros=_added((0, 0), fields["dropped_nonzeros"]),
        dropped_energy=_added((0.0, 0.0), fields["dropped_energy"]),
    )
    if layer.tokens < 1 or counts.min() < 0 or counts.max() > layer.tokens:
        raise ValueError(f"feature_nonzeros: expected counts from 0 to tokens, {layer.tokens}")
    return layer
