"""The controller: from a state to a command, through a state machine and a safety layer."""
