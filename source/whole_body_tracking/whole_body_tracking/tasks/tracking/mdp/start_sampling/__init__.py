"""Sampling of episode starts in the clips: bins, failure statistics, shares and the samplers built on them."""
