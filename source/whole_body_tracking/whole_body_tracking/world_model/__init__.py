"""A learned model of the robot, and a policy trained by back-propagation through it: docs/world_model.md."""
