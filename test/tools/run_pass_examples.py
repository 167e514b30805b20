"""Runs the examples in a Passes.td: every pass on the first block of its description must give the second, or, where
there is only one, fail with the message of its `error:` comment. Prints `ARGUMENT: ok` for each pass."""

import pathlib
import re
import subprocess
import sys


def run(arguments, program):
    return subprocess.run(["winnow-opt", *arguments], input=program, capture_output=True, text=True)


def check(argument, blocks):
    """What is wrong, or nothing."""
    if len(blocks) == 1:
        expected = re.search(r"// error: (.*)", blocks[0])
        if not expected:
            return "expected an `error:` comment in the only block"
        result = run([f"--{argument}"], blocks[0])
        if result.returncode == 0 or f"error: {expected[1]}" not in result.stderr:
            return f"expected the error: {expected[1]}\ngot:\n{result.stderr}"
        return None
    if len(blocks) != 2:
        return f"expected a program before and one after, got {len(blocks)} blocks"
    before, after = run([f"--{argument}"], blocks[0]), run([], blocks[1])
    for result in (before, after):
        if result.returncode != 0:
            return result.stderr
    if before.stdout != after.stdout:
        return f"expected:\n{after.stdout}\ngot:\n{before.stdout}"
    return None


def main():
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    passes = re.findall(r'^def \w+ : Pass<"([\w-]+)"(.*?)(?=^def |\Z)', text, re.M | re.S)
    failed = False
    for argument, body in passes:
        problem = check(argument, re.findall(r"```mlir\n(.*?)```", body, re.S))
        print(f"{argument}: {problem or 'ok'}")
        failed |= problem is not None
    if not passes:
        sys.exit(f"{sys.argv[1]}: expected at least one pass, got none")
    sys.exit(failed)


main()
