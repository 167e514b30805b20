"""Hooks on a torch model that record what is zero in its feed-forward blocks."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .._find import clean_name, evaluating, find_ffns, uncompiled
from ._report import LayerReport, Report
from ._sums import Sums

_TYPES = (torch.float32, torch.bfloat16, torch.float16)


class Probe:
    """Records the activations of a model while it is entered::

        with winnow.probe.Probe(model) as probe:
            model(batch)
        report = probe.report()

    What is recorded of a feed-forward block is what enters its down projection. Sums are kept on the device of the
    activations and nothing is waited for until `report`. Compiled models run uncompiled meanwhile. May be entered
    several times, and then goes on counting.

    layers: patterns (``*``, ``?``) of names of feed-forward blocks, or of single linears whose input is to be recorded;
        by default every block that is found.

    Raises ValueError where there is nothing to record or a pattern fits nothing.
    """

    def __init__(self, model: nn.Module, layers: Iterable[str] | None = None) -> None:
        self._model = model
        self._layers, self._skipped = _choose(model, layers)
        self._mask: _Mask | None = None
        self._stack = contextlib.ExitStack()
        self._entered = False

    def __enter__(self) -> Probe:
        if self._entered:
            raise RuntimeError("the probe is entered already")
        with contextlib.ExitStack() as stack:
            stack.enter_context(uncompiled())
            for name, layer in self._layers.items():
                hook = functools.partial(self._record, name, layer)
                stack.callback(layer.linear.register_forward_pre_hook(hook, with_kwargs=True).remove)
            self._stack = stack.pop_all()
        self._entered = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._entered = False
        self._stack.close()

    @contextlib.contextmanager
    def masked(self, mask: Tensor | None) -> Iterator[None]:
        """Leaves out tokens, for example padding.

        mask: true or not zero for tokens that count, of the shape of the tokens, (batch, sequence), on any device. None
            counts all. What is left of a call is grouped as if nothing had been between. Waits for the mask's device.
        """
        before, self._mask = self._mask, None if mask is None else _Mask(mask)
        try:
            yield
        finally:
            self._mask = before

    @property
    def tokens(self) -> int:
        """Tokens seen so far by the layer that saw most."""
        return max(sum(sums.tokens for sums in layer.sums.values()) for layer in self._layers.values())

    def report(self) -> Report:
        """What was recorded so far. Waits for the devices."""
        layers, skipped = {}, dict(self._skipped)
        for name, layer in self._layers.items():
            if any(sums.tokens for sums in layer.sums.values()):
                layers[name] = layer.report()
            else:
                skipped[name] = "no token came by"
        return Report(layers, skipped, {"model": type(self._model).__name__, "torch": torch.__version__})

    def _record(self, name: str, layer: _Layer, module: nn.Module, args: tuple[Any, ...], kwargs: Any) -> None:
        del module
        x = args[0] if args else kwargs["input"]
        if x.dtype not in _TYPES:
            raise TypeError(f"{name}: expected activations of float32, bfloat16 or float16, got {_name_of(x.dtype)}")
        # Sums are made in inference mode, and can then be changed nowhere else.
        with torch.inference_mode(), torch.autocast(x.device.type, enabled=False):
            rows = x.detach().reshape(-1, x.shape[-1])
            if self._mask is not None:
                rows = rows.index_select(0, self._mask.rows_of(name, x))
            layer.add(rows)


def measure(
    model: nn.Module,
    batches: Iterable[Any],
    *,
    layers: Iterable[str] | None = None,
    probe: Probe | None = None,
    mask: str | Callable[[Any], Tensor | None] | None = "attention_mask",
    on_batch: Callable[[int, Probe], object] | None = None,
) -> Report:
    """Calls a model with every batch, in evaluation mode and without gradients, and reports what was zero.

    batches: mappings are passed as keyword arguments, tuples and lists as arguments, all else as the one argument.
        Tensors are moved to the device of the model's first parameter.
    layers: as for :class:`Probe`.
    probe: instead, one that goes on counting; what it has counted survives an exception.
    mask: which tokens count: the key of a mask in batches that are mappings (no mask where it is missing), or a
        function from batch to mask; None counts all.
    on_batch: called after every batch with the number of batches so far and the probe.
    """
    if probe is None:
        probe = Probe(model, layers)
    elif layers is not None:
        raise ValueError("layers: expected none beside a probe, which has its own")
    parameter = next(model.parameters(), None)
    with probe, evaluating(model), torch.inference_mode():
        for number, batch in enumerate(batches, 1):
            if callable(mask):
                counted = mask(batch)
            else:
                counted = batch.get(mask) if mask is not None and isinstance(batch, Mapping) else None
            batch = batch if parameter is None else _move(batch, parameter.device)
            with probe.masked(counted):
                if isinstance(batch, Mapping):
                    model(**batch)
                elif isinstance(batch, (tuple, list)):
                    model(*batch)
                else:
                    model(batch)
            if on_batch is not None:
                on_batch(number, probe)
    return probe.report()


class _Mask:
    """Which tokens count."""

    def __init__(self, mask: Tensor) -> None:
        self._shape = tuple(mask.shape)
        self._rows = {mask.device: mask.detach().reshape(-1).nonzero().squeeze(1)}

    def rows_of(self, name: str, x: Tensor) -> Tensor:
        """Numbers of the rows of `x` that count. The model may have flattened batch and sequence to one."""
        shape = tuple(x.shape[:-1])
        if shape not in (self._shape, (math.prod(self._shape),)):
            raise ValueError(
                f"mask: expected {shape}, the shape of the tokens that enter {name or 'the model'}, got {self._shape}"
            )
        if x.device not in self._rows:
            self._rows[x.device] = next(iter(self._rows.values())).to(x.device)
        return self._rows[x.device]


class _Layer:
    """What is recorded of one linear's input."""

    def __init__(self, linear: nn.Linear, activation: str | None) -> None:
        self.linear = linear
        self.activation = activation
        self.sums: dict[torch.device, Sums] = {}
        self._lock = threading.Lock()

    def add(self, rows: Tensor) -> None:
        with self._lock:
            if rows.device not in self.sums:
                self.sums[rows.device] = Sums.zero(rows.shape[1], rows.device)
            self.sums[rows.device].add(rows)

    def report(self) -> LayerReport:
        with self._lock:
            parts = [
                LayerReport(
                    activation=self.activation,
                    tokens=sums.tokens,
                    calls=sums.calls,
                    feature_nonzeros=sums.feature_nonzeros.cpu().numpy().copy(),
                    nonfinite=int(sums.nonfinite),
                    energy=float(sums.energy),
                    dropped_nonzeros=tuple(sums.dropped_nonzeros.tolist()),
                    dropped_energy=tuple(sums.dropped_energy.tolist()),
                )
                for sums in self.sums.values()
            ]
        return functools.reduce(LayerReport.merge, parts)


