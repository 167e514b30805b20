"""Reports: derived numbers, tables, files, plots and annotations. None of it needs torch."""

import builtins
import json
import re
import subprocess
import sys

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import winnow
from winnow._sparsity import sparsity_attribute
from winnow.probe import LayerReport, Report
from winnow.probe._expected import expected_drop
from winnow.probe._plot import shortened


def layer(profile, tokens=1000, dropped=(0, 0), activation="relu2", nonfinite=0, energy=4.0):
    """A layer whose features have these densities."""
    counts = np.round(np.asarray(profile) * tokens).astype(np.int64)
    return LayerReport(activation, tokens, 2, counts, nonfinite, energy, dropped, (1.0, 0.5))


def report(**layers):
    return Report(
        layers or {"layers.0.mlp": layer([0.1, 0.2, 0.0, 0.3]), "layers.1.mlp": layer([0.5] * 8)},
        {"layers.2.mlp": "no token came by"},
        {"model": "Tiny"},
    )


def test_reports_need_no_torch():
    code = "import sys, winnow.probe; winnow.probe.Report({}); print({'torch', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "set()\n", result.stderr


def test_fractions():
    one = layer([0.1, 0.2, 0.0, 0.3], dropped=(30, 6))
    assert (one.features, one.nonzeros, one.density) == (4, 600, 0.15)
    assert one.drop == (0.05, 0.01) and one.energy_drop == (0.25, 0.125)
    np.testing.assert_allclose(one.profile, [0.1, 0.2, 0.0, 0.3])
    nothing = layer([0.0] * 4, energy=0.0)
    assert nothing.drop == nothing.energy_drop == nothing.expected_drop == (0.0, 0.0)


def test_expected_drop_of_equal_features():
    assert expected_drop([0.3] * 8, "features") == pytest.approx(0.3**2 - 0.3**3 / 2)
    assert expected_drop([0.3] * 8, "tokens") == pytest.approx(0.3**2 - 0.3**3 / 2)
    assert expected_drop([1.0, 0.0, 0.0, 0.0], "features") == 0
    assert expected_drop([1.0, 0.0, 0.0, 0.0], "tokens") == 0.5


def test_table():
    lines = str(report()).splitlines()
    assert lines[3].split()[:5] == ["layers.0.mlp", "relu2", "4", "1000", "15.00"]
    assert lines[4].split()[:5] == ["layers.1.mlp", "relu2", "8", "1000", "50.00"]
    assert lines[-1] == "layers.2.mlp: not recorded, no token came by"
    page = report(**{"a<b": layer([0.5] * 4, nonfinite=3)})._repr_html_()
    assert "<td>a&lt;b</td>" in page and "3 of its activations are NaN or infinite" in page


def test_missing_layer():
    with pytest.raises(KeyError, match="no layer 'mlp' in the report; there are layers.0.mlp, layers.1.mlp"):
        report()["mlp"]
    with pytest.raises(KeyError, match="layers.2.mlp' in the report: no token came by"):
        report()["layers.2.mlp"]
    assert "mlp" not in report() and report().get("mlp") is None


def test_file(tmp_path):
    path = tmp_path / "report.json"
    report().save(path)
    read = Report.load(path)
    assert str(read) == str(report()) and read.origin == json.loads(path.read_text())["origin"]
    for name, expected in report().items():
        np.testing.assert_array_equal(read[name].feature_nonzeros, expected.feature_nonzeros)
        assert read[name].feature_nonzeros.dtype == np.int64
        for field in ("activation", "tokens", "calls", "nonfinite", "energy", "dropped_nonzeros", "dropped_energy"):
            assert getattr(read[name], field) == getattr(expected, field)
        assert read[name].annotation() == expected.annotation()
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def damaged(change):
    def text(path):
        report().save(path)
        contents = json.loads(path.read_text())
        change(contents)
        return json.dumps(contents)

    return text


