"""Configuration of the C++ unit tests: every executable of the build's test/Unit whose name ends in Tests."""

import os

import lit.formats

config.name = "Winnow-Unit"
config.suffixes = []
config.test_source_root = config.test_exec_root = os.path.join(config.winnow_build_dir, "test", "Unit")
config.test_format = lit.formats.GoogleTest(".", "Tests")
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")
for variable in ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "HOME", "WINNOW_NVRTC"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
if config.sanitize:
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0"
