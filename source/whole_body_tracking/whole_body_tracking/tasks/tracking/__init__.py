"""Motion tracking: the task, its MDP terms and its robots."""
