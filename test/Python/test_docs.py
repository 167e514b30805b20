"""The code in README.md, CONTRIBUTING.md and docs/ runs, or is what the tree holds. doc_blocks.py says how blocks are
marked; test_docs_howto.py applies the patches."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
from functools import cache

import pytest
from conftest import nvrtc_missing
from doc_blocks import PAGES, ROOT, UNTESTED, blocks, blocks_of

BUILD = (ROOT / os.environ.get("WINNOW_BUILD", "build")).resolve()
KINDS = {
    "python": {"", "gpu"},
    "bash": {"", "gpu", "norun"},
    "c": {""},
    "cpp": {""},
    "diff": {""},
    "text": {""},
}
EXCERPTS = {"c", "cmake", "cpp", "ini", "tablegen"}
# Blocks whose commands are checked but not run: they install, build, or take long. A new one must be counted here.
NOT_RUN = {
    "README.md": 1,
    "CONTRIBUTING.md": 2,
    "docs/quick-start.md": 1,
    "docs/howto/add-an-activation.md": 1,
    "docs/differential-testing.md": 1,
    "docs/emulator.md": 2,
    "docs/tuning.md": 1,
    "docs/howto/write-a-pass.md": 2,
}
# Modules that a page may need beside Winnow's own; where one is missing, the page's Python is compiled only.
FRAMEWORKS = {"torch", "jax", "transformers", "matplotlib"}

TESTED = [page for page in PAGES if page.relative_to(ROOT).as_posix() not in UNTESTED]


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def run_block(block, folder, environment):
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, f"{block.name}:\n{block.text}\n{result.stdout}{result.stderr}"


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder that looks like the checkout, in which commands may write, and the environment of its commands."""
    for entry in ROOT.iterdir():
        if not entry.name.startswith((".", "build")):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / "build").symlink_to(BUILD)
    monkeypatch.chdir(tmp_path)
    tools = [str(BUILD / "bin"), str(BUILD / "bin" / "examples"), str(pathlib.Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*tools, os.environ["PATH"]])}


def missing_frameworks(page):
    """Modules that Python blocks of the page import and that are not installed."""
    import importlib.util

    text = "".join(block.text for block in blocks_of(page) if block.language == "python")
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.M)) | set(re.findall(r"winnow\.(torch|jax)", text))
    return sorted(name for name in imported & FRAMEWORKS if importlib.util.find_spec(name) is None)


def test_blocks_are_marked():
    for page in TESTED:
        for block in blocks_of(page):
            if block.language in EXCERPTS and block.kind:
                assert (ROOT / block.kind).is_file(), f"{block.name}: expected a file of the tree, got '{block.kind}'"
            elif block.language == "mlir":
                assert not block.kind or re.fullmatch(r"[\w-]+\.mlir", block.kind), block.name
            else:
                assert block.kind in KINDS.get(block.language, ()), f"{block.name}: unknown marks, see doc_blocks.py"


def test_no_block_escapes():
    """What Markdown takes for code is what doc_blocks finds: nothing stands indented, no fence is missed."""
    markdown = pytest.importorskip("markdown_it", reason="needs markdown-it-py, which scripts/setup installs")
    for page in TESTED:
        tokens = markdown.MarkdownIt().parse(page.read_text(encoding="utf-8"))
        indented = [token.map[0] + 1 for token in tokens if token.type == "code_block"]
        assert not indented, f"{name_of(page)}: code without fence and language at lines {indented}"
        fences = [token.content for token in tokens if token.type == "fence"]
        assert fences == [block.text for block in blocks_of(page)], name_of(page)


def test_blocks_that_are_not_run_are_counted():
    found = {}
    for block in blocks("bash", "norun"):
        found[block.page] = found.get(block.page, 0) + 1
    assert found == NOT_RUN


def is_run(block):
    return block.language == "python" or (block.language, block.kind) == ("bash", "")


@pytest.mark.parametrize("page", [page for page in TESTED if any(map(is_run, blocks_of(page)))], ids=name_of)
def test_page_runs(page, workplace, capsys):
    """Programs are written, Python and commands are run, in the order of the page."""
    if nvrtc_missing():
        pytest.skip(nvrtc_missing())
    if missing_frameworks(page):
        pytest.skip("needs " + ", ".join(missing_frameworks(page)))
    namespace = {"__name__": "__page__"}
    for block in blocks_of(page):
        if block.language == "mlir" and block.kind:
            pathlib.Path(block.kind).write_text(block.text)
        elif block.language == "bash" and block.kind == "":
            run_block(block, pathlib.Path.cwd(), workplace)
        elif block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            if block.kind == "":
                exec(code, namespace)


