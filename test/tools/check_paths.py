"""Checks that the files and folders that documents name exist: every `path/with/slash` in backquotes and every relative link.

usage: check_paths.py ROOT [DOCUMENT…]
Without documents: README.md, CONTRIBUTING.md and all pages of docs/."""

import pathlib
import re
import sys

# A path of the repository starts with one of its folders; `build` is not part of it.
TOP = ("cmake", "docs", "examples", "include", "lib", "python-bindings", "scripts", "test", "tools")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    problems, count = [], 0
    pages = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md")),
             *sorted((root / "docs/howto").glob("*.md"))]
    for name in sys.argv[2:] or [page.relative_to(root).as_posix() for page in pages]:
        document = root / name
        text = re.sub(r"^(`{3,}).*?^\1$", "", document.read_text(encoding="utf-8"), flags=re.S | re.M)
        named = [root / path for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if path.split("/")[0] in TOP]
        linked = [document.parent / path for path in re.findall(r"\]\((?!\w+:)([^)#]+)", text)]
        count += len(named) + len(linked)
        problems += [f"{name}: {path} does not exist" for path in named + linked if not path.exists()]
    print("\n".join(problems) or f"{count} paths, all there")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
