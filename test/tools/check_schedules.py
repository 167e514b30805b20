#!/usr/bin/env python3
"""Runs products under every tile that `winnow tune` may pick, on shapes that fit none of them.

A database of tuned schedules forces the schedules of both products of a network; `winnow run --check` compares results
and every kernel's output with the reference. Depths of the ring, rasters, pacings, clusters and how results are stored
alternate. Databases, specs and logs go to FOLDER. With --share only every OF-th run is made, from run SHARE modulo OF on.
Prints what each product ran under, by kind and tile; fails if a check does, or if a run had no forced schedule.
With --under every run is made under a command such as `compute-sanitizer --tool racecheck --error-exitcode 1`, without the
comparison; with --repeat every run is made so often and fails unless each gives the same bits.
"""

import argparse
import itertools
import json
import os
import re
import shlex
import subprocess
import sys

TOKENS = 333
D_MODEL, D_FFN = 288, 608  # 2.25 and 4.75 slabs of f8, no whole tile
ROWS = [(64, 1, False), (128, 1, False), (128, 2, False), (256, 2, False), (64, 2, True), (128, 2, True)]  # the last take turns
COLUMNS = range(64, 257, 32)
MOST_STAGES = [9, 3, 9, 2, 5]
RASTERS = [12, 1, 2, 16, 8]
PACINGS = [0, 1, 8, 2, 16]
ORDERS = ["row_major", "padded", "strided"]


def resized(text, sizes):
    return re.sub(r"(?<![0-9.])(" + "|".join(map(str, sizes)) + r")(?=x)", lambda match: str(sizes[int(match[1])]), text)


