"""One expert for all walks of a RefNN: how it is measured, and the way there in one command."""
