"""The documentation site: it builds without a warning, holds every public name, and no link in it leads nowhere."""

import html.parser
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import zlib

import pytest
import winnow
from doc_blocks import ROOT

if not all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "furo", "griffe"))):
    pytest.skip("needs sphinx, myst-parser, furo and griffe, which scripts/setup installs", allow_module_level=True)

BUILD = (ROOT / os.environ.get("WINNOW_BUILD", "build")).resolve()
sys.path.insert(0, str(ROOT / "docs" / "site"))
import build as site_builder  # noqa: E402


class Page(html.parser.HTMLParser):
    """The links of a page and what can be linked to in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), {""}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors.add(attributes.get("id", ""))
        if tag == "a" and "href" in attributes:
            self.links.add(attributes["href"])
        if tag in ("img", "script") and "src" in attributes:
            self.links.add(attributes["src"])


def broken_links(site):
    """Links to files or anchors that are not there, and to other hosts' scripts."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            if not target.exists() or (known and parts.fragment and parts.fragment not in known.anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    return broken


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, ROOT / "docs" / "site" / "build.py", "--build", BUILD, "--output", folder]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "pages in" in result.stdout and not result.stderr
    return folder


@pytest.fixture(scope="module")
def names(site):
    """Kind by name of everything that the site describes."""
    contents = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0]: line.split(" ")[1] for line in zlib.decompress(contents).decode().splitlines()}


def test_every_page_is_there(site):
    for path in (ROOT / "docs").rglob("*.md"):
        page = path.relative_to(ROOT / "docs")
        if page.parts[0] != "site":
            assert (site / page.with_suffix(".html")).is_file(), page


def test_no_link_is_broken(site):
    assert broken_links(site) == []


def test_broken_links_are_noticed(tmp_path):
    text = '<a href="b.html">gone</a> <a href="#here">gone</a> <a id="there" href="#there">there</a>'
    (tmp_path / "a.html").write_text(text)
    assert sorted(broken_links(tmp_path)) == ["a.html: #here", "a.html: b.html"]


def test_python_is_described(names):
    assert {name for name in winnow.__all__ if f"winnow.{name}" not in names} == set()
    assert names["winnow.CompiledFFN.explain"] == "py:method"
    assert names["winnow.Error"] == "py:exception"
    assert "winnow.LoadedFFN.workspace_bytes" in names  # inherited


def test_python_subpackages_are_described(site):
    for folder in (BUILD / "python" / "winnow").iterdir():
        public = folder.suffix in ("", ".py") and not folder.name.startswith("_")
        if public and (folder.suffix == ".py" or (folder / "__init__.py").is_file()):
            assert (site / "reference" / "python" / f"winnow.{folder.stem}.html").is_file(), folder


def test_parameters_are_listed(site):
    text = (site / "reference" / "python" / "winnow.html").read_text(encoding="utf-8")
    compile_text = text[text.index('id="winnow.compile"'):text.index('id="winnow.ffn"')]
    assert re.findall(r"<li><p><strong>(\w+)</strong>", compile_text)[:3] == ["spec", "target", "entry"]


@pytest.mark.parametrize("header", ["Compiler.h", "Reference.h", "Runtime.h"])
def test_c_is_described(names, header):
    text = (ROOT / "include" / "winnow-c" / header).read_text(encoding="utf-8")
    functions = re.findall(r"^WINNOW_C_API .*?\b(winnow_\w+)\(", text, re.M)
    constants = re.findall(r"^  (WINNOW_\w+) = ", text, re.M)
    types = re.findall(r"^typedef (?:struct|enum) (winnow_\w+)", text, re.M)
    assert functions and {name for name in functions if names.get(name) != "c:function"} == set()
    assert {name for name in constants + types if name not in names} == set()


