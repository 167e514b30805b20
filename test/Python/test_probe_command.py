"""python -m winnow.probe: models and data from files, what it writes, what it refuses."""

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch (scripts/setup installs it)")

from winnow.probe import Report  # noqa: E402
from winnow.probe._command import main  # noqa: E402

FACTORIES = """
import torch
from torch import nn
from torch.nn import functional as F

class ReLU2(nn.Module):
    def forward(self, x):
        return F.relu(x).square()

def floats():
    return nn.Sequential(nn.Linear(8, 20, bias=False), ReLU2(), nn.Linear(20, 8, bias=False))

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.mlp = nn.Embedding(50, 8), floats()
        self.shapes = []
    def forward(self, input_ids):
        self.shapes.append(tuple(input_ids.shape))
        return self.mlp(self.embedding(input_ids))

def words():
    return Words()

def pair():
    return floats(), [torch.randn(3, 8), torch.randn(4, 8)]

def interrupted():
    def batches():
        yield torch.randn(4, 8)
        raise KeyboardInterrupt
    return floats(), batches()

def early():
    raise KeyboardInterrupt

def nothing():
    return None

def bare():
    return nn.Linear(8, 8)

number = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a module of factories."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "probe_factories", raising=False)
    (tmp_path / "probe_factories.py").write_text(FACTORIES)
    return tmp_path


def test_random_ids(folder, capsys):
    arguments = ["--model", "probe_factories:words", "--data", "random", "--tokens", "70", "--sequence", "16"]
    assert main([*arguments, "--batch", "2", "--output", "a.json", "--dtype", "bfloat16", "--device", "cpu"]) == 0
    report = Report.load("a.json")
    layer = report["mlp"]
    assert (layer.tokens, layer.calls, layer.features, layer.activation) == (70, 3, 20, "relu2")
    assert report.origin["model"] == "probe_factories:words" and report.origin["data"] == "random"
    captured = capsys.readouterr()
    assert captured.out.splitlines()[3].split()[:4] == ["mlp", "relu2", "20", "70"]
    assert "batch 3 of 3, 70 tokens, " in captured.err and "wrote a.json" in captured.err
    assert main([*arguments, "--output", "b.json", "--dtype", "bfloat16", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(Report.load("b.json")["mlp"].feature_nonzeros, layer.feature_nonzeros)


def test_arrays(folder, capsys):
    ids = np.arange(40) % 50
    np.save("stream.npy", ids)
    np.save("rows.npy", ids.reshape(5, 8).astype(np.int32))
    common = ["--model", "probe_factories:words", "--output", "a.json", "--quiet", "--sequence", "8", "--device", "cpu"]
    seen = []
    for data in ("stream.npy", "rows.npy"):
        assert main([*common, "--data", data]) == 0
        seen.append(Report.load("a.json")["mlp"])
    np.testing.assert_array_equal(seen[0].feature_nonzeros, seen[1].feature_nonzeros)
    assert [layer.tokens for layer in seen] == [40, 40]
    np.save("floats.npy", np.random.default_rng(0).standard_normal((6, 10, 8)))
    command = ["--model", "probe_factories:floats", "--data", "floats.npy", "--tokens", "40", "--output", "f.json"]
    assert main(command) == 0
    assert Report.load("f.json")[""].tokens == 40


def test_a_model_with_batches(folder, capsys):
    assert main(["--model", "probe_factories:pair"]) == 0
    layer = Report.load("sparsity.json")[""]
    assert (layer.tokens, layer.calls) == (7, 2)


def test_plot(folder, capsys):
    pytest.importorskip("matplotlib", reason="needs matplotlib (scripts/setup installs it)")
    assert main(["--model", "probe_factories:pair", "--plot", "a.svg"]) == 0
    assert (folder / "a.svg").read_text().startswith("<?xml")
    assert "wrote sparsity.json and a.svg" in capsys.readouterr().err


def test_interrupting_keeps_what_was_measured(folder, capsys):
    assert main(["--model", "probe_factories:interrupted"]) == 130
    assert Report.load("sparsity.json")[""].tokens == 4
    assert "interrupted; this is what was measured until then" in capsys.readouterr().err


def test_interrupting_before_there_is_something(folder, capsys):
    assert main(["--model", "probe_factories:early"]) == 130
    assert capsys.readouterr().err.endswith("error: interrupted\n")


def test_hugging_face_folder(folder, capsys):
    transformers = pytest.importorskip("transformers", reason="needs transformers (scripts/setup installs it)")
    tokenizers = pytest.importorskip("tokenizers", reason="needs tokenizers (comes with transformers)")
    words = {word: i for i, word in enumerate(["[UNK]", "a", "sparse", "network", "is", "fast"])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]").save_pretrained("model")
    config = transformers.NemotronConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
    )
    transformers.NemotronForCausalLM(config).to(torch.bfloat16).save_pretrained("model")
    (folder / "text.txt").write_text("a sparse network is fast " * 9)
    command = ["--model", "model", "--data", "text.txt", "--sequence", "10", "--device", "cpu", "--quiet"]
    assert main(command) == 0
    report = Report.load("sparsity.json")
    assert list(report) == ["model.layers.0.mlp", "model.layers.1.mlp"]
    assert [layer.tokens for layer in report.values()] == [45, 45]
    assert main([*command, "--layers", "*.1.mlp"]) == 0
    assert list(Report.load("sparsity.json")) == ["model.layers.1.mlp"]


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["--model", "nowhere"], "nowhere: expected a folder with a model, or MODULE:FUNCTION"),
        (["--model", "nowhere:make"], "nowhere:make: found no module 'nowhere' here or among the installed ones"),
        (["--model", "probe_factories:none"], "the module 'probe_factories' has no function 'none'"),
        (["--model", "probe_factories:number"], "the module 'probe_factories' has no function 'number'"),
        (["--model", "probe_factories:nothing"], "expected a torch.nn.Module or a pair of one and batches"),
        (["--model", "probe_factories:floats"], "--data: expected a file or 'random', since the model brings no"),
        (["--model", "probe_factories:pair", "--data", "random"], "--data: expected none, since the model brings its"),
        (["--model", "probe_factories:floats", "--data", "random"], "the model has no nn.Embedding"),
        (["--model", "probe_factories:bare", "--data", "flat.npy"], "the model has no nn.Embedding"),
        (["--model", "probe_factories:words", "--data", "large.npy"], "expected token ids from 0 to 49, got 0 to 50"),
        (
            ["--model", "probe_factories:words", "--data", "float.npy"],
            "expected integers (tokens,) or (rows, sequence)",
        ),
        (["--model", "probe_factories:words", "--data", "empty.npy"], "empty.npy: there are no tokens in it"),
        (["--model", "probe_factories:words", "--data", "no.npy"], "No such file or directory: 'no.npy'"),
        (["--model", "probe_factories:words", "--data", "text.txt"], "needs --tokenizer FOLDER"),
        (["--model", "probe_factories:words", "--data", "latin.txt"], "latin.txt: expected text in UTF-8: "),
        (["--model", "early", "--data", "random"], "early: the model cannot be loaded: "),
        (["--model", "empty", "--data", "text.txt"], "empty: expected a Hugging Face model, found no config.json"),
        (
            ["--model", "probe_factories:words", "--data", "random", "--layers", "x"],
            "layers: 'x' fits no feed-forward block",
        ),
    ],
)
def test_what_cannot_be_measured(folder, capsys, arguments, text):
    (folder / "empty").mkdir()
    (folder / "text.txt").write_text("words")
    (folder / "latin.txt").write_bytes(b"\xe9t\xe9")
    (folder / "early").mkdir()
    (folder / "early" / "config.json").write_text("{}")
    np.save("flat.npy", np.arange(4))
    np.save("large.npy", np.arange(51))
    np.save("float.npy", np.ones(4))
    np.save("empty.npy", np.zeros(0, np.int64))
    assert main(["--quiet", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and text in captured.err and captured.err.count("\n") == 1
    assert not (folder / "sparsity.json").exists()


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "the following arguments are required: --model"),
        (["--model", "m", "--tokens", "0"], "argument --tokens: expected a whole number from 1, got '0'"),
        (["--model", "m", "--batch", "x"], "argument --batch: expected a whole number from 1, got 'x'"),
        (["--model", "m", "--plot", "a.txt"], "--plot: path: expected a name that ends in .png, .svg, .pdf"),
        (["--model", "m", "--output", "no/where.json"], "no/where.json: there is no folder "),
    ],
)
def test_wrong_command_lines(folder, capsys, arguments, text):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2 and text in capsys.readouterr().err


def test_as_a_module(folder):
    result = subprocess.run([sys.executable, "-m", "winnow.probe", "--help"], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.startswith("usage: python -m winnow.probe ")
