"""Runs a command on every MLIR program of the given files and fails if one is rejected.

A .mlir file is one program. In any other file (.md, .td) every block fenced by ```mlir is one; the fence may stand indented.
A folder means the .mlir files in it. Prints `FILE:LINE: ok` for each, so that a test can pin what was run."""

import argparse
import pathlib
import subprocess
import sys


def programs(path):
    """Pairs of (line of the first statement, text)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".mlir":
        return [(1, "\n".join(lines))]
    found, start = [], None
    for number, line in enumerate(lines, 1):
        if start is None and line.strip() == "```mlir":
            start = number + 1
        elif start is not None and line.strip() == "```":
            found.append((start, "\n".join(lines[start - 1:number - 1])))
            start = None
    if start is not None:
        sys.exit(f"{path}:{start - 1}: this block is not closed")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--command", default="winnow-opt", help="reads a program from standard input")
    arguments = parser.parse_args()
    files = [path for given in arguments.files for path in (sorted(given.glob("*.mlir")) if given.is_dir() else [given])]
    failures = 0
    for path in files:
        found = programs(path)
        if not found:
            print(f"{path}: expected at least one program, got none")
            failures += 1
        for line, text in found:
            result = subprocess.run(arguments.command.split(), input=text, capture_output=True, text=True)
            print(f"{path.name}:{line}: " + ("ok" if result.returncode == 0 else "rejected"))
            if result.returncode != 0:
                print(result.stderr)
                failures += 1
    if not files:
        print("expected at least one file, got none")
    return 0 if files and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
