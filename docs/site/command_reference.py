"""The reference of the command-line tools: what they print for --help."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys


def page(build: pathlib.Path) -> str:
    """The page. `build` is a build tree with the tools and the Python package."""
    tools = build / "bin"
    parts = ["# Commands", "What `--help` prints.", "## winnow", _block(_help(tools, "winnow"))]
    for verb in _subcommands(_help(tools, "winnow")):
        parts += [f"### winnow {verb}", _block(_own_part(_help(tools, "winnow", verb)))]
        parts += [_block(_own_part(_help(tools, "winnow", verb, each)))
                  for each in _subcommands(_help(tools, "winnow", verb))]
    parts += ["## winnow-fuzz", _block(_help(tools, "winnow-fuzz"))]
    for name in _modules(build / "python"):
        parts += [f"## python -m {name}", _block(_module_help(build / "python", name))]
    parts += ["## winnow-opt and winnow-translate",
              "Drivers of MLIR: their `--help` lists MLIR's own options too. The passes that `winnow-opt` knows are in"
              " [the reference of passes](passes.md); `winnow-translate` has these translations:",
              _block(_translations(_help(tools, "winnow-translate")))]
    return "\n\n".join(parts) + "\n"


def _modules(packages: pathlib.Path) -> list[str]:
    """Public modules that can be run."""
    found = [path.parent.relative_to(packages) for path in packages.glob("winnow/*/__main__.py")]
    return sorted(".".join(path.parts) for path in found if not path.name.startswith("_"))


def _module_help(packages: pathlib.Path, name: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(packages), "COLUMNS": "100"}
    command = [sys.executable, "-m", name, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {result.returncode}:\n{result.stderr}")
    return result.stdout.strip()


def _help(tools: pathlib.Path, tool: str, *words: str) -> str:
    command = [str(tools / tool), *words, "--help"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {result.returncode}:\n{result.stderr}")
    return result.stdout.replace(f"{tools}/", "").strip()


def _subcommands(text: str) -> list[str]:
    section = re.search(r"^Subcommands:\n((?:  .*\n?)+)", text, re.M)
    return re.findall(r"^  (\w+)", section[1], re.M) if section else []


def _own_part(text: str) -> str:
    """Without the end that every verb repeats."""
    return text.partition("\n\nExamples:\n")[0]


def _translations(text: str) -> str:
    found = re.findall(r"^ +(--[\w-]+) +- (.*)$", text.partition("Translations to perform")[2], re.M)
    return "\n".join(f"{name:<16}{what}" for name, what in found if not name.startswith("--mlir"))


def _block(text: str) -> str:
    return f"```text\n{text}\n```"
