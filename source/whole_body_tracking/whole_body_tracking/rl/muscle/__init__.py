"""MuscleNN that learns in turns with PPO, from the states that the policy visits."""
