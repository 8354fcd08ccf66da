"""Robots of the gait task."""
