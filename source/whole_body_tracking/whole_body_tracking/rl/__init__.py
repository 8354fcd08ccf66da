"""Training and playing with RSL-RL."""
