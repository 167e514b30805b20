"""Configuration of the lit suite. Run it with `cmake --build build --target check-winnow`, or one folder or file with
`/usr/lib/llvm-22/bin/lit -v build/test/Dialect/FFN`."""

import os
import subprocess

import lit.formats

config.name = "Winnow"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Unit"]  # Unit is a suite of its own
config.test_source_root = os.path.join(config.winnow_source_dir, "test")
config.test_exec_root = os.path.join(config.winnow_build_dir, "test")

# The tools of this build come first, then FileCheck, not and split-file.
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.winnow_build_dir, "bin"), os.path.join(config.winnow_build_dir, "bin", "examples"),
     config.llvm_tools_dir, config.environment.get("PATH", "")]
)
config.environment["FILECHECK_OPTS"] = "--enable-var-scope --dump-input-filter=all"

# Tests must neither see nor touch the kernel cache and the tuned schedules of the person who runs them.
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")
config.environment["XDG_DATA_HOME"] = os.path.join(config.test_exec_root, "data")
for variable in ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "HOME", "WINNOW_NVRTC"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]
if config.sanitize:
    config.available_features.add("sanitize")
    # LLVM's archives are built without the sanitizers: containers that cross into them look overflown.
    config.environment["ASAN_OPTIONS"] = "allow_user_poisoning=0:detect_container_overflow=0:detect_leaks=0"

# What this machine has; a test that needs it says `// REQUIRES: gpu` and is reported as unsupported elsewhere.
probe = subprocess.run(
    [config.python, os.path.join(config.test_source_root, "probe_machine.py")],
    capture_output=True, text=True, env=config.environment,
)
if probe.returncode != 0:
    lit_config.fatal("test/probe_machine.py failed:\n" + probe.stderr)
found = dict(line.split("=", 1) for line in probe.stdout.splitlines())
config.available_features.update(found)
lit_config.note("features: " + (", ".join(sorted(found)) or "none of gpu, nvrtc, cuobjdump"))

if "cuobjdump" in found:  # winnow looks for it in the search path
    config.environment["PATH"] += os.pathsep + os.path.dirname(found["cuobjdump"])



def commit_seed():
    """A number from the content of the commit that is checked out; 2 where there is no git to ask."""
    try:
        tree = subprocess.run(["git", "-C", config.winnow_source_dir, "rev-parse", "--verify", "HEAD^{tree}"],
                              capture_output=True, text=True, check=True).stdout
        return int(tree[:12], 16) + 3
    except (OSError, subprocess.CalledProcessError):
        return 2


config.substitutions += [
    ("%{commit_seed}", str(commit_seed())),
    ("%python", config.python),
    ("%cuobjdump", found.get("cuobjdump", "cuobjdump")),
    ("%examples", os.path.join(config.winnow_source_dir, "examples")),
    ("%build", config.winnow_build_dir),
    ("%source", config.winnow_source_dir),
    ("%testtools", os.path.join(config.test_source_root, "tools")),
]
