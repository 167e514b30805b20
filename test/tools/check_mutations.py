#!/usr/bin/env python3
"""Changes one place of the device library at a time and shows that the emulator finds it.

usage: check_mutations.py WINNOW SPEC [REGEX]

The unchanged kernels must pass `winnow run --check`. Every mutation must apply to the kernels of its entry, and the check
must then fail as expected: "WRONG" where only results can show it, else with a message of the emulator. REGEX chooses
mutations by name. Fails if anything is not as expected.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

TOKENS = 200
FEW_TOKENS = 100  # launches overlap
OUTSIDE = r"an access of memory at 0x\w+, \d+ bytes behind the end of an allocation"


@dataclass(frozen=True)
class Mutation:
    """`old` in the text of the kernels becomes `new`; what the check of `entry` then prints matches `found`."""

    name: str
    old: str
    new: str
    found: str
    entry: str = "forward"
    multiprocessors: str = "4"
    # "staged": results leave through stages of the ring, "cluster": clusters, and warpgroups that take turns, under
    # schedules that a database forces; "cut": a product of one tile, cut along K.
    variant: str = ""
    tokens: int = TOKENS


MUTATIONS = [
    Mutation("a stage is given back while it is read", "ptx::wgmma_wait<1>();", "ptx::wgmma_wait<2>();", "WRONG"),
    Mutation("a stage is never given back", "release(previous);", ";", r"block \d+ cannot go on:.*waits for an mbarrier"),
    Mutation("a stage is read before it is full", "ptx::mbarrier_wait(barriers + 8 * at.stage, at.parity);\n      const u32 rhs", "const u32 rhs",
             "more arrivals than its phase expects|WRONG"),
    Mutation("a stage is filled while it is read", "ptx::mbarrier_wait(empty, at.parity);", "",
             "more arrivals than its phase expects|WRONG"),
    Mutation("the producer begins with the wrong parity", "at(1);", "at(0);", r"block \d+ cannot go on:"),
    Mutation("the consumers begin with the wrong parity", "at(0);", "at(1);",
             "more arrivals than its phase expects|WRONG|cannot go on"),
    Mutation("fewer bytes are announced than copied", "Shape::kCopyBytes);", "Shape::kCopyBytes - 16);", "cannot go on"),
    Mutation("metadata of another thread", "thread * 4 * Shape::Block::kUnits", "(thread ^ 4) * 4 * Shape::Block::kUnits",
             "WRONG"),
    Mutation("metadata of another thread, 16 bits", "thread * 4 * Shape::Block::kUnits",
             "(thread ^ 2) * 4 * Shape::Block::kUnits", "WRONG", "forward_bf16"),
    Mutation("the wrong sparsity selector", "template issue<1>(", "template issue<0>(", "WRONG", "forward_bf16"),
    Mutation("a step of K at the wrong address", "step * Shape::kStepBytesRhs", "step * 16", "WRONG"),
    Mutation("an operand without its swizzle", "ptx::descriptor_swizzled(rhs", "ptx::descriptor_packed(rhs", "WRONG"),
    Mutation("accumulators that nobody waits for", "ptx::wgmma_wait<0>();", "",
             "ended with matrix instructions that nobody waited for|WRONG"),
    Mutation("scales that nobody waits for", "ptx::copy_async_wait();", ";", "ended with cp.async that nobody waited for|WRONG"),
    Mutation("scales that other threads have not stored", "ptx::named_barrier(warpgroup + 1, 128);", "(void)0;", "WRONG"),
    Mutation("barriers that are used before they are made", "__syncthreads();", "(void)0;",
             "more arrivals than its phase expects|WRONG|cannot go on|metadata name positions", "forward_static"),
    Mutation("a store to a block that has not begun", "ptx::cluster_wait();", "(void)0;",
             r"a store to the shared memory of the cluster's block \d+, which has not begun or has ended"),
    Mutation("a store to another block that is not published", "ptx::cluster_arrive();", "ptx::cluster_arrive_relaxed();",
             "ended with stores to other blocks that no arrival published"),
    Mutation("sums that are counted before they are written", "ptx::store_global(place +", "(void)(place +", "WRONG",
             multiprocessors="132", variant="cut"),
    Mutation("a part of K that is multiplied twice", "work.first = slabs * work.part / cut;", "work.first = 0;", "WRONG",
             multiprocessors="132", variant="cut"),
    Mutation("a lent stage is given back before the store has read it", "ptx::bulk_wait_read<0>();", ";", "WRONG",
             multiprocessors="1", variant="staged"),
    Mutation("a lent stage is used again before the store has read it", "ptx::bulk_wait_read<Store::kStoreStages - 1>();", ";",
             "WRONG", multiprocessors="1", variant="staged"),
    Mutation("a lent stage is never given back", "borrowed.give_back(barriers, thread);", ";", "cannot go on",
             multiprocessors="1", variant="staged"),
    Mutation("a stage is taken that nobody has lent", "lent < kLent;", "lent < 0;", "cannot go on|WRONG",
             multiprocessors="1", variant="staged"),
    Mutation("a lent stage is waited for in the wrong phase", "at.parity); // the matrix instructions", "at.parity ^ 1); //",
             "cannot go on", multiprocessors="1", variant="staged"),
    Mutation("a store reads what was not fenced", "ptx::async_proxy_fence_shared();", ";",
             "a tensor store reads what a thread wrote and did not fence", variant="staged"),
    Mutation("a store before all threads have written", "may read\n    ptx::named_barrier(warpgroup + 1, 128);", "may read",
             "a tensor store reads what a thread wrote and did not fence|WRONG", variant="staged"),
    Mutation("stores that nobody waits for", "ptx::bulk_wait_all();", ";", "ended with bulk stores that nobody waited for",
             variant="staged"),
    Mutation("a store of the wrong columns", "column0 + 32 * group, row0,", "column0 + 32 * chunk, row0,", "WRONG",
             variant="staged"),
    Mutation("another block's stage is filled while it is read", "ptx::mbarrier_wait(room, room_parities >> at.stage & 1);",
             "", "more arrivals than its phase expects|WRONG|cannot go on", multiprocessors="2", variant="cluster"),
    Mutation("room in a stage that nobody is told of", "ptx::mbarrier_arrive_cluster(room, rank ^ other);", ";",
             "cannot go on", multiprocessors="2", variant="cluster"),
    Mutation("a share of B that goes to one block alone", "full, kAll)", "full, static_cast<u16>(1 << rank))",
             "cannot go on", multiprocessors="2", variant="cluster"),
    Mutation("a share of B in the wrong place", "rhs + rank * kShare", "rhs + (1 - rank) * kShare", "WRONG",
             multiprocessors="2", variant="cluster"),
    Mutation("a copy to a block that has not begun", "ptx::cluster_wait();", "(void)0;",
             "which has not begun or has ended", multiprocessors="2", variant="cluster"),
    Mutation("a turn that begins too early", "ptx::mbarrier_wait(mine, parity);", "",
             "more arrivals than its phase expects|WRONG|cannot go on", multiprocessors="2", variant="cluster"),
    Mutation("a turn that is never passed on", "ptx::mbarrier_arrive(others);", ";", "cannot go on", multiprocessors="2",
             variant="cluster"),
    Mutation("both warpgroups take the same tiles", "parity(warpgroup == 0), warpgroup(warpgroup)",
             "parity(warpgroup == 0), warpgroup(0)", "more arrivals than its phase expects|WRONG|cannot go on",
             multiprocessors="2", variant="cluster"),
    Mutation("A that is read before the launch before has written it", "ptx::wait_for_launches_before();\n  Pacer", "Pacer",
             "WRONG|metadata name positions", tokens=FEW_TOKENS),
    Mutation("scales that are read before the launch before has written them",
             "ptx::wait_for_launches_before();\n  TileScales", "TileScales", "WRONG", tokens=FEW_TOKENS),
    Mutation("a map that does not wait for the launch before", "winnow::ptx::wait_for_launches_before();", ";",
             "no thread has waited for the launches that this one overlaps", tokens=FEW_TOKENS),
    Mutation("a row behind the last", "row >= arguments.m", "row > arguments.m", OUTSIDE),
    Mutation("a store that is not aligned", "ptx::store_streaming(destination, ", "ptx::store_streaming(destination + 4, ",
             "an access of memory at an address that is not a multiple of its size"),
    Mutation("a register outside of its array", "registers[4 * (e >> 1)", "registers[256 + 4 * (e >> 1)",
             "WRONG|an index outside of its array|an access outside of the thread's stack"),
]


CUT = """func.func @forward(%x: tensor<?x8192xf8E4M3FN>, %w: tensor<64x8192xf8E4M3FN> {ffn.weight}) -> tensor<?x64xbf16> {
  %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x8192xf8E4M3FN>, tensor<64x8192xf8E4M3FN>) -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}
