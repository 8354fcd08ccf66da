"""Experts that track one motion each: training them, switching between them, distilling them into one policy."""
