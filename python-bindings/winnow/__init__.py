"""Winnow compiles feed-forward networks whose activations are sparse.

    import winnow
    ffn = winnow.compile(winnow.ffn(d_model=256, d_ffn=1024), target="cpu")
    y = ffn(*ffn.random_inputs(tokens=4))

Importing needs no GPU, no CUDA toolkit and no home directory, and does no work.
"""

from ._builder import ffn
from ._call import Argument
from ._compiled import CompiledFFN, compile, lower
from ._device import LoadedFFN, TokenRange, load
from ._explain import Explanation
from ._recorded import RecordedFFN
from ._winnow import Diagnostic, Error, Remark, build_id

__all__ = [
    "Argument",
    "CompiledFFN",
    "Diagnostic",
    "Error",
    "Explanation",
    "LoadedFFN",
    "RecordedFFN",
    "Remark",
    "TokenRange",
    "build_id",
    "compile",
    "ffn",
    "load",
    "lower",
]
__version__ = build_id().partition("+")[0]
