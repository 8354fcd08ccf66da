"""Agents of the gait task."""
