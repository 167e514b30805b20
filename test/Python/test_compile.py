"""Compiling, looking at what came of it, and failing."""

import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
import winnow
from conftest import RELU

FORWARD = winnow.ffn(d_model=256, d_ffn=1024)


def test_every_level_can_be_looked_at():
    ffn = winnow.lower(FORWARD, target="sm_90a", tokens=2**20)
    assert "ffn.relu2" in ffn.ir("spec") and "ffn.kernel" not in ffn.ir("spec")
    assert "ffn.kernel" in ffn.ir("ffn")
    assert "kern.program" in ffn.ir("kern")
    assert "wgmma.mma_async.sp" in ffn.cuda
    with pytest.raises(ValueError, match="level: expected one of spec, ffn, kern, got 'asm'"):
        ffn.ir("asm")


def test_remarks_and_explanation(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    ffn = winnow.lower(FORWARD, target="sm_90a", tokens=2**20)
    explanation = ffn.explain()
    by_name = {remark.name: remark for remark in ffn.remarks}
    sparse = by_name["SparseProduct"]
    assert (sparse.kind, sparse.pass_name, sparse.location) == ("passed", "ffn-select-layout", "<text>:10:9")
    assert "Layout=token_wise" in sparse.facts and "2:4 is predicted" in sparse.message
    lines = str(explanation).splitlines()
    assert lines[0] == "@forward for sm_90a"
    assert lines[1].split() == ["where", "decision", "facts", "why"]
    assert any("SparseProduct" in line for line in lines) and max(map(len, lines)) <= 120
    page = explanation._repr_html_()
    assert page.count("<tr>") == len(ffn.remarks) + 1
    assert "&lt;text&gt;:10:9" in page and "<text>" not in page
    assert len(ffn.remarks) == len(ffn.explain().remarks), "looking twice decides nothing twice"


def test_tuning_database(tmp_path):
    def schedule(tuning):
        ffn = winnow.lower(FORWARD, target="sm_90a", tokens=8192, tuning=tuning)
        return next(r.message for r in ffn.remarks if r.pass_name == "kern-choose-schedule" and "1024 x 256" in r.message)

    database = tmp_path / "tuned.json"
    database.write_text(
        '{"version": 1, "entries": [{"chip": "sm_90a", "problem": {"sparse": false, "lhs": "f8E4M3FN", '
        '"rhs": "f8E4M3FN", "out": "bf16", "compress": false, "m": "tokens", "n": 1024, "k": 256, '
        '"tokens": [4097, 8192], "lhs_order": "row_major", "rhs_order": "row_major"}, '
        '"schedule": {"tile": [64, 96], "warpgroups": 1, "stages": 5, "raster": 3, "pacing": 0}, '
        '"measured": {"device": "A GPU", "us": 1.00, "model_us": 2.00, "date": "2026-01-31", "build": "0.0+test"}}]}'
    )
    assert "tuned: 1.00 us on A GPU" in schedule(database) and "64 x 96" in schedule(database)
    assert "tuned:" not in schedule(None) and "tuned:" not in schedule("none")
    with pytest.raises(winnow.Error, match="missing.json"):
        schedule(tmp_path / "missing.json")


@pytest.mark.nvrtc
def test_token_ranges():
    told = []
    ffn = winnow.compile(FORWARD, target="sm_90a", on_diagnostic=told.append)
    ranges = ffn.token_ranges
    assert ranges[0].first == 1 and 8192 in [r.decided_for for r in ranges]
    assert all(a.last + 1 == b.first for a, b in zip(ranges, ranges[1:], strict=False))
    assert all(r.first <= r.decided_for <= r.last and "forward_1_gemm" in r.summary for r in ranges)
    assert len({r.summary for r in ranges}) > 1, "few tokens are decided otherwise than many"
    # What is shown is of one token count, and told once.
    one = winnow.compile(FORWARD, target="sm_90a", tokens=8192)
    assert ffn.cuda == one.cuda and ffn.ptx == one.ptx and list(ffn.kernels) == list(one.kernels)
    remarks = [repr(remark) for remark in ffn.remarks]
    assert len(set(remarks)) == len(remarks)
    assert {r for r in remarks if "TokenRange" not in r} == {repr(remark) for remark in one.remarks}
    assert sum("TokenRange" in r for r in remarks) == len(ranges) and not told
    assert [(r.first, r.decided_for) for r in one.token_ranges] == [(1, 8192)]
    # The level of the kernels is that of the range that the arrays are in.
    for r in (ranges[0], ranges[-1]):
        inputs = ffn.random_inputs(min(r.last, 20))
        few = next(x for x in ranges if x.first <= len(inputs[0]) <= x.last)
        decided = winnow.lower(FORWARD, target="sm_90a", tokens=few.decided_for)
        expected = decided.reference(*inputs, level="ffn")
        assert ffn.reference(*inputs, level="ffn").tobytes() == expected.tobytes()


@pytest.mark.nvrtc
def test_kernels_and_artifact(tmp_path):
    ffn = winnow.compile(RELU, target="sm_90a")
    (kernel,) = ffn.kernels.values()
    assert ".target sm_90a" in kernel.ptx and kernel.ptx in ffn.ptx
    assert kernel.cubin.startswith(b"\x7fELF") and kernel.cuda in ffn.cuda
    path = tmp_path / "relu.wnw"
    ffn.save(path)
    assert path.read_bytes() == ffn.artifact
    assert [entry.name for entry in tmp_path.iterdir()] == ["relu.wnw"]
    with pytest.raises(OSError):
        ffn.save(tmp_path / "missing" / "relu.wnw")


@pytest.mark.nvrtc
def test_an_interrupt_ends_a_compilation(tmp_path):
    """Ctrl-C while kernels are compiled: KeyboardInterrupt, and a cache that the next compilation can use."""
    one = "winnow.compile(winnow.ffn(d_model=256, d_ffn=1024), target='sm_90a')"
    code = (
        "import signal, winnow\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs start with it ignored
        f"print('ready', flush=True)\nwhile True: {one}"
    )
    environment = {**os.environ, "WINNOW_CACHE_DIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=-1, stderr=-1, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT and errors.rstrip().endswith("KeyboardInterrupt"), errors
    subprocess.run([sys.executable, "-c", f"import winnow; {one}"], env=environment, check=True, timeout=60)


def test_missing_nvrtc_is_an_error_that_names_it(monkeypatch):
    monkeypatch.setenv("WINNOW_NVRTC", "/nowhere/libnvrtc.so")
    with pytest.raises(winnow.Error, match="/nowhere/libnvrtc.so"):
        winnow.compile(RELU, target="sm_90a", use_cache=False)


def test_loading_what_is_no_artifact(tmp_path):
    path = tmp_path / "ffn.wnw"
    path.write_bytes(b"no artifact, but long enough to hold the header of one and then some more bytes")
    with pytest.raises(winnow.Error, match="artifact in memory"):
        winnow.load(path)
    with pytest.raises(FileNotFoundError):
        winnow.load(tmp_path / "missing.wnw")


def test_cpu_has_no_kernels():
    ffn = winnow.compile(RELU, target="cpu")
    with pytest.raises(winnow.Error, match="the target 'cpu' evaluates a module as it is"):
        ffn.cuda


def test_malformed_text_carries_the_diagnostic():
    with pytest.raises(winnow.Error, match=r"<text>:2:3: error: .*ffn.nothing"):
        winnow.compile("func.func @f() {\n  ffn.nothing\n}", target="cpu")


def test_a_path_is_named_in_messages(tmp_path):
    path = tmp_path / "spec.mlir"
    path.write_text("func.func @f() {")
    with pytest.raises(winnow.Error, match=r"spec\.mlir:1:\d+: error: "):
        winnow.compile(path, target="cpu")
    path.write_text(RELU)
    assert winnow.compile(path, target="cpu").entry == "forward"
    with pytest.raises(FileNotFoundError):
        winnow.compile(pathlib.Path("/nowhere/spec.mlir"), target="cpu")


def test_entry():
    two = RELU + RELU.replace("@forward", "@other")
    assert winnow.compile(two, target="cpu").entry == "forward"
    assert winnow.compile(two, target="cpu", entry="other").entry == "other"
    with pytest.raises(winnow.Error, match="no function @third; there are @forward, @other"):
        winnow.compile(two, target="cpu", entry="third")


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (dict(target="sm_1"), winnow.Error, "unknown target 'sm_1', expected one of"),
        (dict(tokens=0), ValueError, "tokens: expected a count from 1 to 2147483647, got 0"),
        (dict(tokens=2**31), ValueError, "tokens: expected a count from 1 to 2147483647, got 2147483648"),
        (dict(tokens=1.5), TypeError, "tokens: expected an int, got float"),
    ],
)
def test_bad_options(arguments, error, text):
    with pytest.raises(error, match=text):
        winnow.lower(RELU, **{"target": "sm_90a", **arguments}).cuda


def test_spec_of_another_type():
    with pytest.raises(TypeError, match="spec: expected MLIR text, a path or an MLIR module, got int"):
        winnow.compile(7)


def test_diagnostics_reach_the_callback_and_its_exceptions_the_caller():
    seen = []
    bad = "func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> { return %x : tensor<?x4xf32> }"
    ffn = winnow.lower(bad, target="sm_1", on_diagnostic=seen.append)
    with pytest.raises(winnow.Error):
        ffn.ir("ffn")
    assert seen and seen[0].severity == "error" and "unknown target" in seen[0].message

    def refuse(diagnostic):
        raise KeyError(diagnostic.severity)

    with pytest.raises(KeyError, match="error"):
        winnow.lower(bad, target="sm_1", on_diagnostic=refuse).ir("ffn")


def test_several_threads_compile_at_once():
    expected = winnow.lower(FORWARD, target="sm_90a").ir("kern")
    shared = winnow.lower(FORWARD, target="sm_90a")
    results = []

    def work(own):
        for _ in range(4):
            results.append((winnow.lower(FORWARD, target="sm_90a") if own else shared).ir("kern") == expected)

    threads = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 24
