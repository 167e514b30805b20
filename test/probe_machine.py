"""Prints what the tests may use on this machine, one `feature=where` a line: gpu, nvrtc, cuobjdump."""

import ctypes
import glob
import os
import shutil
import site
import sysconfig


def packages():
    """Folders in which pip puts NVIDIA's wheels."""
    folders = [sysconfig.get_path("purelib"), site.getusersitepackages(), *site.getsitepackages()]
    return list(dict.fromkeys(folders))


def first(candidates, works):
    return next((candidate for candidate in candidates if works(candidate)), None)


def loads(name):
    try:
        ctypes.CDLL(name)
        return True
    except OSError:
        return False


def find_gpu():
    """The number of CUDA devices as text, or None without a driver or a device."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value == 0:
        return None
    return str(count.value)


def find_nvrtc():
    names = ["libnvrtc.so.13", "libnvrtc.so.12"]
    wheels = [path for folder in packages() for name in names
              for path in sorted(glob.glob(os.path.join(folder, "nvidia", "*", "lib", name)))]
    toolkits = [os.path.join("/usr/local/cuda", lib, name) for name in names for lib in ("lib64", "lib")]
    return first(names + toolkits + wheels, loads)


def find_cuobjdump():
    wheels = [path for folder in packages()
              for path in sorted(glob.glob(os.path.join(folder, "nvidia", "*", "bin", "cuobjdump")))]
    candidates = [shutil.which("cuobjdump") or "", "/usr/local/cuda/bin/cuobjdump", *wheels]
    return first(candidates, lambda path: os.access(path, os.X_OK))


for feature, where in (("gpu", find_gpu()), ("nvrtc", find_nvrtc()), ("cuobjdump", find_cuobjdump())):
    if where:
        print(f"{feature}={where}")
