"""The reference of the C interface, from the headers in include/winnow-c.

clang parses each header and prints its declarations with their places as JSON. Texts are cut out of the header as they
stand: the comment in front of a declaration, or behind it for members.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
from typing import Any

HEADERS = ("Compiler.h", "Reference.h", "Runtime.h")
CLANG = ("clang-22", "clang")

_INTRODUCTION = re.compile(r"/\*===- (\S+) - (.*?) -+===\*\\\n(.*?)\n\\\*===", re.S)
_SECTION = re.compile(r"^/\*===--- (.*?) -+===\*/$", re.M)
_MACRO = re.compile(r"^/\*\* ((?:(?!\*/).)*) \*/\n#define (\w+) \S+$", re.M | re.S)
_COMMENT_BEFORE = re.compile(r"/\*\* ((?:(?!\*/).)*) \*/\s*(?:WINNOW_C_API\s+)?\Z", re.S)
_COMMENT_BEHIND = re.compile(r"[^\n/]*/\*\*< ((?:(?!\*/).)*) \*/", re.S)
_DIRECTIVES = {"FunctionDecl": "c:function", "RecordDecl": "c:struct", "EnumDecl": "c:enum", "TypedefDecl": "c:type",
               "FieldDecl": "c:member", "EnumConstantDecl": "c:enumerator"}
_ROLES = {"c:function": "c:func", "c:struct": "c:struct", "c:enum": "c:enum", "c:enumerator": "c:enumerator",
          "c:type": "c:type", "c:macro": "c:macro"}


@dataclasses.dataclass
class Entry:
    """A declaration of a header."""

    offset: int  # of its first character
    directive: str  # of Sphinx's C domain
    name: str
    signature: str
    text: str  # of its comment; may be empty
    members: list[Entry] = dataclasses.field(default_factory=list)


def pages(root: pathlib.Path) -> dict[str, str]:
    """Text by file name: a page for each header. `root` is the checkout."""
    entries = {name: read_header(root, name) for name in HEADERS}
    # Members are found in their struct; everything else is linked to from texts.
    roles = {e.name: _ROLES[e.directive] for found in entries.values() for top in found
             for e in (top, *top.members) if e.directive in _ROLES}
    return {f"{pathlib.Path(name).stem.lower()}.md": _page(root, name, entries[name], roles) for name in HEADERS}


def read_header(root: pathlib.Path, name: str) -> list[Entry]:
    """The declarations of a header of include/winnow-c, in order. Raises RuntimeError where clang rejects it."""
    header = root / "include" / "winnow-c" / name
    source = _read(header)
    entries = [Entry(m.start(), "c:macro", m[2], m[2], _unwrap(m[1])) for m in _MACRO.finditer(source)]
    for declaration in _declarations(root, header):
        entry = _entry(source, declaration)
        same = next((e for e in entries if e.name == entry.name), None)
        if same is None:
            entries.append(entry)
        elif not same.text:  # "typedef struct x x;" declares x twice
            same.text = entry.text
    return sorted(entries, key=lambda entry: entry.offset)


def _read(header: pathlib.Path) -> str:
    """Its bytes as characters, because clang counts bytes; _page makes UTF-8 of them again."""
    return header.read_text(encoding="latin-1")


def _declarations(root: pathlib.Path, header: pathlib.Path) -> list[dict[str, Any]]:
    clang = next((found for found in map(shutil.which, CLANG) if found), None)
    if clang is None:
        raise RuntimeError(f"expected {' or '.join(CLANG)} in the search path; scripts/setup installs it")
    command = [clang, "-x", "c", "-std=c99", f"-I{root}/include", "-fsyntax-only", "-Xclang", "-ast-dump=json", header]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{header}: clang rejects it:\n{result.stderr}")
    return [d for d in json.loads(result.stdout)["inner"] if d["kind"] in _DIRECTIVES and _is_own(d)]


def _is_own(declaration: dict[str, Any]) -> bool:
    """True if it stands in the header itself. (Built-in types stand nowhere.)"""
    place = declaration["loc"].get("expansionLoc", declaration["loc"])
    return "offset" in place and "includedFrom" not in place


def _offset(declaration: dict[str, Any], end: str) -> int:
    place = declaration["range"][end]
    place = place.get("expansionLoc", place)
    return place["offset"] + (place["tokLen"] if end == "end" else 0)


def _entry(source: str, declaration: dict[str, Any]) -> Entry:
    start, end = _offset(declaration, "begin"), _offset(declaration, "end")
    directive = _DIRECTIVES[declaration["kind"]]
    name = declaration["name"]
    written = " ".join(source[start:end].split()).replace("WINNOW_C_API ", "")
    if directive in ("c:struct", "c:enum"):
        signature = name
    elif directive == "c:type":
        function = "(*" in written
        signature = written.removeprefix("typedef ") if function else name
    else:
        signature = written
    before = _COMMENT_BEFORE.search(source[:start].removesuffix("typedef "))
    behind = _COMMENT_BEHIND.match(source, end)
    comment = before or (behind if directive in ("c:member", "c:enumerator") else None)
    inside = [d for d in declaration.get("inner", ()) if d["kind"] in ("FieldDecl", "EnumConstantDecl")]
    members = [_entry(source, each) for each in inside]
    return Entry(start, directive, name, signature, _unwrap(comment[1]) if comment else "", members)


def _unwrap(comment: str) -> str:
    return re.sub(r"\s*\n \*\s*", " ", comment).strip()


def _page(root: pathlib.Path, name: str, entries: list[Entry], roles: dict[str, str]) -> str:
    source = _read(root / "include" / "winnow-c" / name)
    introduction = _INTRODUCTION.search(source)
    if introduction is None:
        raise RuntimeError(f"include/winnow-c/{name}: expected an introduction in a box at the top")
    lines = [line.removeprefix("|*").removesuffix("*|").strip() for line in introduction[3].split("\n")]
    text = re.sub(r"(?<=\.)\n(?=[A-Z]\w+: )", "\n\n", "\n".join(lines).strip())
    parts = [f"# {introduction[1]}: {introduction[2]}", _linked(text, "", roles)]
    headings = [(m.start(), f"## {m[1]}") for m in _SECTION.finditer(source)]
    blocks = [(entry.offset, _block(entry, roles, ":::")) for entry in entries]
    text = "\n\n".join(parts + [text for _, text in sorted(headings + blocks)]) + "\n"
    return text.encode("latin-1").decode("utf-8")


def _block(entry: Entry, roles: dict[str, str], fence: str) -> str:
    body = [_linked(entry.text, entry.name, roles)] if entry.text else []
    body += [_block(member, roles, ":::") for member in entry.members]
    outer = fence + ":" if entry.members else fence
    return "\n\n".join([f"{outer}{{{entry.directive}}} {entry.signature}"] + body) + f"\n{outer}"


def _linked(text: str, own: str, roles: dict[str, str]) -> str:
    """Names that the headers declare become links; other words with underscores become code."""
    def link(match: re.Match[str]) -> str:
        name = match[0]
        return f"{{{roles[name]}}}`{name}`" if name in roles and name != own else f"`{name}`"

    parts = re.split(r"(`[^`]*`|\"[^\"]*\")", text)  # what is quoted stays
    return "".join(p if i % 2 else re.sub(r"\b(?:winnow|WINNOW)_\w+", link, p) for i, p in enumerate(parts))
