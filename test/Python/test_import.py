"""Importing works anywhere and does no work."""

import os
import subprocess
import sys


def run(code, **environment):
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_with_a_read_only_home_and_no_toolkit(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    result = run("import winnow; print(winnow.__version__)", HOME=str(home), WINNOW_NVRTC="/nowhere")
    assert result.returncode == 0, result.stderr
    assert result.stdout[0].isdigit()
    assert list(home.iterdir()) == []


def test_import_loads_no_framework_and_starts_no_thread():
    result = run(
        "import sys, threading, os, winnow\n"
        "loaded = {'numpy', 'ml_dtypes', 'torch', 'cupy', 'jax'} & set(sys.modules)\n"
        "print(sorted(loaded), len(os.listdir('/proc/self/task')))"
    )
    assert result.stdout == "[] 1\n", result.stderr


def test_leaks_nothing_of_the_extension():
    """nanobind reports objects that are left at exit on standard error."""
    result = run(
        "import winnow\n"
        "f = winnow.compile(winnow.ffn(64, 128, dtype='f32'), target='cpu')\n"
        "f(*f.random_inputs(2))\n"
        "try:\n  winnow.compile('x', target='cpu')\nexcept winnow.Error:\n  pass\n"
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_compiling_many_times_does_not_grow():
    result = run(
        "import winnow, resource\n"
        "text = winnow.ffn(64, 128)\n"
        "def work(count):\n"
        "  for _ in range(count):\n"
        "    f = winnow.lower(text, target='sm_90a'); f.explain(); f.cuda\n"
        "  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "first = work(40)\n"
        "print(work(120) - first)\n"
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 8 * 1024, "kilobytes more after three times as many compilations"