@pytest.mark.parametrize(
    "text, message",
    [
        (lambda path: "{", "expected the JSON of a report: "),
        (lambda path: "[]", "expected a report of winnow.probe, got other JSON"),
        (damaged(lambda c: c.update(schema="x")), "expected a report of winnow.probe, got other JSON"),
        (damaged(lambda c: c.update(version=2)), "expected version 1 of winnow.probe, got 2"),
        (damaged(lambda c: c.pop("skipped")), "the report is damaged: KeyError: 'skipped'"),
        (damaged(lambda c: c["layers"]["layers.0.mlp"].pop("tokens")), "the report is damaged: KeyError: 'tokens'"),
        (
            damaged(lambda c: c["layers"]["layers.0.mlp"].update(feature_nonzeros=[1001])),
            "feature_nonzeros: expected counts from 0 to tokens, 1000",
        ),
        (
            damaged(lambda c: c["layers"]["layers.0.mlp"].update(feature_nonzeros=[0.5])),
            "feature_nonzeros: expected a list of integers",
        ),
    ],
)
def test_damaged_files(tmp_path, text, message):
    path = tmp_path / "report.json"
    path.write_text(text(path))
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        Report.load(path)
    assert str(error.value).startswith(f"{path}: ")


def test_merging():
    a, b = layer([0.1, 0.2], tokens=10, dropped=(1, 2)), layer([0.5, 0.5], tokens=30, dropped=(3, 4))
    both = a.merge(b)
    assert (both.tokens, both.calls, both.dropped_nonzeros, both.energy) == (40, 4, (4, 6), 8.0)
    assert both.feature_nonzeros.tolist() == [16, 17]
    with pytest.raises(ValueError, match="expected 2 features in both reports, got 3 in one"):
        a.merge(layer([0.1] * 3))
    merged = Report({"x": a}, {"y": "no token came by"}).merge(Report({"x": b, "y": b}))
    assert merged["x"].tokens == 40 and merged["y"] is b and not merged.skipped


