"""Writes .npy files by hand, good and bad, into the folder that is its argument; needs no NumPy."""

import os
import sys


def npy(descr, shape, size):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(size)


FILES = {
    "good.npy": npy("<u2", (3, 64), 384),
    "shape.npy": npy("<u2", (3, 63), 378),
    "type.npy": npy("<i4", (3, 64), 768),
    "short.npy": npy("<u2", (3, 64), 379),
    "magic.npy": b"hello world, this is no array",
}
for name, contents in FILES.items():
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(contents)
