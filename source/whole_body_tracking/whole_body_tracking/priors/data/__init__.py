"""Clips as a stream of windows."""
