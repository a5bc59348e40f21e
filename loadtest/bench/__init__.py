"""The project's own benchmarks: `make bench`. Each prints its figure and writes `build/figures/METRIC.json`."""
