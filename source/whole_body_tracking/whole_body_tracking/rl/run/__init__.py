"""The run service: run folder, checkpoints, random state, logging and processes, for any trainer."""
