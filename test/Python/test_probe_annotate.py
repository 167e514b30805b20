"""Putting measured annotations into MLIR text."""

import pathlib

import numpy as np
import pytest
import winnow
from winnow.probe import LayerReport, Report

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
NEW = "ffn.sparsity = #ffn.sparsity<density = 0.5, max_drop = 0.0>"


def report(features):
    counts = np.full(features, 5)
    return Report({"mlp": LayerReport("relu2", 10, 1, counts, 0, 1.0, (3 * features, 0), (0.5, 0.5))})


def annotated(text, features=4):
    return report(features).annotate(text, "mlp", profile=False)


def relu(attributes="", op="relu2", types=": tensor<?x4xf32> -> tensor<?x4xf32>"):
    return f"""// ffn.relu2 %x : a comment
func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {{
  %y = ffn.{op} %x{attributes} {types}
  return %y : tensor<?x4xf32>
}}
"""


@pytest.mark.parametrize("op", ["relu2", "relu", "gelu", "silu"])
@pytest.mark.parametrize(
    "before, after",
    [
        ("", f" {{{NEW}}}"),
        (" {}", f" {{{NEW}}}"),
        (" {a = 1 : i32}", f" {{{NEW}, a = 1 : i32}}"),
        (" {ffn.sparsity = #ffn.sparsity<density = 0.1>}", f" {{{NEW}}}"),
        (
            ' {a = "{ffn.sparsity = <", ffn.sparsity = #ffn.sparsity<density = 0.1, profile = [0.1, 0.1, 0.1, 0.1]>,'
            " b = {c = [1]}}",
            f' {{a = "{{ffn.sparsity = <", {NEW}, b = {{c = [1]}}}}',
        ),
        (" // { nothing }\n  {a}", f" // {{ nothing }}\n  {{{NEW}, a}}"),
        (" {\n  // nothing\n}", f" {{{NEW}\n  // nothing\n}}"),
        (" {f = () -> f32}", f" {{{NEW}, f = () -> f32}}"),
    ],
)
def test_attributes(before, after, op):
    result = annotated(relu(before, op))
    assert result == relu(after, op)
    assert NEW.replace("0.5", "5.000000e-01").removesuffix(", max_drop = 0.0>") in winnow.lower(result, "cpu").ir(
        "spec"
    )


def test_aliases_and_lines():
    text = "#s = #ffn.sparsity<density = 0.1>\n" + relu(
        "\n    {ffn.sparsity = #s, a}", types="\n    :\n tensor<?x4xf32>\n->\n tensor<?x4xf32>"
    )
    result = annotated(text)
    assert result == text.replace("ffn.sparsity = #s", NEW)


@pytest.mark.parametrize("example", ["minitron-8b.mlir", "nemotron-4-340b.mlir"])
def test_examples(example):
    """Every activation over so many features, whatever stood there; names and comments stay."""
    text = (EXAMPLES / example).read_text()
    features = winnow.lower(EXAMPLES / example, target="cpu").inputs[1].shape[0]
    measured = report(features)
    result = measured.annotate(text, "mlp")
    assert result.count("density = 0.5,") == text.count("#ffn.sparsity<") > 1
    assert result.count("profile = dense<5.0") == 0 and result.count("profile = dense<0.5>") == text.count("#ffn.spars")
    arguments = [argument.name for argument in winnow.lower(result, target="cpu").inputs]
    assert arguments == [argument.name for argument in winnow.lower(text, target="cpu").inputs]
    assert [line for line in result.splitlines() if line.startswith("//")] == [
        line for line in text.splitlines() if line.startswith("//")
    ]


def test_refusals():
    with pytest.raises(ValueError, match="expected an activation over 8 features, .*, got activations over 4"):
        annotated(relu(), features=8)
    with pytest.raises(ValueError, match="expected an activation over 4 features, .*, got none"):
        annotated("func.func @forward(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {\n  return %x : tensor<?x4xf32>\n}\n")
    with pytest.raises(winnow.Error, match="<text>:1:1: error"):
        annotated("nonsense")
    with pytest.raises(KeyError, match="no layer 'other'"):
        report(4).annotate(relu(), "other")
