"""Code blocks of the documentation, and what their information strings say of them.

The first word after the fence is the language; what follows says how the block is tested:

    python            runs, in order with the page's others, in one namespace
    python gpu        the same with a GPU; without one it is compiled only
    bash              runs, line by line, in a folder with links to the checkout and to the built tools
    bash gpu          the same with a GPU; without one its commands and options must exist
    bash norun        installs, builds, or takes long: is not run, but its commands and options must exist
    mlir              a whole program that winnow-opt accepts
    mlir NAME         the same, written to NAME for the page's commands
    c, cpp            a whole source file, which compiles against include/
    cpp FILE          an excerpt of a file, as are c, cmake, ini and tablegen; "// …" or "# …" is what is left out
    diff              applies to the checkout
    text              no code
"""

from __future__ import annotations

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "docs/howto").glob("*.md"))]
# What was measured is repeated by whoever has the device, not by a test.
UNTESTED = {"docs/benchmarks.md"}

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|:{3,})(?P<info>[^\n`]*)\n(?P<text>.*?)^ *(?P=fence) *$", re.S | re.M
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block. `kind` is the rest of its information string, `line` that of its first line of text."""

    page: str
    line: int
    language: str
    kind: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: pathlib.Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    found = []
    for match in _FENCE.finditer(text):
        language, _, kind = match["info"].strip().partition(" ")
        lines = [line.removeprefix(match["indent"]) for line in match["text"].splitlines()]
        line = text.count("\n", 0, match.start("text")) + 1
        found.append(Block(name, line, language, kind, "\n".join(lines) + "\n"))
    return found


def blocks(language: str, kind: str | None = None) -> list[Block]:
    """The blocks of all tested pages in a language, of one kind or (None) of all."""
    return [block for page in PAGES if page.relative_to(ROOT).as_posix() not in UNTESTED for block in blocks_of(page)
            if block.language == language and kind in (None, block.kind)]
