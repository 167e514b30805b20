"""`pip install .` makes a package that stands alone."""

import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the package as pip installs it."""
    pytest.importorskip("scikit_build_core", reason="needs scikit-build-core (scripts/setup installs it)")
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-build-isolation",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-4000:]
    (wheel,) = folder.glob("winnow_ffn-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_contents(site):
    names = {entry.name for entry in (site / "winnow").iterdir()}
    assert {"__init__.py", "_winnow.pyi", "libwinnow.so", "py.typed"} <= names
    assert {entry.name.split("-")[0] for entry in site.iterdir()} == {"winnow", "winnow_ffn"}


def test_three_lines_without_the_checkout(site, tmp_path):
    code = (
        "import winnow; f = winnow.compile(winnow.ffn(64, 128), target='cpu');"
        "print(winnow.__file__, f(*f.random_inputs(tokens=4)).shape)"
    )
    environment = {"PYTHONPATH": str(site), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stdout == f"{site / 'winnow' / '__init__.py'} (4, 64)\n", result.stderr
