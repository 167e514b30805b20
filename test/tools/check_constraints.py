"""Checks that the numbered constraints of the ffn dialect are the same everywhere they are written down.

docs/ffn-spec.md defines each once, as **(M1)**. The .td descriptions name each as (M1); no verifier and no test names one
that is not defined, and each is named by a test."""

import pathlib
import re
import sys

NAME = r"[A-Z]\d"


def names(paths, pattern):
    return {name: path for path in paths for name in re.findall(pattern, path.read_text(encoding="utf-8"))}


def names_in_comments(paths):
    """Names at the head of a comment, such as `// M1` and `// G2, M1: why`."""
    heads = {path: re.findall(rf"// ({NAME}(?:, {NAME})*)\b", path.read_text(encoding="utf-8")) for path in paths}
    return {name: path for path, lists in heads.items() for names in lists for name in names.split(", ")}


def main():
    root = pathlib.Path(sys.argv[1])
    spec = re.findall(rf"\*\*\(({NAME})\)\*\*", (root / "docs/ffn-spec.md").read_text(encoding="utf-8"))
    spec.remove("M1")  # the example in the introduction
    problems = [f"{name} is defined twice in docs/ffn-spec.md" for name in sorted(set(spec)) if spec.count(name) > 1]
    defined = set(spec)

    described = names((root / "include/winnow/Dialect/FFN/IR").glob("*.td"), rf"\(({NAME})\)")
    checked = names_in_comments((root / "lib/Dialect/FFN/IR").glob("*.cpp"))
    tested = names_in_comments([*(root / "test/Dialect/FFN").glob("*.mlir"), *(root / "test/Interpreter").glob("*.mlir")])
    for kind, found in (("described", described), ("checked", checked), ("tested", tested)):
        problems += [f"{name} is {kind} in {found[name]} but not defined in docs/ffn-spec.md"
                     for name in sorted(found.keys() - defined)]
    problems += [f"{name} is defined but no .td file describes it" for name in sorted(defined - described.keys())]
    problems += [f"{name} is defined but no test names it" for name in sorted(defined - tested.keys())]

    print("\n".join(problems) or f"{len(defined)} constraints, all defined, described and tested")
    return 1 if problems or not defined else 0


if __name__ == "__main__":
    sys.exit(main())
