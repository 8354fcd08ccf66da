"""Gait: measure how a robot walks, plan a walk from parameters, and learn a network that predicts it."""
