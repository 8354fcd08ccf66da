"""PPO settings of the G1 tasks."""
