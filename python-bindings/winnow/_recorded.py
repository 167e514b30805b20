"""A call with its arrays, to be enqueued again and again."""

from __future__ import annotations

from typing import Any

from . import _winnow


class RecordedFFN:
    """What :meth:`CompiledFFN.record` gives. Keeps the arrays alive, and has a workspace of its own."""

    def __init__(self, call: _winnow.RecordedCall, stream: int, result: Any, kept: Any) -> None:
        self._call = call
        self._stream = stream
        self._result = result
        self._kept = kept

    def launch(self) -> Any:
        """Enqueues the call on the stream that it was recorded for. Returns the array or arrays that were given as
        `out`, which have the result when the stream has passed."""
        self._call.launch(self._stream)
        return self._result
