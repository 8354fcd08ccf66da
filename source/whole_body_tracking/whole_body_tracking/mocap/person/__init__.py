"""A person's motion as landmarks, body frames and ground contacts."""
