"""Fit a robot to a person's motion: body scale, contacts, targets, a batched solver, and what came out."""
