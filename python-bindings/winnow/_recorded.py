"""A call with its arrays, to be enqueued again and again."""

from __future__ import annotations

from typing import Any

from . import _winnow
from ._call import stream_handle


class RecordedFFN:
    """What :meth:`CompiledFFN.record` gives. Keeps the arrays alive, and has a workspace of its own."""

    def __init__(self, call: _winnow.RecordedCall, result: Any, kept: Any) -> None:
        self._call = call
        self._result = result
        self._kept = kept

    def launch(self, stream: Any = None) -> Any:
        """Enqueues the call on `stream` (as for a call of the FFN; by default the default stream). Returns the array or
        arrays that were given as `out`, which have the result when the stream has passed.

        Launches of one recording follow one another, whatever their streams.
        """
        self._call.launch(0 if stream is None else stream_handle(stream))
        return self._result
