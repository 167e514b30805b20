"""Puts sparsity annotations into MLIR text, without changing anything else of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .._sparsity import sparsity_attribute
from .._winnow import Module

_ACTIVATION = re.compile(r"\bffn\.(?:relu2|relu|gelu|silu)\s+%[\w$.#-]+")
_KEY = re.compile(r"\bffn\.sparsity\s*=\s*(?:#ffn\.sparsity\s*<|#[\w$.-]+)")
_BRACE = re.compile(r"\s*\{")
_TYPES = re.compile(r"\s*:\s*tensor<[^>]*>\s*->\s*tensor<[^>]*?x(\d+)x\w+>")
# Comments and strings, in which nothing is an operation.
_OPAQUE = re.compile(r'//[^\n]*|"(?:[^"\\]|\\.)*"')
_OPENING = {"{": "}", "<": ">", "[": "]", "(": ")"}


def annotate(text: str, annotation: Mapping[str, Any], features: int) -> str:
    """`text` with the annotation on every activation over so many features.

    Raises winnow.Error where the text is no valid MLIR, ValueError where it has no such activation.
    """
    Module(text.encode(), "<text>")
    attribute = "ffn.sparsity = " + sparsity_attribute(**annotation)
    plain = _OPAQUE.sub(lambda match: " " * len(match.group()), text)
    pieces, done, others = [], 0, []
    for start, end, found in _activations(plain):
        if found != features:
            others.append(str(found))
            continue
        pieces += [text[done:start], _merged(text[start:end], plain[start:end], attribute)]
        done = end
    if not pieces:
        raise ValueError(
            f"expected an activation over {features} features, written as ffn.relu2 %…, in the text, "
            + (f"got activations over {', '.join(others)}" if others else "got none")
        )
    result = "".join([*pieces, text[done:]])
    Module(result.encode(), "<annotated>")
    return result


def _activations(plain: str) -> Iterator[tuple[int, int, int]]:
    """Where the attributes of each activation stand or would stand, and the columns of its result."""
    for match in _ACTIVATION.finditer(plain):
        start = end = match.end()
        if (brace := _BRACE.match(plain, end)) is not None:
            end = _closing(plain, brace.end() - 1) + 1
        if (types := _TYPES.match(plain, end)) is not None:
            yield start, end, int(types.group(1))


def _closing(plain: str, opening: int) -> int:
    """Where the bracket at `opening` is closed. The text was parsed before, so it is."""
    stack = []
    for i in range(opening, len(plain)):
        if plain[i] in _OPENING:
            stack.append(_OPENING[plain[i]])
        elif stack and plain[i] == stack[-1] and plain[i - 1 : i + 1] != "->":
            stack.pop()
            if not stack:
                return i
    return len(plain) - 1


def _merged(attributes: str, plain: str, attribute: str) -> str:
    """`attributes`, empty or " {…}", with `attribute` in it, in the place of the former one if there is one."""
    if not attributes.strip():
        return f" {{{attribute}}}"
    if (key := _KEY.search(plain)) is not None:
        end = _closing(plain, key.end() - 1) + 1 if key.group().endswith("<") else key.end()
        return attributes[: key.start()] + attribute + attributes[end:]
    brace = plain.index("{") + 1
    empty = plain[brace:].strip() == "}"
    return attributes[:brace] + attribute + ("" if empty else ", ") + attributes[brace:]
