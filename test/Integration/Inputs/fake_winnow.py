#!/usr/bin/env python3
"""Stands in for the winnow command in the test of scripts/gpu-lane: prints what a GPU run would, wrong for one case."""
import sys

arguments = sys.argv[1:]
if arguments == ["env"]:
    print("winnow       fake\nGPU 0        fake")
elif "--repeat=20" in arguments:
    print("  ok    20 runs gave identical bits")
elif "--check" in arguments:
    wrong = "--tokens=7" in arguments and arguments[1].endswith("forward_bf16.wnw")
    print("@forward on fake\n  " + ("WRONG " if wrong else "ok    ") + "result 0  all 7 rows, max error 1, relative error 0.5, 1 of 2")
    if arguments[1].endswith(".mlir") and "ffn.sparsity" in open(arguments[1], encoding="utf-8").read():
        print("  ok    stage 0 (matmul, relu2, sparsify, compress)  all 7 rows, bit for bit equal")
    sys.exit(1 if wrong else 0)
else:
    print("compiled 4 kernels in 1.00 s")
