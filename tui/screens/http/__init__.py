"""The screens of HTTP endpoints."""
