"""What can be timed: a call, what it computes, and whether its result is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from .workload import relative_error


class Check(NamedTuple):
    """How to see that a result is right."""

    result: Callable[[], torch.Tensor]  # the sampled rows of the last call's result
    expected: Callable[[], torch.Tensor]
    bound: float  # of the relative error


class Candidate(NamedTuple):
    stage: str  # one of record.STAGES
    who: str
    call: Callable[[int], object]  # enqueues it on the current stream, with set i of the weights
    flops: float  # zeros included; 0 for row kernels
    check: Check | None  # None for what is not checked by itself
    part_of: str | None = None  # stage of the forward, checked before it, of which it is a part


class LeftOut(NamedTuple):
    """A candidate that is not timed."""

    stage: str
    who: str
    reason: str
    wrong: bool = False  # its result was wrong


class Checked(NamedTuple):
    candidate: Candidate
    error: float | None  # None for what is not checked by itself


def check_all(candidates: list[Candidate]) -> tuple[list[Checked], list[LeftOut]]:
    """Calls every candidate once, and keeps those that run and whose results are within their bounds."""
    good: list[Checked] = []
    left_out: list[LeftOut] = []
    for candidate in candidates:
        stage, who = candidate.part_of, candidate.who
        if stage is not None and any((entry.stage, entry.who) == (stage, who) for entry in left_out):
            left_out.append(LeftOut(candidate.stage, who, f"part of a {stage} that is left out"))
            continue
        try:
            candidate.call(0)
            error = None
            if candidate.check is not None:
                error = relative_error(candidate.check.result(), candidate.check.expected())
        except (RuntimeError, NotImplementedError) as failure:  # how torch, its libraries and Winnow refuse
            left_out.append(LeftOut(candidate.stage, candidate.who, first_line(failure)))
            continue
        if candidate.check is not None and error is not None and not error <= candidate.check.bound:
            reason = f"wrong result: expected a relative error of at most {candidate.check.bound:.1e}, got {error:.1e}"
            left_out.append(LeftOut(candidate.stage, candidate.who, reason, wrong=True))
            continue
        good.append(Checked(candidate, error))
    return good, left_out


def first_line(error: BaseException) -> str:
    """What an error says, in a line of a table."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]
