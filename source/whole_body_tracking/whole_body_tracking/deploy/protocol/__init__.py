"""Unitree's low-level messages of the 29-joint G1: layout, checksum, checks, and their way over DDS."""
