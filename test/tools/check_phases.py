"""Checks that docs/architecture.md lists the passes that the pipelines run, in their order.

usage: check_phases.py ROOT < output of winnow-opt --dump-pass-pipeline"""

import pathlib
import re
import sys

PASS = r"((?:ffn|kern|convert)-[a-z-]+)"


def main():
    document = (pathlib.Path(sys.argv[1]) / "docs/architecture.md").read_text(encoding="utf-8")
    listed = re.findall(rf"│  {PASS}", document)
    run = re.findall(rf"\b{PASS}", sys.stdin.read())
    if listed and listed == run:
        print(f"{len(run)} passes, listed in order")
        return 0
    print(f"the pipelines run {', '.join(run) or 'nothing'}; docs/architecture.md lists {', '.join(listed) or 'nothing'}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