@pytest.mark.parametrize("format, start", [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plot(tmp_path, format, start):
    pytest.importorskip("matplotlib", reason="needs matplotlib (scripts/setup installs it)")
    path = tmp_path / f"report.{format}"
    report().plot(path)
    contents = path.read_bytes()
    assert contents.startswith(start) and len(contents) > 5000
    if format != "svg":
        return
    many = Report({f"layers.{i}.mlp": layer([0.1 * (i % 7)] * 4) for i in range(100)})
    many.plot(path)
    assert path.read_bytes() != contents


def test_plot_refusals(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"path: expected a name that ends in .png, .svg, .pdf, got 'a.txt'"):
        report().plot("a.txt")
    with pytest.raises(ValueError, match="no layers to draw"):
        Report({}).plot("a.png")
    importing = builtins.__import__

    def without_matplotlib(name, *arguments, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return importing(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    with pytest.raises(ImportError, match="needs matplotlib: pip install matplotlib"):
        report().plot(tmp_path / "a.png")


def test_short_names():
    assert shortened(["model.layers.0.mlp", "model.layers.11.mlp"]) == ["0", "11"]
    assert shortened(["model.layers.0.mlp"]) == ["model.layers.0.mlp"]
    assert shortened(["a.mlp", "b"]) == ["a.mlp", "b"]
    assert shortened([""]) == ["(model)"]


def test_annotation_follows_what_was_measured():
    # Of independent elements 0.25^2 - 0.25^3 / 2 = 5.47 % would be lost.
    profile = [0.25] * 8
    expected = 0.25**2 - 0.25**3 / 2
    fewer, more = layer(profile, dropped=(80, 200)), layer(profile, dropped=(160, 80))
    assert fewer.drop == (0.04, 0.1) and more.drop == (0.08, 0.04)
    assert fewer.annotation() == {"density": 0.25, "max_drop": 0.054688, "profile": profile}
    assert expected <= 0.054688 <= expected + 1e-6
    assert more.annotation()["max_drop"] == 0
    assert more.annotation(tolerance=0.1)["max_drop"] == 0.1
    assert more.annotation(along="tokens")["max_drop"] == 0.054688
    assert fewer.annotation(along="both")["max_drop"] == 0
    assert fewer.annotation(tolerance=0)["max_drop"] == 0
    assert fewer.annotation(profile=False) == {"density": 0.25, "max_drop": 0.054688, "profile": None}
    assert report().annotations(0.01)["layers.1.mlp"] == report()["layers.1.mlp"].annotation(0.01)
    with pytest.raises(ValueError, match="tolerance: expected a fraction from 0 to 1, got 5"):
        fewer.annotation(tolerance=5)
    with pytest.raises(ValueError, match="along: expected features, tokens or both, got 'rows'"):
        fewer.annotation(along="rows")


# What the compiler makes of it.


def decision(text, name):
    lowered = winnow.lower(text, target="sm_90a", tokens=8192)
    return [remark for remark in lowered.remarks if remark.name == name]


def second_product(sparsity, **named):
    """The decision for x · w2ᵀ."""
    text = winnow.ffn(4096, 16384, sparsity=sparsity, **named)
    remarks = [r for name in ("SparseProduct", "DenseProduct") for r in decision(text, name)]
    (remark,) = [remark for remark in remarks if "8192x4096x16384" in remark.facts]
    return remark


@pytest.mark.parametrize("dtype", ["f8e4m3", "bf16"])
def test_a_density_that_flips_the_layout(dtype):
    def independent(density):
        profile = [density] * 16384
        return layer(profile, dropped=(round(layer(profile).nonzeros * expected_drop(profile, "features")), 0))

    sparse = second_product(independent(0.1), dtype=dtype)
    dense = second_product(independent(0.5), dtype=dtype)
    assert (sparse.name, dense.name) == ("SparseProduct", "DenseProduct")
    assert "expected drop 0.95 % of at most 5.00 %" in sparse.message


def test_measured_drops_flip_the_layout():
    """Features that are active together lose more than independent ones would, and the other way round."""
    profile = [0.1] * 16384
    nonzeros = layer(profile).nonzeros
    together = layer(profile, dropped=(nonzeros // 10, 0))
    remark = second_product(together)
    assert remark.name == "DenseProduct" and "max_drop allows none" in remark.message
    profile = [0.25] * 16384
    apart = layer(profile, dropped=(nonzeros // 100, 0))
    assert apart.expected_drop.features > 0.05
    assert second_product(apart).name == "SparseProduct"


def test_profile_flips_the_layout():
    """The same density, in one feature of four or in all."""
    uneven = second_product(layer([1.0, 0.0, 0.0, 0.0] * 4096))
    even = second_product({"density": 0.25, "max_drop": 0.05, "profile": [0.25] * 16384})
    assert (uneven.name, even.name) == ("SparseProduct", "DenseProduct")
    assert "expected drop 0.00 %" in uneven.message


def test_layers_share_kernels():
    """What was measured decides, but is no part of a kernel: the cache serves every layer of a model."""
    sources = set()
    for seed in range(2):
        profile = np.random.default_rng(seed).uniform(0.05, 0.15, 1024)
        sources.add(winnow.lower(winnow.ffn(256, 1024, sparsity=layer(profile)), target="sm_90a", tokens=4096).cuda)
    assert len(sources) == 1


@hypothesis.settings(deadline=None, max_examples=30)
@hypothesis.given(st.lists(st.integers(0, 1000), min_size=8, max_size=40))
def test_the_compiler_expects_the_same_drop(counts):
    """max_drop as annotated is just enough for what the compiler computes."""
    counts = counts[: len(counts) // 8 * 8]
    measured = layer(np.array(counts) / 1000)
    if not 0 < measured.density < 1:
        return
    annotation = measured.annotation(tolerance=1e-9)
    too_little = {**annotation, "max_drop": max(0.0, annotation["max_drop"] - 2e-6)}
    expected = measured.expected_drop.features
    for given, refused in ((annotation, False), (too_little, expected > (too_little["max_drop"] or -1))):
        text = winnow.ffn(64, len(counts), dtype="bf16", sparsity=given)
        messages = [remark.message for remark in decision(text, "DenseProduct")]
        assert any("max_drop" in message for message in messages) == refused, messages


@pytest.mark.parametrize("features", [4, 16, 17, 128, 16384])
@pytest.mark.parametrize("tokens", [1000, 7])  # thousandths and sevenths, rounded to f16
def test_profiles_round_trip(features, tokens):
    measured = layer(np.random.default_rng(features).random(features) ** 4, tokens=tokens)
    annotation = measured.annotation()
    text = winnow.ffn(64, features, dtype="bf16", sparsity=measured)
    assert len(text) < 1200 + 4 * features + (20 * features if features <= 16 else 0)
    printed = winnow.lower(text, target="cpu").ir("spec")
    assert len(printed) < 1200 + 4 * features + (20 * features if features <= 100 else 0)
    assert [np.float16(value) for value in profile_of(printed)] == annotation["profile"]
    again = winnow.lower(printed, target="cpu").ir("spec")
    assert again == printed


def profile_of(text):
    listed = re.search(r"profile = (?:dense<)?\[([^]]*)\]", text)
    if listed:
        return [float(value) for value in listed.group(1).split(", ")]
    return np.frombuffer(bytes.fromhex(re.search(r'profile = dense<"0x(\w+)">', text).group(1)), "<f2").tolist()


def test_profiles_that_f16_does_not_hold():
    profile = np.linspace(0, 1, 100, dtype=np.float32)
    text = winnow.ffn(64, 100, dtype="bf16", sparsity={"density": 0.5, "profile": profile})
    assert "tensor<100xf32>" in text and "max_drop = 0.05" in text
    printed = winnow.lower(text.replace("%x", "%z"), target="cpu").ir("spec")
    assert winnow.lower(printed, target="cpu").ir("spec") == printed
    stored = [float(f"{value:e}") for value in profile]
    np.testing.assert_allclose(profile_of(printed), stored, rtol=1e-6)
    assert "dense<0.5> : tensor<20xf16>" in sparsity_attribute(0.5, 0.0, [0.5] * 20)


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (dict(sparsity={"density": 0.1}, density=0.1), ValueError, "expected neither density nor max_drop beside it"),
        (dict(sparsity={"density": 0.1}, max_drop=0.1), ValueError, "expected neither density nor max_drop beside it"),
        (dict(sparsity=0.1), TypeError, "sparsity: expected a layer of a report or a mapping with .*, got float"),
        (dict(sparsity={"dense": 1}), ValueError, "sparsity: expected the keys density and, optionally, .*, got dense"),
        (dict(sparsity={}), ValueError, "expected the keys density .*, got none"),
        (dict(sparsity={"density": 2}), ValueError, "density: expected a fraction from 0 to 1, got 2"),
        (dict(sparsity=layer([0.1] * 4)), ValueError, "sparsity: expected a profile of d_ffn = 128 features, got 4"),
        (
            dict(sparsity={"density": 0.1, "profile": [0.5] * 127 + [1.5]}),
            ValueError,
            "profile: expected fractions from 0 to 1, got 1.5 for feature 127",
        ),
        (
            dict(sparsity={"density": 0.1, "profile": [[0.5]] * 128}),
            ValueError,
            r"profile: expected one density per feature, got an array of shape \(128, 1\)",
        ),
    ],
)
def test_builder_refusals(arguments, error, text):
    with pytest.raises(error, match=text):
        winnow.ffn(64, 128, **arguments)
