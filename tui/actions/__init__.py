"""Guarded actions: the only code that changes a target, and the one door to it."""
