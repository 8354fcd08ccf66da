"""Evaluation of policies: rollouts, metrics and their report."""
