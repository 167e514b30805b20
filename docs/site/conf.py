"""Configuration of Sphinx for the sources that build.py stages; build.py sets the two variables of the environment."""

import os
import sys

sys.path.insert(0, os.environ["WINNOW_DOCS_CODE"])

from mlir_lexer import MlirLexer  # noqa: E402

project = "Winnow"
version = release = os.environ["WINNOW_DOCS_VERSION"]
extensions = ["myst_parser"]
root_doc = "index"

html_theme = "furo"
html_title = f"Winnow {version}"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # down to the operations of a dialect
smartquotes_action = "D"  # dashes only; quotation marks are part of values here
default_role = "code"
highlight_language = "text"

# Every reference must resolve, except to what belongs to Python, other packages and C itself.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!winnow\.).*"),
    (r"py:class", r"winnow\._.*"),
    (r"c:identifier", r"size_t|u?int\d+_t"),
]


def setup(app):
    app.add_lexer("mlir", MlirLexer)
