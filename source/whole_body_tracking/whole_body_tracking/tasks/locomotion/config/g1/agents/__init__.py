"""PPO settings of the G1 locomotion tasks."""
