"""The reference of dialects, interfaces and passes: what mlir-tblgen writes, made fit for the site."""

from __future__ import annotations

import pathlib
import re

DIALECTS = {"ffn": "The ffn dialect", "kern": "The kern dialect"}
PASSES = {"ffn": "On the ffn dialect", "conversion": "From ffn to kern", "kern": "On the kern dialect"}


def dialect_pages(generated: pathlib.Path) -> dict[str, str]:
    """Text by file name, for the folder reference/dialects. `generated` is the folder that winnow-docs fills."""
    pages = {f"{name}.md": f"# {title}\n\n{_dialect(generated / 'dialects' / f'{name}.md')}\n"
             for name, title in DIALECTS.items()}
    interfaces = _read(generated / "interfaces" / "ffn.md").partition("\n")[2]
    pages["interfaces.md"] = f"# Interfaces of the ffn dialect\n{interfaces}\n"
    return {name: _linked(text, "../..") for name, text in pages.items()}


def pass_page(generated: pathlib.Path) -> str:
    """The page reference/passes.md."""
    parts = ["# Passes", "As `winnow-opt` knows them; [what they are for](../passes.md) is a page of its own."]
    for name, title in PASSES.items():
        parts += [f"## {title}", _read(generated / "passes" / f"{name}.md")]
    return _linked("\n\n".join(parts) + "\n", "..")


def _read(path: pathlib.Path) -> str:
    if not path.is_file():
        raise RuntimeError(f"expected {path}; the target winnow-docs writes it")
    text = path.read_text(encoding="utf-8")
    return re.sub(r"<!--.*?-->\n?", "", text, flags=re.S).replace("[TOC]\n", "").strip()


def _dialect(path: pathlib.Path) -> str:
    text = _read(path)
    text = re.sub(r"\A# .*\n+", "", text)
    # The C++ class has a line of its own, so that a heading is the operation's name.
    return re.sub(r"^### (`[\w.]+`) \(::([\w:]+)\)$", r"### \1\n\nIn C++: `\2`", text, flags=re.M)


def _linked(text: str, up: str) -> str:
    """With links where pages of docs/ are named. `up` leads from the page to the top of the site."""
    return re.sub(r"(?<![\w/`(\[])docs/([\w-]+)\.md", rf"[docs/\1.md]({up}/\1.md)", text)