def _choose(model: nn.Module, patterns: Iterable[str] | None) -> tuple[dict[str, _Layer], dict[str, str]]:
    """The layers to record, and the reasons why others are not."""
    if isinstance(patterns, str):
        raise TypeError(f"layers: expected a list of patterns, got the string {patterns!r}")
    blocks = {block.name: block for block in find_ffns(model)}
    if patterns is None:
        called = {name: _Layer(block.down, block.activation) for name, block in blocks.items() if block.called}
        skipped = {name: block.obstacle for name, block in blocks.items() if not block.called}
        if not called:
            reasons = "; ".join(f"{name or 'the model'}: {why}" for name, why in skipped.items())
            raise ValueError(
                f"model: found no feed-forward block to record in {type(model).__name__}{reasons and f' ({reasons})'}; "
                "name the linears whose inputs are to be recorded by layers="
            )
        return called, skipped
    linears = {clean_name(name): part for name, part in model.named_modules() if isinstance(part, nn.Linear)}
    chosen: dict[str, _Layer] = {}
    for pattern in patterns:
        names = fnmatch.filter(blocks, pattern)
        chosen.update((name, _Layer(blocks[name].down, blocks[name].activation)) for name in names)
        if not names:
            names = fnmatch.filter(linears, pattern)
            chosen.update((name, _Layer(linears[name], None)) for name in names)
        if not names:
            known = ", ".join([*blocks, *linears][:6]) or "none"
            raise ValueError(f"layers: {pattern!r} fits no feed-forward block and no linear; there are {known}, …")
    if not chosen:
        raise ValueError("layers: expected at least one pattern, got none")
    return chosen, {}


def _move(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: _move(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return [_move(value, device) for value in batch]
    return batch


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
