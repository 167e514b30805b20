"""Writes bf16 matrices with values in [1, 4) of both signs, the same every time: FOLDER NAME=ROWSxCOLUMNS…, each to
NAME.npy; needs no NumPy."""

import os
import random
import sys

for argument in sys.argv[2:]:
    name, _, shape = argument.partition("=")
    rows, columns = map(int, shape.split("x"))
    bits = random.Random(name)
    values = b"".join(
        (bits.choice((0x3F80, 0xBF80)) + bits.randrange(0x100)).to_bytes(2, "little") for _ in range(rows * columns)
    )
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(os.path.join(sys.argv[1], name + ".npy"), "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values)
