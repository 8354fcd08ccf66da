"""Walking by command: commands, and what a walk is measured by. Starts no simulator."""
