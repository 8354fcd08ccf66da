"""Whole-body motion tracking for humanoids on Isaac Lab 3.0."""
