"""The encoder of a motion prior inside policies: network, what it observes, its rate, its place in a run folder."""
