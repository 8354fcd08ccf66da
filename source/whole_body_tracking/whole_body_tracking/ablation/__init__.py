"""Ablations: the same training with one thing changed, judged by one evaluation."""
