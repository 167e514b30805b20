"""Measures what is zero in the feed-forward blocks of a torch model.

    import winnow.probe
    report = winnow.probe.measure(model, batches)   # or: with winnow.probe.Probe(model) as probe: …
    print(report)
    report.save("sparsity.json")
    ffn = winnow.compile(winnow.ffn(4096, 16384, sparsity=report["model.layers.3.mlp"]))

``python -m winnow.probe --help`` does the same from the command line. Reports are read without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._report import LayerReport, Report

if TYPE_CHECKING:
    from ._probe import Probe, measure

__all__ = ["LayerReport", "Probe", "Report", "measure"]


def __getattr__(name: str) -> Any:
    """Probe and measure, which need torch."""
    if name in ("Probe", "measure"):
        from . import _probe

        return getattr(_probe, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
