"""Winnow's feed-forward blocks in PyTorch.

    import winnow.torch
    print(winnow.torch.convert(model))      # replaces squared-ReLU blocks, says which and why not others

:class:`SparseFFN` is the module, ``torch.ops.winnow.ffn`` the operator beneath it.
"""

from ._convert import convert
from ._module import SparseFFN
from ._ops import ffn, sparse_ffn
from ._program import register_program
from ._report import Block, ConversionReport
from ._weights import quantize_weight

__all__ = [
    "Block",
    "ConversionReport",
    "SparseFFN",
    "convert",
    "ffn",
    "quantize_weight",
    "register_program",
    "sparse_ffn",
]
