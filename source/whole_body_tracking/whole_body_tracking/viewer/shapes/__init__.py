"""Shapes of robots: capsules from the facts, and the meshes of an installed description."""
