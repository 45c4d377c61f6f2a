"""Benchmarks of the pipeline. Figures are ratios within one run: absolute numbers depend on the machine."""
