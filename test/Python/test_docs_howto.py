"""The patches of the how-to pages apply to this tree, compile, and do what the pages say."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from doc_blocks import PAGES, ROOT, blocks_of
from patched_tree import PatchedTree, check

BUILD = (ROOT / os.environ.get("WINNOW_BUILD", "build")).resolve()
HOWTO = ROOT / "docs" / "howto"

if shutil.which("ninja") is None or not (BUILD / "compile_commands.json").is_file():
    pytest.skip("needs a build tree and ninja", allow_module_level=True)


def patched(page, tmp_path):
    patches = [block.text for block in blocks_of(page) if block.language == "diff"]
    return PatchedTree(page, patches, BUILD, tmp_path / "tree")


def file_check(text, expected):
    check(["FileCheck-22" if shutil.which("FileCheck-22") else "/usr/lib/llvm-22/bin/FileCheck", expected], input=text)


def test_pages_with_patches_are_tested():
    assert {page.name for page in PAGES if any(block.language == "diff" for block in blocks_of(page))} == {
        "add-an-activation.md",
        "add-a-target.md",
    }


def test_add_an_activation(tmp_path):
    tree = patched(HOWTO / "add-an-activation.md", tmp_path)
    tree.generate("include/winnow/Dialect/FFN/IR/FFNOps.td", **{"h": "op-decls", "cpp": "op-defs"})
    sources = [f"lib/Dialect/FFN/IR/{name}.cpp" for name in ("Activations", "FFNOps", "FFNDialect")]
    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(tree.compile, [*sources, "tools/winnow-fuzz/Generator.cpp"]))
    opt, translate = tree.link("bin/winnow-opt", objects[:3]), tree.link("bin/winnow-translate", objects[:3])
    fuzz = tree.link("bin/winnow-fuzz", objects)

    # The tests of the page, as lit would run them.
    round_trip = tree.folder / "test/Dialect/FFN/ops.mlir"
    file_check(check([opt, "-"], input=check([opt, round_trip])), round_trip)
    values = tree.folder / "test/Interpreter/activations.mlir"
    file_check(check([translate, "--interpret", values]), values)

    # It is fused and printed; random programs that hold it keep their meaning.
    kern = check([opt, "-", "--ffn-to-kernels", "--kernels-to-kern"], input="""
        func.func @forward(%x: tensor<?x64xbf16>, %w: tensor<128x64xbf16> {ffn.weight}) -> tensor<?x128xbf16> {
          %y = ffn.matmul %x, %w {transpose_rhs} : (tensor<?x64xbf16>, tensor<128x64xbf16>) -> tensor<?x128xbf16>
          %z = ffn.shifted_relu %y : tensor<?x128xbf16> -> tensor<?x128xbf16>
          return %z : tensor<?x128xbf16>
        }""")
    assert kern.count("kern.gemm") == 1 and "kern.map" not in kern and "arith.subf" in kern
    assert "__fsub_rn(" in check([translate, "-", "--kern-to-cuda", "--generated-only"], input=kern)
    programs = "".join(check([fuzz, "--seed", seed, "--print"]) for seed in range(1, 9))
    assert "ffn.shifted_relu" in programs
    assert " 0 failures" in check([fuzz, "--count", 100, "--seed", 1, "--output", tmp_path])


def test_add_a_target(tmp_path):
    tree = patched(HOWTO / "add-a-target.md", tmp_path)
    objects = [tree.compile(name) for name in ("lib/Target/ChipTable.cpp", "test/Unit/Target/ChipTableTest.cpp")]
    assert "FAILED" not in check([tree.link("test/Unit/Target/TargetTests", objects)])
    opt = tree.link("bin/winnow-opt", objects[:1])
    spec = "func.func @f(%x: tensor<?x64xbf16>) -> tensor<?x64xbf16> {\n  return %x : tensor<?x64xbf16>\n}"
    for target, message in (("sm_100a", "known but cannot be compiled for yet"), ("sm_7", "sm_90a, sm_100a, sm_120a")):
        command = [opt, "-", f"--ffn-to-kernels=target={target}"]
        result = subprocess.run(command, input=spec, capture_output=True, text=True)
        assert result.returncode == 1 and message in result.stderr


def test_lists_of_targets_are_patched():
    """Files that list the known targets are those that the page changes."""
    listed = {path.relative_to(ROOT).as_posix() for path in (ROOT / "test").rglob("*")
              if path.suffix in (".cpp", ".mlir", ".test") and "sm_90a, sm_120a, cpu" in path.read_text("utf-8")}
    text = (HOWTO / "add-a-target.md").read_text(encoding="utf-8")
    assert listed and {name for name in listed if f"+++ b/{name}" not in text} == set()


def test_a_stale_patch_is_noticed(tmp_path):
    page = HOWTO / "add-a-target.md"
    patch = next(block.text for block in blocks_of(page) if block.language == "diff")
    with pytest.raises(AssertionError, match="does not apply, follow the tree"):
        PatchedTree(page, [patch.replace("RTX 5090", "RTX 2090")], BUILD, tmp_path / "tree")
