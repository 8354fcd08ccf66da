"""How fast this machine steps, simulates and trains, and what keeps it from being faster."""
