"""Whole-body motion tracking for humanoids on Isaac Lab 3.0."""

__version__ = "0.1.0"
