"""Policies that follow a RefNN: their graph and its comparison with torch."""
