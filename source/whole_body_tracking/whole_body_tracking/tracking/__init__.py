"""What tracking errors are: pure functions of reference and robot states, shared by rewards, terminations, metrics."""
