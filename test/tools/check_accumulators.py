"""Reads machine code from standard input and fails where a warpgroup MMA's registers are touched while it may run.

Accumulators (and the metadata register of a sparse MMA) belong to the instruction from its issue to the wait that retires
it. ptxas knows that only partly: it has moved conversions of accumulators above the last wait. Between the first MMA of a
kernel and the wait for all groups, no other instruction may name an accumulator; between the last MMA and that wait, none
may write its metadata register.

usage: cuobjdump -sass KERNEL.cubin | check_accumulators.py
"""

import re
import sys

MMA = re.compile(r"[HQ]GMMA(?:\.SP)?\.64x(\d+)x\d+\S* R(\d+)")
SPARSE = re.compile(r"GMMA\.SP\S* R\d+, gdesc\[UR\d+\], R\d+,(?: !?UP\w+,)? R(\d+)")
LAST_WAIT = "WARPGROUP.DEPBAR.LE gsb0, 0x0"


def registers(text):
    return {int(number) for number in re.findall(r"\bR(\d+)\b", text)}


def check(name, lines):
    """What is wrong with one kernel, a line each."""
    issues = [index for index, line in enumerate(lines) if MMA.search(line)]
    if not issues:
        return []
    waits = [index for index, line in enumerate(lines) if LAST_WAIT in line]
    if len(waits) != 1 or waits[0] < issues[-1]:
        return [f"{name}: expected one wait for all groups behind the last MMA, got {len(waits)}"]
    accumulators, metadata, problems = set(), set(), []
    for index in issues:
        width, first = map(int, MMA.search(lines[index]).groups())
        accumulators |= set(range(first, first + width // 2))
        sparse = SPARSE.search(lines[index])
        if ".SP." in lines[index] and not sparse:
            return [f"{name}: cannot read the metadata register of '{lines[index]}'"]
        if sparse:
            metadata.add(int(sparse[1]))
    for index in range(issues[0], waits[0]):
        line = lines[index]
        if "GMMA" in line:
            continue
        if registers(line) & accumulators:
            problems.append(f"{name}: an accumulator is used before the wait: {line}")
        operands = re.sub(r"^(@!?U?P\w+ )?\S+ ?", "", line)
        if index > issues[-1] and re.match(r"R\d", operands) and registers(operands.split(",")[0]) & metadata:
            problems.append(f"{name}: metadata are overwritten before the wait: {line}")
    return problems


def main():
    parts = re.split(r"Function : ", sys.stdin.read())[1:]
    if not parts:
        sys.exit("expected machine code, got none")
    problems = []
    for part in parts:
        lines = [re.sub(r"/\*.*?\*/", "", line).strip() for line in part.splitlines()]
        name = lines[0]
        problems += check(name, [line for line in lines[1:] if line])
        print(f"{name}: {sum(bool(MMA.search(line)) for line in lines)} MMAs")
    sys.exit("\n".join(problems) if problems else 0)


if __name__ == "__main__":
    main()
