"""The screens of the local host."""
