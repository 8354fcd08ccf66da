"""A task that tracks a human motion with muscle excitations, on native MuJoCo."""
