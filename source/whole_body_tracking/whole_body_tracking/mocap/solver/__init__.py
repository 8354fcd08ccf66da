"""Poses of a robot that reach targets: the least-squares problem and its solvers."""
