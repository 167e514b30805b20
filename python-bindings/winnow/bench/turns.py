"""Candidates take turns in random order until their time is up."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, TypeVar

Name = TypeVar("Name", bound=Hashable)
MINIMUM_ROUNDS = 3


class Turn(Protocol):
    """A turn that may still be under way."""

    def wait(self) -> Sequence[float]:
        """Its samples, once they are there."""


def take_turns(
    names: Sequence[Name],
    enqueue: Callable[[Name], Turn],
    seconds: float,
    clock: Callable[[], float],
    generator: random.Random,
    ahead: int = 1,
) -> dict[Name, list[float]]:
    """Rounds in which every candidate has one turn, in an order that is drawn anew for each round, for `seconds` and at
    least MINIMUM_ROUNDS rounds. Returns the samples of each.

    The power limit and the caches react to what ran before, so no candidate may always follow the same neighbour.

    enqueue: starts a turn of a candidate, which may end later.
    ahead: how many rounds may be under way while the next one is enqueued; more than none keeps the device busy.
    """
    samples: dict[Name, list[float]] = {name: [] for name in names}
    under_way: deque[list[tuple[Name, Turn]]] = deque()

    def collect() -> None:
        for name, turn in under_way.popleft():
            samples[name] += turn.wait()

    begin, rounds = clock(), 0
    while names and (rounds < MINIMUM_ROUNDS or clock() - begin < seconds):
        order = list(names)
        generator.shuffle(order)
        under_way.append([(name, enqueue(name)) for name in order])
        rounds += 1
        if len(under_way) > ahead:
            collect()
    while under_way:
        collect()
    return samples


def calls_per_sample(seconds_per_call: float, wanted: float, multiple_of: int = 1) -> int:
    """How many calls make a sample of at least `wanted` seconds, as a multiple of the number of weights that take
    turns."""
    calls = max(1, round(wanted / max(seconds_per_call, 1e-9) + 0.499))
    return -(-calls // multiple_of) * multiple_of
