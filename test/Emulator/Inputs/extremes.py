"""Writes inputs whose squares collide where the numbers do not, into the folder that is its argument: rows.npy (bf16, 200 x
512), halves.npy (f16, 200 x 512), x.npy and w.npy (bf16, 200 x 64 and 512 x 64; w picks a column of x for every row of it)."""

import sys

import numpy

ROWS = 200
random = numpy.random.default_rng(5)


def numbers(columns, least, most, special):
    """Of exponents from `least` to `most` in bf16's precision, of both signs, some zero, with NaN and infinities."""
    exponents = random.integers(least, most + 1, (ROWS, columns))
    x = numpy.ldexp(random.integers(128, 256, exponents.shape) / 128.0, exponents)
    x *= random.choice([1, 1, 1, -1], x.shape)
    for value, share in ((0.0, 0.1), (-0.0, 0.05), *((v, 0.01) for v in special)):
        x[random.random(x.shape) < share] = value
    return x


def mixed(columns, special):
    """Rows 0-63 hold small numbers (squares below 2^-126), 64-127 great ones (squares of 2^128), the rest everything."""
    x = numbers(columns, -140, 127, special)
    x[:64] = numbers(columns, -76, -64, [])[:64]
    x[64:128] = numbers(columns, 61, 67, [])[64:128]
    return x


def bf16(x):
    return (x.astype(numpy.float32).view(numpy.uint32) >> 16).astype(numpy.uint16)


specials = [numpy.nan, numpy.inf, -numpy.inf]
with numpy.errstate(over="ignore"):
    numpy.save(f"{sys.argv[1]}/rows.npy", bf16(mixed(512, specials)))
    numpy.save(f"{sys.argv[1]}/halves.npy", numbers(512, -26, 16, specials).astype(numpy.float16))
numpy.save(f"{sys.argv[1]}/x.npy", bf16(mixed(64, [])))  # w's zeros times infinity would make NaN of everything
w = numpy.zeros((512, 64), numpy.float32)
w[numpy.arange(512), random.integers(0, 64, 512)] = random.choice([1, -1, 2, 0.5], 512)
numpy.save(f"{sys.argv[1]}/w.npy", bf16(w))
