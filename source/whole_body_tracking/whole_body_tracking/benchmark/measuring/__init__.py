"""Measurements: environment steps, the native limit, training, parts of a step and libraries of many clips."""
