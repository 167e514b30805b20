"""Times compiled FFNs beside what else runs them, interleaved in one process: ``python -m winnow.bench --help``.

The modules that do not touch the GPU (grid, stats, turns, report, plot) need nothing but Python; timing needs torch with
CUDA, a plot needs matplotlib.
"""
