"""Times compiled FFNs beside what else runs them, interleaved in one process: ``python -m winnow.bench --help``.

Choosing cases, statistics and tables need nothing but Python; timing needs torch with CUDA, a plot needs matplotlib.
"""