"""


# Schedules of the dense and of the sparse product of @forward in modded-nanogpt.mlir, and what shows them in the source.
VARIANTS = {
    "staged": ({"tile": [256, 192], "stages": 4, "staged": True}, {"tile": [256, 192], "stages": 5, "staged": True},
               "kStaged = 1;"),
    "cluster": ({"tile": [64, 192], "stages": 5, "cluster": 2, "turns": True},
                {"tile": [64, 256], "stages": 5, "cluster": 2, "turns": True},
                r"kStaged = 0;\s+static constexpr \w+ kCluster = 2;"),
}


def database_of(dense, sparse_schedule):
    """A database that forces schedules on both products of @forward in modded-nanogpt.mlir."""
    entries = []
    for n, k, sparse in [(3072, 768, False), (768, 3072, True)]:
        problem = {"sparse": sparse, "lhs": "f8E4M3FN", "rhs": "f8E4M3FN", "out": "bf16", "compress": False, "m": "tokens",
                   "n": n, "k": k, "tokens": [TOKENS, TOKENS], "rhs_order": "row_major"}
        problem |= {"panel": 0} if sparse else {"lhs_order": "row_major"}
        entries.append({"chip": "sm_90a", "problem": problem,
                        "schedule": {"warpgroups": 2, "raster": 12, "pacing": 0, **(sparse_schedule if sparse else dense)},
                        "measured": {"device": "none", "us": 1.0, "model_us": 2.0, "date": "2026-01-01", "build": "none"}})
    return json.dumps({"version": 1, "entries": entries})


def check(command, environment):
    done = subprocess.run([*command, "--target=gpu", "--check", "--check-seconds=0.3"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}, check=False)
    return done.returncode, done.stdout


def mutate(winnow, spec, choice, databases, cut):
    wrong = 0
    mutations = [mutation for mutation in MUTATIONS if re.search(choice, mutation.name)]
    sources = {}

    def options(entry, variant, tokens):
        if variant == "cut":
            return [cut, "--tokens=16"]
        return [spec, f"--entry={entry}", f"--tokens={tokens}", *([f"--tuning={databases[variant]}"] if variant else [])]

    for case in sorted({(mutation.entry, mutation.variant, mutation.tokens) for mutation in mutations}):
        entry, variant, _ = case
        status, output = check([winnow, "run", *options(*case)], {})
        if status != 0 or not re.search(r"\n  ok ", output):
            print(f"WRONG: @{entry} as it is: exit status {status}\n{output}")
            wrong += 1
        source = subprocess.run([winnow, "compile", *options(*case), "--emit=cuda", "-o", "-"],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        for name, (_, _, shown) in VARIANTS.items():
            if (variant == name) != bool(re.search(shown, source)):
                print(f"WRONG: @{entry}, variant '{variant}', as it is: unexpected '{shown}', or none")
                wrong += 1
        sources[case] = source
    for mutation in mutations:
        case = mutation.entry, mutation.variant, mutation.tokens
        if mutation.old not in sources[case]:
            print(f"WRONG: {mutation.name}: no kernel of @{mutation.entry} contains '{mutation.old}'")
            wrong += 1
            continue
        environment = {"WINNOW_EMULATOR_REPLACE": mutation.old, "WINNOW_EMULATOR_WITH": mutation.new,
                       "WINNOW_EMULATOR_MULTIPROCESSORS": mutation.multiprocessors}
        status, output = check([winnow, "run", *options(*case)], environment)
        found = re.search(mutation.found, output, re.DOTALL)
        if status == 1 and found:
            print(f"found: {mutation.name}: {found[0].splitlines()[0]}")
        else:
            print(f"WRONG: {mutation.name}: expected exit status 1 and '{mutation.found}', got {status} and\n{output}")
            wrong += 1
    print(f"{len(mutations)} mutations, {wrong} not as expected")
    return 1 if wrong or not mutations else 0


def main(winnow, spec, choice=""):
    with tempfile.TemporaryDirectory() as folder:
        databases = {name: os.path.join(folder, f"{name}.json") for name in VARIANTS}
        files = {databases[name]: database_of(dense, sparse) for name, (dense, sparse, _) in VARIANTS.items()}
        cut = os.path.join(folder, "cut.mlir")
        for path, text in {**files, cut: CUT}.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return mutate(winnow, spec, choice, databases, cut)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
