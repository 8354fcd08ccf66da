"""The reference of the tracking command: clip clock, placement, terrain, loading, markers and diagnostics."""