@pytest.mark.gpu
@pytest.mark.parametrize("page", [p for p in TESTED if any(b.kind == "gpu" for b in blocks_of(p))], ids=name_of)
def test_gpu_blocks_run(page, workplace):
    if missing_frameworks(page):
        pytest.skip("needs " + ", ".join(missing_frameworks(page)))
    has_commands = any((block.language, block.kind) == ("bash", "gpu") for block in blocks_of(page))
    if has_commands and not (BUILD / "bin" / "winnow").exists():
        pytest.skip(f"needs {BUILD}/bin/winnow")
    namespace = {"__name__": "__page__"}
    for block in blocks_of(page):
        if block.language == "mlir" and block.kind:
            pathlib.Path(block.kind).write_text(block.text)
        elif block.language == "bash" and block.kind == "gpu":
            run_block(block, pathlib.Path.cwd(), workplace)
        elif block.language == "python" and block.kind == "gpu":
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), namespace)


@pytest.mark.parametrize("block", blocks("mlir"), ids=lambda block: block.name)
def test_program_is_accepted(block):
    result = subprocess.run([BUILD / "bin" / "winnow-opt"], input=block.text, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("block", [*blocks("c", ""), *blocks("cpp", "")], ids=lambda block: block.name)
def test_whole_source_compiles(block):
    compiler = shutil.which("clang-22") or "clang"
    language = ["-x", "c", "-std=c99"] if block.language == "c" else ["-x", "c++", "-std=c++17"]
    options = ["-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", "-fsyntax-only"]
    result = subprocess.run([compiler, *language, *options, "-"], input=block.text, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("block", [b for language in sorted(EXCERPTS) for b in blocks(language) if b.kind],
                         ids=lambda block: block.name)
def test_excerpt_is_in_the_file(block):
    """Each part between the lines "// …" stands in the file, in order."""
    text, place = (ROOT / block.kind).read_text(encoding="utf-8"), 0
    for part in re.split(r"^ *(?://|#) …\n", block.text, flags=re.M):
        found = text.find(part.rstrip("\n"), place)
        assert found >= 0, f"{block.kind} does not hold, behind what the excerpt showed before:\n{part}"
        place = found + len(part.rstrip("\n"))


@cache
def help_of(*command):
    """What a tool prints for --help, up to its examples."""
    tool = BUILD / "bin" / command[0]
    text = subprocess.run([tool, *command[1:], "--help"], capture_output=True, text=True).stdout
    return text.partition("\nExamples:\n")[0]


def check_command(words, where):
    """The tool or script exists, and so do the verb and every option of ours."""
    tool = pathlib.PurePath(words[0])
    if tool.parts[0] in ("scripts", "examples"):
        assert os.access(ROOT / tool, os.X_OK), f"{where}: no script {tool}"
        return
    if tool.name not in ("winnow", "winnow-fuzz", "winnow-opt", "winnow-translate"):
        assert len(tool.parts) == 1 or tool.is_absolute() or tool.parts[0] == "build", f"{where}: what is {tool}?"
        return
    verbs = [word for word in words[1:2] if tool.name == "winnow" and word.islower() and word[0] != "-"]
    text = help_of(tool.name, *verbs)
    for option in (word.partition("=")[0] for word in words[1:] if word.startswith("-") and word != "-"):
        # LLVM's tools take one dash or two for the same option.
        known = re.escape(option) if tool.name == "winnow" else "-{1,2}" + re.escape(option.lstrip("-"))
        assert re.search(rf"(?<![\w-]){known}(?![\w-])", text), f"{where}: {' '.join(words)}: no option {option}"


def commands_in_blocks():
    for kind in ("", "gpu", "norun"):
        for block in blocks("bash", kind):
            for line in block.text.replace("\\\n", " ").splitlines():
                for command in line.partition("  #")[0].split(" | "):
                    if words := command.split():
                        yield words, block.name


def commands_in_text():
    """Commands within paragraphs and tables: what stands in backquotes and begins with a tool's name."""
    for page in TESTED:
        for text in re.findall(r"`(winnow(?:-\w+)? [^`\n]+)`", page.read_text(encoding="utf-8")):
            yield text.replace("\\|", "|").split(), name_of(page)


def test_commands_exist():
    checked = [check_command(words, where) for words, where in (*commands_in_blocks(), *commands_in_text())]
    assert len(checked) >= 30


def test_checks_notice_mistakes(tmp_path):
    """The checks above can fail."""
    for words in ("winnow run x.mlir --chek", "winnow-opt --no-such-pass", "scripts/gone", "winnow explain --emit=ptx"):
        with pytest.raises(AssertionError):
            check_command(words.split(), "here")
    block = next(block for block in blocks("cpp") if block.kind)
    with pytest.raises(AssertionError):
        test_excerpt_is_in_the_file(type(block)(block.page, 1, "cpp", block.kind, "int nowhere();\n"))
    with pytest.raises(AssertionError):
        run_block(type(block)("page", 1, "bash", "", "false\ntrue\n"), tmp_path, dict(os.environ))
