#!/usr/bin/env python3
"""Changes one place of the device library at a time and shows that the emulator finds it.

usage: check_mutations.py WINNOW SPEC [REGEX]

The unchanged kernels must pass `winnow run --check`. Every mutation must apply to the kernels of its entry, and the check
must then fail as expected: "WRONG" where only results can show it, else with a message of the emulator. REGEX chooses
mutations by name. Fails if anything is not as expected.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass

TOKENS = 200
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


MUTATIONS = [
    Mutation("a stage is given back while it is read", "ptx::wgmma_wait<1>();", "ptx::wgmma_wait<2>();", "WRONG"),
    Mutation("a stage is never given back", "release(previous);", ";", r"block \d+ cannot go on:.*waits for an mbarrier"),
    Mutation("a stage is read before it is full", "ptx::mbarrier_wait(barriers + 8 * stage, parity);", "",
             "more arrivals than its phase expects|WRONG"),
    Mutation("a stage is filled while it is read", "ptx::mbarrier_wait(empty, parity);", "",
             "more arrivals than its phase expects|WRONG"),
    Mutation("the producer begins with the wrong parity", "u32 parity = 1;", "u32 parity = 0;", r"block \d+ cannot go on:"),
    Mutation("the consumers begin with the wrong parity", "u32 parity = 0;", "u32 parity = 1;",
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
    Mutation("sums of other parts that nobody waits for", "while (ptx::load_acquire(counter(work)) + 1", "while (false && 1",
             "WRONG", multiprocessors="132"),
    Mutation("sums that are counted before they are written", "ptx::store_global(place,", "(void)(place,", "WRONG",
             multiprocessors="132"),
    Mutation("a part of K that is multiplied twice", "work.first = slabs * work.part / cut;", "work.first = 0;", "WRONG",
             multiprocessors="132"),
    Mutation("a row behind the last", "row >= arguments.m", "row > arguments.m", OUTSIDE),
    Mutation("a store that is not aligned", "ptx::store_streaming(destination, ", "ptx::store_streaming(destination + 4, ",
             "an access of memory at an address that is not a multiple of its size"),
    Mutation("a register outside of its array", "registers[4 * (e >> 1)", "registers[256 + 4 * (e >> 1)",
             "WRONG|an index outside of its array|an access outside of the thread's stack"),
]


def check(winnow, spec, entry, environment):
    done = subprocess.run([winnow, "run", spec, f"--entry={entry}", f"--tokens={TOKENS}", "--target=gpu", "--check",
                           "--check-seconds=0.3"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, **environment}, check=False)
    return done.returncode, done.stdout


def main(winnow, spec, choice=""):
    wrong = 0
    mutations = [mutation for mutation in MUTATIONS if re.search(choice, mutation.name)]
    sources = {}
    for entry in sorted({mutation.entry for mutation in mutations}):
        status, output = check(winnow, spec, entry, {})
        if status != 0 or not re.search(r"\n  ok ", output):
            print(f"WRONG: @{entry} as it is: exit status {status}\n{output}")
            wrong += 1
        sources[entry] = subprocess.run([winnow, "compile", spec, f"--entry={entry}", "--emit=cuda", "-o", "-"],
                                        stdout=subprocess.PIPE, text=True, check=True).stdout
    for mutation in mutations:
        if mutation.old not in sources[mutation.entry]:
            print(f"WRONG: {mutation.name}: no kernel of @{mutation.entry} contains '{mutation.old}'")
            wrong += 1
            continue
        environment = {"WINNOW_EMULATOR_REPLACE": mutation.old, "WINNOW_EMULATOR_WITH": mutation.new,
                       "WINNOW_EMULATOR_MULTIPROCESSORS": mutation.multiprocessors}
        status, output = check(winnow, spec, mutation.entry, environment)
        found = re.search(mutation.found, output, re.DOTALL)
        if status == 1 and found:
            print(f"found: {mutation.name}: {found[0].splitlines()[0]}")
        else:
            print(f"WRONG: {mutation.name}: expected exit status 1 and '{mutation.found}', got {status} and\n{output}")
            wrong += 1
    print(f"{len(mutations)} mutations, {wrong} not as expected")
    return 1 if wrong or not mutations else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