def entries(problem, rows, warpgroups, turns, columns, turn):
    """Entries for whatever the orders and panels of the product are: the deepest legal ring decides."""
    choices = [{"rhs_order": order} for order in ORDERS]
    deep = MOST_STAGES[turn % 5] > 4  # others have no stages to lend
    cluster = 2 if turn % 3 == 0 and not problem["compress"] and columns % 64 == 0 else 0
    staged = deep and turn % 2 == 0 and not turns and not problem["compress"] and problem["out"] in ("bf16", "f16") and problem["n"] % 32 == 0
    if problem["sparse"]:
        choices = [{**choice, "panel": 0} for choice in choices]
    else:
        choices = [{**choice, "lhs_order": order} for choice in choices for order in ORDERS]
    if problem["compress"]:
        choices = [{**choice, "out_panel": panel} for choice in choices for panel in (64, 128, 256)]
    for choice in choices:
        for stages in range(MOST_STAGES[turn % 5], 1, -1):
            reach = 10 - stages  # narrower ranges come first
            yield {"chip": "sm_90a", "problem": {**problem, **choice, "tokens": [TOKENS - reach, TOKENS + reach]},
                   "schedule": {"tile": [rows, columns], "warpgroups": warpgroups, "stages": stages,
                                "raster": RASTERS[turn % 5], "pacing": PACINGS[turn // 5 % 5],
                                "staged": staged, "cluster": cluster, "turns": turns},
                   "measured": {"device": "none", "us": 1.0, "model_us": 2.0, "date": "2026-01-01", "build": "none"}}


def counted(text):
    """@forward_static of a network, with the non-zeros of every feature of y2 as a second result."""
    before, name, function = text.partition("func.func @forward_static")
    out, y2, counts = f"tensor<?x{D_MODEL}xbf16>", f"tensor<?x{D_FFN}xf32>", f"tensor<{D_FFN}xi32>"
    for old, new in [(f"-> {out} {{", f"-> ({out}, {counts}) {{"),
                     (f"-> {y2}\n", f"-> {y2}\n  %n = ffn.count_nonzero %y2 : {y2} -> {counts}\n"),
                     (f"return %y3 : {out}", f"return %y3, %n : {out}, {counts}")]:
        if old not in function:
            raise ValueError(f"@forward_static does not contain '{old}'")
        function = function.replace(old, new, 1)
    return before + name + function


def networks(examples):
    """(name, text of the spec, entry, problems of its products)."""
    with open(os.path.join(examples, "modded-nanogpt.mlir"), encoding="utf-8") as file:
        text = resized(file.read(), {768: D_MODEL, 3072: D_FFN})
    up = {"m": "tokens", "n": D_FFN, "k": D_MODEL, "sparse": False, "compress": True}
    down = {"m": "tokens", "n": D_MODEL, "k": D_FFN, "sparse": True, "compress": False, "out": "bf16"}
    f8 = {"lhs": "f8E4M3FN", "rhs": "f8E4M3FN"}
    half = {"lhs": "bf16", "rhs": "bf16"}
    yield "f8", text, "forward_static", [{**up, **f8, "out": "f8E4M3FN"}, {**down, **f8}]
    yield "bf16", text, "forward_bf16", [{**up, **half, "out": "bf16"}, {**down, **half}]
    # The same with counts of what the first product makes.
    yield "f8 counted", counted(text), "forward_static", [{**up, **f8, "out": "f8E4M3FN"}, {**down, **f8}]
    # Scales by row and by column, results that are not compressed, sparse along K or dense.
    yield "f8 dynamic", text, "forward", [{**up, **f8, "compress": False, "out": "bf16"}, {**down, **f8}]
    # The right operand as [in, out]: transposed by a kernel of its own.
    transposed = f"""func.func @forward(%x: tensor<?x{D_MODEL}xf16>, %w: tensor<{D_MODEL}x{D_FFN - 3}xf16>) -> tensor<?x{D_FFN - 3}xf32> {{
  %y = ffn.matmul %x, %w : (tensor<?x{D_MODEL}xf16>, tensor<{D_MODEL}x{D_FFN - 3}xf16>) -> tensor<?x{D_FFN - 3}xf32>
  return %y : tensor<?x{D_FFN - 3}xf32>
}}
"""
    yield "f16 [in, out]", transposed, "forward", [{"m": "tokens", "n": D_FFN - 3, "k": D_MODEL, "sparse": False,
                                                    "compress": False, "lhs": "f16", "rhs": "f16", "out": "f32"}]


def runs(examples):
    tiles = [(*rows, columns) for rows in ROWS for columns in COLUMNS]
    for offset, network in enumerate(networks(examples)):
        for turn, tile in enumerate(tiles):
            # The second product has another tile than the first.
            yield network, [tile, tiles[(turn + 11) % len(tiles)]], turn + offset


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("winnow", help="the command")
    parser.add_argument("examples", help="folder of the example specs")
    parser.add_argument("folder", help="receives databases, specs and logs of what went wrong")
    parser.add_argument("--share", nargs=2, type=int, default=[0, 1], metavar=("SHARE", "OF"))
    parser.add_argument("--under", type=shlex.split, default=[], metavar="COMMAND")
    parser.add_argument("--repeat", type=int, default=1, metavar="RUNS")
    return parser.parse_args(argv)


def main(options):
    share, of = options.share
    folder, examples = options.folder, options.examples
    os.makedirs(folder, exist_ok=True)
    asked = ["--check", "--check-seconds=0.5"] if not options.under else []
    expect = [r"\n  ok "] if not options.under else []
    if options.repeat > 1:
        asked.append(f"--repeat={options.repeat}")
        expect.append(f"{options.repeat} runs gave identical bits")
    wrong = made = 0
    seen = {}
    kinds = {"staged": 0, "cluster 2": 0, "turns": 0}
    for index, ((name, text, entry, problems), tiles, turn) in enumerate(runs(examples)):
        if index % of != share % of:
            continue
        made += 1
        spec, database = os.path.join(folder, "spec.mlir"), os.path.join(folder, "tuned.json")
        with open(spec, "w", encoding="utf-8") as file:
            file.write(text)
        forced = itertools.chain.from_iterable(
            entries(problem, *tile, turn) for problem, tile in zip(problems, tiles))
        with open(database, "w", encoding="utf-8") as file:
            json.dump({"version": 1, "entries": list(forced)}, file)
        command = [*options.under, options.winnow, "run", spec, f"--entry={entry}", f"--tokens={TOKENS}", "--target=gpu",
                   "--remarks", f"--tuning={database}", *asked]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        used = re.findall(r"schedule: (?:.*?: )?wgmma (\d+ x \d+), (\d) warpgroups?, (\d+) stages[^\n]*?; tuned:", done.stdout)
        for position, (tile, warpgroups, stages) in enumerate(used):
            seen.setdefault(name, set()).add((tile, warpgroups, stages))
        for kind in kinds:
            kinds[kind] += len(re.findall(r"schedule: (?:.*?: )?wgmma [^;\n]*, " + kind + r"[^;\n]*; tuned:", done.stdout))
        refused = "is not used: " in done.stdout  # not legal for this product
        found = all(re.search(pattern, done.stdout) for pattern in expect)
        if done.returncode != 0 or not found or not (used or refused):
            log = os.path.join(folder, f"wrong_{index}.log")
            with open(log, "w", encoding="utf-8") as file:
                file.write(" ".join(command) + "\n" + done.stdout)
            os.replace(database, os.path.join(folder, f"wrong_{index}.json"))
            print(f"WRONG: {name} under {tiles}, turn {turn}: exit status {done.returncode}, {len(used)} forced; see {log}")
            wrong += 1
    for name, schedules in sorted(seen.items()):
        print(f"{name}: {len({schedule[:2] for schedule in schedules})} tiles, rings of "
              f"{', '.join(sorted({schedule[2] for schedule in schedules}))} stages")
    for kind, products in kinds.items():
        print(f"{products} products: {kind}")
    print(f"{made} runs, {wrong} wrong")
    return 1 if wrong or not made else 0


if __name__ == "__main__":
    sys.exit(main(parse(sys.argv[1:])))
