"""Tracking errors: pure functions of reference and robot states, shared by rewards, terminations and metrics."""
