"""Exactly once: faults under load, and the stream counted afterwards."""
