"""The reference of the Python package: names, signatures and docstrings as griffe reads them in the sources.

Nothing is imported, so neither torch nor jax nor a GPU is needed. Of the extension module it reads the stub. Public is
what a module lists in `__all__`, in every module of the package whose name has no underscore in front.
"""

from __future__ import annotations

import pathlib
import re
import textwrap
from collections.abc import Iterable, Iterator

import griffe

_STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
_FIELD = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*): (.*)")


def pages(packages: pathlib.Path) -> dict[str, str]:
    """Text (reStructuredText) by file name, one page for each public module. `packages` holds the folder winnow."""
    stub = packages / "winnow" / "_winnow.pyi"
    if not stub.is_file():
        raise RuntimeError(f"expected {stub}; building the target winnow-python-stub writes it")
    package = griffe.load("winnow", search_paths=[packages], allow_inspection=False, resolve_aliases=True,
                          resolve_external=False)
    return {f"{module.path}.rst": _module(module) for module in _public_modules(package)}


def _public_modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for name, member in sorted(module.modules.items()):
        if not name.startswith("_") and not member.is_alias and (member.exports or "__main__" in member.modules):
            yield from _public_modules(member)


def _module(module: griffe.Module) -> str:
    members = [module.members[name] for name in sorted(map(str, module.exports or ()))]
    parts = [_heading(module.path, "="), f".. py:module:: {module.path}", _docstring(module)]
    for title, wanted in (("Functions", lambda m: m.is_function), ("Classes", lambda m: m.is_class),
                          ("Data", lambda m: m.is_attribute)):
        chosen = [member for member in members if wanted(member)]
        if chosen:
            parts.append(_heading(title, "-"))
            parts += [text for member in chosen for text in _blocks(member)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(text: str, underline: str) -> str:
    return f"{text}\n{underline * len(text)}"


def _blocks(member: griffe.Object | griffe.Alias) -> Iterator[str]:
    """Directives of a member, within its module's."""
    if member.is_function:
        for overload in member.overloads or [member]:
            yield _directive("function", member.name + _signature(overload), _docstring(member))
    elif member.is_class:
        yield _class(member)
    elif member.is_attribute:
        yield _attribute(member, member.name)


def _class(found: griffe.Class | griffe.Alias) -> str:
    text = [_docstring(found)]
    constructor = found.all_members.get("__init__")
    signature = ""
    # What takes objects of the extension module is made by functions of the package, not by its users.
    if constructor is not None and constructor.is_function and not any(
        "_winnow" in str(parameter.annotation) for parameter in constructor.parameters
    ):
        signature = _signature(constructor).removesuffix(" -> None")
        text.append(_docstring(constructor))
    bases = [str(base) for base in found.bases if str(base) not in ("NamedTuple",) and not str(base).startswith("_")]
    exception = any(base.endswith(("Error", "Exception")) for base in bases)
    for name, member in found.all_members.items():
        if name == "__call__" or not name.startswith("_"):
            text.append(_member(name, member, found))
    return _directive("exception" if exception else "class", found.name + signature, *text)


def _member(name: str, member: griffe.Object | griffe.Alias, owner: griffe.Class | griffe.Alias) -> str:
    if member.is_attribute:
        return _attribute(member, name)
    if not member.is_function or any("_winnow" in str(p.annotation) for p in member.parameters):
        return ""
    options = [f":{label}:" for label in ("classmethod", "staticmethod") if label in member.labels]
    texts = [_docstring(member)] + [_docstring(base.members[name]) for base in owner.mro() if name in base.members]
    return _directive("method", name + _signature(member), next(filter(None, texts), ""), options=options)


def _attribute(member: griffe.Object | griffe.Alias, name: str) -> str:
    kind = "property" if "property" in member.labels else "attribute"
    options = [f":type: {_type(member.annotation)}"] if member.annotation is not None else []
    if member.parent is not None and member.parent.is_module and member.value is not None:
        options.append(f":value: {member.value}")
    return _directive(kind, name, _docstring(member), options=options)


def _directive(kind: str, head: str, *texts: str, options: Iterable[str] = ()) -> str:
    lines = [f".. py:{kind}:: {head}", *("   " + option for option in options)]
    return "\n".join(lines) + "".join("\n\n" + textwrap.indent(text, "   ") for text in texts if text)


def _signature(function: griffe.Function | griffe.Alias) -> str:
    """As Python writes it, without self or cls."""
    parts, previous = [], None
    for parameter in function.parameters:
        if parameter.name in ("self", "cls") and not parts:
            continue
        positional_only = parameter.kind is griffe.ParameterKind.positional_only
        if previous is griffe.ParameterKind.positional_only and not positional_only and parts:
            parts.append("/")
        if parameter.kind is griffe.ParameterKind.keyword_only and previous not in (
            griffe.ParameterKind.keyword_only, griffe.ParameterKind.var_positional
        ):
            parts.append("*")
        stars = _STARS.get(parameter.kind, "")
        text = stars + parameter.name
        if parameter.annotation is not None:
            text += f": {_type(parameter.annotation)}"
        if parameter.default is not None and not stars:
            text += f" = {parameter.default}"
        parts.append(text)
        previous = parameter.kind
    returns = f" -> {_type(function.returns)}" if function.returns is not None else ""
    return f"({', '.join(parts)}){returns}"


def _type(annotation: object) -> str:
    """Under the name that the package gives it."""
    return str(annotation).replace("winnow._winnow.", "").replace("_winnow.", "")


def _docstring(member: griffe.Object | griffe.Alias) -> str:
    if member.docstring is None:
        return ""
    names = {"Raises"}
    if member.is_function:
        names = {parameter.name.lstrip("*") for parameter in member.parameters}
    elif member.is_class:
        names = set(member.all_members)
        if "__init__" in names:
            names |= {parameter.name for parameter in member.all_members["__init__"].parameters}
    return "\n\n".join(_paragraphs(member.docstring.value, names))


def _paragraphs(text: str, names: set[str]) -> Iterator[str]:
    """Paragraphs as reStructuredText: lists of "name: text" become fields, what stands indented is code."""
    literal = False  # announced by "::"
    for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n")):
        if paragraph.startswith("    "):
            yield paragraph if literal else ".. code-block:: python\n\n" + paragraph
            continue
        literal = paragraph.endswith("::")
        yield "\n".join(_fields(paragraph, names)) if _field(paragraph, names) else paragraph


def _field(text: str, names: set[str]) -> tuple[list[str], str] | None:
    """The parameters and the text of "name: text" or "name, name: text", or None where it is neither."""
    match = _FIELD.match(text)
    found = [name.strip() for name in match[1].split(",")] if match else []
    return (found, match[2]) if found and all(name.lstrip("*") in names for name in found) else None


def _fields(paragraph: str, names: set[str]) -> Iterator[str]:
    """A field for each parameter; those that are described together are given the same text."""
    described: list[tuple[list[str], list[str]]] = []
    for line in paragraph.splitlines():
        field = _field(line, names)
        if field:
            described.append((field[0], [field[1]]))
        else:
            described[-1][1].append("    " + line.strip())
    for found, lines in described:
        for name in found:
            yield f":param {name}: ".replace("*", "\\*") + "\n".join(lines)
