"""What PPO here adds to rsl_rl's: the number format of its networks and mirrored training data."""
