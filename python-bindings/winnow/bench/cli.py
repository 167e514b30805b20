"""The command line of ``python -m winnow.bench``."""

from __future__ import annotations

import argparse
import math
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from . import grid, plot, record, table

PEERS = ("torch", "compile", "cusparselt", "dense")

_DESCRIPTION = """\
Times compiled FFNs beside torch's FP8 products (row-wise and tensor-wise, with torch.compile for the kernels between
them), cuSPARSELt, and the same FFN compiled dense, in one process on one device.

Every candidate computes on the same random data, whose relu2 has the wanted density. Every result is checked before
anything is timed: against an f32 reference of sampled rows. Then candidates take turns in an order drawn anew for each
round; medians are reported. Calls of less than 2 ms are repeated by a CUDA graph; for few tokens, several copies of the
weights take turns so that none stays in L2. A table goes to standard output, progress to standard error."""

_EPILOG = """\
exit status: 0 if what was timed was right, 1 if some result was wrong or nothing could be timed, 2 for a wrong command
line, 130 after an interrupt (what had been measured is written all the same)"""


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="python -m winnow.bench",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = result.add_argument
    add("--shapes", type=_list(grid.parse_shapes), default=list(grid.SHAPES), metavar="D_MODEL/D_FFN,…",
        help="default: seven shapes from 2560/18432 to 18432/73728")  # fmt: skip
    add("--tokens", type=_list(grid.parse_tokens), default=list(grid.TOKENS), metavar="N,…",
        help="default: " + ",".join(map(str, grid.TOKENS)))  # fmt: skip
    densities = ",".join(f"{density:g}" for density in grid.DENSITIES)
    add("--densities", type=_list(grid.parse_densities), default=list(grid.DENSITIES), metavar="PERCENT,…",
        help=f"share of the activations that are not zero; default: {densities}")  # fmt: skip
    add("--modes", type=_list(grid.parse_modes), default=["sustained"], metavar="MODE,…",
        help="sustained (the device is never idle) and burst (it rests for 20 ms before each sample);"
        " default: sustained")  # fmt: skip
    add("--budget", type=_positive, metavar="SECONDS",
        help="divide this time over the cases, compilation included; what does not fit is left out,"
        " last cases first")  # fmt: skip
    add("--case-seconds", type=_positive, default=1.5, metavar="SECONDS", help="timing per case, at most (default 1.5)")
    add("--soak", type=_not_negative, default=0.7, metavar="SECONDS",
        help="load before the timing of each sustained case (default 0.7)")  # fmt: skip
    add("--max-drop", type=_fraction, default=1.0, metavar="FRACTION",
        help="greatest fraction of the activations that 2:4 may drop (default 1: what is timed is speed; the share of"
        " the squares that 2:4 keeps is recorded)")  # fmt: skip
    add("--without", type=_list(_parse_peers), default=[], metavar="PEER,…",
        help=f"leave out {', '.join(PEERS)} (compile: torch's row kernels are then not compiled; dense: the same FFN"
        " compiled dense)")  # fmt: skip
    add("--device", type=int, default=0, metavar="N", help="CUDA device (default 0)")
    add("--seed", type=int, default=0, metavar="N", help="of data and order (default 0)")
    add("--json", metavar="FILE", help="write everything, every sample too (winnow.bench.record describes it)")
    add("--plot", metavar="FILE", help="draw ratios and speed over the token count (.png, .svg or .pdf)")
    add("--from", dest="source", metavar="FILE", help="measure nothing: show what --json wrote earlier")
    add("--list", action="store_true", help="measure nothing: list the cases and the memory that each needs")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    began = time.monotonic()
    parsing = parser()
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parsing.parse_args(words)
    cases = grid.cases(options.shapes, options.tokens, options.densities, options.modes)
    if options.plot:
        try:
            plot.check_path(options.plot)
        except ValueError as error:
            parsing.error(f"argument --plot: {error}")
    if options.list:
        for case in cases:
            print(f"{case}: {case.bytes / 2**30:.1f} GiB")
        return 0
    command = shlex.join(["python", "-m", "winnow.bench", *words])
    try:
        found = record.read_json(options.source) if options.source else _measure(options, cases, command, began)
        print(table.render(found))
        if options.plot and any(case.get("times") for case in found["cases"]):
            plot.draw(found, options.plot)
    except (OSError, ValueError, ImportError, _Refusal) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not found.get("complete", True) and not options.source:
        return 130
    return 0 if _all_right(found) else 1


class _Refusal(Exception):
    """Why nothing can be measured here."""


def _measure(options: argparse.Namespace, cases: list[grid.Case], command: str, began: float) -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        raise _Refusal(
            "timing needs torch with CUDA, and torch is not installed; --from shows earlier results"
        ) from error
    if not torch.cuda.is_available():
        raise _Refusal("timing needs a CUDA device, and torch finds none; --from shows earlier results")
    if not 0 <= options.device < torch.cuda.device_count():
        raise _Refusal(f"expected a device from 0 to {torch.cuda.device_count() - 1}, got {options.device}")
    from .run import Run, Settings, warn

    settings = Settings(
        cases=cases,
        device=options.device,
        budget=options.budget,
        case_seconds=options.case_seconds,
        soak_seconds=options.soak,
        max_drop=options.max_drop,
        seed=options.seed,
        peers=frozenset(PEERS) - frozenset(options.without),
        json=options.json,
        command=command,
    )
    # A time limit from outside ends a run as an interrupt does: with what had been measured.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return Run(settings, warn, began)()


def _all_right(found: dict[str, Any]) -> bool:
    """Whether something was timed and nothing was wrong."""
    timed = [case for case in found["cases"] if case.get("times")]
    return bool(timed) and not any(entry.get("wrong") for case in timed for entry in case["left_out"])


def _parse_peers(text: str) -> list[str]:
    names = [item.strip() for item in text.split(",")]
    for name in names:
        if name not in PEERS:
            raise ValueError(f"expected some of {', '.join(PEERS)}, got '{name}'")
    return names


def _list(parse: Any) -> Any:
    """As argparse wants it: what the parser says is the message."""

    def read(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a number, got '{text}'")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got '{text}'")
    return value


def _not_negative(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got '{text}'")
    return value


def _fraction(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a fraction from 0 to 1, got '{text}'")
    return value
