"""Frozen skills, and a selector that chooses among them on a course of goals."""
