"""The code in docs/python.md runs, in order, in one namespace."""

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"^```python( [a-z]+)?\n(.*?)^```", PAGE.read_text(), re.S | re.M)


def test_the_page_has_code():
    assert len([kind for kind, _ in BLOCKS if not kind]) >= 4


@pytest.mark.nvrtc
def test_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for kind, code in BLOCKS:
        if kind != " gpu":
            exec(compile(code, str(PAGE), "exec"), namespace)
    assert "SparseProduct" in capsys.readouterr().out
    assert (tmp_path / "ffn.wnw").stat().st_size > 0


@pytest.mark.gpu
def test_gpu_code_runs():
    pytest.importorskip("torch")
    namespace = {}
    for kind, code in BLOCKS:
        if kind == " gpu":
            exec(compile(code, str(PAGE), "exec"), namespace)
