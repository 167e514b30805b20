"""The command: arguments, progress, files, exit status."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._probe import Probe

_DESCRIPTION = """\
Measures what is zero in the feed-forward blocks of a torch model while it reads data: density per layer and feature,
and what 2:4 selection would drop. Prints a table and writes a report, which winnow.probe.Report.load reads.
Nothing is fetched from the network.
"""
_EXAMPLES = """\
examples:
  python -m winnow.probe --model checkpoints/minitron-8b --data sample.txt --output minitron.json --plot minitron.svg
  python -m winnow.probe --model my_package.models:make --data random --tokens 4096
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command. 0: measured; 1: it could not be; 2: the command line is wrong; 130: interrupted, and what was
    measured until then is reported."""
    options = _parse(arguments)
    try:
        return _run(options)
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before anything was measured
        print("error: interrupted", file=sys.stderr)
        return 130


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m winnow.probe",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model",
        required=True,
        help="folder of a Hugging Face model, or MODULE:FUNCTION that returns a model or (model, batches)",
    )
    parser.add_argument(
        "--data",
        help="text file (UTF-8), .npy file of token ids or of floats (rows, sequence, d_model), or 'random' for random "
        "ids; needed unless the model brings batches",
    )
    parser.add_argument("--tokenizer", help="folder of the tokenizer (default: that of the model)")
    parser.add_argument("--tokens", type=_count, default=16384, help="measure at most so many tokens (default: 16384)")
    parser.add_argument("--sequence", type=_count, default=512, help="tokens per sequence (default: 512)")
    parser.add_argument("--batch", type=_count, default=4, help="sequences per batch (default: 4)")
    parser.add_argument("--seed", type=int, default=0, help="of random ids and weights (default: 0)")
    parser.add_argument("--layers", action="append", metavar="PATTERN", help="only these blocks or linears; repeatable")
    parser.add_argument("--device", help="torch device (default: cuda if there is one, else cpu)")
    parser.add_argument(
        "--dtype",
        choices=("auto", "bfloat16", "float16", "float32"),
        default="auto",
        help="element type to run in (default: auto, as the model is stored)",
    )
    parser.add_argument("--output", default="sparsity.json", help="report to write (default: sparsity.json)")
    parser.add_argument("--plot", help="picture to write: .png, .svg or .pdf")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    for path in filter(None, (options.output, options.plot)):
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            parser.error(f"{path}: there is no folder {folder}")
    if options.plot is not None:
        from ._plot import format_of

        try:
            format_of(options.plot)
        except ValueError as error:
            parser.error(f"--plot: {error}")
    return options


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return value


def _run(options: argparse.Namespace) -> int:
    say = _Progress(options.quiet)
    say.line(f"loading {options.model}")
    try:
        import torch
    except ImportError as error:
        raise ImportError("measuring a model needs torch: pip install torch") from error
    if options.plot is not None:
        from ._plot import figure_class

        figure_class()
    from ._inputs import batched, load_data, load_model
    from ._probe import Probe, measure

    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(options.seed)
    model, batches = load_model(options.model, options.dtype, device)
    if batches is None:
        if options.data is None:
            raise ValueError("--data: expected a file or 'random', since the model brings no batches")
        tokenizer = options.tokenizer or options.model
        rows = load_data(options.data, model, tokenizer, options.tokens, options.sequence, options.seed)
        batches = list(batched(rows, options.batch, model))
    elif options.data is not None:
        raise ValueError("--data: expected none, since the model brings its batches")

    probe = Probe(model, options.layers)
    interrupted = False
    try:
        total = len(batches) if isinstance(batches, Sized) else None
        measure(model, batches, probe=probe, on_batch=lambda number, probe: say.batch(number, total, probe))
    except KeyboardInterrupt:
        interrupted = True
        say.line("interrupted; this is what was measured until then")
    report = probe.report()
    report.origin.update(model=options.model, data=options.data or "of the model", device=device, dtype=options.dtype)
    if not report:
        raise ValueError("no token came by: " + "; ".join(f"{name}: {why}" for name, why in report.skipped.items()))
    report.save(options.output)
    if options.plot is not None:
        report.plot(options.plot)
    print(report)
    say.line("wrote " + " and ".join(filter(None, (options.output, options.plot))))
    return 130 if interrupted else 0


class _Progress:
    """Lines on standard error; on a terminal the batches share one."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._first = 0
        self._told = 0.0
        self._open = False

    def line(self, text: str) -> None:
        if not self._quiet:
            print(("\n" if self._open else "") + text, file=sys.stderr, flush=True)
        self._open = False

    def batch(self, number: int, total: int | None, probe: Probe) -> None:
        """At most ten times a second on a terminal, else every ten seconds; always at the end."""
        now = time.monotonic()
        if number == 1:  # what it takes to begin does not count
            self._begun, self._first = now, probe.tokens
        if self._quiet or (number != total and now - self._told < (0.1 if self._terminal else 10.0)):
            return
        self._told = now
        rate = (probe.tokens - self._first) / (now - self._begun) if now > self._begun else 0.0
        text = f"batch {number}{f' of {total}' if total else ''}, {probe.tokens} tokens, {rate:.0f} tokens/s"
        if self._terminal:
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
            self._open = True
        else:
            print(text, file=sys.stderr, flush=True)
