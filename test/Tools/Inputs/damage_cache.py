"""Flips a bit of one entry of a kernel cache and cuts another short."""

import os
import sys

entries = sorted(os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1]) if name.endswith(".wnk"))
with open(entries[0], "r+b") as file:
    file.seek(-100, os.SEEK_END)
    byte = file.read(1)
    file.seek(-1, os.SEEK_CUR)
    file.write(bytes([byte[0] ^ 1]))
os.truncate(entries[1], os.path.getsize(entries[1]) // 2)
