"""Supervised training: an expert says what to do in states near a clip, and the task's own actor learns it."""
