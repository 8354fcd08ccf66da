"""How well a policy tracks: metrics, roll-outs and their report."""
