"""Learning of MuscleNN beyond its plain training: a start from one pair's network, and states that a policy visits."""
