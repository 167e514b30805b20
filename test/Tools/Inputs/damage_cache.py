"""Flips a bit of the entry of one kernel and cuts that of another short; entries of whole programs stay as they are."""

import os
import sys



def is_kernel(path):
    with open(path, "rb") as file:
        return b"@forward" not in file.read(400)


entries = sorted(os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1]) if name.endswith(".wnk"))
entries = [entry for entry in entries if is_kernel(entry)]
with open(entries[0], "r+b") as file:
    file.seek(-100, os.SEEK_END)
    byte = file.read(1)
    file.seek(-1, os.SEEK_CUR)
    file.write(bytes([byte[0] ^ 1]))
os.truncate(entries[1], os.path.getsize(entries[1]) // 2)
