"""Builds the documentation site: stages the pages of docs/ beside generated references, then runs Sphinx.

Warnings are errors, and so are links and references that lead nowhere. Needs a build tree with the tools, the Python
package and the target winnow-docs; scripts/docs sees to that. Needs no network, no GPU, no torch and no jax.

usage: build.py [--build FOLDER] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

import c_reference
import command_reference
import python_reference
import tablegen_reference

CODE = pathlib.Path(__file__).resolve().parent
ROOT = CODE.parents[1]
ASSETS = (".csv", ".json", ".png", ".svg")


def sources(build: pathlib.Path) -> dict[str, str]:
    """Text of every page by path in the site."""
    docs = ROOT / "docs"
    pages = {str(path.relative_to(docs)): path.read_text(encoding="utf-8")
             for path in sorted(docs.rglob("*.md")) if CODE not in path.parents}
    pages["index.md"] = _index([name.removesuffix(".md") for name in pages])
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    pages["contributing.md"] = contributing.replace("](docs/", "](")
    for folder, title, generated in (
        ("python", "Python", python_reference.pages(build / "python")),
        ("c", "C", c_reference.pages(ROOT)),
        ("dialects", "Dialects", tablegen_reference.dialect_pages(build / "docs")),
    ):
        pages |= {f"reference/{folder}/{name}": text for name, text in generated.items()}
        pages[f"reference/{folder}.md"] = _overview(title, [f"{folder}/{name}" for name in generated])
    pages["reference/passes.md"] = tablegen_reference.pass_page(build / "docs")
    pages["reference/commands.md"] = command_reference.page(build)
    return pages


def assets() -> dict[str, bytes]:
    """Figures and data that pages of docs/ show or link to, by path in the site."""
    docs = ROOT / "docs"
    return {path.relative_to(docs).as_posix(): path.read_bytes() for path in sorted(docs.rglob("*"))
            if path.is_file() and path.suffix in ASSETS and CODE not in path.parents}


def _index(names: list[str]) -> str:
    """The first page. Pages that it does not name are listed at its end, so that none is out of reach."""
    text = (CODE / "index.md").read_text(encoding="utf-8")
    missing = [name for name in names if name not in text.splitlines()]
    if not missing:
        return text
    return text + "\n```{toctree}\n:caption: More\n:maxdepth: 1\n\n" + "\n".join(missing) + "\n```\n"


def _overview(title: str, pages: list[str]) -> str:
    listed = "\n".join(page.rpartition(".")[0] for page in pages)
    return f"# {title}\n\n```{{toctree}}\n:maxdepth: 2\n\n{listed}\n```\n"


def stage(files: dict[str, str | bytes], folder: pathlib.Path) -> None:
    """Makes `folder` hold exactly `files`."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, contents in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents.encode() if isinstance(contents, str) else contents)


def run_sphinx(staged: pathlib.Path, output: pathlib.Path, doctrees: pathlib.Path) -> int:
    """Sphinx's exit status. Every warning is shown, then counted as an error. All pages are read and written anew:
    in pages that it skips, Sphinx does not notice links that others have broken."""
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    environment = {
        **os.environ,
        "WINNOW_DOCS_CODE": str(CODE),
        "WINNOW_DOCS_VERSION": cmake.partition("project(winnow VERSION ")[2].split()[0],
    }
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-a", "-W", "-b", "html", "-c", str(CODE)]
    return subprocess.run([*command, "-d", str(doctrees), str(staged), str(output)], env=environment).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build tree; default: build")
    parser.add_argument("--output", type=pathlib.Path, help="folder for the site; default: docs/html of the build tree")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    output = (arguments.output or build / "docs" / "html").resolve()
    try:
        pages = sources(build)
    except (OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    staged = build / "docs" / "pages"
    stage(pages | assets(), staged)
    if run_sphinx(staged, output, build / "docs" / "doctrees") != 0:
        print(f"error: the documentation has mistakes, see above; its pages are staged in {staged}", file=sys.stderr)
        return 1
    print(f"{len(pages)} pages in {output}; begin with {output / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
