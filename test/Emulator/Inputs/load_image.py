"""Loads an image with a driver: load_image.py DRIVER IMAGE. Prints the error, if any; the exit status is 1 then."""

import ctypes
import sys

driver = ctypes.CDLL(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    image = file.read()
assert driver.cuInit(0) == 0
module = ctypes.c_void_p()
code = driver.cuModuleLoadDataEx(ctypes.byref(module), image, 0, None, None)
name, text = ctypes.c_char_p(), ctypes.c_char_p()
driver.cuGetErrorName(code, ctypes.byref(name))
driver.cuGetErrorString(code, ctypes.byref(text))
if code:
    print(f"{name.value.decode()}: {text.value.decode()}")
sys.exit(1 if code else 0)
