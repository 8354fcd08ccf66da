"""Planners that look ahead along a clip: sampling, Gauss-Newton, and the loop that both act in."""
