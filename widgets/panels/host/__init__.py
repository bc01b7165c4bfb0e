"""Panels of the local host."""
