"""Panels of HTTP endpoints."""
