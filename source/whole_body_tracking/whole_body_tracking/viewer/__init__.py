"""Views of motions: an offline page, a live browser view, and replay through a physics engine."""
