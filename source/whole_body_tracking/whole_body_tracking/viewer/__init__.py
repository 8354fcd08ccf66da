"""Motions made visible: an offline page, a live browser view, and replay through a physics engine."""
