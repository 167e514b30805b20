"""Highlights MLIR text."""

from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text, Whitespace


class MlirLexer(RegexLexer):
    """Enough of MLIR's grammar to tell its words apart. Takes any text, fragments with "…" included."""

    name = "MLIR"
    aliases = ["mlir"]
    filenames = ["*.mlir"]
    tokens = {
        "root": [
            (r"\s+", Whitespace),
            (r"//.*$", Comment.Single),
            (r'"(\\.|[^"\\\n])*"', String),
            (r"%[\w$.#-]+", Name.Variable),
            (r"\^\w+", Name.Label),
            (r"@[\w$.-]+", Name.Function),
            (r"[#!][A-Za-z_][\w.]*", Keyword.Type),
            (r"(tensor|memref|vector|index|none|b?f(?:8E\w+|\d+)|[su]?i\d+)\b", Keyword.Type),
            (r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", Keyword),
            (r"(module|return|attributes|true|false|unit|dense)\b", Keyword),
            (r"-?\d+(\.\d+)?([eE][-+]?\d+)?", Number),
            (r"->|=|\?", Operator),
            (r"[A-Za-z_]\w*", Name),
            (r"[()\[\]{}<>,:]", Punctuation),
            (r".", Text),
        ]
    }
