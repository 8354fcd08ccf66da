"""Physics engines on machines without a GPU."""
