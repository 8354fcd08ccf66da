"""Benchmark of stepping, simulation and training on this machine, with what limits each."""
