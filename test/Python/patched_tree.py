"""A copy of the part of the tree that patches touch, compiled and linked with everything else of the build."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

from doc_blocks import ROOT


class PatchedTree:
    """Patches of `page`, applied to copies in `folder`; `build` is a finished build tree."""

    def __init__(self, page: pathlib.Path, patches: list[str], build: pathlib.Path, folder: pathlib.Path) -> None:
        self.build, self.folder = build, folder
        self.files = [name for patch in patches for name in re.findall(r"^\+\+\+ b/(\S+)", patch, re.M)]
        assert self.files, f"{page}: no patches"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "include", folder / "include")
        for name in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for patch in patches:
            # A repository above the folder would make git leave out what lies outside of it.
            environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
            result = subprocess.run(["git", "apply", "-"], cwd=folder, env=environment, input=patch, text=True,
                                    capture_output=True)
            hint = f"{page}: this patch does not apply, follow the tree"
            assert result.returncode == 0, f"{hint}:\n{result.stderr}{patch}"
        for name in self.files:
            assert (folder / name).read_bytes() != (ROOT / name).read_bytes(), f"{name}: the patch changed nothing"

    def generate(self, definitions: str, **generators: str) -> None:
        """Has mlir-tblgen write headers of a .td file: generate("include/…/FFNOps.td", h="op-decls")."""
        source = self.folder / definitions
        output = self.folder / "generated" / pathlib.Path(definitions).relative_to("include")
        output.parent.mkdir(parents=True, exist_ok=True)
        for suffix, generator in generators.items():
            folders = [f"-I{self.folder}/include", "-I/usr/lib/llvm-22/include"]
            check(["mlir-tblgen-22", f"-gen-{generator}", source, *folders, "-o", output.with_suffix(f".{suffix}.inc")])

    def compile(self, name: str) -> tuple[str, pathlib.Path]:
        """Compiles a source as the build does. Returns the object's name in the build, and the new object."""
        entries = json.loads((self.build / "compile_commands.json").read_text())
        entry = next(entry for entry in entries if entry["file"] == str(ROOT / name))
        words = shlex.split(entry["command"])
        original = words[words.index("-o") + 1]
        output = self.folder / "objects" / pathlib.Path(original).name
        output.parent.mkdir(exist_ok=True)
        patched = self.folder / name
        words[words.index("-o") + 1] = str(output)
        words[-1] = str(patched if patched.exists() else ROOT / name)
        first = [f"-I{self.folder}/generated", f"-I{self.folder}/include", "-iquote", str((ROOT / name).parent)]
        check([words[0], *first, *words[1:]], cwd=entry["directory"])
        return original, output

    def link(self, target: str, objects: list[tuple[str, pathlib.Path]]) -> pathlib.Path:
        """Links a target of the build with the new objects in place of its own, or in front of its libraries."""
        listed = check(["ninja", "-C", self.build, "-t", "commands", target]).strip().splitlines()[-1]
        words = shlex.split(listed.removeprefix(": && ").removesuffix(" && :"))
        output = self.folder / "bin" / pathlib.Path(target).name
        output.parent.mkdir(exist_ok=True)
        place = words.index("-o")
        words[place + 1] = str(output)
        for original, compiled in objects:
            if original in words:
                words[words.index(original)] = str(compiled)
            else:
                words.insert(place, str(compiled))
        check(words, cwd=self.build)
        return output


def check(command: list[object], **options: object) -> str:
    """The standard output of a command that must succeed."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert result.returncode == 0, f"{shlex.join(map(str, command))}\n{result.stdout}{result.stderr}"
    return result.stdout
