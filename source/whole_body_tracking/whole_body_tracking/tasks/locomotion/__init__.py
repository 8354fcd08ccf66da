"""Walking by velocity command: the task, its MDP terms and its robots."""