def test_operations_and_passes_are_described(site):
    dialects = "".join((site / "reference" / "dialects" / f"{name}.html").read_text() for name in ("ffn", "kern"))
    passes = (site / "reference" / "passes.html").read_text()
    listed = subprocess.run([BUILD / "bin" / "winnow-opt", "--help"], capture_output=True, text=True).stdout
    found = re.findall(r"^ +--((?:ffn|kern|convert)-[a-z-]+) +-", listed, re.M)
    assert len(found) >= 10
    assert {name for name in found if f"-{name}" not in passes and not name.endswith("to-kernels")} == set()
    for name in ("ffn.matmul", "ffn.sparsify", "ffn.relu2", "kern.gemm", "kern.launch"):
        assert re.search(rf'<h3><code[^>]*><span class="pre">{re.escape(name)}</span>', dialects), name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[gone](gone.md)", "gone.md"),
        ("[gone](#nowhere)", "nowhere"),
        ("{c:func}`winnow_nothing`", "winnow_nothing"),
        ("{py:func}`winnow.nothing`", "winnow.nothing"),
        ("```nolanguage\nx\n```", "nolanguage"),
    ],
)
def test_mistakes_are_errors(tmp_path, capfd, text, message):
    site_builder.stage({"index.md": f"# Page\n\n{text}\n"}, tmp_path / "pages")
    assert site_builder.run_sphinx(tmp_path / "pages", tmp_path / "html", tmp_path / "doctrees") != 0
    assert message in capfd.readouterr().err


def test_docstrings_become_fields(tmp_path):
    """Parameters, alone and grouped, code, inherited texts, and what is not public."""
    package = tmp_path / "winnow"
    package.mkdir()
    (package / "_winnow.pyi").write_text('class Made:\n    """From the extension module."""\n')
    (package / "_private.py").write_text("hidden = 1\n")
    (package / "__init__.py").write_text(
        """
from . import _winnow
from ._winnow import Made
__all__ = ["Base", "Derived", "Made", "call", "constant"]
constant = 3

def call(x: int, /, a, *rest, b: str = "c", **named) -> _winnow.Made:
    \"\"\"Calls.

        call(1)

    x: the first
        of them
    a, b: others

    Raises ValueError.
    \"\"\"

class Base:
    def run(self) -> None:
        \"\"\"Runs.\"\"\"
    def wrap(self, inner: _winnow.Made) -> None: ...

class Derived(Base):
    def __init__(self, inner: _winnow.Made) -> None: ...
    def run(self) -> None: ...
    def _own(self) -> None: ...
"""
    )
    pages = site_builder.python_reference.pages(tmp_path)
    text = pages["winnow.rst"]
    assert list(pages) == ["winnow.rst"]
    assert ".. py:function:: call(x: int, /, a, *rest, b: str = 'c', **named) -> Made\n" in text
    assert "   .. code-block:: python\n\n       call(1)\n" in text
    assert "   :param x: the first\n       of them\n   :param a: others\n   :param b: others\n" in text
    assert ".. py:class:: Derived\n\n   .. py:method:: run() -> None\n\n      Runs." in text
    assert ".. py:attribute:: constant\n   :value: 3" in text
    assert ".. py:class:: Made\n\n   From the extension module." in text
    assert not re.search("wrap|_own|hidden|_winnow", text)


def test_figures_are_shown(tmp_path):
    figure = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'
    pages = {"index.md": "# Page\n\n![bars](data/plot.svg) [numbers](data/plot.json)\n", "data/plot.svg": figure}
    site_builder.stage(pages | {"data/plot.json": b"{}"}, tmp_path / "pages")
    assert site_builder.run_sphinx(tmp_path / "pages", tmp_path / "html", tmp_path / "doctrees") == 0
    assert broken_links(tmp_path / "html") == []
    assert [path.read_bytes() for path in (tmp_path / "html").rglob("_images/plot.svg")] == [figure]
    assert [path.read_bytes() for path in (tmp_path / "html").rglob("plot.json")] == [b"{}"]


def test_what_is_not_built_is_said(tmp_path):
    command = [sys.executable, ROOT / "docs" / "site" / "build.py", "--build", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error: expected ") and "winnow-python-stub" in result.stderr
    assert pathlib.Path(tmp_path / "docs").exists() is False
