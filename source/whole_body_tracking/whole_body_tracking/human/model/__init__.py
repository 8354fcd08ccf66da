"""The human model: its joints, muscles and landmarks."""
